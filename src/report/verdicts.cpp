// SPDX-License-Identifier: Apache-2.0
// What an operator reads of `check`: one line for each question, then why, and what to type.
#include "kubelet_sysctl/report/verdicts.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::report {
namespace {

constexpr std::string_view kIndent = "  ";

std::string heading(const pods::VerdictContext& context, const TextStyle& style) {
  std::string out = context.version
                        ? fmt::format("kubelet {}", sysctl::text_of(*context.version))
                        : fmt::format("kubelet of unknown release ({})", context.version_why);
  const sysctl::KubeletVersion newest = sysctl::newest_known_kubelet();
  out += fmt::format(", newest known {}.{}; ", newest.major, newest.minor);
  out += context.kernel.release.empty() ? "kernel not known"
                                        : fmt::format("kernel {}", context.kernel.release);
  out += context.list ? fmt::format("; the list has {}",
                                    count_text(context.list->size(), "entry", "entries"))
                      : fmt::format("; the list is not known ({})", context.list_why);
  return painted(style, Paint::kDim, printable(out)) + '\n';
}

Paint paint_of(pods::EntryWorth worth) {
  switch (worth) {
    case pods::EntryWorth::kGood:
    case pods::EntryWorth::kAccepted:
      return Paint::kGreen;
    case pods::EntryWorth::kFatal:
      return Paint::kRed;
    default:
      return Paint::kYellow;
  }
}

std::string kubelet_text(const std::optional<bool>& accepted) {
  if (!accepted) return "unknown";
  return *accepted ? "starts" : "ends";
}

std::string listed_text(const pods::EntryVerdict& one) {
  if (one.listed && *one.listed) {
    return one.listed_by == one.entry ? "yes" : fmt::format("by {}", printable(one.listed_by));
  }
  if (one.safe_now.value_or(false)) return "safe";
  return one.listed ? "no" : "unknown";
}

std::string kernel_text(const pods::EntryVerdict& one) {
  if (one.belongs_to == sysctl::SysctlNamespace::kNone) return "-";
  std::string text = sysctl::name_of(one.kernel.state);
  const auto& names = one.kernel.names;
  if (names.empty() || one.kernel.state == sysctl::KernelState::kUnknown) return text;
  const auto settable = std::count_if(
      names.begin(), names.end(),
      [](const sysctl::KernelName& name) { return name.state == sysctl::KernelState::kWritable; });
  return fmt::format("{} ({} of {})", text, settable, names.size());
}

std::string entries_table(const pods::Verdicts& verdicts, const pods::VerdictContext& context,
                          const TextStyle& style) {
  const sysctl::KubeletVersion newest = sysctl::newest_known_kubelet();
  const auto head = [&style](std::string text) { return painted(style, Paint::kBold, text); };
  std::vector<std::vector<std::string>> rows = {
      {head("entry"), head("verdict"),
       head(context.version ? fmt::format("kubelet {}", sysctl::text_of(*context.version))
                            : "kubelet"),
       head(fmt::format("kubelet {}.{}", newest.major, newest.minor)), head("listed"),
       head("kernel, for pods"), head("namespace")}};
  for (const pods::EntryVerdict& one : verdicts.entries) {
    const pods::EntryWorth worth = pods::worth_of(one);
    rows.push_back({one.entry.empty() ? "''" : printable(one.entry),
                    painted(style, paint_of(worth), pods::name_of(worth)),
                    kubelet_text(one.accepted), kubelet_text(one.accepted_by_next),
                    listed_text(one), kernel_text(one), sysctl::name_of(one.belongs_to)});
  }
  return aligned(rows, "");
}

/// Why an entry would be refused or useless, in the words of what refuses it.
std::string fault_text(const pods::EntryVerdict& one, const pods::VerdictContext& context) {
  const std::string kernel =
      context.kernel.release.empty() ? "this kernel" : "kernel " + context.kernel.release;
  switch (pods::worth_of(one)) {
    case pods::EntryWorth::kUnknown:
      return fmt::format(
          "some kubelets exit because of it, and which one runs here is not known; {}", one.reason);
    case pods::EntryWorth::kFatal:
      return fmt::format("{} exits: {}", context.version ? "the kubelet" : "every kubelet",
                         one.reason);
    case pods::EntryWorth::kFatalLater:
      return fmt::format("kubelet {} exits: {}",
                         sysctl::releases_of(sysctl::rule_set_of(sysctl::newest_known_kubelet())),
                         one.next_reason);
    case pods::EntryWorth::kUseless:
      if (!one.runtime.empty()) return fmt::format("container runtimes refuse it: {}", one.runtime);
      return fmt::format("the kubelet accepts it, but it is {} for pods in {}",
                         sysctl::name_of(one.kernel.state), kernel);
    case pods::EntryWorth::kAccepted:
      return one.kernel.why.empty() || one.kernel.why == context.kernel.why
                 ? std::string()
                 : fmt::format("whether pods can set it is not known: {}", one.kernel.why);
    case pods::EntryWorth::kGood:
      break;
  }
  return {};
}

/// From which release an entry for this name is not needed.
std::string safe_text(const pods::EntryVerdict& one) {
  if (one.safe == nullptr) return {};
  std::string text = one.safe_now.value_or(false) ? std::string("needs no entry: it is safe")
                                                  : std::string("will need no entry: it is safe");
  text += fmt::format(" since kubelet 1.{}", one.safe->since_minor);
  const sysctl::KernelVersion& least = one.safe->min_kernel;
  if (least > sysctl::KernelVersion{}) {
    text += fmt::format(" on kernel {}.{} and later", least.major, least.minor);
  }
  return text;
}

std::string names_text(const pods::EntryVerdict& one) {
  std::vector<std::vector<std::string>> rows;
  for (const sysctl::KernelName& name : one.kernel.names) {
    rows.push_back({printable(name.name), sysctl::name_of(name.state)});
  }
  return aligned(rows, "    ");
}

std::string entry_details(const pods::EntryVerdict& one, const pods::VerdictContext& context,
                          const TextStyle& style) {
  std::string out;
  const std::string name = one.entry.empty() ? "''" : printable(one.entry);
  if (const std::string fault = fault_text(one, context); !fault.empty()) {
    out += fmt::format("{}: {}\n", name, printable(fault));
    if (!one.hint.empty()) out += fmt::format("{}hint: {}\n", kIndent, printable(one.hint));
  }
  if (const std::string safe = safe_text(one); !safe.empty()) {
    out += fmt::format("{}: {}\n", name, safe);
  }
  if (!one.wide.empty()) {
    out += fmt::format("{}: it is wide: {}\n", name, printable(one.wide));
    if (!one.wide_hint.empty())
      out += fmt::format("{}hint: {}\n", kIndent, printable(one.wide_hint));
  }
  if (style.verbose && !one.kernel.names.empty()) {
    out += fmt::format("{}: covers, in a pod of this kernel:\n{}", name, names_text(one));
  }
  return out;
}

/// The command that allows what is good and not yet in the list.
std::string add_command(const pods::Verdicts& verdicts, const pods::VerdictContext& context) {
  std::string entries;
  for (const pods::EntryVerdict& one : verdicts.entries) {
    const pods::EntryWorth worth = pods::worth_of(one);
    const bool good = worth == pods::EntryWorth::kGood || worth == pods::EntryWorth::kAccepted;
    if (!good || one.listed.value_or(true) || one.safe_now.value_or(false)) continue;
    if (!one.wide.empty()) continue;  // not without thinking about it
    entries += ' ' + shell_word(one.entry);
  }
  if (entries.empty()) return {};
  if (!context.add_why.empty()) {
    return fmt::format("nothing can be added here: {}\n", printable(context.add_why));
  }
  return fmt::format("to allow what is good and not listed, run: kubelet-sysctl add{}\n", entries);
}

std::string gate_text(sysctl::Gate gate) {
  switch (gate) {
    case sysctl::Gate::kSpelling:
      return "its spelling";
    case sysctl::Gate::kList:
      return "the list";
    case sysctl::Gate::kHostNetwork:
      return "host network";
    case sysctl::Gate::kHostIpc:
      return "host IPC";
    case sysctl::Gate::kRuntime:
      return "the container runtime";
    case sysctl::Gate::kKernel:
      return "the kernel";
    case sysctl::Gate::kNone:
      break;
  }
  return "nothing";
}

std::string pod_head(const pods::PodVerdict& one, const TextStyle& style) {
  std::string verdict = painted(style, Paint::kYellow, "unknown");
  if (one.admitted && *one.admitted) verdict = painted(style, Paint::kGreen, "admitted");
  if (one.admitted && !*one.admitted) {
    verdict = painted(style, Paint::kRed, fmt::format("refused by {}", gate_text(one.gate)));
  }
  return fmt::format("{}: {} {}/{}: {}\n", printable(place_text(one.pod.file, one.pod.line)),
                     printable(one.pod.kind), printable(one.pod.pod_namespace),
                     printable(one.pod.name), verdict);
}

/// What the pod gets of the node's defaults.
std::string defaults_text(const pods::PodVerdict& pod) {
  if (pod.defaults.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  for (const pods::DefaultVerdict& one : pod.defaults) {
    std::string says = one.set ? (*one.set ? "set without an entry" : "not set") : "set or not";
    if (!one.reason.empty()) says += ": " + one.reason;
    rows.push_back({printable(fmt::format("{}={}", one.name, one.value)), printable(says)});
  }
  return fmt::format("{}by {}:\n{}", kIndent, sysctl::kDefaultsKey, aligned(rows, "    "));
}

std::string pod_text(const pods::PodVerdict& one, const pods::VerdictContext& context,
                     const TextStyle& style) {
  std::string out = pod_head(one, style);
  if (one.sysctls.empty()) {
    return out + fmt::format("{}sets no sysctl\n", kIndent) + defaults_text(one);
  }
  std::vector<std::vector<std::string>> rows;
  for (const pods::SysctlVerdict& sysctl : one.sysctls) {
    std::string says = sysctl.reason;
    if (sysctl.admitted.value_or(false)) {
      says = sysctl.kernel == sysctl::KernelState::kUnknown
                 ? "admitted; whether the kernel lets a pod set it is not known"
                 : "admitted";
    } else if (!sysctl.no_help.empty()) {
      says += sysctl.no_help == sysctl.reason
                  ? "; an entry will not help"
                  : fmt::format("; an entry will not help: {}", sysctl.no_help);
    }
    rows.push_back({printable(fmt::format("{}={}", sysctl.sysctl.name, sysctl.sysctl.value)),
                    printable(says)});
  }
  out += aligned(rows, kIndent) + defaults_text(one);
  if (one.add.empty()) return out;
  if (!context.add_why.empty()) {
    return out +
           fmt::format("{}nothing can be added here: {}\n", kIndent, printable(context.add_why));
  }
  std::string command = "kubelet-sysctl add";
  for (const std::string& entry : one.add) command += ' ' + shell_word(entry);
  return out + fmt::format("{}to make it pass, run: {}\n", kIndent, printable(command));
}

}  // namespace

std::string verdicts_text(const pods::Verdicts& verdicts, const pods::VerdictContext& context,
                          const TextStyle& style) {
  std::string out = heading(context, style);
  if (!verdicts.entries.empty()) out += '\n' + entries_table(verdicts, context, style);
  std::string details;
  for (const pods::EntryVerdict& one : verdicts.entries)
    details += entry_details(one, context, style);
  details += add_command(verdicts, context);
  if (!details.empty()) out += '\n' + details;
  for (const pods::PodVerdict& one : verdicts.pods) out += '\n' + pod_text(one, context, style);
  std::string rest;
  for (const std::string& one : verdicts.skipped) {
    rest += fmt::format("skipped: {}\n", printable(one));
  }
  for (const std::string& one : verdicts.notes) rest += fmt::format("note: {}\n", printable(one));
  return rest.empty() ? out : out + '\n' + rest;
}

}  // namespace kubelet_sysctl::report
