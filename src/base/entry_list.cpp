// SPDX-License-Identifier: Apache-2.0
// The texts of a list in one piece of memory.
#include "kubelet_sysctl/base/entry_list.hpp"

namespace kubelet_sysctl {
inline namespace base {

EntryList::EntryList(std::initializer_list<const char*> entries)
    : EntryList(entries.begin(), entries.end()) {}

EntryList::EntryList(const std::vector<std::string>& entries)
    : EntryList(entries.begin(), entries.end()) {}

std::string_view EntryList::operator[](std::size_t index) const {
  const std::size_t begin = index == 0 ? 0 : data_->ends[index - 1];
  return std::string_view(data_->bytes).substr(begin, data_->ends[index] - begin);
}

void EntryList::push_back(std::string_view entry) {
  if (!data_) {
    data_ = std::make_shared<Data>();
  } else if (data_.use_count() > 1) {
    data_ = std::make_shared<Data>(*data_);
  }
  data_->bytes += entry;
  data_->ends.push_back(static_cast<std::uint32_t>(data_->bytes.size()));
}

bool EntryList::operator==(const EntryList& other) const {
  if (data_ == other.data_) return true;
  if (empty() || other.empty()) return empty() && other.empty();
  return data_->ends == other.data_->ends && data_->bytes == other.data_->bytes;
}

}  // namespace base
}  // namespace kubelet_sysctl
