// SPDX-License-Identifier: Apache-2.0
// Which unit runs the kubelet where nobody named one: a distribution may have no kubelet.service.
#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl::discover {
namespace {

constexpr const char* kUsualUnit = "kubelet.service";
constexpr std::string_view kWants = ".target.wants";

/// The units of all rows, each once.
std::vector<std::string> candidates() {
  std::vector<std::string> units;
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    for (std::string_view rest = kind.units; !rest.empty();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      const std::string name(rest.substr(0, end));
      if (std::find(units.begin(), units.end(), name) == units.end()) units.push_back(name);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return units;
}

/// True when some directory of the search path knows the name: a file, a link or a mask.
Result<bool> is_known(ports::FileSystem& files, int version, const std::string& name) {
  for (const std::string& directory : systemd::unit_search_path(version)) {
    auto entry = files.stat(fmt::format("{}/{}", directory, name));
    if (!entry) return std::move(entry).error();
    if (*entry) return true;
  }
  return false;
}

/// True when a target wants the unit, which is what enabling it leaves on disk (systemd.unit(5)).
Result<bool> is_enabled(ports::FileSystem& files, int version, const std::string& name) {
  for (const std::string& directory : systemd::unit_search_path(version)) {
    auto entries = files.list(directory);
    if (!entries) return std::move(entries).error();
    for (const ports::DirEntry& target : *entries) {
      if (!target.name.ends_with(kWants)) continue;
      auto link = files.stat(fmt::format("{}/{}/{}", directory, target.name, name));
      if (!link) return std::move(link).error();
      if (*link) return true;
    }
  }
  return false;
}

/// Those of `names` that systemd would load.
Result<std::vector<std::string>> loadable(ports::FileSystem& files, int version,
                                          const std::vector<std::string>& names) {
  std::vector<std::string> found;
  for (const std::string& name : names) {
    auto known = is_known(files, version, name);
    if (!known) return std::move(known).error();
    if (!*known) continue;
    std::vector<SourceFile> read;
    auto unit = systemd::find_unit(files, name, version, read);
    if (!unit) return std::move(unit).error();
    if (unit->load == systemd::UnitLoad::kLoaded) found.push_back(name);
  }
  return found;
}

}  // namespace

Result<std::string> choose_unit(ports::FileSystem& files, int version) {
  auto usual = is_known(files, version, kUsualUnit);
  if (!usual) return std::move(usual).error();
  if (*usual) return std::string(kUsualUnit);
  auto found = loadable(files, version, candidates());
  if (!found) return std::move(found).error();
  if (found->empty()) return std::string(kUsualUnit);
  if (found->size() == 1) return found->front();
  // RKE2's tarball lays both of its units down and enables one.
  std::vector<std::string> enabled;
  for (const std::string& name : *found) {
    auto is = is_enabled(files, version, name);
    if (!is) return std::move(is).error();
    if (*is) enabled.push_back(name);
  }
  if (enabled.size() == 1) return enabled.front();
  const auto& meant = enabled.empty() ? *found : enabled;
  return Error{.kind = ErrorKind::kRefused,
               .message = fmt::format("several units of this node may run a kubelet: {}",
                                      joined(meant, ", ")),
               .hint = fmt::format("name the one that does, such as '--unit {}'", meant.front())};
}

}  // namespace kubelet_sysctl::discover
