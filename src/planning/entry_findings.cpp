// SPDX-License-Identifier: Apache-2.0
// What a plan says of its entries and files beyond the rules: wide patterns, useless names, rewritten files.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/model/rewritten.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "parts.hpp"

namespace kubelet_sysctl::planning {
namespace {

/// The one pattern that is refused: it holds every name that a pod could ever set below net.
constexpr std::string_view kAllOfNet = "net.*";

Error too_wide(std::string_view entry, const Finding& finding) {
  return {.kind = ErrorKind::kRefused,
          .message = finding.message,
          .hint = fmt::format("{}; if pods shall set all of it, add '--allow-wide' for '{}'",
                              finding.hint, entry),
          .entry = std::string(entry)};
}

/// A value that every pod of the node is to have needs no entry where the kubelet sets defaults.
void offer_defaults(const model::NodeModel& model, const std::vector<std::string>& fresh,
                    std::vector<Finding>& findings) {
  if (model.pod_defaults.state != sysctl::DefaultsState::kInForce) return;
  const auto first = std::find_if(fresh.begin(), fresh.end(), [](const std::string& entry) {
    return !sysctl::default_name_fault(entry);
  });
  if (first == fresh.end()) return;
  findings.push_back(
      {.id = "default-would-do",
       .message = fmt::format("the kubelet can set '{}' in every pod of this node without an entry",
                              *first),
       .hint =
           fmt::format("where all pods are to have one value, write '{}: {{{}: \"VALUE\"}}' into "
                       "its configuration instead",
                       sysctl::kDefaultsKey, *first)});
}

}  // namespace

Status judge_entries(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                     const EntryList& wanted, bool allow_wide, std::vector<Finding>& findings) {
  std::vector<std::string> fresh;
  const bool same = model::is_configured(model, wanted);
  if (!same) fresh = new_entries(model, wanted);
  const sysctl::EntrySet is_new(fresh);
  for (const std::string_view entry : wanted) {
    // One that no kubelet takes is refused elsewhere; what a later one refuses is worth a word now. Nearly
    // all entries are taken by the newest, and a list may be long.
    if (!sysctl::rejection_by(sysctl::RuleSet::kFrom129, entry) ||
        sysctl::rejection_by(sysctl::RuleSet::kUpTo128, entry))
      continue;
    if (is_new.holds(entry)) continue;
    auto refused = checks::refused_entry(snapshot, checks::check_named("entry-refused"), entry);
    if (refused) findings.push_back(std::move(*refused));
  }
  if (!same) {
    auto lacking =
        checks::lacking_needs(snapshot, checks::check_named("launcher-needs-entry"), wanted);
    if (lacking) findings.push_back(std::move(*lacking));
  }
  const checks::KernelAnswers kernel(snapshot.kernel);
  for (const std::string& entry : fresh) {
    auto wide = checks::wide_entry(kernel, checks::check_named("wide-grant"), entry);
    const auto pattern = sysctl::SysctlPattern::parse(entry);
    const bool all = wide && pattern && pattern->dotted() == kAllOfNet;
    if (all && !allow_wide) return too_wide(entry, *wide);
    if (wide) findings.push_back(std::move(*wide));
    auto useless = checks::useless_entry(kernel, checks::check_named("useless-in-kernel"), entry);
    if (useless) findings.push_back(std::move(*useless));
  }
  offer_defaults(model, fresh, findings);
  if (!fresh.empty() && !snapshot.kernel.asked && !snapshot.kernel.why.empty()) {
    findings.push_back(
        {.id = "kernel-not-asked",
         .message =
             fmt::format("whether this kernel lets pods set the new entries was not inspected: {}",
                         snapshot.kernel.why)});
  }
  return {};
}

std::optional<Error> other_manager(const model::NodeModel& model, const EntryList& wanted) {
  if (!model.kind->refuse) return std::nullopt;
  Error error = {
      .kind = ErrorKind::kRefused,
      .message = fmt::format("will not edit this node: it belongs to another manager ({})",
                             model.kind->title),
      .hint = std::string(model.kind->vendor_route)};
  if (model.kind->advise != nullptr) {
    error.advice = model.kind->advise(wanted);
    error.hint = error.advice->what;
  } else if (!wanted.empty()) {
    error.hint += fmt::format("; the whole list: {}", joined(wanted, " "));
  }
  if (model.stopped) error.hint += "; the list now in force was not found here, so add its entries";
  return error;
}

namespace {

/// `arguments` without the list, which `wanted` takes the place of.
std::string with_list(std::string_view arguments, const EntryList& wanted) {
  std::string out;
  bool value = false;
  for (std::string_view rest = arguments; !rest.empty();) {
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (word.empty()) continue;
    std::string name(word.substr(0, word.find('=')));
    std::replace(name.begin(), name.end(), '_', '-');
    const bool is_list = name == kubelet::kListFlag;
    if (!is_list && !value) out += (out.empty() ? "" : " ") + std::string(word);
    value = is_list && word.find('=') == std::string_view::npos;
  }
  if (!wanted.empty()) out += (out.empty() ? "" : " ") + flag_text(wanted);
  return out;
}

}  // namespace

AdviceMaker advice_for(const model::NodeModel& model, const EntryList& wanted) {
  const nodes::NodeKind& kind = *model.kind;
  if (kind.id == "eks-ubuntu") {
    return [&kind, wanted] {
      Advice advice = kind.advise(wanted);
      // What user data gives is kept among the snap's settings, together with what the image gives.
      advice.what += ", with every other argument that it gives now in the place of '...'";
      advice.command = fmt::format("/etc/eks/bootstrap.sh CLUSTER --kubelet-extra-args {}\n",
                                   shell_word("... " + flag_text(wanted)));
      return advice;
    };
  }
  const auto variable = model.command.environment.find("KUBELET_EXTRA_ARGS");
  if (kind.id != "eks-al2" || variable == model.command.environment.end()) {
    return [&kind, wanted] { return kind.advise(wanted); };
  }
  // bootstrap.sh gives KUBELET_EXTRA_ARGS whole: what is left out here is lost on the next machine.
  return [&kind, wanted, arguments = variable->second.value.text] {
    Advice advice = kind.advise(wanted);
    advice.command = fmt::format("/etc/eks/bootstrap.sh CLUSTER --kubelet-extra-args {}\n",
                                 shell_word(with_list(arguments, wanted)));
    return advice;
  };
}

namespace {

/// What to do about it, short: a command is filled in, a document is printed where it is asked for, by a verb
/// that takes the option for it.
std::string persist_hint(const model::NodeModel& model, const SourceFile& file,
                         const EntryList& wanted, bool takes_persist) {
  const nodes::NodeKind& kind = *model.kind;
  if (kind.advise == nullptr || model::is_of_rancher(file)) {
    return std::string(model::route_past_rewriter(model, file));
  }
  // Whether it is a document does not hang on the list, which may be long.
  if (kind.advise({}).object.empty()) {
    const Advice advice = advice_for(model, wanted)();
    std::string_view command = advice.command;
    command.remove_suffix(command.ends_with('\n') ? 1 : 0);
    return fmt::format("{}: {}", advice.what, command);
  }
  if (!takes_persist) return std::string(kind.vendor_route);
  return fmt::format(
      "{}; '--persist' {}", kind.vendor_route,
      kind.persistent_file.empty()
          ? "prints it filled in"
          : fmt::format("prints it filled in, and writes '{}'", kind.persistent_file));
}

}  // namespace

void note_rewritten(const model::NodeModel& model, const EntryList& wanted,
                    const std::vector<FileEdit>& edits, std::vector<Finding>& findings,
                    bool takes_persist) {
  for (const FileEdit& edit : edits) {
    if (!model::is_rewritten(model, edit.before)) continue;
    findings.push_back(
        {.id = "will-be-rewritten",
         .severity = Severity::kWarning,
         .message =
             fmt::format("this file is rewritten by {}", model::rewriter_of(model, edit.before)),
         .path = edit.before.path,
         .hint = fmt::format("to persist it: {}",
                             persist_hint(model, edit.before, wanted, takes_persist))});
  }
}

std::vector<std::string> new_entries(const model::NodeModel& model, const EntryList& entries) {
  const sysctl::EntrySet present(model::configured_texts(model));
  std::vector<std::string> fresh;
  for (const std::string_view entry : entries) {
    if (!present.holds(entry)) fresh.emplace_back(entry);
  }
  return fresh;
}

}  // namespace kubelet_sysctl::planning
