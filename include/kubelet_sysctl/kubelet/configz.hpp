// SPDX-License-Identifier: Apache-2.0
// What the live kubelet itself says of its list: its answer on /configz.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl::kubelet {

/// Whether and with what to ask. Paths alone: no secret passes through this program.
struct ConfigzQuestion {
  bool wanted = false;      ///< --configz
  std::string kubeconfig;   ///< --kubeconfig, absolute; empty: not given
  std::string certificate;  ///< --client-certificate and --client-key; both or none
  std::string key;
};

/// The answer to one question to the live kubelet.
struct ConfigzSeen {
  std::optional<std::vector<std::string>> entries;  ///< nothing: it did not answer
  std::string why;                                  ///< then why; else who was asked
};

/// The list in the kubelet's answer, `{"kubeletconfig": {…}}`. A key that is absent means an empty list.
/// Errors: kMalformed for anything else, so that no page of a proxy is taken for an empty list.
/// Source: Kubernetes component-base/configz and cmd/kubelet/app/server.go setConfigz (1.20, 1.3x).
Result<std::vector<std::string>> parse_configz(std::string_view json);

/// status.nodeInfo.bootID of a Node object; nothing when it holds none. It distinguishes one machine from another
/// of the same name.
std::optional<std::string> boot_id_in(std::string_view node_json);

/// The name that a kubelet with these words registers as on a host of this name; nothing when no node can
/// be called so. Where a cloud provider inside the kubelet chooses the name, it is another.
/// Source: Kubernetes pkg/util/node GetHostname(): trimmed, lower case.
std::optional<std::string> node_name_of(const std::vector<std::string>& kubelet_argv,
                                        std::string_view hostname);

}  // namespace kubelet_sysctl::kubelet
