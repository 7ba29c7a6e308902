// SPDX-License-Identifier: Apache-2.0
// Turns the change of a list in YAML into splices, or says why it will not.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "config_reading.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

/// The list as it is in the file, for an edit.
struct Place {
  Span key;
  std::size_t line = 0;   ///< begin of the key's line
  std::size_t colon = 0;  ///< after the colon
};

class Editor {
 public:
  Editor(std::string_view bytes, const Reading& reading, const yaml::ListChange& change,
         bool remove_key)
      : bytes_(bytes),
        reading_(reading),
        events_(reading.tree.events),
        change_(change),
        remove_key_(remove_key && change.added.empty() && !change.keeps_any()) {}

  Result<std::vector<Splice>> run() {
    if (auto error = obstacle()) return std::move(*error);
    if (reading_.file.form == ListForm::kAbsent) return append();
    auto place = find_key();
    if (!place) return std::move(place).error();
    const yaml::Event& value = events_[member().value];
    if (member().written != member().value) return replace_alias(*place);
    if (is_meant_elsewhere(value) || value.tag != yaml::Tag::kUntagged) {
      return refuse(value.at, "it has a tag, or an anchor that is used elsewhere");
    }
    switch (reading_.file.form) {
      case ListForm::kUnset:
        return fill_unset(*place, value);
      case ListForm::kFlow:
        return edit_flow(*place, value);
      case ListForm::kBlock:
        return edit_block(*place);
      default:
        bug("this form of list cannot be edited");
    }
  }

  /// The key of the list before the last key of the file, for a file whose last value ends with the file: a
  /// block scalar without a line end there, or one that keeps its blank lines.
  [[nodiscard]] std::vector<Splice> insert_before_last() const {
    std::size_t last = 0;
    for (const Member& other : reading_.members) {
      if (!other.merged) last = std::max<std::size_t>(last, events_[other.key].at.begin);
    }
    const std::size_t line = line_begin_after_mark(yaml::line_begin_at(bytes_, last));
    const std::string_view newline = yaml::newline_of(bytes_, last);
    const std::string indent(last - line, ' ');
    return {
        {{line, line}, fmt::format("{}{}:{}{}", indent, kListKey, new_lines(newline), newline)}};
  }

 private:
  [[nodiscard]] const Member& member() const { return reading_.members[reading_.list]; }

  [[nodiscard]] Error refuse(Span at, std::string_view why) const {
    return yaml::error_in(ErrorKind::kUnsupported, bytes_, at,
                          fmt::format("will not edit '{}': {}", kListKey, why),
                          "edit the file by hand, or write the list as one '- entry' a line");
  }

  /// What makes every edit of this file unsafe.
  [[nodiscard]] std::optional<Error> obstacle() const {
    const Span key = reading_.file.key_at;
    if (reading_.merges) return refuse(key, "the file has a merge key '<<' at the top");
    // go-yaml takes these for line ends, the splices do not. Source: yaml.v2 yamlprivateh.go.
    for (const std::string_view line_end : {"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"}) {
      if (const std::size_t at = bytes_.find(line_end); at != std::string_view::npos) {
        return refuse({at, at + line_end.size()}, "the file has a line end that is not '\\n'");
      }
    }
    for (std::size_t at = bytes_.find('\r'); at != std::string_view::npos;
         at = bytes_.find('\r', at + 1)) {
      if (at + 1 == bytes_.size() || bytes_[at + 1] != '\n') {
        return refuse({at, at + 1}, "the file has a line end that is not '\\n'");
      }
    }
    return std::nullopt;
  }

  /// The key must be on its line alone with its colon: what `? key` and `{key: …}` do not.
  [[nodiscard]] Result<Place> find_key() const {
    const yaml::Event& key = events_[member().key];
    bool simple = false;
    const Span span = yaml::yaml_scalar_span(bytes_, key, simple);
    const std::size_t line = yaml::line_begin_at(bytes_, span.begin);
    std::string_view before = bytes_.substr(line, span.begin - line);
    if (line == 0 && before.starts_with(yaml::kByteOrderMark)) {
      before.remove_prefix(yaml::kByteOrderMark.size());
    }
    std::size_t colon = span.end;
    while (colon < bytes_.size() && bytes_[colon] == ' ') ++colon;
    const bool alone = before.find_first_not_of(' ') == std::string_view::npos;
    if (!simple || events_[0].flow || !alone || colon >= bytes_.size() || bytes_[colon] != ':') {
      return refuse(span, "its key is not on a line of its own");
    }
    return Place{span, line_begin_after_mark(line), colon + 1};
  }

  /// A byte order mark is not part of the first line: it stays when that line goes.
  [[nodiscard]] std::size_t line_begin_after_mark(std::size_t line) const {
    return line == 0 && bytes_.starts_with(yaml::kByteOrderMark) ? yaml::kByteOrderMark.size()
                                                                 : line;
  }

  /// How far the file indents the dashes of lists below their keys; 0 as kubeadm and Go do.
  [[nodiscard]] std::string dash_indent() const {
    std::string indent(column_of(reading_.members.front().key), ' ');
    for (const Member& other : reading_.members) {
      const yaml::Event& value = events_[other.value];
      if (value.kind != yaml::EventKind::kSequenceStart || value.flow || value.anchor != 0 ||
          value.tag != yaml::Tag::kUntagged) {
        continue;
      }
      const std::size_t line = yaml::line_begin_at(bytes_, value.at.begin);
      if (yaml::is_blank(bytes_.substr(line, value.at.begin - line))) {
        indent.assign(value.at.begin - line, ' ');
        break;
      }
    }
    return indent;
  }

  [[nodiscard]] std::size_t column_of(std::size_t event) const {
    const std::size_t at = events_[event].at.begin;
    return at - line_begin_after_mark(yaml::line_begin_at(bytes_, at));
  }

  [[nodiscard]] std::string new_lines(std::string_view newline) const {
    const std::string before = fmt::format("{}{}- ", newline, dash_indent());
    return before + joined(change_.added.front().texts, before);
  }

  /// After the last line of the first document that is not blank.
  [[nodiscard]] Result<std::vector<Splice>> append() const {
    const std::size_t first = events_[reading_.members.front().key].at.begin;
    const std::size_t line = line_begin_after_mark(yaml::line_begin_at(bytes_, first));
    if (events_[0].flow || !yaml::is_blank(bytes_.substr(line, first - line))) {
      return refuse({first, first}, "the file is not written one key a line");
    }
    std::size_t end = bytes_.size();
    for (const std::string_view marker : {"\n---", "\n..."}) {
      for (std::size_t at = bytes_.find(marker, first); at < end;
           at = bytes_.find(marker, at + 1)) {
        const std::size_t after = at + marker.size();
        if (after == bytes_.size() || is_whitespace(bytes_[after])) end = at;
      }
    }
    while (end > first && is_whitespace(bytes_[end - 1])) --end;
    end = yaml::line_text_end(bytes_, end - 1);
    const std::string_view newline = yaml::newline_of(bytes_, end);
    const std::string indent(first - line, ' ');
    return std::vector<Splice>{
        {{end, end}, fmt::format("{}{}{}:{}", newline, indent, kListKey, new_lines(newline))}};
  }

  [[nodiscard]] bool is_meant_elsewhere(const yaml::Event& value) const {
    return value.anchor != 0 &&
           std::any_of(events_.begin(), events_.end(), [&](const yaml::Event& event) {
             return event.kind == yaml::EventKind::kAlias && event.anchor == value.anchor;
           });
  }

  /// A list that is an alias becomes one of its own; what the alias stood for stays for the others.
  [[nodiscard]] Result<std::vector<Splice>> replace_alias(const Place& place) const {
    const auto alias = yaml::yaml_whole_span(bytes_, events_[member().written]);
    if (!alias || yaml::line_begin_at(bytes_, alias->begin) > place.key.begin) {
      return refuse(events_[member().written].at, "its value is not on the line of the key");
    }
    std::vector<std::string> all;
    const auto add_after = [&](std::size_t item) {
      for (const yaml::ListChange::Added& added : change_.added) {
        if (added.after == item) all.insert(all.end(), added.texts.begin(), added.texts.end());
      }
    };
    add_after(yaml::kNone);
    for (std::size_t i = 0; i < change_.keep.size(); ++i) {
      if (change_.keep[i]) all.push_back(yaml::yaml_written(reading_.file.entries[i].text));
      add_after(i);
    }
    return std::vector<Splice>{{*alias, fmt::format("[{}]", joined(all, ", "))}};
  }

  [[nodiscard]] Result<std::vector<Splice>> fill_unset(const Place& place,
                                                       const yaml::Event& value) const {
    if (yaml::rest_is_comment(bytes_, place.colon)) {
      const std::size_t end = yaml::line_text_end(bytes_, place.colon);
      return std::vector<Splice>{{{end, end}, new_lines(yaml::newline_of(bytes_, end))}};
    }
    bool simple = false;
    const Span word = yaml::yaml_scalar_span(bytes_, value, simple);
    if (!simple || yaml::line_begin_at(bytes_, word.begin) > place.key.begin) {
      return refuse(place.key, "its value is not on the line of the key");
    }
    return std::vector<Splice>{
        {word, fmt::format("[{}]", joined(change_.added.front().texts, ", "))}};
  }

  /// The bytes of every item, as long as each is a scalar on one line without anchor or tag.
  [[nodiscard]] Result<std::vector<Span>> item_spans() const {
    std::vector<Span> spans;
    const std::size_t end = yaml::node_end(events_, member().value) - 1;
    for (std::size_t i = member().value + 1; i < end; ++i) {
      const yaml::Event& item = events_[i];
      bool simple = false;
      Span span = yaml::yaml_scalar_span(bytes_, item, simple);
      if (item.kind == yaml::EventKind::kNull && !simple && item.anchor == 0) {
        span = reading_.file.entries[spans.size()].at;  // nothing after a dash
        simple = span.begin > 0 && bytes_[span.begin - 1] == '-';
      }
      const bool scalar =
          item.kind == yaml::EventKind::kScalar || item.kind == yaml::EventKind::kNull;
      const bool marked = item.anchor != 0 || item.tag != yaml::Tag::kUntagged;
      // Such an item can stay; who else means it, and as what, is not looked into. An alias can go, too.
      if ((!simple || marked) &&
          (item.kind == yaml::EventKind::kAlias || change_.keep[spans.size()])) {
        if (const auto whole = yaml::yaml_whole_span(bytes_, item)) {
          spans.push_back(*whole);
          continue;
        }
      }
      if (!scalar || !simple || marked) {
        return refuse(span, "this item is more than a word on one line");
      }
      spans.push_back(span);
    }
    return spans;
  }

  [[nodiscard]] Result<std::vector<Splice>> edit_flow(const Place& place,
                                                      const yaml::Event& value) const {
    auto items = item_spans();
    if (!items) return std::move(items).error();
    std::size_t open = value.at.begin;
    if (value.anchor != 0)
      open = bytes_.find_first_not_of(" \t", bytes_.find_first_of(" \t", open));
    const auto list = yaml::find_flow_list(bytes_, open, std::move(*items));
    if (!list) return refuse(place.key, "its items are not written plainly enough");
    if (remove_key_) {
      if (list->comments || !yaml::rest_is_comment(bytes_, list->brackets.end)) {
        return refuse(place.key, "a comment inside it would be lost");
      }
      return std::vector<Splice>{without_lines(place.line, list->brackets.end)};
    }
    auto splices = yaml::flow_splices(bytes_, *list, change_, ", ");
    if (!splices) return refuse(list->brackets, "a comment inside it would be lost");
    return std::move(*splices);
  }

  /// Whole lines go; when the last line of a file without a final line end is among them, so does
  /// the line end before them, and the file keeps having none.
  [[nodiscard]] Splice without_lines(std::size_t begin, std::size_t last) const {
    const std::size_t end = yaml::next_line_at(bytes_, last);
    if (end == bytes_.size() && !bytes_.ends_with('\n') && begin > 0 && bytes_[begin - 1] == '\n') {
      begin -= begin > 1 && bytes_[begin - 2] == '\r' ? 2U : 1U;
    }
    return {{begin, end}, ""};
  }

  [[nodiscard]] Result<std::vector<Splice>> edit_block(const Place& place) const {
    auto items = item_spans();
    if (!items) return std::move(items).error();
    for (const Span item : *items) {
      const std::size_t line = yaml::line_begin_at(bytes_, item.begin);
      const std::string_view before = bytes_.substr(line, item.begin - line);
      const std::size_t dash = before.find_first_not_of(' ');
      if (dash == std::string_view::npos || before[dash] != '-' ||
          before.find_first_not_of(' ', dash + 1) != std::string_view::npos ||
          !yaml::rest_is_comment(bytes_, item.end)) {
        return refuse(item, "this item is not on a line of its own");
      }
    }
    std::vector<Splice> splices;
    const bool empties = change_.added.empty() && !change_.keeps_any();
    if (empties && !remove_key_) splices.push_back({{place.colon, place.colon}, " []"});
    remove_lines(*items, empties && remove_key_ ? place.line : yaml::kNone, splices);
    add_lines(*items, splices);
    return splices;
  }

  /// Runs of adjoining lines go as one, so that the end of the file is inspected once.
  void remove_lines(const std::vector<Span>& items, std::size_t key_line,
                    std::vector<Splice>& splices) const {
    const bool replaces = !change_.keeps_any() && !change_.added.empty();
    Span run;
    if (key_line != yaml::kNone) run = {key_line, yaml::next_line_at(bytes_, key_line)};
    for (std::size_t i = replaces ? 1 : 0; i < items.size(); ++i) {
      if (change_.keep[i]) continue;
      const std::size_t line = yaml::line_begin_at(bytes_, items[i].begin);
      if (line != run.end && run.size() > 0) splices.push_back({run, ""});
      if (line != run.end || run.size() == 0) run.begin = line;
      run.end = yaml::next_line_at(bytes_, line);
    }
    if (run.size() > 0) splices.push_back(without_lines(run.begin, run.end - 1));
  }

  void add_lines(const std::vector<Span>& items, std::vector<Splice>& splices) const {
    std::size_t first = 0;  // the first kept item
    while (first < items.size() && !change_.keep[first]) ++first;
    for (const yaml::ListChange::Added& added : change_.added) {
      const bool before_all = added.after == yaml::kNone;
      const std::size_t by = !before_all ? added.after : first < items.size() ? first : 0;
      const std::size_t line = yaml::line_begin_at(bytes_, items[by].begin);
      std::string prefix(bytes_.substr(line, items[by].begin - line));
      if (!prefix.ends_with(' ')) prefix += ' ';
      const std::string newline(yaml::newline_of(bytes_, line));
      std::string text = prefix + line_of(items, added, 0);
      for (std::size_t i = 1; i < added.texts.size(); ++i) {
        text += newline + prefix + line_of(items, added, i);
      }
      const std::size_t end = yaml::line_text_end(bytes_, items[by].end);
      if (!before_all) {
        splices.push_back({{end, end}, newline + text});
      } else if (first < items.size()) {
        splices.push_back({{line, line}, text + newline});
      } else {
        splices.push_back({{line, end}, text});
      }
    }
  }

  /// What follows the dash: of an item that moves all that it had, its comment too.
  [[nodiscard]] std::string line_of(const std::vector<Span>& items,
                                    const yaml::ListChange::Added& added, std::size_t i) const {
    if (added.moved[i] == yaml::kNone) return added.texts[i];
    const Span item = items[added.moved[i]];
    return std::string(
        bytes_.substr(item.begin, yaml::line_text_end(bytes_, item.end) - item.begin));
  }

  std::string_view bytes_;
  const Reading& reading_;
  const yaml::Events& events_;
  const yaml::ListChange& change_;
  bool remove_key_;
};

}  // namespace

Result<std::vector<Splice>> yaml_splices(std::string_view bytes, const Reading& reading,
                                         const yaml::ListChange& change, bool remove_key) {
  return Editor(bytes, reading, change, remove_key).run();
}

std::vector<Splice> yaml_splices_before_last(std::string_view bytes, const Reading& reading,
                                             const yaml::ListChange& change) {
  return Editor(bytes, reading, change, false).insert_before_last();
}

}  // namespace kubelet_sysctl::kubelet
