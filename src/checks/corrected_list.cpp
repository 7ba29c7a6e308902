// SPDX-License-Identifier: Apache-2.0
// What a list with blanks, quotes, capitals and doubles means, and the command that corrects it.
#include "kubelet_sysctl/checks/corrected_list.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/pattern_set.hpp"

namespace kubelet_sysctl::checks {
namespace {

using Entries = std::vector<std::string>;

/// Names of sysctls have small letters; what is no name even then stays as it is.
std::string in_small_letters(std::string_view name) {
  std::string small(name);
  for (char& byte : small) {
    if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
  }
  return sysctl::SysctlPattern::parse(small) ? small : std::string(name);
}

bool is_well_formed(const std::string& entry) {
  return static_cast<bool>(sysctl::SysctlPattern::parse(entry));
}

/// True for an entry that some kubelet takes.
bool is_taken(const std::string& entry) {
  return is_well_formed(entry) && !(sysctl::rejection_by(sysctl::RuleSet::kUpTo128, entry) &&
                                    sysctl::rejection_by(sysctl::RuleSet::kFrom129, entry));
}

}  // namespace

bool is_correctable(const std::string& entry) {
  const Entries names = names_in({entry});
  return std::all_of(names.begin(), names.end(), is_taken);
}

/// The names in a list whose entries hold commas, blanks and quotes where none belong.
Entries names_in(const Entries& list) {
  Entries names;
  for (const std::string& entry : list) {
    for (std::string_view rest = entry; !rest.empty();) {
      const std::size_t end = std::min(rest.find_first_of(", \t\r\n"), rest.size());
      std::string_view name = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (!name.empty() && (name.front() == '\'' || name.front() == '"')) name.remove_prefix(1);
      while (!name.empty() && (name.back() == '\'' || name.back() == '"')) name.remove_suffix(1);
      if (!name.empty()) names.push_back(in_small_letters(name));
    }
  }
  return names;
}

/// The list without what a pattern of it covers, and each entry once.
Entries without_doubles(const Entries& list) {
  std::unordered_set<std::string> stems;
  for (const std::string& entry : list) {
    const auto pattern = sysctl::SysctlPattern::parse(entry);
    if (pattern && pattern->is_prefix()) {
      stems.insert(pattern->dotted().substr(0, pattern->dotted().size() - 1));
    }
  }
  const auto is_covered = [&stems](const std::string& entry) {
    const auto pattern = sysctl::SysctlPattern::parse(entry);
    if (!pattern) return false;
    const std::string& dotted = pattern->dotted();
    // A pattern is covered by a shorter one alone: its own stem is in the set too.
    const std::size_t longest = dotted.size() - (pattern->is_prefix() ? 2 : 0);
    for (std::size_t length = 0; length <= longest; ++length) {
      if (stems.contains(dotted.substr(0, length))) return true;
    }
    return false;
  };
  Entries left;
  sysctl::EntrySet present;
  for (const std::string& entry : list) {
    if (present.holds(entry) || is_covered(entry)) continue;
    left.push_back(entry);
    present.insert(entry);
  }
  return left;
}

std::string command_for_malformed(const Entries& list) {
  const auto odd = [](const std::string& entry) { return !is_taken(entry); };
  if (std::none_of(list.begin(), list.end(), odd)) return {};
  Entries beyond;  // what no correction makes an entry
  std::unordered_set<std::string_view> seen;
  Entries good;
  bool correctable = false;
  bool malformed = false;
  for (const std::string& entry : list) {
    malformed = malformed || !is_well_formed(entry);
    if (is_taken(entry)) {
      good.push_back(entry);
    } else if (!is_well_formed(entry) && is_correctable(entry)) {
      correctable = true;
      const Entries names = names_in({entry});
      good.insert(good.end(), names.begin(), names.end());
    } else if (seen.insert(entry).second) {
      beyond.push_back(entry);
    }
  }
  // One well-formed entry that stops the kubelet is taken out by itself.
  if (!malformed && beyond.size() < 2) return {};
  if (beyond.empty()) return "kubelet-sysctl doctor --fix";
  return correctable ? command_with("kubelet-sysctl set", without_doubles(good))
                     : command_with("kubelet-sysctl remove", beyond);
}

}  // namespace kubelet_sysctl::checks
