// SPDX-License-Identifier: Apache-2.0
// Stand-in kubelet: which entries of the allowlist a kubelet of a given release accepts.
//
// This is the oracle of the end-to-end tests, so it shares no code with the program under test.
// The rules were read in Kubernetes: pkg/kubelet/sysctl/allowlist.go, namespace.go (until 1.28),
// staging/src/k8s.io/component-helpers/node/util/sysctl/namespace.go (1.29 and later) and
// pkg/apis/core/validation/validation.go.
#pragma once

#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

namespace fake_kubelet {

struct Version {
  std::string text;  // "v1.29.6"
  int minor = 29;
};

/// The number that `text` begins with; 0 when it begins with none.
inline int to_int(const std::string& text) {
  return static_cast<int>(std::strtol(text.c_str(), nullptr, 10));
}

inline Version parse_version(std::string text) {
  if (text.empty() || text.front() != 'v') text.insert(0, "v");
  const auto dot = text.find('.');
  if (dot == std::string::npos) return {.text = text, .minor = 29};
  return {.text = text, .minor = to_int(text.substr(dot + 1))};
}

inline bool starts_with_any(std::string_view name, std::initializer_list<std::string_view> stems) {
  for (const auto stem : stems) {
    if (name.starts_with(stem)) return true;
  }
  return false;
}

inline bool is_any_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (const auto known : names) {
    if (name == known) return true;
  }
  return false;
}

// From 1.23 'net/ipv4/conf/eno2.100/x' means 'net.ipv4.conf.eno2/100.x'; a name whose first
// separator is a dot stays as it is.
inline std::string to_dots(std::string name) {
  const auto first = name.find_first_of("./");
  if (first == std::string::npos || name[first] == '.') return name;
  for (auto& byte : name) {
    if (byte == '/') {
      byte = '.';
    } else if (byte == '.') {
      byte = '/';
    }
  }
  return name;
}

inline bool is_namespaced(std::string_view name, int minor) {
  if (minor <= 28) {
    return name == "kernel.sem" ||
           starts_with_any(name, {"kernel.shm", "kernel.msg", "fs.mqueue.", "net."});
  }
  return starts_with_any(name, {"net.", "fs.mqueue."}) ||
         is_any_of(name, {"kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni",
                          "kernel.shm_rmid_forced", "kernel.msgmax", "kernel.msgmnb",
                          "kernel.msgmni", "kernel.shm", "kernel.msg"});
}

// What the kubelet says of the first entry it does not take; nothing if it takes them all.
inline std::optional<std::string> refusal_of(const std::vector<std::string>& list, int minor) {
  const std::string pattern =
      minor <= 22 ? R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])"
                  : R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";
  const std::regex legal(pattern, std::regex::ECMAScript);
  for (const auto& entry : list) {
    if (entry.size() > 253 || !std::regex_match(entry, legal)) {
      return "sysctl \"" + entry + "\" must have at most 253 characters and match regex " + pattern;
    }
    auto name = minor >= 23 ? to_dots(entry) : entry;
    const bool is_pattern = name.ends_with('*');
    if (is_pattern) name.pop_back();
    if (is_namespaced(name, minor)) continue;
    std::string words = is_pattern || minor >= 29 ? "the sysctls \"" : "the sysctl \"";
    words += name;
    if (is_pattern && minor <= 28) words += '*';
    return words + "\" are not known to be namespaced";
  }
  return std::nullopt;
}

}  // namespace fake_kubelet
