// SPDX-License-Identifier: Apache-2.0
// A list of entries that can be asked quickly whether it holds or covers one.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"

namespace kubelet_sysctl::sysctl {

/// Entries by what they allow: two spellings of one sysctl (dots, slashes) count as one. An entry that is
/// badly spelt is itself and nothing else. Every question costs the length of the entry, whatever the
/// number of entries, since lists of many thousands are asked once for each of theirs.
class EntrySet {
 public:
  EntrySet() = default;
  explicit EntrySet(const EntryList& entries);

  void insert(std::string_view entry);
  [[nodiscard]] bool holds(std::string_view entry) const;
  /// The entry that allows all that `entry` does, itself or the widest pattern; nullptr when none.
  [[nodiscard]] const std::string* covering(std::string_view entry) const;

 private:
  std::unordered_set<std::string> entries_;  // in their normal form
  std::unordered_map<std::string, std::string>
      spelt_;  // normal form -> as written, where they differ
  std::unordered_map<std::string, std::string> stems_;  // pattern without its star -> as written
};

}  // namespace kubelet_sysctl::sysctl
