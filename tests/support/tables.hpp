// SPDX-License-Identifier: Apache-2.0
// Tables of expected values, one row a line, cells between tabs.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace kubelet_sysctl::tables {

using Cells = std::vector<std::string>;

inline Cells split(const std::string& text, char separator) {
  Cells cells(1);
  for (const char byte : text) {
    if (byte == separator) {
      cells.emplace_back();
    } else {
      cells.back() += byte;
    }
  }
  return cells;
}

/// The head and the rows of a table; each row as long as the head. `name` is below tests.
inline std::vector<Cells> table(const std::string& name) {
  std::ifstream file(std::string(KUBELET_SYSCTL_TEST_DIR) + "/" + name);
  std::vector<Cells> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("# ")) continue;
    rows.push_back(split(line, '\t'));
    EXPECT_EQ(rows.back().size(), rows.front().size()) << name << ": " << line;
  }
  return rows;
}

}  // namespace kubelet_sysctl::tables
