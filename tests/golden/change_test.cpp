// SPDX-License-Identifier: Apache-2.0
// What a change does around its plan: the lock, and the steps that a terminal shows.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "cli/options.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "golden/golden_node.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"

namespace kubelet_sysctl::golden {
namespace {

constexpr const char* kState = "/var/lib/kubelet-sysctl";

TEST(Lock, IsNotEvenMadeWhereThereIsNothingToDo) {
  const GoldenNode node("kops");
  EXPECT_EQ(node.run({"add", "net.core.somaxconn", "--root", "ROOT"}).exit, 0);
  EXPECT_EQ(node.run({"add", "kernel.sem", "--dry-run", "--root", "ROOT"}).exit, 0);
  EXPECT_EQ(node.run({"add", "vm.swappiness", "--root", "ROOT"}).exit, 3);
  EXPECT_FALSE(node.tree().exists(kState));
  EXPECT_EQ(node.run({"add", "kernel.sem", "--root", "ROOT"}).exit, 0);
  EXPECT_TRUE(node.tree().exists(std::string(kState) + "/lock"));
}

TEST(Lock, KeepsAnotherRunFromCallingUnconfirmedFilesWished) {
  const GoldenNode node("kops");
  machine::Disk other(node.tree().root());
  const auto before = node.things();
  {
    const auto held = other.lock(std::string(kState) + "/lock", Milliseconds{0}, "add kernel.sem");
    ASSERT_TRUE(held);
    for (const char* entry : {"kernel.sem", "net.core.somaxconn"}) {
      const Said said = node.run({"add", entry, "--lock-timeout", "10ms", "--root", "ROOT"});
      EXPECT_EQ(said.exit, 7);
      EXPECT_THAT(said.err, testing::HasSubstr("('add kernel.sem') holds the lock"));
    }
    EXPECT_EQ(node.run({"show", "--root", "ROOT"}).exit, 0);
    EXPECT_EQ(node.run({"add", "kernel.sem", "--dry-run", "--root", "ROOT"}).exit, 0);
    EXPECT_EQ(node.things(), before);
  }
  EXPECT_EQ(node.run({"add", "kernel.sem", "--root", "ROOT"}).exit, 0);
}

/// What a person sees of two steps, with these options.
std::string shown(bool terminal, const cli::Options& options) {
  std::string text;
  cli::CliEnvironment host;
  host.err = [&text](const std::string& more) { text += more; };
  host.err_columns = terminal ? 200 : 0;
  cli::Session session{.host = host, .options = options, .out = {}, .err = {}};
  {
    cli::Progress progress(session);
    progress.begin("write /etc/x");
    progress.end({.what = "write /etc/x", .milliseconds = 3, .error = {}});
    progress.begin("restart kubelet.service");
  }
  return text;
}

TEST(Progress, PutsTheFinishedStepInThePlaceOfTheOpenLine) {
  const std::string open = "  … write /etc/x";
  EXPECT_EQ(shown(true, {}), open + '\r' + std::string(open.size(), ' ') +
                                 "\r  write /etc/x  3 ms\n  … restart kubelet.service\n");
}

TEST(Progress, IsForTerminalsAndForPeopleOnly) {
  cli::Options json;
  json.json = true;
  cli::Options quiet;
  quiet.quiet = true;
  EXPECT_EQ(shown(false, {}), "");
  EXPECT_EQ(shown(true, json), "");
  EXPECT_EQ(shown(true, quiet), "");
}

}  // namespace
}  // namespace kubelet_sysctl::golden
