// SPDX-License-Identifier: Apache-2.0
// Files as they were read, and where a piece of text came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubelet_sysctl/error.hpp"

namespace kubelet_sysctl {

/// Byte offsets into one file, half-open.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
  bool operator==(const Span&) const = default;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// What stands at a path. A symbolic link is followed before this is decided.
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
  std::uint64_t links = 1;
  std::int64_t mtime_ns = 0;  ///< nanoseconds since the epoch, UTC
  std::int64_t ctime_ns = 0;  ///< last change of content, name or inode; cannot be set back
  std::vector<ExtendedAttribute> attributes = {};  ///< only FileSystem::traits_of() fills it
  /// Of an absent file that is to be made: owner and attributes are wanted too, not the mode alone.
  bool exact = false;
};

/// One file as it was read. `bytes` is empty when the file was looked for and is absent.
struct SourceFile {
  std::string path;       ///< as the node names it, without --root
  std::string real_path;  ///< links resolved inside the root, without --root
  FileKind kind = FileKind::kAbsent;
  std::string bytes;
  FileMeta meta;
  [[nodiscard]] bool exists() const { return kind == FileKind::kRegular; }
};

/// Line and column of an offset, both from 1, the column in bytes.
struct LineColumn {
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const LineColumn&) const = default;
};

/// Where `offset` stands in `text`; an offset past the end counts as the end.
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

/// Decoded text in which every byte knows which bytes of which file it came from: the ground on
/// which an edit of a decoded word becomes an edit of file bytes. `at.size() == text.size()`.
struct MappedText {
  std::string text;
  std::vector<CharOrigin> at;

  void push(char byte, CharOrigin from) {
    text.push_back(byte);
    at.push_back(from);
  }
  void append(const MappedText& other) {
    text += other.text;
    at.insert(at.end(), other.at.begin(), other.at.end());
  }
  /// Appends text that no single byte of a file stands for; all of it is mapped to `from`.
  void append(std::string_view bytes, CharOrigin from) {
    text += bytes;
    at.insert(at.end(), bytes.size(), from);
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
  kHostFile,  ///< a file of the program that runs the kubelet: k3s's config.yaml
  kHost,      ///< that program adds it by itself
};

/// Where a word or an entry came from, and through which `$VARIABLE` when it came through one.
struct Origin {
  OriginKind kind = OriginKind::kUnit;
  std::string path;      ///< as the node names it; empty when no file holds it
  std::size_t line = 0;  ///< from 1; 0 when no file holds it
  Span span;             ///< bytes of the file that the word occupies, quotes included
  std::int32_t source = kNoSource;
  std::string variable;  ///< name without `$`; empty for a word that stands in the command itself
};

/// An error that names a place in a file: path, line, column and the line itself are filled in.
Error error_at(ErrorKind kind, const SourceFile& file, Span span, std::string message,
               std::string hint = {});

/// True when `text` is well-formed UTF-8 without surrogates (systemd's and YAML's demand).
bool is_utf8(std::string_view text);

}  // namespace kubelet_sysctl
