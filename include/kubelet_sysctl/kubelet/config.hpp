// SPDX-License-Identifier: Apache-2.0
// The list in a KubeletConfiguration file, YAML or JSON: find it, read it, change it byte by byte.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {

/// Error::id of a file without its 'kind' or its 'apiVersion'.
inline constexpr std::string_view kNoHeader = "no-header";

/// The main file (--config) or one file of --config-dir. They differ: a duplicate key and a missing
/// kind are fatal in a drop-in. Source: cmd/kubelet/app/server.go, kubeletconfig/util/codec.
enum class ConfigRole { kMain, kDropIn };

/// One item of the list as the file writes it.
struct ConfigEntry {
  std::string_view text;  ///< decoded; empty for a null item; as long as the list lives
  Span at;                ///< bytes of the item as written, quotes included
  bool is_string = true;  ///< false for a number, boolean: the kubelet refuses such a file
};

/// The items of a list.
class ConfigEntries {
 public:
  using value_type = ConfigEntry;
  using const_iterator = ItemIterator<ConfigEntries, ConfigEntry>;
  using iterator = const_iterator;
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] ConfigEntry operator[](std::size_t index) const {
    const Item& item = items_[index];
    return {.text = texts_[index], .at = item.at, .is_string = item.is_string};
  }
  [[nodiscard]] const_iterator begin() const { return {*this, 0}; }
  [[nodiscard]] const_iterator end() const { return {*this, size()}; }
  [[nodiscard]] const EntryList& texts() const { return texts_; }
  void reserve(std::size_t entries, std::size_t bytes) {
    items_.reserve(entries);
    texts_.reserve(entries, bytes);
  }
  void push_back(const ConfigEntry& entry) {
    texts_.push_back(entry.text);
    items_.push_back({.at = {entry.at.begin, entry.at.end}, .is_string = entry.is_string});
  }

 private:
  struct Item {
    yaml::EventSpan at;
    bool is_string;
  };
  EntryList texts_;
  std::vector<Item> items_;
};

/// How the list is in the file.
enum class ListForm {
  kAbsent,  ///< no such key
  kUnset,   ///< the key with nothing, null or ~
  kBlock,   ///< YAML, one `- entry` a line
  kFlow,    ///< YAML [a, b] or a JSON array
  kWrong,   ///< a scalar or a mapping: the kubelet does not start
};

/// A top-level key that a user meant as the list and the kubelet ignores.
struct MisspeltKey {
  std::string key;
  Span at;
  std::vector<std::string> entries;
};

/// What the program needs to know of one KubeletConfiguration file.
struct KubeletConfigFile {
  yaml::ConfigFormat format = yaml::ConfigFormat::kYaml;
  ListForm form = ListForm::kAbsent;
  Span key_at;  ///< the key as written; empty when absent
  ConfigEntries entries;
  std::vector<MisspeltKey> misspelt;
  std::optional<int> healthz_port;  ///< healthzPort when given as a whole number
  std::optional<std::string> healthz_bind_address;
  std::size_t documents = 1;  ///< YAML documents; only the first is read
  bool repeated_key = false;  ///< allowedUnsafeSysctls occurs more than once at the top
};

/// Reads `bytes` as the kubelet does: a first non-blank byte `{` means JSON and only JSON, anything
/// else YAML; only the first document counts; the last of a repeated key wins.
/// Errors: kMalformed with message, line and column for everything that keeps a kubelet from
/// starting, in the order the kubelet finds them: empty file, bad syntax, duplicate key in a drop-in,
/// missing or wrong kind or apiVersion. A list of the wrong type is form kWrong, not an error.
/// Spans are byte offsets into `bytes`, a byte order mark counted. The path of the Error is left
/// empty: the caller knows it.
Result<KubeletConfigFile> parse_kubelet_config(std::string_view bytes, ConfigRole role);

/// The splices that make the list of `bytes` exactly `wanted`, in that order, with every other byte
/// kept: entries that stay keep their bytes and comments, new ones follow the style of their
/// neighbours (quotes only where YAML needs them, always in JSON), an absent key is added where it
/// hurts least, and an emptied list leaves `[]` or, with `remove_key_when_empty`, no key at all.
/// The result is proved before it is returned: it parses, its list is `wanted`, everything else in
/// the tree is equal, and all other bytes are the same. An empty result means nothing to do. Of several
/// documents the first is edited, of a repeated key the last: what the kubelet reads.
/// Errors: kUnsupported with the reason and its place (line, column) when the edit cannot be proved
/// safe: a tag on the list, an anchor that is used elsewhere, a merge key, an item over several lines
/// that would go, a list of the wrong type; kMalformed as parse_kubelet_config.
Result<std::vector<Splice>> edit_kubelet_config(std::string_view bytes, ConfigRole role,
                                                const EntryList& wanted,
                                                bool remove_key_when_empty);

/// The splices that give the one misspelt key of `bytes` its right name, and a value that lists entries in
/// one text the form of a list; every other byte is kept. Proved as above: afterwards the list is that of
/// the misspelt key, and everything else in the tree is equal. Empty when no key is misspelt.
/// Errors, with line and column: kRefused where the right key is in the file too, or two misspelt ones:
/// choosing one is a manual action; kUnsupported where the value is nothing that can become
/// a list; kMalformed as parse_kubelet_config.
Result<std::vector<Splice>> rename_list_key(std::string_view bytes, ConfigRole role);

/// The bytes of a new drop-in for --config-dir that holds `entries` and nothing else.
std::string new_config_drop_in(const EntryList& entries, yaml::ConfigFormat format);

}  // namespace kubelet_sysctl::kubelet
