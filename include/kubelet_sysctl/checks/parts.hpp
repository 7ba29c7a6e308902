// SPDX-License-Identifier: Apache-2.0
// What the files of checks share, and the function of every row of the table.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl::checks {

Finding finding_of(const Check& check, std::string message, std::string hint);
Finding at_origin(Finding finding, const Origin& origin);
/// At the line of `span`; at the file alone when the span ends at 0.
Finding at_span(Finding finding, const SourceFile& file, Span span);

/// "kubelet-sysctl add a 'b*'"
std::string command_with(std::string_view command, const EntryList& entries);
/// A path of the manager's as the snapshot resolves it, or the text itself.
std::string real_path_of(const nodes::NodeSnapshot& snapshot, const std::string& path);
/// Where word `index` of the command was written; nowhere behind a wrapper.
Origin origin_of_word(const model::NodeModel& model, std::size_t index);

/// True when word `index` of the command is the list's flag as a user misspelt it, or its key.
bool is_misspelt_flag(const model::NodeModel& model, std::size_t index);
/// True when the kubelet ends over a piece of its list that a blank tore off.
bool is_torn_list(const model::NodeModel& model);

/// What is said of one entry that a kubelet dies of: by the release of the node where it is known, else by
/// all; nothing when no kubelet that this node may meet does. Without a place.
std::optional<Finding> refused_entry(const nodes::NodeSnapshot& snapshot, const Check& check,
                                     std::string_view entry);
/// The answers of a report by their entries; a list of many thousands is asked once for each of them.
class KernelAnswers {
 public:
  explicit KernelAnswers(const sysctl::KernelReport& report);
  [[nodiscard]] const sysctl::KernelAnswer* of(std::string_view entry) const;
  /// "this kernel (6.1.0-28-amd64)"
  [[nodiscard]] std::string kernel() const;

 private:
  std::unordered_map<std::string_view, const sysctl::KernelAnswer*> by_entry_;
  const sysctl::KernelReport& report_;
};

/// What is said of an entry that pods cannot set in the kernel that was asked; nothing when they can, or
/// when that is not known. Without a place.
std::optional<Finding> useless_entry(const KernelAnswers& kernel, const Check& check,
                                     std::string_view entry);
/// The same of a name in `defaultPodSysctls`.
std::optional<Finding> unusable_default(const KernelAnswers& kernel, const Check& check,
                                        const model::PodDefault& one);
/// What is said of an entry that allows a whole group of names; nothing of a narrow one. Without a place.
std::optional<Finding> wide_entry(const KernelAnswers& kernel, const Check& check,
                                  std::string_view entry);

/// What is said of a list without entries that the program which runs the kubelet needs; nothing of any other.
/// Without a place.
std::optional<Finding> lacking_needs(const nodes::NodeSnapshot& snapshot, const Check& check,
                                     const EntryList& list);

/// The file that a source number names; the number is none of kNoSource.
inline const SourceFile& file_at(const nodes::NodeSnapshot& snapshot, std::int32_t source) {
  return snapshot.files[static_cast<std::size_t>(source)];
}

/// "by team-web, for 'ticket 1412'"; empty without facts.
std::string facts_of(const desired::DesiredEntry& wanted);
/// What is said of an expired entry of the desired list.
Finding expired_finding(const Check& check, const desired::DesiredEntry& wanted, std::string hint);

using CheckFunction = void(const nodes::NodeSnapshot&, const model::NodeModel&, const Check&,
                           std::vector<Finding>&);
CheckFunction
    reports_itself;  ///< finds nothing: a command makes this finding of what it alone knows
// checks_list.cpp
CheckFunction misspelt_key;
CheckFunction second_document;
CheckFunction repeated_key;
CheckFunction empty_flag;
CheckFunction shadowed_list;
CheckFunction bad_value;
CheckFunction entry_refused;
CheckFunction duplicate_entry;
CheckFunction covered_entry;
CheckFunction newer_release;
// checks_pod_defaults.cpp
CheckFunction default_sysctl_fatal;
CheckFunction default_sysctl_unused;
// checks_files.cpp
CheckFunction no_unit;
CheckFunction unit_broken;
CheckFunction config_broken;
CheckFunction config_doubtful;
CheckFunction drop_in_without_kind;
CheckFunction not_understood;
CheckFunction unread_drop_in;
CheckFunction misspelt_flag;
CheckFunction blank_after_comma;
CheckFunction will_be_rewritten;
// checks_environment.cpp
CheckFunction assigned_again;
CheckFunction wiped_assignment;
CheckFunction wiped_setting;
CheckFunction unread_arguments;
CheckFunction env_dropped;
// checks_process.cpp
CheckFunction not_reloaded;
CheckFunction drift;
CheckFunction newer_file;
CheckFunction configz_differs;
CheckFunction configz_silent;
CheckFunction other_arguments;
CheckFunction kubelet_stopped;
CheckFunction restart_loop;
CheckFunction not_healthy;
CheckFunction list_unknown;
CheckFunction health_off;
CheckFunction health_moved;
// checks_unit.cpp
CheckFunction flag_fatal;
CheckFunction program_missing;
CheckFunction dynamic_config;
CheckFunction lock_file;
// swallowed.cpp
CheckFunction swallowed_by_value;
CheckFunction renamed_flag;
// checks_kernel.cpp
CheckFunction useless_in_kernel;
CheckFunction safe_already;
CheckFunction wide_grant;
// checks_host.cpp
CheckFunction launcher_needs_entries;
// checks_desired.cpp
CheckFunction desired_list_broken;
CheckFunction expired_entry;
CheckFunction desired_list_not_met;

}  // namespace kubelet_sysctl::checks
