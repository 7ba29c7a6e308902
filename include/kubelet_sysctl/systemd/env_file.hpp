// SPDX-License-Identifier: Apache-2.0
// The syntax of the files that EnvironmentFile= names, with spans.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {

/// One NAME=value assignment, in file order.
struct EnvAssignment {
  std::string name;
  MappedText value;  ///< as the service sees it: unquoted, unescaped
  Span name_at;      ///< bytes of the name
  Span value_at;     ///< bytes of the value as written, quotes included
};

/// An assignment whose name names no variable: systemd passes it over, with a line in its log.
struct EnvDropped {
  std::string name;
  bool has_flags = false;  ///< the value holds "--"
  Span name_at;
};

struct EnvFile {
  std::vector<EnvAssignment> assignments;
  std::vector<EnvDropped> dropped;
  std::vector<FormUse> forms;  ///< for releases before kOldestResolved
};

/// Every assignment of `text` with a valid name, in order. A later one to the same name wins; all are
/// kept, because an edit must touch the winner. A quote still open at the end is accepted, as systemd
/// accepts it. `source` is the index that CharOrigins carry.
/// Errors: kMalformed where a name or a value is not UTF-8, or a NUL byte occurs: systemd then takes
/// nothing from the whole file.
/// Source: systemd src/basic/env-file.c; before 254 a comment that ends in a backslash swallows the
/// next line.
Result<EnvFile> parse_env_file(std::string_view text, std::int32_t source, int systemd_version);

/// True when `name` may name a variable: [A-Za-z_][A-Za-z0-9_]*.
bool is_variable_name(std::string_view name);

}  // namespace kubelet_sysctl::systemd
