// SPDX-License-Identifier: Apache-2.0
// The settings at the top of a YAML file with the bytes of every value: what k3s and its like are configured by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"

namespace kubelet_sysctl::nodes {

/// One scalar.
struct YamlValue {
  MappedText
      text;        ///< decoded; each byte with its own place where it stands for itself in the file
  CharOrigin raw;  ///< as written, quotes included
};

/// How the value of a setting is written.
enum class YamlForm { kScalar, kBlock, kFlow };

/// One key of the top with its scalar, or the scalars of its list.
struct YamlSetting {
  std::string key;
  Span key_at;
  YamlForm form = YamlForm::kScalar;
  std::vector<YamlValue> values;  ///< of a scalar exactly one; null counts as an empty one
  bool is_plain = true;  ///< false: a map, a list of lists, an alias; then the values tell nothing
};

/// The settings in file order, repeated keys each by itself. `reader` is who reads the file, for messages. Only
/// the first document counts; an empty file has none.
/// Errors: kMalformed where it is no YAML or its top is no map; kUnsupported for a merge key.
Result<std::vector<YamlSetting>> read_yaml_settings(const SourceFile& file, std::int32_t source,
                                                    std::string_view reader);

/// Takes the value at `word` out with its line, or its comma; the last one leaves '[]' behind, since a key
/// without a value is a value of its own. Replaces the word by nothing where its place is not understood.
Splice without_yaml_value(const SourceFile& file, Span word);

/// Adds `text`, in double quotes, behind the last value of the list `setting`. Nothing where there is none to
/// follow, or it is no list.
std::optional<Splice> with_yaml_value(const SourceFile& file, const YamlSetting& setting,
                                      std::string_view text);

/// `text` in double quotes, as every reader of YAML takes it. It holds no control characters.
std::string yaml_quoted(std::string_view text);

}  // namespace kubelet_sysctl::nodes
