// SPDX-License-Identifier: Apache-2.0
// What the files that read and edit a KubeletConfiguration share: its tree as a row of events, the
// reading made of it, and the change of a list that turns into splices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {

inline constexpr std::string_view kListKey = "allowedUnsafeSysctls";
inline constexpr std::string_view kApiVersion = "kubelet.config.k8s.io/v1beta1";
inline constexpr std::string_view kKind = "KubeletConfiguration";
/// One pair of the top-level mapping; indices of events. Aliases are already followed in `value`.
struct Member {
  std::size_t key = 0;
  std::size_t written = 0;  ///< the value as it is: an alias, maybe
  std::size_t value = 0;
  bool merged = false;  ///< reached through a merge key `<<`
};

/// A file that was read: for callers, and for the edit. Its bytes outlive it.
struct Reading {
  yaml::Tree tree;
  KubeletConfigFile file;
  std::vector<Member> members;     ///< in the order in which they take effect
  std::size_t list = yaml::kNone;  ///< the member that decides the list
  bool merges = false;             ///< there is a merge key at the top
  /// All but the deciding one have their entries; those of that one are in `file`.
  std::vector<ListSetting> settings = {};
  std::size_t deciding = yaml::kNone;  ///< index of `settings`
  std::map<std::string, int> healthz_ports = {};
  std::map<std::string, std::string> healthz_addresses = {};
  std::map<std::string, int> ports = {};
  std::optional<Error> doubt = std::nullopt;  ///< what some release may not start with
};

/// The bytes of one item or key, an empty one too.
Span item_span(std::string_view bytes, const yaml::Tree& tree, const yaml::Event& event);
/// Fills in all that a reading says of the list and of the health endpoint.
void fill_list(std::string_view bytes, Reading& reading, ConfigRole role);

/// A value of another type than its field has, in the kubelet's words.
struct TypeFault {
  Error error;
  bool certain = false;  ///< false: some of the releases that it may be start all the same
};

/// The first that is certain, else the first. Without a release that is certain which holds in every one.
std::optional<TypeFault> wrong_type(std::string_view bytes, const Reading& reading, ConfigRole role,
                                    const std::optional<sysctl::KubeletVersion>& release);

Result<Reading> read_config(std::string_view bytes, ConfigRole role,
                            const std::optional<sysctl::KubeletVersion>& release = std::nullopt);

Result<std::vector<Splice>> yaml_splices(std::string_view bytes, const Reading& reading,
                                         const yaml::ListChange& change, bool remove_key);
/// The same for a key that is not there yet, as a new one before the last.
std::vector<Splice> yaml_splices_before_last(std::string_view bytes, const Reading& reading,
                                             const yaml::ListChange& change);
Result<std::vector<Splice>> json_splices(std::string_view bytes, const Reading& reading,
                                         const yaml::ListChange& change, bool remove_key);
/// True when two events say the same, wherever they are.
inline bool same_node(const yaml::Event& a, const yaml::Event& b) {
  return a.kind == b.kind && a.quoted == b.quoted && a.flow == b.flow && a.anchor == b.anchor &&
         a.text == b.text && a.tag == b.tag;
}

}  // namespace kubelet_sysctl::kubelet
