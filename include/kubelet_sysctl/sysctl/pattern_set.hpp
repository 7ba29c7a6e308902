// SPDX-License-Identifier: Apache-2.0
// A list of entries that can be asked quickly whether it holds or covers one.
#pragma once

#include <forward_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"

namespace kubelet_sysctl::sysctl {

/// Entries by what they allow: two spellings of one sysctl (dots, slashes) count as one. An entry that is
/// badly spelt is itself and nothing else. A question costs a few comparisons, whatever the number
/// of entries, since lists of many thousands are asked once for each of theirs.
class EntrySet {
 public:
  EntrySet() = default;
  EntrySet(const EntrySet&) = delete;
  EntrySet& operator=(const EntrySet&) = delete;
  EntrySet(EntrySet&&) = default;
  EntrySet& operator=(EntrySet&&) = default;
  explicit EntrySet(const EntryList& entries);

  void insert(std::string_view entry);
  [[nodiscard]] bool holds(std::string_view entry) const;
  /// The entry that allows all that `entry` does, itself or the widest pattern; nothing when none does. Valid as long
  /// as the set is.
  [[nodiscard]] std::optional<std::string_view> covering(std::string_view entry) const;

 private:
  struct Normal {
    std::string text;
    bool well_spelt = false;
    bool is_prefix = false;
  };
  static Normal normal_of(std::string_view entry);
  void note(std::string_view entry, const Normal& normal);
  [[nodiscard]] std::optional<std::string_view> find(std::string_view normal) const;

  // A long list is sorted where it is; a hash table of texts would take six times its bytes.
  EntryList list_;
  std::forward_list<std::string> respelt_;    // normal forms of `list_` that it does not hold
  std::vector<std::string_view> sorted_;      // normal forms, in `list_` or in `respelt_`
  std::unordered_set<std::string> inserted_;  // normal forms
  std::unordered_map<std::string, std::string>
      spelt_;  // normal form -> as written, where they differ
  std::unordered_map<std::string, std::string> stems_;  // pattern without its star -> as written
};

}  // namespace kubelet_sysctl::sysctl
