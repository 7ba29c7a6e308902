// SPDX-License-Identifier: Apache-2.0
// What the tests of the disk ask of it again and again.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl {

using Names = std::vector<std::string>;

inline SourceFile read(machine::Disk& disk, const std::string& path) {
  auto file = disk.read(path);
  EXPECT_TRUE(file) << path;
  return file ? *file : SourceFile{};
}

inline void expect_mode(const Result<ports::WriteMode>& written, ports::WriteMode mode) {
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(*written, mode);
}

inline void expect_error(const Result<ports::WriteMode>& written, ErrorKind kind) {
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().kind, kind) << written.error().message;
}

}  // namespace kubelet_sysctl
