// SPDX-License-Identifier: Apache-2.0
// For every check a small node that has the fault, and one that looks like it and has not.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/finding.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl::doctor_nodes {

using Files = std::map<std::string, std::string>;
using Node = std::function<std::unique_ptr<Lab>()>;

inline constexpr const char* kUnit = "/etc/systemd/system/kubelet.service";
inline constexpr const char* kDropIn = "/etc/systemd/system/kubelet.service.d/20-more.conf";
inline constexpr const char* kArguments = "/etc/default/kubelet";
inline constexpr const char* kConfig = "/var/lib/kubelet/config.yaml";
inline constexpr const char* kConfigDir = "/etc/kubelet.d";

/// The two lines that every configuration begins with, and `rest`.
std::string config(const std::string& rest);
/// A unit with this ExecStart= that reads kArguments and Restart=always.
std::string unit(const std::string& command);

/// A sound node: the unit names a program that exists, the arguments and kConfig. `other` replaces files of
/// it or adds to them; an empty text takes a file away. Nothing runs.
std::unique_ptr<Lab> node(const Files& other = {});
/// The same with a kubelet that has run for a minute.
std::unique_ptr<Lab> running(const Files& other = {});
/// A node with `entries` as its list in kConfig.
std::unique_ptr<Lab> listing(const std::vector<std::string>& entries);

struct Pair {
  std::string id;
  Node ill;   ///< the check speaks of it
  Node well;  ///< and says nothing of this one
};
/// In the order of the table of checks.
std::vector<Pair> pairs_of_files();
std::vector<Pair> pairs_of_process();

/// What `doctor` finds, with all that it may ask.
std::vector<Finding> found_on(Lab& lab);

}  // namespace kubelet_sysctl::doctor_nodes
