// SPDX-License-Identifier: Apache-2.0
// A list of entries in little room: nodes have a handful, a list may have thousands.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kubelet_sysctl {
inline namespace base {

/// Walks what has operator[] and gives its items by value.
template <typename List, typename Item>
class ItemIterator {
 public:
  using iterator_category = std::random_access_iterator_tag;
  using value_type = Item;
  using difference_type = std::ptrdiff_t;
  using reference = Item;
  /// What `->` gives: the item lives as long as the expression.
  struct pointer {
    Item item;
    const Item* operator->() const { return &item; }
  };

  ItemIterator() = default;
  ItemIterator(const List& list, std::size_t at) : list_(&list), at_(at) {}
  Item operator*() const { return (*list_)[at_]; }
  pointer operator->() const { return {**this}; }
  Item operator[](difference_type by) const { return *(*this + by); }
  ItemIterator& operator+=(difference_type by) {
    at_ = static_cast<std::size_t>(static_cast<difference_type>(at_) + by);
    return *this;
  }
  ItemIterator& operator-=(difference_type by) { return *this += -by; }
  ItemIterator& operator++() { return *this += 1; }
  ItemIterator& operator--() { return *this -= 1; }
  ItemIterator operator++(int) { return std::exchange(*this, *this + 1); }
  ItemIterator operator--(int) { return std::exchange(*this, *this - 1); }
  friend ItemIterator operator+(ItemIterator at, difference_type by) { return at += by; }
  friend ItemIterator operator+(difference_type by, ItemIterator at) { return at += by; }
  friend ItemIterator operator-(ItemIterator at, difference_type by) { return at -= by; }
  friend difference_type operator-(const ItemIterator& a, const ItemIterator& b) {
    return static_cast<difference_type>(a.at_) - static_cast<difference_type>(b.at_);
  }
  bool operator==(const ItemIterator& other) const { return at_ == other.at_; }
  std::strong_ordering operator<=>(const ItemIterator& other) const { return at_ <=> other.at_; }

 private:
  const List* list_ = nullptr;
  std::size_t at_ = 0;
};

/// Texts one behind the other in one piece of memory, which all copies of the list share until one of them is
/// changed. What operator[] gives is valid until then.
class EntryList {
 public:
  using value_type = std::string_view;
  using const_iterator = ItemIterator<EntryList, std::string_view>;
  using iterator = const_iterator;

  EntryList() = default;
  // NOLINTBEGIN(google-explicit-constructor): it stands where a vector of strings stood
  EntryList(std::initializer_list<const char*> entries);
  EntryList(const std::vector<std::string>& entries);
  operator std::vector<std::string>() const { return {begin(), end()}; }
  // NOLINTEND(google-explicit-constructor)
  template <typename Iterator>
  EntryList(Iterator first, Iterator last) {
    for (; first != last; ++first) push_back(*first);
  }

  [[nodiscard]] std::size_t size() const { return data_ ? data_->ends.size() : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::string_view operator[](std::size_t index) const;
  [[nodiscard]] std::string_view front() const { return (*this)[0]; }
  [[nodiscard]] std::string_view back() const { return (*this)[size() - 1]; }
  [[nodiscard]] const_iterator begin() const { return {*this, 0}; }
  [[nodiscard]] const_iterator end() const { return {*this, size()}; }
  void push_back(std::string_view entry);
  /// Room for so many entries of so many bytes together, and no more.
  void reserve(std::size_t entries, std::size_t bytes);
  /// What all entries take.
  [[nodiscard]] std::size_t bytes() const { return data_ ? data_->bytes.size() : 0; }
  bool operator==(const EntryList& other) const;

 private:
  struct Data {
    std::vector<char> bytes;          // reserve() of a string takes twice what it is asked for
    std::vector<std::uint32_t> ends;  // of each entry in `bytes`
  };
  Data& own();

  std::shared_ptr<Data> data_;
};

}  // namespace base
}  // namespace kubelet_sysctl
