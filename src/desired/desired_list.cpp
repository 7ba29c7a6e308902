// SPDX-License-Identifier: Apache-2.0
// Reads the desired list: one entry a line, with owner, reason and the day until which it is desired.
#include "kubelet_sysctl/desired/desired_list.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::desired {
namespace {

// Far above what a node needs; what a plan costs grows with the product of both lists.
constexpr std::size_t kMostDesired = 5000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kForm =
    "a line is an entry with its fields: net.core.somaxconn owner=team-web expires=2027-03-01 "
    "reason=\"ticket 1412\"";

/// Reads one file into the list.
class Reader {
 public:
  Reader(const SourceFile& file, DesiredList& list) : file_(file), list_(list), text_(file.bytes) {}

  Status run() {
    if (auto status = check_bytes(); !status) return status;
    at_ = text_.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0;
    while (at_ < text_.size()) {
      end_ = std::min(text_.find('\n', at_), text_.size());
      const std::size_t next = end_ + 1;
      if (end_ > at_ && text_[end_ - 1] == '\r') --end_;
      if (auto status = line(); !status) return status;
      at_ = next;
    }
    return {};
  }

 private:
  Error error(Span at, std::string message, std::string hint = {}) const {
    return error_at(ErrorKind::kMalformed, file_, at, std::move(message), std::move(hint));
  }

  /// What no line may hold: another encoding, and what a terminal or an editor would hide.
  Status check_bytes() const {
    for (std::size_t i = 0; i < text_.size(); ++i) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      const bool ends_line = byte == '\n' || (byte == '\r' && is_line_end(i + 1));
      if ((byte >= 0x20 && byte != 0x7f) || byte == '\t' || ends_line) continue;
      return error({i, i + 1}, fmt::format("a control character, 0x{:02x}", byte),
                   "write the file as plain text");
    }
    if (is_utf8(text_)) return {};
    // The first line that is not: its caret is under the whole of it.
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      if (!is_utf8(text_.substr(begin, end - begin))) {
        return error({begin, end}, "bytes that are not UTF-8", "save the file as UTF-8");
      }
      begin = end + 1;
    }
    bug("text that is not UTF-8 although all of its lines are");
  }

  [[nodiscard]] bool is_line_end(std::size_t at) const {
    return at >= text_.size() || text_[at] == '\n';
  }

  void skip_blanks() {
    while (at_ < end_ && is_blank(text_[at_])) ++at_;
  }

  /// True where nothing but a comment is left: '#' at the start of a line or after a blank.
  [[nodiscard]] bool at_end() const { return at_ >= end_ || text_[at_] == '#'; }

  /// Up to the next blank, or '=' where `stops_at_equals`.
  Span word(bool stops_at_equals) {
    const std::size_t begin = at_;
    while (at_ < end_ && !is_blank(text_[at_]) && !(stops_at_equals && text_[at_] == '=')) ++at_;
    return {begin, at_};
  }

  [[nodiscard]] std::string_view text_at(Span at) const {
    return text_.substr(at.begin, at.size());
  }

  Status line() {
    skip_blanks();
    if (at_end()) return {};
    const Span first = word(true);
    const std::size_t after = at_;
    skip_blanks();
    if (at_ < end_ && text_[at_] == '=') return setting(first);
    at_ = after;
    return entry(first);
  }

  Status setting(Span name_at) {
    ++at_;
    skip_blanks();
    const std::string name(text_at(name_at));
    const bool is_known = name == "mode" || name == "expired";
    if (!is_known && sysctl::SysctlPattern::parse(name) &&
        name.find_first_of("./") != std::string::npos) {
      return error(name_at, fmt::format("'{}' is given a value: this list holds names alone", name),
                   "a value belongs in the pod, or, for the whole node, into '/etc/sysctl.d'");
    }
    if (!is_known) {
      return error(name_at, fmt::format("there is no setting '{}'", name),
                   fmt::format("settings are 'mode' and 'expired'; {}", kForm));
    }
    if (file_.path.starts_with(std::string(kDesiredDirectory) + '/')) {
      return error(name_at, fmt::format("'{}' cannot be set here", name),
                   fmt::format("settings are for all files: set it in '{}'", kDesiredFile));
    }
    if (!settings_.insert(name).second) {
      return error(name_at, fmt::format("'{}' is set twice", name), "leave one of the two out");
    }
    Span value_at;
    auto value = take_value(value_at);
    if (!value) return std::move(value).error();
    skip_blanks();
    if (!at_end()) return error({at_, end_}, "there is text after the value", "leave it out");
    return take_setting(name, *value, value_at);
  }

  Status take_setting(const std::string& name, const std::string& value, Span at) {
    if (name == "mode") {
      for (const SyncMode mode : {SyncMode::kAdditive, SyncMode::kExact}) {
        if (value != name_of(mode)) continue;
        list_.mode = mode;
        return {};
      }
      return error(at, fmt::format("'mode' is 'additive' or 'exact', not '{}'", value),
                   "'additive' adds what the list lacks, 'exact' makes the list these entries");
    }
    if (value != "keep" && value != "drop") {
      return error(at, fmt::format("'expired' is 'keep' or 'drop', not '{}'", value),
                   "'keep' only reports expired entries, 'drop' removes them from the list");
    }
    list_.drop_expired = value == "drop";
    return {};
  }

  Status entry(Span at) {
    DesiredEntry wanted;
    wanted.entry = text_at(at);
    wanted.path = file_.path;
    wanted.line = lines_.line_of(text_, at.begin);
    wanted.at = at;
    auto pattern = sysctl::SysctlPattern::parse(wanted.entry);
    if (!pattern) return not_an_entry(at, std::move(pattern).error());
    const auto [before, is_new] = seen_.try_emplace(pattern->dotted(), wanted.line);
    if (!is_new) {
      return error(at, fmt::format("'{}' is already in line {}", wanted.entry, before->second),
                   "leave one of the two lines out");
    }
    std::set<std::string, std::less<>> keys;
    for (skip_blanks(); !at_end(); skip_blanks()) {
      if (auto status = fact(wanted, keys); !status) return status;
    }
    if (list_.entries.size() == kMostDesired) {
      return error_at(ErrorKind::kUnsupported, file_, at,
                      fmt::format("will not read a list of more than {} entries", kMostDesired));
    }
    list_.entries.push_back(std::move(wanted));
    return {};
  }

  Status not_an_entry(Span at, Error why) const {
    Error placed = error_at(ErrorKind::kBadEntry, file_, at, std::move(why.message), why.hint);
    if (text_at(at).starts_with('[')) placed.hint = fmt::format("there are no sections; {}", kForm);
    return placed;
  }

  /// "owner=team-web"
  Status fact(DesiredEntry& wanted, std::set<std::string, std::less<>>& keys) {
    const Span key_at = word(true);
    const std::string key(text_at(key_at));
    if (at_ >= end_ || text_[at_] != '=') {
      const bool apart =
          text_.substr(at_, end_ - at_).find_first_not_of(" \t") != std::string_view::npos &&
          text_[text_.find_first_not_of(" \t", at_)] == '=';
      return error(
          key_at, fmt::format("'{}' is no field of an entry", key),
          apart
              ? std::string("write the field without blanks around '='")
              : fmt::format("one entry a line, and text with blanks in double quotes; {}", kForm));
    }
    std::string* into = key == "owner"     ? &wanted.owner
                        : key == "reason"  ? &wanted.reason
                        : key == "expires" ? &wanted.expires
                                           : nullptr;
    if (into == nullptr) {
      return error(key_at, fmt::format("there is no field '{}'", key),
                   "fields of an entry are 'owner', 'reason' and 'expires'");
    }
    if (!keys.insert(key).second) {
      return error(key_at, fmt::format("'{}' is given twice", key), "leave one of the two out");
    }
    ++at_;
    Span value_at;
    auto value = take_value(value_at);
    if (!value) return std::move(value).error();
    *into = std::move(*value);
    if (into != &wanted.expires) return {};
    wanted.expires_at_ms = expiry_of(wanted.expires);
    if (wanted.expires_at_ms) return {};
    return error(value_at, fmt::format("'{}' is no date", wanted.expires),
                 "a date is written '2027-03-01' and counts to the end of that day in UTC, a time "
                 "'2027-03-01T12:00:00Z'");
  }

  /// Plain up to the next blank, or in double quotes with \" and \\.
  Result<std::string> take_value(Span& value_at) {
    const std::size_t begin = at_;
    if (at_ < end_ && text_[at_] == '"') return quoted(value_at);
    value_at = word(false);
    const std::string_view value = text_at(value_at);
    if (value.empty()) {
      return error({begin, begin + 1}, "a value is missing",
                   "leave it out with its name, or give it");
    }
    // U+2018 to U+201F, which text that was pasted has for quotes.
    const bool is_typographic = value.starts_with("\xe2\x80") && value.size() > 2 &&
                                static_cast<unsigned char>(value[2]) >= 0x98 &&
                                static_cast<unsigned char>(value[2]) <= 0x9f;
    if (value.front() == '\'' || is_typographic) {
      return error(value_at, "these are not quotes here", "write double quotes: \"ticket 1412\"");
    }
    const std::size_t quote = value.find('"');
    if (quote == std::string_view::npos) return std::string(value);
    return error({value_at.begin + quote, value_at.begin + quote + 1},
                 "a quote inside of a value without quotes",
                 "put the whole value in double quotes, and a backslash before a quote in it");
  }

  Result<std::string> quoted(Span& value_at) {
    const std::size_t begin = at_++;
    std::string value;
    for (; at_ < end_ && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
        if (at_ >= end_ || (text_[at_] != '"' && text_[at_] != '\\')) {
          return error({at_ - 1, std::min(at_ + 1, end_)},
                       "a backslash before neither '\"' nor '\\'",
                       "write '\\\\' for one backslash");
        }
      }
      value.push_back(text_[at_]);
    }
    if (at_ >= end_) {
      return error({begin, end_}, "the quote is not closed",
                   "end the value with '\"' on this line");
    }
    value_at = {begin, ++at_};
    if (value.empty()) return error(value_at, "the value is empty", "leave it out with its name");
    if (at_ < end_ && !is_blank(text_[at_])) {
      return error({at_, at_ + 1}, "no blank after the closing quote",
                   "write '\\\"' for a quote inside of the value");
    }
    return value;
  }

  const SourceFile& file_;
  DesiredList& list_;
  std::string_view text_;
  std::size_t at_ = 0;   // where the reading is
  std::size_t end_ = 0;  // of the line, without its end
  LineCounter lines_;
  std::set<std::string> settings_;
  std::unordered_map<std::string, std::size_t> seen_;  // normal form -> line
};

/// The expiry of an entry without one lies behind every other.
bool outlasts(const DesiredEntry& a, const DesiredEntry& b) {
  if (!b.expires_at_ms) return false;
  return !a.expires_at_ms || *a.expires_at_ms > *b.expires_at_ms;
}

}  // namespace

const char* name_of(SyncMode mode) {
  // In the order of SyncMode.
  constexpr std::array kNames = {"additive", "exact"};
  return kNames[static_cast<std::size_t>(mode)];
}

Result<DesiredList> parse_desired_list(const std::vector<const SourceFile*>& files) {
  DesiredList list;
  for (const SourceFile* file : files) {
    if (file->kind == FileKind::kAbsent) continue;
    if (!file->exists()) {
      return Error{.kind = ErrorKind::kMalformed,
                   .message = "a desired list must be a regular file",
                   .path = file->path,
                   .hint = "remove it, or write a file in its place"};
    }
    if (auto status = Reader(*file, list).run(); !status) return std::move(status).error();
    list.files.push_back(file->path);
  }
  return list;
}

bool is_expired(const DesiredEntry& wanted, std::int64_t now_ms) {
  return wanted.expires_at_ms && now_ms >= *wanted.expires_at_ms;
}

std::vector<const DesiredEntry*> effective_entries(const DesiredList& list) {
  std::vector<const DesiredEntry*> effective;
  std::unordered_map<std::string, std::size_t> places;
  for (const DesiredEntry& wanted : list.entries) {
    const auto pattern = sysctl::SysctlPattern::parse(wanted.entry);
    const auto [place, is_new] =
        places.try_emplace(pattern ? pattern->dotted() : wanted.entry, effective.size());
    if (is_new) {
      effective.push_back(&wanted);
    } else if (outlasts(wanted, *effective[place->second])) {
      effective[place->second] = &wanted;
    }
  }
  return effective;
}

std::vector<const DesiredEntry*> expired_entries(const DesiredList& list, std::int64_t now_ms) {
  std::vector<const DesiredEntry*> expired = effective_entries(list);
  std::erase_if(expired, [now_ms](const DesiredEntry* one) { return !is_expired(*one, now_ms); });
  return expired;
}

}  // namespace kubelet_sysctl::desired
