// SPDX-License-Identifier: Apache-2.0
// --host as the command line sees it: what is read before the container is left, and what never enters.
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "golden/golden_node.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/machine/runtime_environment.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A run in a container that the kernel does not let out; `entered` counts how often it was asked.
Said say(const std::vector<std::string>& words, int& entered,
         machine::RuntimeEnvironment runtime_environment = machine::RuntimeEnvironment::kMachine) {
  Said said;
  cli::CliEnvironment host;
  host.out = [&said](const std::string& text) { said.out += text; };
  host.err = [&said](const std::string& text) { said.err += text; };
  host.enter_host = [&entered]() -> Result<bool> {
    ++entered;
    return Error{.kind = ErrorKind::kPermission, .message = "no way out", .hint = "hostPID: true"};
  };
  host.runtime_environment = runtime_environment;
  said.exit = cli::run_cli(words, host);
  return said;
}

TEST(Host, EntersTheNodeBeforeAnythingIsOpenedAndTellsWhyItCannot) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"show", "--host"},
                                             {"--host", "show"},
                                             {"--host", "--host", "add", "kernel.sem"},
                                             {"add", "kernel.sem", "--trial", "5m", "--host"}}) {
    int entered = 0;
    // There is no `open`: a run that came so far would end with std::bad_function_call.
    const Said said = say(words, entered);
    EXPECT_EQ(entered, 1);
    EXPECT_EQ(said.exit, 1);
    EXPECT_EQ(said.err, "kubelet-sysctl: error: no way out\nhint: hostPID: true\n");
  }
}

TEST(Host, OnFargateNoManifestIsAskedFor) {
  int entered = 0;
  const Said said = say({"show", "--host"}, entered, machine::RuntimeEnvironment::kFargate);
  EXPECT_EQ(said.exit, 1);
  EXPECT_THAT(said.err, HasSubstr("its node cannot be changed"));
  EXPECT_THAT(said.err, Not(HasSubstr("hostPID")));
  EXPECT_THAT(say({"show", "--host"}, entered, machine::RuntimeEnvironment::kPod).err,
              HasSubstr("no way out"));
}

TEST(Host, ACommandLineWithoutMeaningEntersNothing) {
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"show", "--host", "--root", "/proc"},
                                             {"--host"},
                                             {"--host", "shwo"},
                                             {"--host", "--dry-run", "add", "kernel.sem"},
                                             {"add", "--", "--host"}}) {
    int entered = 0;
    const Said said = say(words, entered);
    EXPECT_EQ(entered, 0) << words.front();
    EXPECT_EQ(said.exit, 2) << said.err;
  }
  int entered = 0;
  EXPECT_EQ(say({"--host", "--version"}, entered).exit, 0);
  EXPECT_EQ(say({"--host", "add", "--help"}, entered).exit, 0);
  EXPECT_EQ(entered, 0);
}

TEST(Host, TheFileOfTheCommandLineIsReadInTheContainer) {
  int entered = 0;
  const Said missing = say({"add", "--host", "-f", "/no/such/file"}, entered);
  EXPECT_EQ(missing.exit, 1);
  EXPECT_THAT(missing.err, HasSubstr("cannot read '/no/such/file'"));
  EXPECT_EQ(entered, 0);
  say({"add", "--host", "-f", "-"}, entered);
  EXPECT_EQ(entered, 1) << "standard input is the same on the node";
}

}  // namespace
}  // namespace kubelet_sysctl::golden
