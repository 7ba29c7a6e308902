// SPDX-License-Identifier: Apache-2.0
// In a pod, and on Fargate, every command that needs a node says where it is and what leads to one.
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "golden/live_node.hpp"
#include "kubelet_sysctl/machine/runtime_environment.hpp"

namespace kubelet_sysctl::golden {
namespace {

Said run_in(machine::RuntimeEnvironment runtime_environment,
            const std::vector<std::string>& words) {
  LiveNode node("1.29.6");
  node.services.is_booted = false;
  Said said;
  cli::CliEnvironment host;
  host.open = [&node](const std::string&) { return node.services.ports(); };
  host.out = [&said](const std::string& text) { said.out += text; };
  host.err = [&said](const std::string& text) { said.err += text; };
  host.runtime_environment = runtime_environment;
  said.exit = cli::run_cli(words, host);
  return said;
}

const std::vector<std::vector<std::string>>& commands() {
  static const std::vector<std::vector<std::string>> all = {
      {"show"}, {"doctor"}, {"add", "kernel.sem"}, {"set", "kernel.sem", "--dry-run"}};
  return all;
}

TEST(Pod, EveryCommandSaysThatAPodIsNoNodeAndWhatLeadsToOne) {
  for (const auto& words : commands()) {
    const Said said = run_in(machine::RuntimeEnvironment::kPod, words);
    EXPECT_EQ(said.exit, 1) << words.front();
    EXPECT_NE(said.err.find("error: this is a pod, not a node"), std::string::npos) << said.err;
    EXPECT_NE(said.err.find("'--host'"), std::string::npos) << said.err;
    EXPECT_NE(said.err.find("hostPID: true"), std::string::npos) << said.err;
  }
}

TEST(Pod, OnFargateThereIsNoNodeToReachAndNoWayThereIsOffered) {
  for (const auto& words : commands()) {
    const Said said = run_in(machine::RuntimeEnvironment::kFargate, words);
    EXPECT_EQ(said.exit, 1) << words.front();
    EXPECT_NE(said.err.find("AWS Fargate"), std::string::npos) << said.err;
    EXPECT_NE(said.err.find("only safe sysctls"), std::string::npos) << said.err;
    EXPECT_EQ(said.err.find("--host"), std::string::npos) << said.err;
  }
}

TEST(Pod, MachineWithoutSystemdIsNotCalledAPod) {
  const Said said = run_in(machine::RuntimeEnvironment::kMachine, {"show"});
  EXPECT_EQ(said.exit, 1);
  EXPECT_NE(said.err.find("was not booted with systemd"), std::string::npos) << said.err;
}

}  // namespace
}  // namespace kubelet_sysctl::golden
