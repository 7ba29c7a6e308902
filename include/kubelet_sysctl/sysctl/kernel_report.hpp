// SPDX-License-Identifier: Apache-2.0
// What the running kernel gives a pod: which sysctls exist in fresh namespaces and can be written there.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kubelet_sysctl::sysctl {

enum class KernelState { kWritable, kReadOnly, kAbsent, kMixed, kUnknown };
const char* name_of(KernelState state);  ///< "writable", "read-only", "absent", "mixed", "unknown"

/// One sysctl file as a process in fresh network and IPC namespaces sees it.
struct KernelName {
  /// Dotted; a dot in a directory's name is a slash here: "net.ipv4.conf.eth0/1.rp_filter".
  std::string name;
  KernelState state = KernelState::kUnknown;  ///< writable, read-only, absent or (rarely) unknown
};

/// The answer for one desired entry.
struct KernelAnswer {
  std::string entry;  ///< as it was asked
  KernelState state = KernelState::kUnknown;
  /// Of a pattern, in byte order: what it covers there, and what the node has beside that.
  std::vector<KernelName> names = {};
  std::string why = {};  ///< why it is unknown; empty otherwise
  /// Absent, and the node outside of pods has no such name either.
  bool nowhere = false;
};

/// All answers of one question.
struct KernelReport {
  std::string release;  ///< of uname(2)
  bool asked = false;   ///< false: the namespaces could not be made; `why` says so
  std::string why = {};
  std::vector<KernelAnswer> answers = {};  ///< in the order of the entries
};

/// Names that come and go with a kernel module, and one of them that every release of it has.
struct KernelModule {
  std::string_view names;
  std::string_view marker;
  std::string_view module;
};
/// Source: net/netfilter/nf_conntrack_standalone.c, net/bridge/br_netfilter_hooks.c, net/sctp/sysctl.c,
/// net/netfilter/ipvs/ip_vs_ctl.c.
inline constexpr std::array<KernelModule, 5> kKernelModules = {{
    {"net.netfilter.nf_conntrack_", "net.netfilter.nf_conntrack_max", "nf_conntrack"},
    {"net.nf_conntrack_max", "net.netfilter.nf_conntrack_max", "nf_conntrack"},
    {"net.bridge.", "net.bridge.bridge-nf-call-iptables", "br_netfilter"},
    {"net.ipv4.vs.", "net.ipv4.vs.expire_nodest_conn", "ip_vs"},
    {"net.sctp.", "net.sctp.rto_initial", "sctp"},
}};
/// True when a name, or what a stem ("net.bridge.", "net.") covers, may be of that module.
bool may_be_of(const KernelModule& module, std::string_view text, bool is_stem);

/// One state for all of them: theirs where they agree, else mixed; absent when there is none, unknown
/// when one is.
KernelState state_of(const std::vector<KernelName>& names);

/// The answer for `entry`, or nullptr.
const KernelAnswer* answer_for(const KernelReport& report, std::string_view entry);

}  // namespace kubelet_sysctl::sysctl
