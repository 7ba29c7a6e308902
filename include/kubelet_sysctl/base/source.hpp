// SPDX-License-Identifier: Apache-2.0
// Files as they were read, and where a piece of text came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/shared_text.hpp"

namespace kubelet_sysctl {
inline namespace base {

/// Byte offsets into one file, half-open.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// What is at a path. A symbolic link is followed before this is decided.
enum class FileKind { kAbsent, kRegular, kDirectory, kOther };

/// One extended attribute, as getxattr(2) gives it.
struct ExtendedAttribute {
  std::string name;
  std::string value;
  bool operator==(const ExtendedAttribute&) const = default;
};

/// Facts of one file, kept so that a replacement can carry them and a change can be seen.
struct FileMeta {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::uint32_t mode = 0644;  ///< permission bits only
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t mtime_ns = 0;  ///< nanoseconds since the epoch, UTC
  std::int64_t ctime_ns = 0;  ///< last change of content, name or inode; cannot be set back
  std::vector<ExtendedAttribute> attributes = {};  ///< only FileSystem::traits_of() fills it
  /// Of an absent file that is to be made: owner and attributes are wanted too, not the mode alone.
  bool exact = false;
};

/// One file as it was read. `bytes` is empty when the file was searched for and is absent.
struct SourceFile {
  std::string path;       ///< as the node names it, without --root
  std::string real_path;  ///< links resolved inside the root, without --root
  FileKind kind = FileKind::kAbsent;
  SharedText bytes;
  FileMeta meta;
  [[nodiscard]] bool exists() const { return kind == FileKind::kRegular; }
};

/// Line and column of an offset, both from 1, the column in bytes.
struct LineColumn {
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const LineColumn&) const = default;
};

/// Where `offset` is in `text`; an offset past the end counts as the end.
LineColumn line_column(std::string_view text, std::size_t offset);

/// The line that holds `offset`, without its line end.
std::string_view line_at(std::string_view text, std::size_t offset);

/// The bytes of one source that one byte of decoded text came from. `source` is an index into
/// NodeSnapshot::files, or kNoSource for text that no file holds (a specifier's value, say).
struct CharOrigin {
  std::int32_t source = -1;
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  bool operator==(const CharOrigin&) const = default;
};
inline constexpr std::int32_t kNoSource = -1;

/// The origins of the bytes of one text, kept as runs: text that is in its file as it is read is one run,
/// however long it is.
class Origins {
 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = CharOrigin;
    using difference_type = std::ptrdiff_t;
    using pointer = const CharOrigin*;
    using reference = CharOrigin;
    Iterator() = default;
    Iterator(const Origins& all, std::size_t at) : all_(&all), at_(at) {}
    CharOrigin operator*() const { return (*all_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++at_;
      return before;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const Origins* all_ = nullptr;
    std::size_t at_ = 0;
  };
  using value_type = CharOrigin;
  using const_iterator = Iterator;
  using iterator = Iterator;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] CharOrigin operator[](std::size_t index) const;
  [[nodiscard]] CharOrigin front() const { return (*this)[0]; }
  [[nodiscard]] CharOrigin back() const { return (*this)[size_ - 1]; }
  [[nodiscard]] Iterator begin() const { return {*this, 0}; }
  [[nodiscard]] Iterator end() const { return {*this, size_}; }
  void push_back(const CharOrigin& from);
  /// `count` bytes that come from the same place.
  void append(std::size_t count, const CharOrigin& from);
  /// `count` bytes, each its own place, from the byte `begin` of `source` on.
  void append_plain(std::size_t count, std::int32_t source, std::uint32_t begin);
  void append(const Origins& other, std::size_t begin, std::size_t end);
  void pop_back() { resize(size_ - 1); }
  /// Cuts the end off: `size` is no more than it has.
  void resize(std::size_t size);
  bool operator==(const Origins& other) const;

 private:
  /// Bytes that are each the place behind the one before, or all of one place.
  struct Run {
    std::uint32_t at = 0;  ///< the first of them in the text
    CharOrigin first = {};
    bool plain = true;
    [[nodiscard]] CharOrigin of(std::size_t index) const;
  };
  [[nodiscard]] std::size_t run_of(std::size_t index) const;

  std::vector<Run> runs_;
  std::size_t size_ = 0;
};

/// Decoded text in which every byte knows which bytes of which file it came from: the context on
/// which an edit of a decoded word becomes an edit of file bytes. `at.size() == text.size()`.
struct MappedText {
  SharedText text;
  Origins at;

  void push(char byte, CharOrigin from) {
    text.edit().push_back(byte);
    at.push_back(from);
  }
  void append(const MappedText& other) { append(other, 0, other.text.size()); }
  void append(const MappedText& other, std::size_t begin, std::size_t end) {
    text.edit().append(other.text.str(), begin, end - begin);
    at.append(other.at, begin, end);
  }
  /// Appends text that no single byte of a file stands for; all of it is mapped to `from`.
  void append(std::string_view bytes, CharOrigin from) {
    text.edit() += bytes;
    at.append(bytes.size(), from);
  }
  [[nodiscard]] MappedText sub(std::size_t begin, std::size_t end) const;
};

/// The text itself, each byte mapped to its own place in `source`, offset by `base`.
MappedText mapped(std::string_view text, std::int32_t source, std::size_t base = 0);

/// Which kind of place a word or an entry was written in.
enum class OriginKind {
  kUnit,
  kDropIn,
  kEnvironmentFile,
  kConfig,
  kConfigDir,
  kManager,
  kProcess,
  kLauncherFile,  ///< a file of the program that runs the kubelet: k3s's config.yaml
  kHost,          ///< that program adds it by itself
};

/// Where a word or an entry came from, and through which `$VARIABLE` when it came through one.
struct Origin {
  OriginKind kind = OriginKind::kUnit;
  std::string path;      ///< as the node names it; empty when no file holds it
  std::size_t line = 0;  ///< from 1; 0 when no file holds it
  Span span;             ///< bytes of the file that the word occupies, quotes included
  std::int32_t source = kNoSource;
  std::string variable;  ///< name without `$`; empty for a word that is in the command itself
};

/// An error that names a place in a file: path, line, column and the line itself are filled in.
Error error_at(ErrorKind kind, const SourceFile& file, Span span, std::string message,
               std::string hint = {});

/// True when `text` is well-formed UTF-8 without surrogates (systemd's and YAML's demand).
bool is_utf8(std::string_view text);

}  // namespace base
}  // namespace kubelet_sysctl
