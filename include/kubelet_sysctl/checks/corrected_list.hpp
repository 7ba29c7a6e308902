// SPDX-License-Identifier: Apache-2.0
// What a list with blanks, quotes, capitals and doubles means, and the command that corrects it.
#pragma once

#include <string>
#include <vector>

namespace kubelet_sysctl::checks {

/// The names in a list whose entries hold commas, blanks, quotes and capitals where none belong.
std::vector<std::string> names_in(const std::vector<std::string>& list);
/// True when all names in a malformed entry are ones that some kubelet takes.
bool is_correctable(const std::string& entry);
/// The list without what a pattern of it covers, and each entry once.
std::vector<std::string> without_doubles(const std::vector<std::string>& list);
/// The command that makes a list with malformed entries, or with several that no kubelet takes, one that it takes;
/// empty for any other list.
std::string command_for_malformed(const std::vector<std::string>& list);

}  // namespace kubelet_sysctl::checks
