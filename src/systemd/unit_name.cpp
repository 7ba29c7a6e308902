// SPDX-License-Identifier: Apache-2.0
// The parts of a service unit's name: prefix, instance, and the escapes in them.
#include "unit_name.hpp"

#include <algorithm>

namespace kubelet_sysctl::systemd {
namespace {

constexpr std::string_view kSuffix = ".service";
/// Longest unit name. Source: systemd src/basic/unit-def.h UNIT_NAME_MAX.
constexpr std::size_t kMaxName = 255;

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view(":-_.\\@").find(c) != std::string_view::npos;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

UnitName parse_unit_name(std::string_view name) {
  UnitName parsed;
  if (name.size() > kMaxName || !name.ends_with(kSuffix)) return parsed;
  const std::string_view stem = name.substr(0, name.size() - kSuffix.size());
  const auto at = stem.find('@');
  const std::string_view prefix = stem.substr(0, at);
  if (prefix.empty() || !std::all_of(stem.begin(), stem.end(), is_name_char)) return parsed;
  parsed.prefix = prefix;
  parsed.type = UnitNameType::kPlain;
  if (at == std::string_view::npos) return parsed;
  parsed.instance = stem.substr(at + 1);
  parsed.type = parsed.instance.empty() ? UnitNameType::kTemplate : UnitNameType::kInstance;
  return parsed;
}

std::string template_of(const UnitName& name) { return with_instance(name, ""); }

std::string with_instance(const UnitName& name, std::string_view instance) {
  return name.prefix + "@" + std::string(instance) + std::string(kSuffix);
}

std::optional<std::string> unescape_unit_name(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-') {
      plain.push_back('/');
    } else if (text[i] == '\\') {
      if (i + 3 >= text.size() || text[i + 1] != 'x') return std::nullopt;
      const int high = hex_digit(text[i + 2]);
      const int low = hex_digit(text[i + 3]);
      if (high < 0 || low < 0) return std::nullopt;
      plain.push_back(static_cast<char>(high * 16 + low));
      i += 3;
    } else {
      plain.push_back(text[i]);
    }
  }
  return plain;
}

}  // namespace kubelet_sysctl::systemd
