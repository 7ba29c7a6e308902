// SPDX-License-Identifier: Apache-2.0
// What %-specifiers stand for in the unit of this node, as far as that can be known.
#include "kubelet_sysctl/systemd/specifiers.hpp"

#include <algorithm>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"
#include "unit_name.hpp"

namespace kubelet_sysctl::systemd {
namespace {

/// Releases that have %d and, of what was measured, no longer "/bin/sh" for %s.
constexpr int kCredentials = 252;
constexpr int kBuiltInShell = 250;
constexpr int kFragmentPath = 247;
/// What only the running machine, or the manager on it, says.
constexpr std::string_view kOfRunning = "Hlqmbva";
/// What /etc/os-release says, and the shell that systemd was built with: a part of a node's files, a backup of
/// /etc say, may not say.
constexpr std::string_view kOfSystem = "ABMowWs";

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// No empty part, no "." and no "..". Source: src/basic/unit-name.c unit_name_path_unescape().
bool is_clean(std::string_view path) {
  if (path == "/") return true;
  for (std::size_t at = 1; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.empty() || part == "." || part == "..") return false;
    at = end + 1;
  }
  return true;
}

/// The names as the unit has them under its id. Source: src/core/unit-printf.c.
void add_names(const UnitOnDisk& unit, Specifiers& values) {
  // An aliased unit answers with the name that it was first loaded under, which no file says.
  if (unit.names.size() > 1 || unit.id != unit.name) return;
  const UnitName name = parse_unit_name(unit.id);
  if (name.type == UnitNameType::kInvalid) return;
  values['n'] = unit.id;
  values['N'] = unit.id.substr(0, unit.id.rfind('.'));
  values['p'] = name.prefix;
  values['i'] = name.instance;
  const std::string last = name.prefix.substr(name.prefix.rfind('-') + 1);
  values['j'] = last;
  const std::string& filed = name.instance.empty() ? name.prefix : name.instance;
  const std::pair<char, const std::string*> escaped[] = {
      {'P', &name.prefix}, {'I', &name.instance}, {'J', &last}, {'f', &filed}};
  for (const auto& [letter, text] : escaped) {
    auto plain = unescape_unit_name(*text);
    if (!plain) {
      values[letter] = kUnresolvable;
      continue;
    }
    if (letter == 'f') {
      // A path may not begin or end with the dash that stands for a slash.
      if (filed == "-") plain = "/";
      const bool dashed = filed != "-" && (filed.front() == '-' || filed.back() == '-');
      if (!plain->starts_with('/')) plain->insert(0, "/");
      if (dashed || !is_clean(*plain)) {
        values[letter] = kUnresolvable;
        continue;
      }
    }
    values[letter] = *plain;
  }
}

/// Directories and the user of the system manager: the same on every node.
void add_constants(const UnitOnDisk& unit, int version, Specifiers& values) {
  values['t'] = "/run";
  values['S'] = "/var/lib";
  values['C'] = "/var/cache";
  values['L'] = "/var/log";
  values['E'] = "/etc";
  values['T'] = "/tmp";
  values['V'] = "/var/tmp";
  values['u'] = values['g'] = "root";
  values['U'] = values['G'] = "0";
  values['h'] = "/root";
  // Later it is what the distribution chose at build time: /bin/bash in Debian, /usr/bin/bash in
  // Ubuntu 24.04, whatever root's own shell is.
  if (version < kBuiltInShell) values['s'] = "/bin/sh";
  if (version >= kCredentials) values['d'] = "/run/credentials/" + unit.id;
  if (reads_as_newest(newer::kSharedData, version)) values['D'] = "/usr/share";
}

/// The real path of the unit's file, all links followed.
Status add_fragment(ports::FileSystem& files, const UnitOnDisk& unit, int version,
                    Specifiers& values) {
  if (version < kFragmentPath || unit.fragment_path.empty()) return {};
  auto real = files.real_path(unit.fragment_path);
  if (!real) return std::move(real).error();
  values['y'] = *real;
  values['Y'] = directory_of(*real);
  return {};
}

void add_os_release(const std::map<std::string, std::string>& fields, Specifiers& values) {
  if (fields.empty()) return;
  constexpr std::pair<char, const char*> kFields[] = {{'A', "IMAGE_VERSION"}, {'B', "BUILD_ID"},
                                                      {'M', "IMAGE_ID"},      {'o', "ID"},
                                                      {'w', "VERSION_ID"},    {'W', "VARIANT_ID"}};
  for (const auto& [letter, name] : kFields) {
    const auto field = fields.find(name);
    values[letter] = field == fields.end() ? std::string() : field->second;
  }
}

/// The first line of a file of the running kernel; empty when it is not there.
Result<std::string> line_of(ports::FileSystem& files, const std::string& path) {
  auto file = files.read(path);
  if (!file) return std::move(file).error();
  return trimmed(file->bytes.substr(0, file->bytes.find('\n')));
}

/// A machine or boot id as specifiers show it: without dashes.
std::string plain_id(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '-'), text.end());
  return text;
}

Status add_machine(ports::FileSystem& files, Specifiers& values) {
  auto id = line_of(files, "/etc/machine-id");
  if (!id) return std::move(id).error();
  // "uninitialized" is there in an image that was never booted. Source: machine-id(5).
  constexpr std::size_t kIdLength = 32;
  const std::string machine = plain_id(*id);
  if (machine.size() == kIdLength) values['m'] = machine;
  return {};
}

Status add_running(ports::FileSystem& files, int version, Specifiers& values) {
  auto host = line_of(files, "/proc/sys/kernel/hostname");
  if (!host) return std::move(host).error();
  if (!host->empty()) {
    values['H'] = *host;
    values['l'] = host->substr(0, host->find('.'));
    auto info = files.read("/etc/machine-info");
    if (!info) return std::move(info).error();
    values['q'] = *host;
    auto parsed = parse_env_file(info->bytes, kNoSource, version);
    if (!parsed) values.erase('q');
    for (const EnvAssignment& field : parsed ? parsed->assignments : std::vector<EnvAssignment>()) {
      if (field.name == "PRETTY_HOSTNAME" && !field.value.text.empty()) {
        values['q'] = field.value.text;
      }
    }
  }
  auto boot = line_of(files, "/proc/sys/kernel/random/boot_id");
  if (!boot) return std::move(boot).error();
  if (!boot->empty()) values['b'] = plain_id(*boot);
  auto release = line_of(files, "/proc/sys/kernel/osrelease");
  if (!release) return std::move(release).error();
  if (!release->empty()) values['v'] = *release;
  // Linux 6.1 and later. Source: systemd src/basic/architecture.c for the names.
  auto machine = line_of(files, "/proc/sys/kernel/arch");
  if (!machine) return std::move(machine).error();
  if (*machine == "x86_64") values['a'] = "x86-64";
  if (*machine == "aarch64") values['a'] = "arm64";
  return {};
}

/// Of a node that does not run: its name is in a file, and what only the running machine says stands for
/// itself. resolve_command() and resolve() refuse where such a word decides.
Status add_of_tree(ports::FileSystem& files, Specifiers& values) {
  auto host = line_of(files, "/etc/hostname");
  if (!host) return std::move(host).error();
  if (!host->empty() && host->front() != '#') {
    values['H'] = *host;
    values['l'] = host->substr(0, host->find('.'));
  }
  for (const std::string_view letters : {kOfRunning, kOfSystem}) {
    for (const char letter : letters) values.try_emplace(letter, std::string{'%', letter});
  }
  return {};
}

}  // namespace

Result<std::map<std::string, std::string>> os_release(ports::FileSystem& files, int version) {
  std::map<std::string, std::string> fields;
  for (const char* path : {"/etc/os-release", "/usr/lib/os-release"}) {
    auto file = files.read(path);
    if (!file) return std::move(file).error();
    if (!file->exists()) continue;
    auto parsed = parse_env_file(file->bytes, kNoSource, version);
    if (!parsed) return fields;  // systemd takes nothing from a file that is not text.
    for (EnvAssignment& field : parsed->assignments) {
      fields[field.name] = std::move(field.value.text);
    }
    return fields;
  }
  return fields;
}

Result<Specifiers> specifiers_of(ports::FileSystem& files, const UnitOnDisk& unit, int version,
                                 const std::map<std::string, std::string>& release, bool live) {
  Specifiers values;
  add_names(unit, values);
  add_constants(unit, version, values);
  Status status = add_fragment(files, unit, version, values);
  add_os_release(release, values);
  if (status) status = add_machine(files, values);
  if (status && live) status = add_running(files, version, values);
  if (status && !live) status = add_of_tree(files, values);
  if (!status) return std::move(status).error();
  return values;
}

}  // namespace kubelet_sysctl::systemd
