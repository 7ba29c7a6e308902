// SPDX-License-Identifier: Apache-2.0
// The parts of a service unit's name: prefix, instance, and the escapes in them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kubelet_sysctl::systemd {

enum class UnitNameType { kInvalid, kPlain, kTemplate, kInstance };

/// "prefix.service", "prefix@.service" or "prefix@instance.service".
struct UnitName {
  UnitNameType type = UnitNameType::kInvalid;
  std::string prefix;
  std::string instance;
};

/// Source: systemd src/basic/unit-name.c.
UnitName parse_unit_name(std::string_view name);

/// The template's name of an instance: "kubelet@.service" from "kubelet@a.service".
std::string template_of(const UnitName& name);

/// `name` with another instance.
std::string with_instance(const UnitName& name, std::string_view instance);

/// A dash becomes a slash and "\x2d" its byte. Nothing when an escape is not one.
/// Source: systemd src/basic/unit-name.c unit_name_unescape().
std::optional<std::string> unescape_unit_name(std::string_view text);

}  // namespace kubelet_sysctl::systemd
