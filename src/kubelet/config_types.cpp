// SPDX-License-Identifier: Apache-2.0
// A value of another type than its field ends the kubelet. What a value says is not judged here; the list
// itself is judged where it is read, item by item.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "config_fields.hpp"
#include "config_reading.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

constexpr std::string_view go_type(Type type) {
  constexpr std::array<std::string_view, 12> kNames = {
      "string", "bool",   "int32",       "int64",  "uint32",      "float64",
      "string", "string", "v1.Duration", "string", "time string", "struct"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string go_type_of(const Field& field, bool inner) {
  std::string type(field.type == Type::kStruct ? field.fields->go_type : go_type(field.type));
  if (field.shape == Shape::kList && !inner && !field.go_type.empty()) {
    return std::string(field.go_type);
  }
  if (field.type != Type::kStruct && !field.go_type.empty()) type = field.go_type;
  if (inner || field.shape == Shape::kOne) return type;
  if (field.shape == Shape::kList) return "[]" + type;
  return "map[string]" + std::string(field.shape == Shape::kMapOfLists ? "[]" : "") + type;
}

/// A number of YAML 1.1 or of JSON. Source: yaml.v2 resolve.go; Go's encoding/json.
double number_of(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  const bool minus = plain.starts_with('-');
  if (minus || plain.starts_with('+')) plain.erase(0, 1);
  int base = 10;
  std::size_t skip = 0;
  const char second = plain.size() > 1 ? plain[1] : '\0';
  if (plain.starts_with('0') && (second == 'x' || second == 'X')) base = 16, skip = 2;
  if (plain.starts_with('0') && (second == 'b' || second == 'B')) base = 2, skip = 2;
  if (plain.starts_with('0') && (second == 'o' || second == 'O')) base = 8, skip = 2;
  const bool octal = plain.size() > 1 && plain[0] == '0' &&
                     plain.find_first_not_of("01234567") == std::string::npos;
  if (octal) base = 8;
  const double value =
      base == 10 ? std::strtod(plain.c_str(), nullptr)
                 : static_cast<double>(std::strtoull(plain.c_str() + skip, nullptr, base));
  return minus ? -value : value;
}

class Checker {
 public:
  Checker(std::string_view bytes, const yaml::Tree& tree, ConfigRole role,
          const std::optional<sysctl::KubeletVersion>& release)
      : bytes_(bytes),
        events_(tree.events),
        json_(tree.format == yaml::ConfigFormat::kJson),
        anchors_(tree.events),
        patches_(role == ConfigRole::kDropIn &&
                 (!release || merge_rule_of(*release) != MergeRule::kNonEmpty)) {
    if (release) minor_ = release->minor;
  }

  std::optional<TypeFault> top(const std::vector<Member>& members) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    pairs.reserve(members.size());
    for (const Member& member : members) pairs.emplace_back(member.key, member.value);
    std::optional<Error> fault = pairs_fault(pairs, configuration_fields(), "");
    const bool certain = fault.has_value();
    if (!certain) fault = std::move(doubt_);
    if (!fault) return std::nullopt;
    const std::string_view who =
        certain ? "a kubelet does not start" : "some releases of the kubelet do not start";
    fault->message = fmt::format("{} with this file: {}", who, fault->message);
    return TypeFault{std::move(*fault), certain};
  }

 private:
  [[nodiscard]] std::size_t resolved(std::size_t node) const { return anchors_.resolved(node); }

  /// Last wins; a merge key is left to the reader of the top level, and deeper ones are not followed.
  std::optional<Error> pairs_fault(const std::vector<std::pair<std::size_t, std::size_t>>& pairs,
                                   const Struct& fields, const std::string& path) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const yaml::Event& key = events_[pairs[i].first];
      if (key.kind != yaml::EventKind::kScalar) continue;
      const bool again = std::any_of(
          pairs.begin() + static_cast<std::ptrdiff_t>(i) + 1, pairs.end(), [&](const auto& other) {
            const yaml::Event& later = events_[other.first];
            return later.kind == yaml::EventKind::kScalar && later.text == key.text;
          });
      if (again && !json_) continue;
      if (auto error = key_fault(key.text, pairs[i].second, fields, path)) return error;
    }
    return std::nullopt;
  }

  /// A release ignores a field that it does not have. Where the release may have it, or may have it
  /// with a type that takes the value, the fault is a doubt.
  std::optional<Error> key_fault(std::string_view key, std::size_t value, const Struct& fields,
                                 const std::string& path) {
    std::optional<Error> fault;
    bool all = true;
    bool sure = false;
    for (const Field* field = fields.begin; field != fields.end; ++field) {
      // In a patch the merged text is read by Go's encoding/json, which does not mind the case.
      if (patches_ ? !is_same_field(key, field->name) : field->name != key) continue;
      const Presence presence = presence_in(field->releases, minor_);
      if (presence == Presence::kNo) continue;
      auto error = field_fault(value, fields, *field, path + std::string(field->name));
      all = all && error;
      sure = sure || presence == Presence::kYes;
      if (error && !fault) fault = std::move(error);
    }
    if (fault && all && sure) return fault;
    if (fault && !doubt_) doubt_ = std::move(fault);
    return std::nullopt;
  }

  std::optional<Error> field_fault(std::size_t node, const Struct& owner, const Field& field,
                                   const std::string& path) {
    const std::size_t value = resolved(node);
    const yaml::Event& event = events_[value];
    if (field.shape == Shape::kOne) return value_fault(node, owner, field, path);
    if (event.kind == yaml::EventKind::kNull) return std::nullopt;
    const bool list = field.shape == Shape::kList;
    const yaml::EventKind wanted =
        list ? yaml::EventKind::kSequenceStart : yaml::EventKind::kMapStart;
    if (event.kind != wanted) return mismatch(node, owner, path, go_type_of(field, false));
    const yaml::EventKind last = list ? yaml::EventKind::kSequenceEnd : yaml::EventKind::kMapEnd;
    for (std::size_t at = value + 1; events_[at].kind != last;) {
      const std::size_t item = list ? at : yaml::node_end(events_, at);
      at = yaml::node_end(events_, item);
      if (field.shape == Shape::kMapOfLists) {
        Field inner = field;
        inner.shape = Shape::kList;
        if (auto error = field_fault(item, owner, inner, path)) return error;
      } else if (auto error = value_fault(item, owner, field, path)) {
        return error;
      }
    }
    return std::nullopt;
  }

  std::optional<Error> value_fault(std::size_t node, const Struct& owner, const Field& field,
                                   const std::string& path) {
    const std::size_t value = resolved(node);
    const yaml::Event& event = events_[value];
    if (field.type == Type::kStruct) return struct_fault(node, owner, field, path);
    const bool scalar = event.kind == yaml::EventKind::kScalar;
    const bool string = scalar && yaml::is_string(event);
    const bool boolean = scalar && !string && is_bool(event);
    const bool number = scalar && !string && !boolean;
    if (event.kind == yaml::EventKind::kNull || (scalar && is_tagged_null(event))) {
      // A patch takes a field away with null. Source: RFC 7396.
      if (field.type != Type::kDuration || patches_) return std::nullopt;
      return said(node, "time: invalid duration \"\"");
    }
    switch (field.type) {
      case Type::kString:
        if (string) return std::nullopt;
        break;
      case Type::kBool:
        if (boolean) return std::nullopt;
        break;
      case Type::kFloat:
        if (number) return std::nullopt;
        break;
      case Type::kTime:
        if (string) return std::nullopt;
        break;
      case Type::kDuration:
      case Type::kOptionalDuration:
        if (!string)
          return said(node, fmt::format("json: cannot unmarshal {} into Go value of type "
                                        "string",
                                        kind_of(event)));
        if (const auto fault = duration_fault(event.text)) return said(node, *fault);
        return std::nullopt;
      case Type::kTimeOrDuration:
        if (string) {
          if (const auto fault = duration_fault(event.text)) return said(node, *fault);
          return std::nullopt;
        }
        if (number) return std::nullopt;
        break;
      case Type::kQuantity:
        return quantity_fault(node, event, string || number);
      default:
        if (!number) break;
        return range_fault(node, owner, field, path);
    }
    return mismatch(node, owner, path, go_type_of(field, true));
  }

  std::optional<Error> struct_fault(std::size_t node, const Struct& owner, const Field& field,
                                    const std::string& path) {
    const std::size_t value = resolved(node);
    const yaml::Event& event = events_[value];
    if (event.kind == yaml::EventKind::kNull) return std::nullopt;
    if (event.kind != yaml::EventKind::kMapStart)
      return mismatch(node, owner, path, go_type_of(field, true));
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t key = value + 1; events_[key].kind != yaml::EventKind::kMapEnd;) {
      const std::size_t item = yaml::node_end(events_, key);
      pairs.emplace_back(resolved(key), item);
      key = yaml::node_end(events_, item);
    }
    return pairs_fault(pairs, *field.fields, path + ".");
  }

  std::optional<Error> quantity_fault(std::size_t node, const yaml::Event& event, bool any) {
    std::string_view rest = event.text;
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const bool suffix =
        rest.substr(digits).find_first_not_of("eEinumkKMGTP+-0123456789") == std::string_view::npos;
    if (any && digits > 0 && suffix) return std::nullopt;
    return said(node,
                "quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }

  std::optional<Error> range_fault(std::size_t node, const Struct& owner, const Field& field,
                                   const std::string& path) {
    const yaml::Event& event = events_[resolved(node)];
    const double value = number_of(event.text);
    const double least = field.type == Type::kUint32  ? 0.0
                         : field.type == Type::kInt64 ? -9223372036854775808.0
                                                      : -2147483648.0;
    const double most = field.type == Type::kUint32  ? 4294967295.0
                        : field.type == Type::kInt64 ? 9223372036854774784.0
                                                     : 2147483647.0;
    const bool whole = std::isfinite(value) && value == std::floor(value);
    const bool written = !json_ || event.text.find_first_of(".eE") == std::string::npos;
    if (whole && written && value >= least && value <= most) return std::nullopt;
    return mismatch(node, owner, path, go_type_of(field, true), " " + std::string(event.text));
  }

  static bool is_bool(const yaml::Event& event) {
    constexpr std::array<std::string_view, 22> kWords = {
        "y",    "Y",    "yes",   "Yes",   "YES",   "n",  "N",  "no", "No",  "NO",  "true",
        "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF"};
    return event.tag == yaml::Tag::kBool ||
           std::find(kWords.begin(), kWords.end(), event.text) != kWords.end();
  }

  static bool is_tagged_null(const yaml::Event& event) { return event.tag == yaml::Tag::kNull; }

  [[nodiscard]] static std::string_view kind_of(const yaml::Event& event) {
    if (event.kind == yaml::EventKind::kSequenceStart) return "array";
    if (event.kind == yaml::EventKind::kMapStart) return "object";
    if (yaml::is_string(event)) return "string";
    return is_bool(event) ? "bool" : "number";
  }

  std::optional<Error> mismatch(std::size_t node, const Struct& owner, const std::string& path,
                                const std::string& type, const std::string& value = {}) {
    return said(node,
                fmt::format("json: cannot unmarshal {}{} into Go struct field {}.{} of type {}",
                            kind_of(events_[resolved(node)]), value, owner.go_name, path, type));
  }

  std::optional<Error> said(std::size_t node, std::string words) {
    const std::size_t at = std::min<std::size_t>(events_[node].at.begin, bytes_.size());
    return yaml::error_in(ErrorKind::kMalformed, bytes_, {at, at}, std::move(words));
  }

  std::string_view bytes_;
  const yaml::Events& events_;
  bool json_;
  yaml::Anchors anchors_;
  bool patches_;  ///< a drop-in that is merged as a patch
  std::optional<int> minor_ = std::nullopt;
  std::optional<Error> doubt_ = std::nullopt;
};

}  // namespace

std::optional<std::string> duration_fault(std::string_view text) {
  const std::string shown(text);
  const auto invalid = [&] { return fmt::format("time: invalid duration \"{}\"", shown); };
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text == "0") return std::nullopt;
  if (text.empty()) return invalid();
  constexpr std::array<std::string_view, 8> kUnits = {"ns", "us", "\u00b5s", "\u03bcs",
                                                      "ms", "s",  "m",       "h"};
  while (!text.empty()) {
    const std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view digits = text.substr(0, number);
    if (digits.find_first_of("0123456789") == std::string_view::npos ||
        std::count(digits.begin(), digits.end(), '.') > 1) {
      return invalid();
    }
    text.remove_prefix(number);
    const std::size_t end = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, end);
    if (unit.empty()) return fmt::format("time: missing unit in duration \"{}\"", shown);
    if (std::find(kUnits.begin(), kUnits.end(), unit) == kUnits.end()) {
      return fmt::format("time: unknown unit \"{}\" in duration \"{}\"", unit, shown);
    }
    text.remove_prefix(end);
  }
  return std::nullopt;
}

std::optional<TypeFault> wrong_type(std::string_view bytes, const Reading& reading, ConfigRole role,
                                    const std::optional<sysctl::KubeletVersion>& release) {
  return Checker(bytes, reading.tree, role, release).top(reading.members);
}

}  // namespace kubelet_sysctl::kubelet
