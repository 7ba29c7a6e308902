// SPDX-License-Identifier: Apache-2.0
// The entries that a command line names, from its arguments and from --from-file.
#include "entries.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "cli.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "options.hpp"

namespace kubelet_sysctl::cli {
namespace {

// Far above what a node needs; what a plan costs grows with the product of both lists.
constexpr std::size_t kMostDesired = 5000;
constexpr std::size_t kMostInput = 16U << 20U;
constexpr std::string_view kBlanks = " \t\r\v\f";

Error too_large(const std::string& path) {
  return {.kind = ErrorKind::kBadEntry, .message = "will not read more than 16 MiB", .path = path};
}

Error cannot_read(const std::string& path, int number) {
  Error error;
  error.kind = number == ENOENT   ? ErrorKind::kNotFound
               : number == EACCES ? ErrorKind::kPermission
                                  : ErrorKind::kIo;
  error.message = fmt::format("cannot read '{}': {}", path, std::strerror(number));
  return error;
}

Result<std::string> read_whole(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (!file) return cannot_read(path, errno);
  // Room for all of it at once: a string that grows holds its bytes twice.
  struct stat facts = {};
  const bool is_file = ::fstat(::fileno(file.get()), &facts) == 0 && S_ISREG(facts.st_mode);
  std::string text;
  if (is_file && facts.st_size > static_cast<off_t>(kMostInput)) return too_large(path);
  if (is_file) text.reserve(static_cast<std::size_t>(facts.st_size));
  std::array<char, 65536> block{};
  for (;;) {
    const std::size_t count = std::fread(block.data(), 1, block.size(), file.get());
    if (count == 0) break;
    text.append(block.data(), count);
    if (text.size() > kMostInput) return too_large(path);
  }
  if (std::ferror(file.get()) != 0) return cannot_read(path, errno);
  return text;
}

/// The line without its comment and the blanks around what is left.
std::string_view entry_in(std::string_view line) {
  for (std::size_t at = line.find('#'); at != std::string_view::npos; at = line.find('#', at + 1)) {
    if (at != 0 && kBlanks.find(line[at - 1]) == std::string_view::npos) continue;
    line = line.substr(0, at);
    break;
  }
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

Result<std::vector<std::string>> parse_entry_list(const std::string& path, std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::vector<std::string> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view entry = entry_in(line);
    if (entry.empty()) continue;
    auto pattern = sysctl::SysctlPattern::parse(entry);
    if (!pattern) {
      Error error = std::move(pattern).error();
      error.path = path;
      error.line = number;
      error.column = static_cast<std::size_t>(entry.data() - line.data()) + 1;
      error.excerpt = line;
      error.width = entry.size();
      return error;
    }
    if (entries.size() == kMostDesired) {
      return Error{
          .kind = ErrorKind::kRefused,
          .message = fmt::format("will not read a list of more than {} entries", kMostDesired),
          .path = path,
          .line = number,
          .column = 1};
    }
    entries.emplace_back(entry);
  }
  return entries;
}

namespace {

/// `text` with a mark for whatever it quotes of `line`, but for the words of a desired list itself.
std::string without_quotes_of(std::string_view line, std::string text) {
  static constexpr std::array<std::string_view, 5> kOwn = {"mode", "expired", "owner", "reason",
                                                           "expires"};
  constexpr std::string_view kMark = "...";
  for (const char quote : {'\'', '"'}) {
    for (std::size_t begin = text.find(quote); begin != std::string::npos;) {
      std::size_t end = text.find(quote, begin + 1);
      if (end == std::string::npos) break;
      const std::string_view inner = std::string_view(text).substr(begin + 1, end - begin - 1);
      const bool own = std::find(kOwn.begin(), kOwn.end(), inner) != kOwn.end();
      if (!own && !inner.empty() && line.find(inner) != std::string_view::npos) {
        text.replace(begin + 1, inner.size(), kMark);
        end = begin + 1 + kMark.size();
      }
      begin = text.find(quote, end + 1);
    }
  }
  return text;
}

/// "a,b" is the kubelet's own way to write two entries. An empty item stays, to be refused.
std::vector<std::string> split_at_commas(std::string_view text) {
  std::vector<std::string> items;
  for (;;) {
    const std::size_t comma = text.find(',');
    items.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return items;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace

Error without_contents(Error error, const Options& options) {
  if (options.from_file == "-" || error.line == 0) return error;
  const std::string line = std::exchange(error.excerpt, {});
  if (error.kind != ErrorKind::kBadEntry) {
    error.message = without_quotes_of(line, std::move(error.message));
    error.hint = without_quotes_of(line, std::move(error.hint));
    return error;
  }
  error.message = "this line is not an entry";
  error.hint = "a line holds a name such as 'net.core.somaxconn', or a comment after '#'";
  return error;
}

Result<SourceFile> named_file(const Options& options, const CliEnvironment& host) {
  if (options.file_of_container) return *options.file_of_container;
  const bool from_input = options.from_file == "-";
  SourceFile file;
  file.path = file.real_path = from_input ? "standard input" : options.from_file;
  auto text = from_input ? Result<std::string>(host.read_input()) : read_whole(file.path);
  if (!text) return std::move(text).error();
  if (text->size() > kMostInput) return too_large(file.path);
  file.kind = FileKind::kRegular;
  file.bytes = std::move(*text);
  return file;
}

Result<std::vector<std::string>> desired_entries(const Options& options, const CliEnvironment& host,
                                                 bool malformed_too) {
  std::vector<std::string> entries;
  for (const std::string& argument : options.arguments) {
    if (malformed_too) {
      entries.push_back(argument);
      continue;
    }
    for (const std::string& entry : split_at_commas(argument)) {
      if (auto pattern = sysctl::SysctlPattern::parse(entry); !pattern) {
        return std::move(pattern).error();
      }
      entries.push_back(entry);
    }
  }
  if (options.from_file.empty()) return entries;
  auto file = named_file(options, host);
  if (!file) return std::move(file).error();
  const std::string& path = file->path;
  auto listed = parse_entry_list(path, file->bytes);
  if (!listed) return without_contents(std::move(listed).error(), options);
  if (listed->empty()) {
    // An empty file is more often a mistake than what is wanted; emptying the list must be said.
    return Error{.kind = ErrorKind::kBadEntry,
                 .message = "there is no entry in it",
                 .path = path,
                 .hint = "to empty the list, run: kubelet-sysctl set --empty"};
  }
  entries.insert(entries.end(), listed->begin(), listed->end());
  return entries;
}

}  // namespace kubelet_sysctl::cli
