// SPDX-License-Identifier: Apache-2.0
// Asking a program: its words when it ended well, else how it ended.

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/programs.hpp"

namespace kubelet_sysctl {
namespace {

Result<std::string> ask_shell(const std::string& text,
                              Milliseconds deadline = Milliseconds(30'000)) {
  return machine::ChildPrograms().output_of("/bin/sh", {"-c", text}, deadline);
}

TEST(Programs, OutputIsStandardOutputAlone) {
  const auto output = ask_shell("echo Kubernetes v1.29.6; echo noise >&2");
  ASSERT_TRUE(output);
  EXPECT_EQ(*output, "Kubernetes v1.29.6\n");
}

TEST(Programs, BadEndIsAnErrorWithItsStatusAndFirstWords) {
  const auto output = ask_shell("echo half; echo >&2; echo 'unknown flag: --version' >&2; exit 3");
  ASSERT_FALSE(output);
  EXPECT_EQ(output.error().kind, ErrorKind::kIo);
  EXPECT_EQ(output.error().message, "'/bin/sh' ended with status 3: unknown flag: --version");
  EXPECT_EQ(ask_shell("kill -ABRT $$").error().message, "'/bin/sh' ended with signal 6");
}

TEST(Programs, ProgramThatIsNotThereMayNotBeRunOrDoesNotEndIsToldApart) {
  machine::ChildPrograms programs;
  const Milliseconds deadline(200);
  EXPECT_EQ(programs.output_of("/no/such/program", {}, deadline).error().kind,
            ErrorKind::kNotFound);
  EXPECT_EQ(programs.output_of("/etc/passwd", {}, deadline).error().kind, ErrorKind::kPermission);
  EXPECT_EQ(ask_shell("exec sleep 100", deadline).error().kind, ErrorKind::kTimeout);
}

}  // namespace
}  // namespace kubelet_sysctl
