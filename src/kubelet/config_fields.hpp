// SPDX-License-Identifier: Apache-2.0
// The fields of a KubeletConfiguration and their types, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kubelet_sysctl::kubelet {

enum class Type : std::uint8_t {
  kString,
  kBool,
  kInt32,
  kInt64,
  kUint32,
  kFloat,
  kDuration,
  kOptionalDuration,  ///< a pointer: null sets nothing
  kTimeOrDuration,    ///< a number of nanoseconds, or a duration
  kQuantity,
  kTime,
  kStruct,
};

enum class Shape : std::uint8_t { kOne, kList, kMap, kMapOfLists };

struct Struct;

/// The releases 1.x that have a field, as far as sources say. Between two that are known it is unknown.
struct Releases {
  int lacked = 0;  ///< the newest that is known to lack it; 0: none
  int has = 0;     ///< the oldest that is known to have it; 0: every one
  int gone = 0;    ///< the first that has it no more; 0: none
};

enum class Presence : std::uint8_t { kNo, kMaybe, kYes };
/// Without a release: kYes only of a field that every one has.
Presence presence_in(const Releases& releases, std::optional<int> minor);

struct Field {
  std::string_view name;
  Type type = Type::kString;
  Shape shape = Shape::kOne;
  const Struct* fields = nullptr;
  std::string_view go_type = {};  ///< as Go names it, where it is not the plain one
  Releases releases = {};
};

struct Struct {
  std::string_view go_name;
  std::string_view go_type;
  const Field* begin;
  const Field* end;
};

/// The top level. A name that changed its type has a row for each. Sources: kubelet_config_fields.cpp.
const Struct& configuration_fields();

/// Go's time.ParseDuration: what it says of a text that is none.
std::optional<std::string> duration_fault(std::string_view text);

}  // namespace kubelet_sysctl::kubelet
