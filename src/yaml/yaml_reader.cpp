// SPDX-License-Identifier: Apache-2.0
// Reads YAML into events with libyaml. The kubelet's reader, go-yaml v2, is a port of libyaml: the
// same files are refused, with the same words and lines.
#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>
#include <yaml.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::yaml {
namespace {

// Far above what any configuration has.
constexpr std::size_t kMaxDepth = 500;

Error yaml_error(const Introductions& introductions, std::string_view bytes, Span at,
                 std::string_view what, std::string hint = {}) {
  return error_in(ErrorKind::kMalformed, bytes, at,
                  fmt::format("{}yaml: {}", introductions.yaml, what), std::move(hint));
}

/// go-yaml's reader forbids these characters. Source: gopkg.in/yaml.v2 readerc.go,
/// yaml_parser_update_buffer.
std::optional<Error> forbidden_character(const Introductions& introductions,
                                         std::string_view bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    const bool control =
        (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    const bool c1 = byte == 0xC2 && i + 1 < bytes.size() &&
                    static_cast<unsigned char>(bytes[i + 1]) < 0xA0 && bytes[i + 1] != '\x85';
    const std::string_view three = bytes.substr(i, 3);
    const bool none =
        three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF" || (i > 0 && three == kByteOrderMark);
    if (control || c1 || none) {
      return yaml_error(introductions, bytes, {i, i}, "control characters are not allowed");
    }
  }
  return std::nullopt;
}

/// libyaml counts characters; the places of events only ever grow, so one pass finds their bytes.
class Offsets {
 public:
  explicit Offsets(std::string_view bytes)
      : bytes_(bytes), begin_(bytes.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0) {
    restart();
  }

  std::size_t of(const yaml_mark_t& mark) {
    if (mark.index < index_) restart();
    while (index_ < mark.index && at_ < bytes_.size()) {
      ++at_;
      while (at_ < bytes_.size() && (static_cast<unsigned char>(bytes_[at_]) & 0xC0U) == 0x80U) {
        ++at_;
      }
      ++index_;
    }
    return at_;
  }

 private:
  void restart() {
    at_ = begin_;
    index_ = 0;
  }

  std::string_view bytes_;
  std::size_t begin_;
  std::size_t at_ = 0;
  std::size_t index_ = 0;
};

std::string text_of(const yaml_char_t* text) {
  if (text == nullptr) return {};
  // libyaml's characters are bytes of UTF-8 that happen to be unsigned.
  const auto* bytes = static_cast<const char*>(static_cast<const void*>(text));
  return bytes;
}

std::string text_of(const yaml_char_t* text, std::size_t length) {
  const auto* bytes = static_cast<const char*>(static_cast<const void*>(text));
  return {bytes, length};
}

/// What base64 stands for, line ends aside; nothing when it is none. Source: yaml.v2 resolve.go.
std::optional<std::string> from_base64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  std::size_t count = 0;
  std::size_t padding = 0;
  for (const char byte : text) {
    if (byte == '\n' || byte == '\r') continue;
    ++count;
    if (byte == '=' && ++padding <= 2) continue;
    const std::size_t digit = kDigits.find(byte);
    if (padding > 0 || digit == std::string_view::npos) return std::nullopt;
    bits = (bits << 6U) | static_cast<unsigned>(digit);
    const std::size_t have = (count * 6) % 8;  // bits left over after this digit
    if (have != 6) out += static_cast<char>((bits >> have) & 0xFFU);
  }
  if (count % 4 != 0) return std::nullopt;
  return out;
}

class Reader {
 public:
  Reader(std::string_view bytes, Tree& tree, const Introductions& introductions)
      : bytes_(bytes), tree_(tree), introductions_(introductions), offsets_(bytes) {
    if (yaml_parser_initialize(&parser_) == 0) bug("no memory for a YAML parser");
    const void* start = bytes.data();
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    const std::string_view text =
        bytes.starts_with(kByteOrderMark) ? bytes.substr(kByteOrderMark.size()) : bytes;
    start = text.data();
    yaml_parser_set_input_string(&parser_, static_cast<const unsigned char*>(start), text.size());
  }
  ~Reader() { yaml_parser_delete(&parser_); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Status run() {
    while (!done_) {
      yaml_event_t event;
      if (yaml_parser_parse(&parser_, &event) == 0) {
        if (!finished_) return syntax_error();
        count_another();  // go-yaml never reads what follows the first document
        return {};
      }
      auto status = finished_ ? Status{} : first(event);
      if (status) status = too_dense(event);
      if (finished_) rest(event);
      yaml_event_delete(&event);
      if (!status) return status;
    }
    return {};
  }

 private:
  [[nodiscard]] Status too_dense(const yaml_event_t& event) const {
    if (!is_too_dense(tree_.events.size(), event.end_mark.index)) return {};
    return dense_error();
  }

  /// An event of the first document.
  Status first(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_STREAM_END_EVENT:
        done_ = true;
        return {};
      case YAML_DOCUMENT_START_EVENT:
        return directive(event);
      case YAML_DOCUMENT_END_EVENT:
        finished_ = true;
        return {};
      case YAML_ALIAS_EVENT:
        return alias(event);
      case YAML_SCALAR_EVENT:
        return scalar(event);
      case YAML_SEQUENCE_START_EVENT: {
        const auto& start = event.data.sequence_start;
        return open(EventKind::kSequenceStart, event, start.anchor, start.tag,
                    start.style == YAML_FLOW_SEQUENCE_STYLE);
      }
      case YAML_MAPPING_START_EVENT: {
        const auto& start = event.data.mapping_start;
        return open(EventKind::kMapStart, event, start.anchor, start.tag,
                    start.style == YAML_FLOW_MAPPING_STYLE);
      }
      case YAML_SEQUENCE_END_EVENT:
        close(EventKind::kSequenceEnd);
        return {};
      case YAML_MAPPING_END_EVENT:
        close(EventKind::kMapEnd);
        return {};
      default:
        return {};
    }
  }

  /// Whether there is anything after the first document; that one begins is all that counts.
  void rest(const yaml_event_t& event) {
    switch (event.type) {
      case YAML_STREAM_END_EVENT:
        done_ = true;
        break;
      case YAML_DOCUMENT_START_EVENT:
        counted_ = false;
        break;
      case YAML_ALIAS_EVENT:
      case YAML_SEQUENCE_START_EVENT:
      case YAML_MAPPING_START_EVENT:
        count_another();
        break;
      case YAML_SCALAR_EVENT:
        // A trailing `---` makes a document of nothing.
        if (event.data.scalar.length > 0 || event.data.scalar.anchor != nullptr) count_another();
        break;
      default:
        break;
    }
  }

  void count_another() {
    if (std::exchange(counted_, true)) return;
    ++tree_.documents;
  }

  /// Source: yaml.v2 parserc.go, yaml_parser_process_directives: 1.1 alone.
  Error fault(std::size_t at, std::string_view what, std::string hint = {}) const {
    return yaml_error(introductions_, bytes_, {at, at}, what, std::move(hint));
  }

  Status directive(const yaml_event_t& event) {
    const yaml_version_directive_t* version = event.data.document_start.version_directive;
    if (version == nullptr || (version->major == 1 && version->minor == 1)) return {};
    return fault(offsets_.of(event.start_mark), "found incompatible YAML document",
                 "remove that line: a kubelet reads YAML 1.1 alone");
  }

  Status alias(const yaml_event_t& event) {
    const std::string name = text_of(event.data.alias.anchor);
    const std::size_t at = offsets_.of(event.start_mark);
    const auto found = anchors_.find(name);
    if (found == anchors_.end()) {
      return yaml_error(introductions_, bytes_, {at, at + 1 + name.size()},
                        fmt::format("unknown anchor '{}' referenced", name));
    }
    if (std::find(open_.begin(), open_.end(), found->second) != open_.end()) {
      return fault(at, fmt::format("anchor '{}' value contains itself", name));
    }
    tree_.events.push_back(
        {.kind = EventKind::kAlias, .anchor = found->second, .at = {at, at}, .text = {}});
    return {};
  }

  Status scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    const std::size_t at = offsets_.of(event.start_mark);
    std::string text = text_of(scalar.value, scalar.length);
    const std::string tag = text_of(scalar.tag);
    const std::uint32_t anchor = anchor_of(scalar.anchor);
    if (tag == "tag:yaml.org,2002:binary") {
      auto decoded = from_base64(text);
      if (!decoded) return fault(at, "!!binary value contains invalid base64 data");
      text = std::move(*decoded);
    }
    const bool plain = tag.empty() && scalar.plain_implicit != 0;
    const bool null = plain && is_null_word(text);
    tree_.events.push_back({.kind = null ? EventKind::kNull : EventKind::kScalar,
                            .quoted = tag.empty() && !plain,
                            .tag = tag_named(tag),
                            .anchor = anchor,
                            .at = {at, at},
                            .text = null ? std::string_view() : kept(std::move(text), at)});
    return {};
  }

  /// The text as it is at `at`, within quotes perhaps; else a copy that lives as long as the tree.
  std::string_view kept(std::string text, std::size_t at) {
    for (const std::size_t begin : {at, at + 1}) {
      if (begin > bytes_.size() || !bytes_.substr(begin).starts_with(text)) continue;
      return bytes_.substr(begin, text.size());
    }
    tree_.decoded.push_back(std::move(text));
    return tree_.decoded.back();
  }

  Status open(EventKind kind, const yaml_event_t& event, const yaml_char_t* anchor,
              const yaml_char_t* tag, bool flow) {
    const std::size_t at = offsets_.of(event.start_mark);
    if (open_.size() == kMaxDepth) {
      return error_in(ErrorKind::kUnsupported, bytes_, {at, at},
                      "will not read a file that is nested this deeply");
    }
    const std::uint32_t number = anchor_of(anchor);
    tree_.events.push_back({.kind = kind,
                            .flow = flow,
                            .tag = tag_named(text_of(tag)),
                            .anchor = number,
                            .at = {at, at}});
    open_.push_back(number == 0 ? kNoAnchor : number);
    return {};
  }

  void close(EventKind kind) {
    tree_.events.push_back({.kind = kind});
    open_.pop_back();
  }

  /// A number for each anchor: a name that comes again stands for the newer node.
  std::uint32_t anchor_of(const yaml_char_t* name) {
    if (name == nullptr) return 0;
    anchors_[text_of(name)] = ++last_anchor_;
    return last_anchor_;
  }

  /// Source: yaml.v2 decode.go, parser.fail(): which line it names, and when none.
  Error syntax_error() {
    std::size_t line = 0;
    yaml_mark_t mark = {};
    if (parser_.problem_mark.line != 0) {
      mark = parser_.problem_mark;
      line = mark.line + (parser_.error == YAML_SCANNER_ERROR ? 1U : 0U);
    } else if (parser_.context_mark.line != 0) {
      mark = parser_.context_mark;
      line = mark.line;
    }
    const std::string_view problem =
        parser_.problem == nullptr ? "unknown problem parsing YAML content" : parser_.problem;
    std::size_t at = offsets_.of(parser_.problem_mark);
    const std::string where = line == 0 ? std::string() : fmt::format("line {}: ", line);
    std::string hint;
    const std::size_t begin = line_begin_at(bytes_, at);
    const std::string_view indent =
        bytes_.substr(begin, bytes_.find_first_not_of(" \t", begin) - begin);
    const bool tab =
        indent.find('\t') != std::string_view::npos || (at < bytes_.size() && bytes_[at] == '\t');
    if (tab && (parser_.error == YAML_SCANNER_ERROR)) {
      if (indent.find('\t') != std::string_view::npos) at = begin + indent.find('\t');
      hint = "indent with blanks: YAML forbids tabs there";
    }
    return fault(at, fmt::format("{}{}", where, problem), std::move(hint));
  }

  static constexpr std::uint32_t kNoAnchor = 0;

  std::string_view bytes_;
  Tree& tree_;
  const Introductions& introductions_;
  Offsets offsets_;
  yaml_parser_t parser_ = {};
  std::map<std::string, std::uint32_t> anchors_;
  std::uint32_t last_anchor_ = 0;
  std::vector<std::uint32_t> open_;  ///< the anchors of the collections that are open
  bool counted_ = false;             ///< it holds something
  bool finished_ = false;            ///< the first document ended
  bool done_ = false;
};

}  // namespace

Result<Tree> yaml_tree(std::string_view bytes, const Introductions& introductions) {
  if (auto error = forbidden_character(introductions, bytes)) return std::move(*error);
  Tree tree;
  auto status = Reader(bytes, tree, introductions).run();
  if (!status) return std::move(status).error();
  return tree;
}

}  // namespace kubelet_sysctl::yaml
