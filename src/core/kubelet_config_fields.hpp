// SPDX-License-Identifier: Apache-2.0
// The fields of a KubeletConfiguration and their types, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kubelet_sysctl::config_parts {

enum class Type : std::uint8_t {
  kString,
  kBool,
  kInt32,
  kInt64,
  kUint32,
  kFloat,
  kDuration,
  kTimeOrDuration,  ///< a number of nanoseconds, or a duration
  kQuantity,
  kTime,
  kStruct,
};

enum class Shape : std::uint8_t { kOne, kList, kMap, kMapOfLists };

struct Struct;

struct Field {
  std::string_view name;
  Type type = Type::kString;
  Shape shape = Shape::kOne;
  const Struct* fields = nullptr;
  std::string_view go_type = {};  ///< as Go names it, where it is not the plain one
};

struct Struct {
  std::string_view go_name;
  std::string_view go_type;
  const Field* begin;
  const Field* end;
};

/// The top level. Source: the API reference of kubelet.config.k8s.io/v1beta1.
const Struct& configuration_fields();

/// Go's time.ParseDuration: what it says of a text that is none.
std::optional<std::string> duration_fault(std::string_view text);

}  // namespace kubelet_sysctl::config_parts
