// SPDX-License-Identifier: Apache-2.0
// Asking a list of entries by their normal form and by the stems of its patterns.
#include "kubelet_sysctl/sysctl/pattern_set.hpp"

#include <algorithm>
#include <utility>

#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::sysctl {

EntrySet::Normal EntrySet::normal_of(std::string_view entry) {
  const auto pattern = SysctlPattern::parse(entry);
  if (!pattern) return {.text = std::string(entry), .well_spelt = false, .is_prefix = false};
  return {.text = pattern->dotted(), .well_spelt = true, .is_prefix = pattern->is_prefix()};
}

EntrySet::EntrySet(const EntryList& entries) : list_(entries) {
  sorted_.reserve(list_.size());
  for (const std::string_view entry : list_) {
    Normal normal = normal_of(entry);
    note(entry, normal);
    if (normal.text == entry) {
      sorted_.push_back(entry);
    } else {
      sorted_.push_back(respelt_.emplace_front(std::move(normal.text)));
    }
  }
  std::sort(sorted_.begin(), sorted_.end());
}

void EntrySet::insert(std::string_view entry) {
  Normal normal = normal_of(entry);
  if (find(normal.text)) return;
  note(entry, normal);
  inserted_.insert(std::move(normal.text));
}

/// How the entry is written, where that is not its normal form, and what it allows as a pattern.
void EntrySet::note(std::string_view entry, const Normal& normal) {
  if (normal.text != entry) spelt_.try_emplace(normal.text, entry);
  if (normal.is_prefix) stems_.try_emplace(normal.text.substr(0, normal.text.size() - 1), entry);
}

std::optional<std::string_view> EntrySet::find(std::string_view normal) const {
  const auto at = std::lower_bound(sorted_.begin(), sorted_.end(), normal);
  if (at != sorted_.end() && *at == normal) return *at;
  const auto found = inserted_.find(std::string(normal));
  if (found != inserted_.end()) return *found;
  return std::nullopt;
}

bool EntrySet::holds(std::string_view entry) const {
  return find(normal_of(entry).text).has_value();
}

std::optional<std::string_view> EntrySet::covering(std::string_view entry) const {
  const Normal normal = normal_of(entry);
  if (const auto same = find(normal.text)) {
    const auto spelt = spelt_.find(normal.text);
    return spelt == spelt_.end() ? *same : spelt->second;
  }
  if (!normal.well_spelt) return std::nullopt;
  const std::size_t length = normal.text.size() - (normal.is_prefix ? 1 : 0);
  for (std::size_t end = 0; end <= length; ++end) {
    const auto stem = stems_.find(normal.text.substr(0, end));
    if (stem != stems_.end()) return stem->second;
  }
  return std::nullopt;
}

}  // namespace kubelet_sysctl::sysctl
