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
  return {data_->bytes.data() + begin, data_->ends[index] - begin};
}

void EntryList::push_back(std::string_view entry) {
  Data& data = own();
  const std::size_t size = data.bytes.size() + entry.size();
  // Not doubled: a long list would keep as much room that it never needs.
  std::vector<char> old;  // until the entry is in, which may be one of the list itself
  if (size > data.bytes.capacity()) {
    old.swap(data.bytes);
    data.bytes.reserve(size + size / 16);
    data.bytes.insert(data.bytes.end(), old.begin(), old.end());
  }
  data.bytes.insert(data.bytes.end(), entry.begin(), entry.end());
  data.ends.push_back(static_cast<std::uint32_t>(size));
}

void EntryList::reserve(std::size_t entries, std::size_t bytes) {
  Data& data = own();
  data.bytes.reserve(bytes);
  data.ends.reserve(entries);
}

/// From now on no other list shares it.
EntryList::Data& EntryList::own() {
  if (!data_) {
    data_ = std::make_shared<Data>();
  } else if (data_.use_count() > 1) {
    data_ = std::make_shared<Data>(*data_);
  }
  return *data_;
}

bool EntryList::operator==(const EntryList& other) const {
  if (data_ == other.data_) return true;
  if (empty() || other.empty()) return empty() && other.empty();
  return data_->ends == other.data_->ends && data_->bytes == other.data_->bytes;
}

}  // namespace base
}  // namespace kubelet_sysctl
