// SPDX-License-Identifier: Apache-2.0
// What is to be inspected below /proc/sys for some entries, and what the looks mean for a pod.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/sysctl/kernel_report.hpp"

namespace kubelet_sysctl::machine {

/// Names and directories below /proc/sys, dotted as in KernelName.
struct KernelQuestion {
  std::set<std::string> names;  ///< searched for in the fresh namespaces
  std::set<std::string>
      stems;  ///< "net.core.", "net.ipv4.tcp_": what begins so, there and on the node
  std::set<std::string> markers;  ///< searched for on the node
};

/// What was there.
struct KernelView {
  std::map<std::string, sysctl::KernelState>
      pod;  ///< in the fresh namespaces: writable, read-only, unknown
  std::map<std::string, std::string> faults;  ///< why one of these is unknown
  std::set<std::string> node;                 ///< names that the node has
};

/// "net.ipv4.conf.eth0/1.rp_filter" is "net/ipv4/conf/eth0.1/rp_filter", and the other way.
std::string swap_separators(std::string_view text);

/// True for the directories of /proc/sys/net that hold one directory for each interface.
bool holds_interfaces(std::string_view dotted_directory);
/// True for the directories in these that every network namespace has.
bool is_in_every_namespace(std::string_view directory_name);

/// What must be inspected to answer for `entries`.
KernelQuestion question_for(const std::vector<std::string>& entries);

/// The answer for each entry, in their order. The interface of a pod is added to `view`.
std::vector<sysctl::KernelAnswer> answers_from(KernelView view,
                                               const std::vector<std::string>& entries);

}  // namespace kubelet_sysctl::machine
