// SPDX-License-Identifier: Apache-2.0
// The line that a change leaves in the system's log.

#include <gtest/gtest.h>

#include <string>

#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

// A record can be written by hand, and an entry that no kubelet takes can be in a list.
TEST(Log, FieldsAndMessageAreTextWhateverARecordAndAListHold) {
  Lab lab(
      plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                 "KUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=kernel.sem,a\x1b[2Jb\u202Ec'\n"));
  lab.services().boot();
  lab.options.author.sudo_user = "al\x1b[31mice\nroot";
  lab.options.author.reason = "why\x1b[2J";
  planning::Change change = remove({"a\x1b[2Jb\u202Ec"});
  change.force = true;
  ASSERT_TRUE(lab.change(change));
  ASSERT_FALSE(lab.services().log_entries.empty());
  const ports::LogEntry& line = lab.services().log_entries.front();
  std::string all = line.message;
  for (const auto& [name, value] : line.fields) all += value;
  EXPECT_EQ(all.find_first_of("\x1b\n"), std::string::npos) << all;
  EXPECT_EQ(all.find("\u202E"), std::string::npos) << all;
  EXPECT_NE(line.message.find("-a\\x1b[2Jb\\xe2\\x80\\xaec"), std::string::npos) << line.message;
}

}  // namespace
}  // namespace kubelet_sysctl
