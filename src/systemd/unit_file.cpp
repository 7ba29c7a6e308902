// SPDX-License-Identifier: Apache-2.0
// systemd's reader of unit files, and the rules for where units and drop-ins are.
#include "kubelet_sysctl/systemd/unit_file.hpp"

#include <algorithm>
#include <array>

#include "kubelet_sysctl/base/counted.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::systemd {
namespace {

/// A physical line of this many bytes makes systemd give the file up (LONG_LINE_MAX).
constexpr std::size_t kLongLine = std::size_t{1024} * 1024;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

bool is_end(char byte) { return byte == '\n' || byte == '\r' || byte == '\0'; }
/// One physical line: its text and where the next one begins.
struct Line {
  Span at;
  std::size_t next = 0;
  bool odd_end = false;  ///< ended by CR or NUL without an LF
};

/// A line ends at LF, CR or NUL and at one run of different ones of these. Source: src/basic/fileio.c.
Line line_from(std::string_view text, std::size_t begin) {
  std::size_t end = begin;
  while (end < text.size() && !is_end(text[end])) ++end;
  Line line{.at = {begin, end}, .next = end, .odd_end = false};
  std::string seen;
  while (line.next < text.size() && is_end(text[line.next]) &&
         seen.find(text[line.next]) == std::string::npos) {
    seen.push_back(text[line.next]);
    ++line.next;
  }
  line.odd_end = !seen.empty() && seen.find('\n') == std::string::npos;
  return line;
}

MappedText stripped(const MappedText& text) {
  std::size_t begin = 0;
  std::size_t end = text.text.size();
  while (begin < end && is_whitespace(text.text[begin])) ++begin;
  while (end > begin && is_whitespace(text.text[end - 1])) --end;
  return text.sub(begin, end);
}

bool continues(std::string_view text) {
  bool escaped = false;
  for (const char byte : text) escaped = !escaped && byte == '\\';
  return escaped;
}

class UnitParser {
 public:
  UnitParser(const SourceFile& file, std::int32_t source, int version)
      : file_(file), source_(source), version_(version) {}

  UnitFile run() {
    const std::string_view text = file_.bytes;
    for (std::size_t at = 0; at < text.size() && !unit_.broken;) {
      const Line line = line_from(text, at);
      if (line.at.size() >= kLongLine) {
        fail(line.at, "a line of 1 MiB or more");
        break;
      }
      if (line.odd_end) use(Form::kCarriageReturn, line.at);
      physical(text, line);
      at = line.next;
    }
    if (!unit_.broken && pending_) {
      use(Form::kUnfinishedContinuation, pending_at_);
      logical(joined_);
    }
    return std::move(unit_);
  }

 private:
  void use(Form form, Span at) {
    unit_.forms.push_back(
        {form,
         {source_, static_cast<std::uint32_t>(at.begin), static_cast<std::uint32_t>(at.end)}});
  }

  void fail(Span at, const std::string& what) {
    unit_.broken =
        error_at(ErrorKind::kMalformed, file_, at, "systemd does not load this file: " + what);
  }

  void physical(std::string_view text, const Line& line) {
    std::string_view body = text.substr(line.at.begin, line.at.size());
    const std::size_t first = body.find_first_not_of(" \t\n\r");
    if (first != std::string_view::npos && (body[first] == '#' || body[first] == ';')) {
      // Dropped before continuation is inspected: it neither ends one nor begins one (from 245 on).
      if (pending_ || continues(body)) use(Form::kCommentInContinuation, line.at);
      return;
    }
    std::size_t begin = line.at.begin;
    if (!mark_seen_ && body.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
      mark_seen_ = true;
      use(Form::kByteOrderMark, {begin, begin + kByteOrderMark.size()});
      begin += kByteOrderMark.size();
      body.remove_prefix(kByteOrderMark.size());
    }
    if (!pending_) joined_ = {};
    if (pending_ && joined_.text.size() + body.size() > kLongLine) {
      return fail(line.at, "a continued line of more than 1 MiB");
    }
    joined_.append(mapped(body, source_, begin));
    // The text before `body` ends in a blank, the one that its last backslash became.
    if (!continues(body)) {
      pending_ = false;
      logical(joined_);
      return;
    }
    // The backslash becomes one blank; the blanks that begin the next line stay.
    joined_.text.edit().back() = ' ';
    CharOrigin blank = joined_.at.back();
    blank.end = static_cast<std::uint32_t>(line.next);
    joined_.at.pop_back();
    joined_.at.push_back(blank);
    pending_ = true;
    pending_at_ = line.at;
    if (line.at.end < text.size() && text[line.at.end] == '\r') use(Form::kCarriageReturn, line.at);
  }

  void logical(const MappedText& whole) {
    const MappedText line = stripped(whole);
    if (line.text.empty()) return;
    const Span at{line.at.front().begin, line.at.back().end};
    if (!is_utf8(line.text)) {
      use(Form::kNotUtf8, at);
      return fail(at, "it holds bytes that are not UTF-8");
    }
    if (line.text.front() == '[') return header(line, at);
    if (section_.empty()) return;
    const std::size_t equals = line.text.find('=');
    if (equals == std::string::npos) return use(Form::kLineWithoutEquals, at);
    const MappedText key = stripped(line.sub(0, equals));
    unit_.settings.push_back({.section = section_,
                              .key = key.text,
                              .value = stripped(line.sub(equals + 1, line.text.size())),
                              .line_at = at});
  }

  void header(const MappedText& line, Span at) {
    if (line.text.back() != ']') return fail(at, "a section header does not end in ']'");
    section_ = line.text.substr(1, line.text.size() - 2);
    if (section_.empty() || section_.find_first_of("[]") != std::string::npos) {
      use(newer::kOddHeader, at);
      if (reads_as_newest(newer::kOddHeader, version_)) {
        return fail(at, "a section header is empty or has further brackets");
      }
    }
    constexpr std::array<std::string_view, 3> kKnown = {"Unit", "Service", "Install"};
    if (std::find(kKnown.begin(), kKnown.end(), section_) == kKnown.end()) section_.clear();
  }

  const SourceFile& file_;
  std::int32_t source_;
  int version_;
  UnitFile unit_;
  std::string section_;  // empty before the first header and in a section nobody knows
  MappedText joined_;
  bool pending_ = false;
  Span pending_at_;
  bool mark_seen_ = false;
};

void assign(std::vector<UnitSetting>& list, const UnitSetting& setting) {
  if (setting.value.text.empty()) {
    list.clear();
  } else {
    list.push_back(setting);
  }
}

/// True for a setting after which a path of the service may be another file. Source: systemd.exec(5), "Paths",
/// "Sandboxing".
bool is_mount(std::string_view key) {
  constexpr std::array<std::string_view, 6> kMounts = {"RootDirectory", "RootImage",
                                                       "BindPaths",     "BindReadOnlyPaths",
                                                       "MountImages",   "TemporaryFileSystem"};
  return std::find(kMounts.begin(), kMounts.end(), key) != kMounts.end();
}

/// An empty value takes back all of its key; of a root the last one counts.
void assign_mount(std::vector<UnitSetting>& mounts, const UnitSetting& setting) {
  if (setting.value.text.empty() || setting.key.starts_with("Root")) {
    std::erase_if(mounts, [&](const UnitSetting& one) { return one.key == setting.key; });
  }
  if (!setting.value.text.empty()) mounts.push_back(setting);
}

/// The same steps as systemd, since their order decides. Source: src/shared/dropin.c,
/// unit_file_find_dirs().
void add_drop_in_directories(std::string_view name, std::vector<std::string>& names) {
  const std::string own = std::string(name) + ".d";
  if (std::find(names.begin(), names.end(), own) == names.end()) names.push_back(own);
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return;
  const std::string type(name.substr(dot));
  const std::size_t at = std::min(name.find('@'), dot);
  std::string instance;  // with its '@'
  if (at < dot && at + 1 < dot) {
    instance = name.substr(at, dot - at);
    add_drop_in_directories(std::string(name.substr(0, at + 1)) + type, names);
  }
  std::string_view prefix = name.substr(0, at);
  // "a-b" gives "a-"; a dash at the very end was cut before.
  if (prefix.ends_with('-')) prefix.remove_suffix(1);
  const std::size_t dash = prefix.rfind('-');
  if (dash == std::string_view::npos) return;
  add_drop_in_directories(std::string(prefix.substr(0, dash + 1)) + instance + type, names);
}

}  // namespace

UnitFile parse_unit_file(const SourceFile& file, std::int32_t source, int version) {
  counted(Counted::kUnitFile, file.bytes);
  return UnitParser(file, source, version).run();
}

UnitFile parse_unit_file(const SourceFile& file, std::int32_t source) {
  return parse_unit_file(file, source, kReferenceSystemd);
}

void apply_settings(const std::vector<UnitSetting>& file, ServiceSettings& settings) {
  for (const UnitSetting& setting : file) {
    if (setting.section != "Service") continue;
    if (setting.key == "ExecStart") assign(settings.exec_start, setting);
    if (setting.key == "Environment") assign(settings.environment, setting);
    if (setting.key == "EnvironmentFile") assign(settings.environment_files, setting);
    if (setting.key == "PassEnvironment") assign(settings.pass_environment, setting);
    if (setting.key == "UnsetEnvironment") assign(settings.unset_environment, setting);
    if (setting.key == "ExecSearchPath") assign(settings.exec_search_path, setting);
    if (is_mount(setting.key)) assign_mount(settings.mounts, setting);
    if (setting.key == "Type") settings.type = setting.value.text;
    if (setting.key == "User") settings.user = setting.value.text;
  }
}

std::vector<std::string> unit_search_path(int version) {
  constexpr int kControl = 237;  // or an older one that was not measured; 229 has none
  constexpr int kAttached = 245;
  constexpr int kWithoutSplitUsr = 255;
  std::vector<std::string> path;
  if (version >= kControl) {
    path = {"/etc/systemd/system.control", "/run/systemd/system.control", "/run/systemd/transient"};
  }
  path.emplace_back("/run/systemd/generator.early");
  path.emplace_back("/etc/systemd/system");
  if (version >= kAttached) path.emplace_back("/etc/systemd/system.attached");
  path.emplace_back("/run/systemd/system");
  if (version >= kAttached) path.emplace_back("/run/systemd/system.attached");
  path.emplace_back("/run/systemd/generator");
  path.emplace_back("/usr/local/lib/systemd/system");
  if (version < kWithoutSplitUsr) path.emplace_back("/lib/systemd/system");
  path.emplace_back("/usr/lib/systemd/system");
  path.emplace_back("/run/systemd/generator.late");
  return path;
}

std::vector<std::string> drop_in_directories(std::string_view unit_name) {
  std::vector<std::string> names;
  add_drop_in_directories(unit_name, names);
  return names;
}

bool is_drop_in_name(std::string_view name) {
  constexpr std::string_view kSuffix = ".conf";
  return name.size() > kSuffix.size() && name.front() != '.' &&
         name.substr(name.size() - kSuffix.size()) == kSuffix;
}

bool is_vendor_path(std::string_view path) {
  constexpr std::array<std::string_view, 3> kVendor = {"/usr/lib/", "/lib/", "/usr/local/lib/"};
  return std::any_of(kVendor.begin(), kVendor.end(), [path](std::string_view directory) {
    return path.substr(0, directory.size()) == directory;
  });
}

}  // namespace kubelet_sysctl::systemd
