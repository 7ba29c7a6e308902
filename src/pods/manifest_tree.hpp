// SPDX-License-Identifier: Apache-2.0
// The documents of a manifest as trees that can be asked for a field, and what is wrong with one.
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::pods {

using yaml::kNone;

/// One document of a file. Nothing is copied or unfolded: an alias is followed when a field is
/// asked for, and each step is counted, so that a few lines cannot stand for millions of objects.
class Document {
 public:
  /// Errors: kMalformed with the place in `file`, whose lines `lines` counts; both outlive the document.
  static Result<Document> parse(const SourceFile& file, const LineIndex& lines, Span bytes);

  [[nodiscard]] bool is_empty() const { return events_.empty(); }
  [[nodiscard]] std::size_t root() const { return 0; }
  [[nodiscard]] bool is_map(std::size_t node) const;
  [[nodiscard]] bool is_list(std::size_t node) const;
  [[nodiscard]] bool is_null(std::size_t node) const;
  /// The value of a field; kNone where there is none or it is null. A key that occurs twice counts
  /// at its last place, and `<<` where it is. Source: gopkg.in/yaml.v2 decode.go, mapping,
  /// merge.
  Result<std::size_t> field(std::size_t map, std::string_view key);
  /// The items of a list.
  Result<std::vector<std::size_t>> items(std::size_t list);
  /// Errors: kMalformed when it is no string.
  Result<std::string> text(std::size_t node, std::string_view what) const;
  /// Errors: kMalformed when it is neither true nor false.
  Result<bool> boolean(std::size_t node, std::string_view what) const;

  [[nodiscard]] std::size_t line_of(std::size_t node) const;
  [[nodiscard]] Error error(std::size_t node, std::string message, std::string hint = {}) const;

 private:
  Document(const SourceFile& file, const LineIndex& lines, std::size_t base)
      : file_(&file), lines_(&lines), base_(base) {}
  [[nodiscard]] std::size_t resolved(std::size_t node) const;
  /// The node behind this one; its size is taken from the budget.
  Result<std::size_t> skip(std::size_t node);
  Result<std::size_t> search(std::size_t map, std::string_view key, std::size_t depth);
  Result<std::size_t> search_merged(std::size_t node, std::string_view key, std::size_t depth);

  const SourceFile* file_;
  const LineIndex* lines_;
  std::size_t base_;
  yaml::Events events_;
  std::deque<std::string> decoded_;
  std::vector<std::size_t> anchors_;
  std::size_t budget_ = 0;
};

/// The bytes of each document. A marker `---` or `...` at the start of a line ends one wherever it
/// is, also within quotes and block scalars. Source: YAML 1.2, 9.1.2 Document Markers.
std::vector<Span> documents_of(std::string_view bytes);

}  // namespace kubelet_sysctl::pods
