// SPDX-License-Identifier: Apache-2.0
// Reads the wished list: one entry a line, with owner, reason and the day until which it is wished.
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
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::desired {
namespace {

// Far above what anybody wishes for; what a plan costs grows with the product of both lists.
constexpr std::size_t kMostWished = 5000;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::string_view kForm =
    "a line is an entry with its facts: net.core.somaxconn owner=team-web expires=2027-03-01 "
    "reason=\"ticket 1412\"";

bool is_blank(char byte) { return byte == ' ' || byte == '\t'; }

/// Reads one file into the list.
class Reader {
 public:
  Reader(const SourceFile& file, WishList& list) : file_(file), list_(list), text_(file.bytes) {}

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
    // The first line that is not: its caret stands under the whole of it.
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
                   "a value belongs into the pod, or, for the whole node, into '/etc/sysctl.d'");
    }
    if (!is_known) {
      return error(name_at, fmt::format("there is no setting '{}'", name),
                   fmt::format("settings are 'mode' and 'expired'; {}", kForm));
    }
    if (file_.path.starts_with(std::string(kWishDirectory) + '/')) {
      return error(name_at, fmt::format("'{}' cannot be set here", name),
                   fmt::format("settings are for all files: set it in '{}'", kWishFile));
    }
    if (!settings_.insert(name).second) {
      return error(name_at, fmt::format("'{}' is set twice", name), "leave one of the two out");
    }
    Span value_at;
    auto value = take_value(value_at);
    if (!value) return std::move(value).error();
    skip_blanks();
    if (!at_end()) return error({at_, end_}, "something stands behind the value", "leave it out");
    return take_setting(name, *value, value_at);
  }

  Status take_setting(const std::string& name, const std::string& value, Span at) {
    if (name == "mode") {
      for (const WishMode mode : {WishMode::kAdditive, WishMode::kExact}) {
        if (value != name_of(mode)) continue;
        list_.mode = mode;
        return {};
      }
      return error(at, fmt::format("'mode' is 'additive' or 'exact', not '{}'", value),
                   "'additive' adds what the list lacks, 'exact' makes the list these entries");
    }
    if (value != "keep" && value != "drop") {
      return error(at, fmt::format("'expired' is 'keep' or 'drop', not '{}'", value),
                   "'keep' only tells of expired entries, 'drop' takes them out of the list");
    }
    list_.drop_expired = value == "drop";
    return {};
  }

  Status entry(Span at) {
    WishedEntry wish;
    wish.entry = text_at(at);
    wish.path = file_.path;
    wish.line = lines_.line_of(text_, at.begin);
    wish.at = at;
    auto pattern = sysctl::SysctlPattern::parse(wish.entry);
    if (!pattern) return not_an_entry(at, std::move(pattern).error());
    const auto [before, is_new] = seen_.try_emplace(pattern->dotted(), wish.line);
    if (!is_new) {
      return error(at, fmt::format("'{}' stands in line {} already", wish.entry, before->second),
                   "leave one of the two lines out");
    }
    std::set<std::string, std::less<>> keys;
    for (skip_blanks(); !at_end(); skip_blanks()) {
      if (auto status = fact(wish, keys); !status) return status;
    }
    if (list_.entries.size() == kMostWished) {
      return error_at(ErrorKind::kUnsupported, file_, at,
                      fmt::format("will not read a list of more than {} entries", kMostWished));
    }
    list_.entries.push_back(std::move(wish));
    return {};
  }

  Status not_an_entry(Span at, Error why) const {
    Error placed = error_at(ErrorKind::kBadEntry, file_, at, std::move(why.message), why.hint);
    if (text_at(at).starts_with('[')) placed.hint = fmt::format("there are no sections; {}", kForm);
    return placed;
  }

  /// "owner=team-web"
  Status fact(WishedEntry& wish, std::set<std::string, std::less<>>& keys) {
    const Span key_at = word(true);
    const std::string key(text_at(key_at));
    if (at_ >= end_ || text_[at_] != '=') {
      const bool apart =
          text_.substr(at_, end_ - at_).find_first_not_of(" \t") != std::string_view::npos &&
          text_[text_.find_first_not_of(" \t", at_)] == '=';
      return error(
          key_at, fmt::format("'{}' is no fact of an entry", key),
          apart
              ? fmt::format("write '{}=…' without blanks around '='", key)
              : fmt::format("one entry a line, and text with blanks in double quotes; {}", kForm));
    }
    std::string* into = key == "owner"     ? &wish.owner
                        : key == "reason"  ? &wish.reason
                        : key == "expires" ? &wish.expires
                                           : nullptr;
    if (into == nullptr) {
      return error(key_at, fmt::format("there is no fact '{}'", key),
                   "facts of an entry are 'owner', 'reason' and 'expires'");
    }
    if (!keys.insert(key).second) {
      return error(key_at, fmt::format("'{}' is given twice", key), "leave one of the two out");
    }
    ++at_;
    Span value_at;
    auto value = take_value(value_at);
    if (!value) return std::move(value).error();
    *into = std::move(*value);
    if (into != &wish.expires) return {};
    wish.expires_at_ms = expiry_of(wish.expires);
    if (wish.expires_at_ms) return {};
    return error(value_at, fmt::format("'{}' is no date", wish.expires),
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
      return error(value_at, "quotes that are none here", "write double quotes: \"ticket 1412\"");
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
      return error({at_, at_ + 1}, "no blank behind the closing quote",
                   "write '\\\"' for a quote inside of the value");
    }
    return value;
  }

  const SourceFile& file_;
  WishList& list_;
  std::string_view text_;
  std::size_t at_ = 0;   // where the reading is
  std::size_t end_ = 0;  // of the line, without its end
  LineCounter lines_;
  std::set<std::string> settings_;
  std::unordered_map<std::string, std::size_t> seen_;  // normal form -> line
};

/// The expiry of a wish without one lies behind every other.
bool outlasts(const WishedEntry& a, const WishedEntry& b) {
  if (!b.expires_at_ms) return false;
  return !a.expires_at_ms || *a.expires_at_ms > *b.expires_at_ms;
}

}  // namespace

const char* name_of(WishMode mode) {
  switch (mode) {
    case WishMode::kAdditive:
      return "additive";
    case WishMode::kExact:
      return "exact";
  }
  bug("a WishMode without a name");
}

Result<WishList> parse_wish_list(const std::vector<const SourceFile*>& files) {
  WishList list;
  for (const SourceFile* file : files) {
    if (file->kind == FileKind::kAbsent) continue;
    if (!file->exists()) {
      return Error{.kind = ErrorKind::kMalformed,
                   .message = "a wished list is a file, and this is none",
                   .path = file->path,
                   .hint = "take it away, or write a file in its place"};
    }
    if (auto status = Reader(*file, list).run(); !status) return std::move(status).error();
    list.files.push_back(file->path);
  }
  return list;
}

bool is_expired(const WishedEntry& wish, std::int64_t now_ms) {
  return wish.expires_at_ms && now_ms >= *wish.expires_at_ms;
}

std::vector<const WishedEntry*> lasting_wishes(const WishList& list) {
  std::vector<const WishedEntry*> lasting;
  std::unordered_map<std::string, std::size_t> places;
  for (const WishedEntry& wish : list.entries) {
    const auto pattern = sysctl::SysctlPattern::parse(wish.entry);
    const auto [place, is_new] =
        places.try_emplace(pattern ? pattern->dotted() : wish.entry, lasting.size());
    if (is_new) {
      lasting.push_back(&wish);
    } else if (outlasts(wish, *lasting[place->second])) {
      lasting[place->second] = &wish;
    }
  }
  return lasting;
}

std::vector<const WishedEntry*> expired_wishes(const WishList& list, std::int64_t now_ms) {
  std::vector<const WishedEntry*> expired = lasting_wishes(list);
  std::erase_if(expired, [now_ms](const WishedEntry* one) { return !is_expired(*one, now_ms); });
  return expired;
}

}  // namespace kubelet_sysctl::desired
