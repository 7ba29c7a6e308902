// SPDX-License-Identifier: Apache-2.0
// Asking a list of entries by their normal form and by the stems of its patterns.
#include "kubelet_sysctl/sysctl/pattern_set.hpp"

#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::sysctl {
namespace {

struct Normal {
  std::string text;
  bool well_spelt = false;
  bool is_prefix = false;
};

Normal normal_of(std::string_view entry) {
  const auto pattern = SysctlPattern::parse(entry);
  if (!pattern) return {.text = std::string(entry), .well_spelt = false, .is_prefix = false};
  return {.text = pattern->dotted(), .well_spelt = true, .is_prefix = pattern->is_prefix()};
}

}  // namespace

EntrySet::EntrySet(const EntryList& entries) {
  entries_.reserve(entries.size());
  for (const std::string_view entry : entries) insert(entry);
}

void EntrySet::insert(std::string_view entry) {
  const Normal normal = normal_of(entry);
  const bool fresh = entries_.insert(normal.text).second;
  if (fresh && normal.text != entry) spelt_.emplace(normal.text, entry);
  if (normal.is_prefix) stems_.try_emplace(normal.text.substr(0, normal.text.size() - 1), entry);
}

bool EntrySet::holds(std::string_view entry) const {
  return entries_.contains(normal_of(entry).text);
}

const std::string* EntrySet::covering(std::string_view entry) const {
  const Normal normal = normal_of(entry);
  const auto same = entries_.find(normal.text);
  if (same != entries_.end()) {
    const auto spelt = spelt_.find(normal.text);
    return spelt == spelt_.end() ? &*same : &spelt->second;
  }
  if (!normal.well_spelt) return nullptr;
  const std::size_t length = normal.text.size() - (normal.is_prefix ? 1 : 0);
  for (std::size_t end = 0; end <= length; ++end) {
    const auto stem = stems_.find(normal.text.substr(0, end));
    if (stem != stems_.end()) return &stem->second;
  }
  return nullptr;
}

}  // namespace kubelet_sysctl::sysctl
