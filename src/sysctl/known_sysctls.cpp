// SPDX-License-Identifier: Apache-2.0
// Searches for a name in the table of known sysctls, and for the known one that a misspelt name stands for.
#include "kubelet_sysctl/sysctl/known_sysctls.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include "kubelet_sysctl/base/nearest.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::sysctl {
namespace {

constexpr std::string_view kAnyInterface = "@";
/// More letters than these are another name and not a slip.
constexpr std::size_t kSlips = 2;

/// Calls `visit` with each name of the group; ends at the first that it takes.
template <typename Visit>
bool any_name(const SysctlGroup& group, const Visit& visit) {
  for (std::string_view rest = group.names; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (visit(rest.substr(0, end))) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

/// `dotted` with "@" for its interface, where it has one: "net.ipv4.conf.@.rp_filter".
std::string without_interface(std::string_view dotted) {
  for (const SysctlGroup& group : known_sysctl_groups()) {
    if (!group.directory.ends_with(kAnyInterface)) continue;
    const std::string_view above = group.directory.substr(0, group.directory.size() - 1);
    if (!dotted.starts_with(above) || dotted.size() == above.size()) continue;
    const std::string_view below = dotted.substr(above.size());
    const std::size_t end = std::min(below.find('.'), below.size());
    return std::string(group.directory) + std::string(below.substr(end));
  }
  return std::string(dotted);
}

bool is_known_name(std::string_view dotted) {
  const std::size_t dot = dotted.rfind('.');
  const std::string_view directory = dotted.substr(0, std::min(dot, dotted.size()));
  const std::string_view last = dotted.substr(std::min(dot + 1, dotted.size()));
  return std::any_of(known_sysctl_groups().begin(), known_sysctl_groups().end(),
                     [&](const SysctlGroup& group) {
                       return group.directory == directory &&
                              any_name(group, [&](std::string_view name) { return name == last; });
                     });
}

bool begins_known_name(std::string_view stem) {
  return std::any_of(
      known_sysctl_groups().begin(), known_sysctl_groups().end(), [&](const SysctlGroup& group) {
        const std::string directory = std::string(group.directory) + '.';
        if (directory.starts_with(stem)) return true;
        if (!stem.starts_with(directory)) return false;
        const std::string_view rest = stem.substr(directory.size());
        return any_name(group, [&](std::string_view name) { return name.starts_with(rest); });
      });
}

/// Every known name; "@" as it is in the table.
std::vector<std::string> all_names() {
  std::vector<std::string> all;
  for (const SysctlGroup& group : known_sysctl_groups()) {
    any_name(group, [&](std::string_view name) {
      all.push_back(std::string(group.directory) + '.' + std::string(name));
      return false;
    });
  }
  return all;
}

std::string closest(std::string_view text, const std::vector<std::string>& words) {
  std::string best;
  std::size_t least = kSlips + 1;
  for (const std::string& word : words) {
    const std::size_t longer = std::max(word.size(), text.size());
    if (longer - std::min(word.size(), text.size()) >= least) continue;
    const std::size_t apart = letters_apart(text, word);
    if (apart >= least) continue;
    least = apart;
    best = word;
  }
  return best;
}

std::string meant_name(const std::string& text) {
  const std::vector<std::string> names = all_names();
  if (begins_known_name(text + '.')) return text + ".*";
  const auto begun = std::count_if(names.begin(), names.end(), [&text](const std::string& name) {
    return name.starts_with(text);
  });
  if (begun > 1) return text + '*';
  if (auto near = closest(text, names); !near.empty()) return near;
  if (begins_known_name(text)) return text + '*';
  // The right name below the wrong directory, where only one has it.
  const std::string last = text.substr(text.rfind('.') + 1);
  std::string only;
  for (const std::string& name : names) {
    if (!name.ends_with('.' + last)) continue;
    if (!only.empty()) return {};
    only = name;
  }
  return only;
}

std::string meant_stem(const std::string& stem) {
  std::set<std::string> directories;
  for (const SysctlGroup& group : known_sysctl_groups()) {
    const std::string whole = std::string(group.directory) + '.';
    for (std::size_t dot = whole.find('.'); dot != std::string::npos;
         dot = whole.find('.', dot + 1)) {
      directories.insert(whole.substr(0, dot + 1));
    }
  }
  const std::string near = closest(stem, {directories.begin(), directories.end()});
  return near.empty() ? near : near + '*';
}

/// `meant` with the interface of `dotted` in the place of "@"; "all" where that has none.
std::string with_interface_of(std::string_view dotted, std::string meant) {
  const std::size_t at = meant.find(kAnyInterface);
  if (at == std::string::npos) return meant;
  const bool same = dotted.starts_with(std::string_view(meant).substr(0, at));
  const std::string_view below = same ? dotted.substr(at) : std::string_view("all");
  const std::string_view interface = below.substr(0, std::min(below.find('.'), below.size()));
  return meant.replace(at, kAnyInterface.size(), interface);
}

}  // namespace

bool is_known_sysctl(const SysctlPattern& entry) {
  if (!entry.is_prefix()) return is_known_name(without_interface(entry.dotted()));
  const std::string_view stem =
      std::string_view(entry.dotted()).substr(0, entry.dotted().size() - 1);
  return begins_known_name(without_interface(stem));
}

std::string meant_sysctl(const SysctlPattern& entry) {
  std::string text = entry.dotted();
  if (entry.is_prefix()) text.pop_back();
  const std::string general = without_interface(text);
  return with_interface_of(entry.dotted(),
                           entry.is_prefix() ? meant_stem(general) : meant_name(general));
}

}  // namespace kubelet_sysctl::sysctl
