// SPDX-License-Identifier: Apache-2.0
// A text that all its copies share until one of them is changed.
#pragma once

#include <concepts>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace kubelet_sysctl {
inline namespace base {

/// A std::string to read. The bytes of a file are in the snapshot, in the edit, in its proof, in the record and in
/// the report: one megabyte is one megabyte in all of them together.
class SharedText {
 public:
  using value_type = char;
  using const_iterator = std::string::const_iterator;
  using iterator = const_iterator;

  SharedText() = default;
  // NOLINTBEGIN(google-explicit-constructor): it stands where a std::string stood
  SharedText(std::string text) : text_(std::make_shared<std::string>(std::move(text))) {}
  SharedText(const char* text) : SharedText(std::string(text)) {}
  operator const std::string&() const { return str(); }
  operator std::string_view() const { return str(); }
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] const std::string& str() const {
    static const std::string none;
    return text_ ? *text_ : none;
  }
  /// The text to be changed: from now on no other copy shares it.
  std::string& edit() {
    if (!text_) {
      text_ = std::make_shared<std::string>();
    } else if (text_.use_count() > 1) {
      text_ = std::make_shared<std::string>(*text_);
    }
    return *text_;
  }
  void clear() { text_.reset(); }

  [[nodiscard]] bool empty() const { return str().empty(); }
  [[nodiscard]] std::size_t size() const { return str().size(); }
  [[nodiscard]] const char* data() const { return str().data(); }
  [[nodiscard]] const_iterator begin() const { return str().begin(); }
  [[nodiscard]] const_iterator end() const { return str().end(); }
  [[nodiscard]] char front() const { return str().front(); }
  [[nodiscard]] char back() const { return str().back(); }
  const char& operator[](std::size_t index) const { return str()[index]; }
  [[nodiscard]] std::string substr(std::size_t at, std::size_t size = std::string::npos) const {
    return str().substr(at, size);
  }
  template <typename What>
  [[nodiscard]] std::size_t find(const What& what, std::size_t from = 0) const {
    return str().find(what, from);
  }
  [[nodiscard]] std::size_t find_first_of(std::string_view any, std::size_t from = 0) const {
    return str().find_first_of(any, from);
  }
  template <typename What>
  [[nodiscard]] bool starts_with(const What& what) const {
    return str().starts_with(what);
  }
  template <typename Text>
  requires std::convertible_to<const Text&, std::string_view>
  bool operator==(const Text& other) const {
    return std::string_view(str()) == std::string_view(other);
  }

 private:
  std::shared_ptr<std::string> text_;
};

}  // namespace base
}  // namespace kubelet_sysctl
