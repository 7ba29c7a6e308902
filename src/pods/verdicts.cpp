// SPDX-License-Identifier: Apache-2.0
// Would this node take an entry: the kubelet that is installed, the newest known, the runtime and
// the kernel.
#include "kubelet_sysctl/pods/verdicts.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::pods {
namespace {

constexpr std::array<sysctl::RuleSet, 3> kAllRules = {
    sysctl::RuleSet::kFrom129, sysctl::RuleSet::kUpTo128, sysctl::RuleSet::kUpTo122};
constexpr sysctl::KubeletVersion kAnyRelease = {.major = 9999, .minor = 0, .patch = 0};

/// NAME=VALUE taken apart; no entry holds a '='.
std::pair<std::string, std::optional<std::string>> parts_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {text, std::nullopt};
  const auto trimmed = [](std::string part) {
    const std::size_t begin = part.find_first_not_of(" \t");
    if (begin == std::string::npos) return std::string();
    return part.substr(begin, part.find_last_not_of(" \t") - begin + 1);
  };
  return {trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

/// With an unknown release it is accepted when every release does, and refused when none does.
void judge_rules(EntryVerdict& verdict, const std::optional<sysctl::KubeletVersion>& version) {
  const auto next =
      sysctl::rejection_by(sysctl::rule_set_of(sysctl::newest_known_kubelet()), verdict.entry);
  verdict.accepted_by_next = !next;
  verdict.next_reason = next.value_or("");
  if (version) {
    const auto words = sysctl::rejection_by(sysctl::rule_set_of(*version), verdict.entry);
    verdict.accepted = !words;
    verdict.reason = words.value_or("");
    return;
  }
  std::size_t refusing = 0;
  for (const sysctl::RuleSet rules : kAllRules) {
    const auto words = sysctl::rejection_by(rules, verdict.entry);
    if (!words) continue;
    if (refusing++ == 0) {
      verdict.reason = fmt::format("kubelet {}: {}", sysctl::releases_of(rules), *words);
    }
  }
  if (refusing == 0) verdict.accepted = true;
  if (refusing < kAllRules.size()) return;
  verdict.accepted = false;
  verdict.reason = verdict.next_reason;
}

/// The configured list, to be asked; nothing where it is not known.
using AskedList = std::optional<sysctl::EntrySet>;

AskedList asked_list(const VerdictContext& context) {
  AskedList list;
  if (context.list) list.emplace(*context.list);
  return list;
}

void judge_list(EntryVerdict& verdict, const AskedList& list) {
  if (!list) return;
  const auto by = list->covering(verdict.entry);
  verdict.listed = by.has_value();
  if (by) verdict.listed_by = *by;
}

void judge_safe(EntryVerdict& verdict, const std::string& dotted, const VerdictContext& context) {
  verdict.safe = sysctl::safe_sysctl(dotted, kAnyRelease, sysctl::kAnyKernel);
  if (verdict.safe == nullptr) {
    verdict.safe_now = false;
    return;
  }
  const auto kernel = sysctl::parse_kernel_version(context.kernel.release);
  if (!context.version) return;
  const bool on_any_kernel =
      sysctl::safe_sysctl(dotted, *context.version, sysctl::kAnyKernel) != nullptr;
  const bool on_this = sysctl::safe_sysctl(dotted, *context.version, kernel) != nullptr;
  // The kubelet knows its kernel; here it may be another machine's.
  if (kernel || on_any_kernel == on_this) verdict.safe_now = on_this;
}

sysctl::SysctlNamespace belongs_to(const std::string& entry) {
  for (const sysctl::RuleSet rules : kAllRules) {
    const sysctl::SysctlNamespace one = sysctl::namespace_of(entry, rules);
    if (one != sysctl::SysctlNamespace::kNone) return one;
  }
  return sysctl::SysctlNamespace::kNone;
}

sysctl::KernelAnswer kernel_answer(const std::string& entry, const sysctl::KernelReport& report) {
  const sysctl::KernelAnswer* found = sysctl::answer_for(report, entry);
  if (found != nullptr) return *found;
  return {.entry = entry,
          .why = report.why.empty() ? "the kernel was not asked about it" : report.why};
}

std::string hint_for(const EntryVerdict& verdict) {
  const auto pattern = sysctl::SysctlPattern::parse(verdict.entry);
  if (!pattern) return pattern.error().hint;
  if (!verdict.accepted.value_or(false) || !verdict.accepted_by_next) {
    const auto refusal = sysctl::refusal_of(*pattern);
    return refusal ? refusal->hint : std::string();
  }
  const sysctl::KernelState state = verdict.kernel.state;
  if (state == sysctl::KernelState::kReadOnly || state == sysctl::KernelState::kAbsent) {
    return "an entry will not help; what pods cannot set is set for the whole node, by a file in "
           "'/etc/sysctl.d'";
  }
  return {};
}

}  // namespace

const char* name_of(EntryWorth worth) {
  switch (worth) {
    case EntryWorth::kGood:
      return "good";
    case EntryWorth::kAccepted:
      return "accepted";
    case EntryWorth::kUseless:
      return "useless";
    case EntryWorth::kFatalLater:
      return "fatal later";
    case EntryWorth::kFatal:
      return "fatal";
    case EntryWorth::kUnknown:
      return "unknown";
  }
  return "unknown";
}

EntryWorth worth_of(const EntryVerdict& verdict) {
  if (!verdict.accepted) return EntryWorth::kUnknown;
  if (!*verdict.accepted) return EntryWorth::kFatal;
  if (!verdict.accepted_by_next) return EntryWorth::kFatalLater;
  const sysctl::KernelState state = verdict.kernel.state;
  const bool useless =
      state == sysctl::KernelState::kReadOnly || state == sysctl::KernelState::kAbsent;
  if (useless || !verdict.runtime.empty()) return EntryWorth::kUseless;
  return state == sysctl::KernelState::kUnknown ? EntryWorth::kAccepted : EntryWorth::kGood;
}

namespace {

EntryVerdict verdict_of(const std::string& text, const VerdictContext& context,
                        const AskedList& list) {
  EntryVerdict verdict;
  std::tie(verdict.entry, verdict.value) = parts_of(text);
  judge_rules(verdict, context.version);
  judge_list(verdict, list);
  verdict.belongs_to = belongs_to(verdict.entry);
  verdict.kernel = kernel_answer(verdict.entry, context.kernel);
  const auto pattern = sysctl::SysctlPattern::parse(verdict.entry);
  const bool is_name = pattern && !pattern->is_prefix();
  if (is_name) judge_safe(verdict, pattern->dotted(), context);
  if (is_name && verdict.accepted.value_or(true)) {
    verdict.runtime = sysctl::runtime_refusal(pattern->dotted()).value_or("");
  }
  verdict.hint = hint_for(verdict);
  if (!verdict.accepted.value_or(true)) return verdict;
  if (auto wide = checks::wide_entry(checks::KernelAnswers(context.kernel),
                                     checks::check_named("wide-grant"), verdict.entry)) {
    verdict.wide = std::move(wide->message);
    verdict.wide_hint = std::move(wide->hint);
  }
  return verdict;
}

}  // namespace

EntryVerdict verdict_on_entry(const std::string& text, const VerdictContext& context) {
  return verdict_of(text, context, asked_list(context));
}

Verdicts verdicts_on(const std::vector<std::string>& entries, const std::vector<PodSpec>& pods,
                     std::vector<std::string> skipped, const VerdictContext& context) {
  Verdicts all;
  const AskedList list = asked_list(context);
  for (const std::string& entry : entries) {
    all.entries.push_back(verdict_of(entry, context, list));
  }
  for (const PodSpec& pod : pods) all.pods.push_back(verdict_on_pod(pod, context));
  all.skipped = std::move(skipped);
  const auto add = [&all](bool wanted, std::string note) {
    if (wanted) all.notes.push_back(std::move(note));
  };
  const bool any_value = std::any_of(all.entries.begin(), all.entries.end(),
                                     [](const EntryVerdict& one) { return one.value.has_value(); });
  add(any_value,
      "a value is a pod's setting (spec.securityContext.sysctls); the list takes the name alone");
  bool unsafe = false;
  bool host = false;
  for (const PodVerdict& pod : all.pods) {
    host = host || pod.gate == sysctl::Gate::kHostNetwork || pod.gate == sysctl::Gate::kHostIpc;
    for (const SysctlVerdict& one : pod.sysctls) unsafe = unsafe || !one.safe;
  }
  add(host,
      "API servers of 1.29 and later refuse a pod that sets sysctls of a namespace that it shares "
      "with the node");
  add(unsafe,
      "Pod Security is another gate: at its levels baseline and restricted the API server refuses "
      "every unsafe sysctl, whatever this node allows");
  const bool doubtful =
      std::any_of(all.pods.begin(), all.pods.end(), [&context](const PodVerdict& pod) {
        return !pod.defaults.empty() && context.defaults.state != sysctl::DefaultsState::kInForce;
      });
  add(doubtful,
      fmt::format("{}: {}", sysctl::kDefaultsKey, sysctl::why_of(context.defaults.state)));
  add(context.drift,
      "the running kubelet has another list than the files say ('kubelet-sysctl show'): entries "
      "are "
      "judged by the files, pods by the running one");
  add(!context.kernel.asked && !context.kernel.why.empty(),
      fmt::format("the kernel was not asked: {}", context.kernel.why));
  return all;
}

std::vector<std::string> kernel_questions(const std::vector<std::string>& entries,
                                          const std::vector<PodSpec>& pods) {
  std::vector<std::string> questions;
  std::set<std::string> seen;
  const auto add = [&](const std::string& text) {
    if (sysctl::SysctlPattern::parse(text) && seen.insert(text).second) questions.push_back(text);
  };
  for (const std::string& entry : entries) add(parts_of(entry).first);
  for (const PodSpec& pod : pods) {
    for (const PodSysctl& one : pod.sysctls) add(one.name);
  }
  return questions;
}

bool is_anything_found(const Verdicts& verdicts) {
  const auto is_bad = [](const EntryVerdict& one) {
    const EntryWorth worth = worth_of(one);
    return worth != EntryWorth::kGood && worth != EntryWorth::kAccepted;
  };
  return std::any_of(verdicts.entries.begin(), verdicts.entries.end(), is_bad) ||
         std::any_of(verdicts.pods.begin(), verdicts.pods.end(),
                     [](const PodVerdict& one) { return !one.admitted.value_or(false); });
}

}  // namespace kubelet_sysctl::pods
