// SPDX-License-Identifier: Apache-2.0
// Answers for `check`: would this node take these entries, and these pods? What is not known stays
// unknown.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/model/pod_defaults.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::pods {

/// What the answers are made of. Every part may be unknown, with the reason.
struct VerdictContext {
  std::optional<sysctl::KubeletVersion> version;
  std::string version_why;
  sysctl::KernelReport kernel;  ///< about the entries and the pods' names
  /// The configured list, for entries.
  std::optional<std::vector<std::string>> list;
  std::string list_why;
  /// The list of the running kubelet, for pods; the configured one where nothing runs.
  std::optional<std::vector<std::string>> pod_list;
  bool drift = false;  ///< the two differ
  model::PodDefaults defaults = {};
  /// Why 'add' would refuse here whatever is asked; empty where it would not.
  std::string add_why = {};
};

/// One entry or name that was asked about.
struct EntryVerdict {
  std::string entry;
  std::optional<std::string> value;  ///< of NAME=VALUE, which is a pod's setting
  std::optional<bool> accepted;      ///< by the installed kubelet
  std::string reason;                ///< in the kubelet's words, of the newest that refuses it
  bool accepted_by_next = false;     ///< by the newest known
  std::string next_reason;
  std::optional<bool> listed;
  std::string listed_by;                     ///< the entry of the list that covers it
  const sysctl::SafeSysctl* safe = nullptr;  ///< its row, whatever release it begins with
  std::optional<bool> safe_now;              ///< for the installed kubelet on this kernel
  sysctl::SysctlNamespace belongs_to = sysctl::SysctlNamespace::kNone;
  sysctl::KernelAnswer kernel;
  std::string runtime;  ///< what the container runtime says against it; empty when nothing
  std::string hint;
  std::string wide;  ///< of a pattern that allows a whole group: what that means; empty otherwise
  std::string wide_hint;
};

/// What an operator wants to know of an entry, in a word.
enum class EntryWorth { kGood, kAccepted, kUseless, kFatalLater, kFatal, kUnknown };
/// "good", "accepted" (the kernel was not asked), "useless", "fatal later", "fatal", "unknown"
const char* name_of(EntryWorth worth);
EntryWorth worth_of(const EntryVerdict& verdict);

/// One sysctl of one pod.
struct SysctlVerdict {
  PodSysctl sysctl;
  std::optional<bool> admitted;
  sysctl::Gate gate = sysctl::Gate::kNone;
  std::string reason;  ///< of the gate in its own words; what is missing where it is not known
  sysctl::KernelState kernel = sysctl::KernelState::kUnknown;
  bool safe = false;
  std::string entry;    ///< the entry that would help; empty when none can
  std::string no_help;  ///< why none can, where it is refused
};

/// What one of `defaultPodSysctls` does in one pod.
struct DefaultVerdict {
  std::string name;
  std::string value;
  std::optional<bool> set;  ///< false: the pod has it not, `reason` says why
  std::string reason;
};

struct PodVerdict {
  PodSpec pod;
  std::optional<bool> admitted;
  sysctl::Gate gate = sysctl::Gate::kNone;  ///< that of the first refusal on the pod's way
  std::string reason;
  std::vector<SysctlVerdict> sysctls;
  std::vector<DefaultVerdict> defaults;  ///< none where the kubelet sets none
  std::vector<std::string> add;          ///< entries that make it pass; empty when nothing does
};

struct Verdicts {
  std::vector<EntryVerdict> entries;
  std::vector<PodVerdict> pods;
  std::vector<std::string> skipped;  ///< objects that hold no pod
  std::vector<std::string> notes;    ///< said once
};

/// The answer for `text`: an entry, or NAME=VALUE.
EntryVerdict verdict_on_entry(const std::string& text, const VerdictContext& context);
PodVerdict verdict_on_pod(const PodSpec& pod, const VerdictContext& context);

/// All answers, with what is to be said of all of them.
Verdicts verdicts_on(const std::vector<std::string>& entries, const std::vector<PodSpec>& pods,
                     std::vector<std::string> skipped, const VerdictContext& context);

/// What each default of the node does in this pod, and what the kernel then makes of the pod.
void judge_defaults(PodVerdict& verdict, const VerdictContext& context);

/// What the kernel is to be asked about: entries that some kubelet takes, and the pods' names; each
/// once.
std::vector<std::string> kernel_questions(const std::vector<std::string>& entries,
                                          const std::vector<PodSpec>& pods);

/// True when an entry or a pod would fail, or when that is unknown.
bool is_anything_found(const Verdicts& verdicts);

}  // namespace kubelet_sysctl::pods
