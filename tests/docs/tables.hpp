// SPDX-License-Identifier: Apache-2.0
// Tables of the documents, as they are written.
#pragma once

#include <fstream>
#include <string>
#include <vector>

namespace kubelet_sysctl {

/// The rows of the table with this head line in docs/`name`.
inline std::vector<std::string> rows_below(const std::string& name, const std::string& head) {
  std::ifstream file(std::string(KUBELET_SYSCTL_TEST_DIR) + "/../docs/" + name);
  std::vector<std::string> rows;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == head) {
      inside = true;
    } else if (inside && !line.starts_with('|')) {
      break;
    } else if (inside && !line.starts_with("| ---")) {
      rows.push_back(line);
    }
  }
  return rows;
}

}  // namespace kubelet_sysctl
