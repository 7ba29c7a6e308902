// SPDX-License-Identifier: Apache-2.0
// YAML and JSON as a row of events, and the bytes of the nodes: what reading and editing share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"

namespace kubelet_sysctl::yaml {

enum class ConfigFormat { kYaml, kJson };

inline constexpr std::size_t kNone = static_cast<std::size_t>(-1);
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

enum class EventKind : std::uint8_t {
  kNull,
  kScalar,
  kAlias,
  kSequenceStart,
  kSequenceEnd,
  kMapStart,
  kMapEnd,
};

/// An explicit tag, as far as readers distinguish them: what is none of YAML's own makes a string.
enum class Tag : std::uint8_t { kUntagged, kString, kBool, kNull, kMerge, kOtherCore, kForeign };

/// A Span of a file of less than 4 GiB.
struct EventSpan {
  EventSpan() = default;
  EventSpan(std::size_t first, std::size_t last)
      : begin(static_cast<std::uint32_t>(first)), end(static_cast<std::uint32_t>(last)) {}
  // A Span in half the room: it means the same.
  operator Span() const { return {begin, end}; }  // NOLINT(google-explicit-constructor)
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
};

/// One step of a walk through a tree. A row of them needs no recursion, compares in one pass, and
/// knows of aliases and tags what a tree of values has forgotten. It is small, and its text is that of the
/// file wherever it is there as it is meant: a file may have as many as it has bytes to every fourth.
struct Event {
  EventKind kind = EventKind::kNull;
  bool quoted = false;       ///< a scalar that is a string whatever it looks like
  bool flow = false;         ///< a collection in brackets or braces
  Tag tag = Tag::kUntagged;  ///< usually none
  std::uint32_t anchor = 0;  ///< its own anchor, or the one an alias stands for; 0 is none
  EventSpan at = {};         ///< YAML: only the begin counts, and for an empty value not even that
  std::string_view text = {};  ///< a scalar, decoded; a number as it is written
};
/// Not a vector, which holds its content twice while it grows.
using Events = std::deque<Event>;

/// The first document of a file, and how many there are. The bytes that it was read from outlive it.
struct Tree {
  ConfigFormat format = ConfigFormat::kYaml;
  Events events;
  std::size_t documents = 1;
  std::deque<std::string> decoded = {};  ///< texts that are not in the file as they are meant
};

/// Where the anchors of a tree stand: the last of a repeated name.
class Anchors {
 public:
  explicit Anchors(const Events& events);
  /// The node that `node` stands for: itself, unless it is an alias.
  [[nodiscard]] std::size_t resolved(std::size_t node) const;

 private:
  const Events& events_;
  std::vector<std::size_t> places_;
};

/// True for the start of a sequence or a mapping.
bool is_start(EventKind kind);
/// The index after the node that begins at `node`.
std::size_t node_end(const Events& events, std::size_t node);
/// True when the JSON that sigs.k8s.io/yaml makes of this scalar is a string.
bool is_string(const Event& event);
Tag tag_named(std::string_view name);
/// True when a plain scalar of YAML 1.1, as go-yaml v2 resolves it, is a string.
bool is_plain_string(std::string_view text);
bool is_null_word(std::string_view text);

/// An Error that names a place in `bytes`; the caller adds the path.
Error error_in(ErrorKind kind, std::string_view bytes, Span at, std::string message,
               std::string hint = {});

/// How the message about a fault begins: whose file it is.
struct Introductions {
  std::string_view yaml = "a kubelet cannot read this YAML: ";
  std::string_view json = "a kubelet does not start with this file: json parse error: ";
  std::string_view json_syntax =
      "a kubelet does not start with this file: couldn't get version/kind; json parse error: ";
};

Result<Tree> yaml_tree(std::string_view bytes, const Introductions& introductions = {});
Result<Tree> json_tree(std::string_view bytes, const Introductions& introductions = {});

/// The bytes of one item: from `begin` to its end if it is written on one line; else to the next
/// blank, comma or bracket, and `simple` is false.
Span yaml_scalar_span(std::string_view bytes, const Event& event, bool& simple);

/// The bytes of an item that is an alias, has an anchor or a tag, or is a block scalar: from `begin` to its end,
/// a comment left out. Nothing where that is unknown, and for every other item.
std::optional<Span> yaml_whole_span(std::string_view bytes, const Event& item);

/// True where small nodes without end would cost ten times their bytes. Nobody writes so many as densely as a
/// block list of "- 1", which has four bytes for each.
bool is_too_dense(std::size_t nodes, std::size_t bytes);
Error dense_error();

std::string yaml_written(std::string_view entry);
std::string json_written(std::string_view entry);

/// First byte of the line of `offset`; the end of its text, before the line end; the line after it.
std::size_t line_begin_at(std::string_view bytes, std::size_t offset);
std::size_t line_text_end(std::string_view bytes, std::size_t offset);
std::size_t next_line_at(std::string_view bytes, std::size_t offset);
/// The line end that the line of `offset` has, else that of the file's first line, else "\n".
std::string_view newline_of(std::string_view bytes, std::size_t offset);
/// True when nothing but blanks is in `text`.
bool is_blank(std::string_view text);
/// True when nothing but blanks, or blanks and a comment, is from `offset` to its line's end.
bool rest_is_comment(std::string_view bytes, std::size_t offset);

/// Which items of a list stay, and what is new. `texts` are as the file will write them.
struct ListChange {
  struct Added {
    std::size_t after = kNone;  ///< the kept item that they follow; kNone: before all others
    std::vector<std::string> texts = {};
    /// For each text the item that says the same and moves here with its bytes, or kNone.
    std::vector<std::size_t> moved = {};
  };
  std::vector<bool> keep;
  std::vector<Added> added;  ///< in file order
  [[nodiscard]] bool keeps_any() const;
};

/// A list in brackets as it is in the file.
struct FlowList {
  Span brackets;  ///< both brackets included
  std::vector<Span> items;
  std::vector<std::size_t> commas;  ///< of the comma after each item, or kNone
  bool comments = false;            ///< a comment is between the brackets
};

/// The list in brackets that opens at `open` and has these items; nothing if other bytes turn up.
std::optional<FlowList> find_flow_list(std::string_view bytes, std::size_t open,
                                       std::vector<Span> items);
/// The splices of a change. `separator` is for a list that has none yet. Nothing when a comment
/// would be lost.
std::optional<std::vector<Splice>> flow_splices(std::string_view bytes, const FlowList& list,
                                                const ListChange& change,
                                                std::string_view separator);

}  // namespace kubelet_sysctl::yaml
