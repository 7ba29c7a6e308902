// SPDX-License-Identifier: Apache-2.0
// What a change does around its plan: the lock, and the steps that a terminal shows.
#include <cstdlib>
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

/// What is shown of two steps and of waits of so many milliseconds.
std::string shown(std::size_t columns, const cli::Options& options,
                  const std::vector<int>& waits = {}) {
  std::string text;
  cli::CliEnvironment host;
  host.err = [&text](const std::string& more) { text += more; };
  host.err_columns = columns;
  cli::Session session{.host = host, .options = options, .out = {}, .err = {}};
  cli::Progress progress(session);
  progress.begin();
  progress.end({.what = "write /x", .milliseconds = 3, .error = {}, .done = "wrote /x"});
  progress.begin();
  for (const int waited : waits) {
    progress.wait({.what = "watching health",
                   .waited = Milliseconds(waited),
                   .most = Milliseconds(10000),
                   .is_window = true});
  }
  progress.end({.what = "see it", .milliseconds = 1, .error = Error{.message = "why"}});
  return text;
}

class ProgressLines : public testing::Test {
 protected:
  static void on(const char* terminal) { ::setenv("TERM", terminal, 1); }
  cli::Options plain_;
  std::string steps_ = "  wrote /x\n  failed: see it\n";
};

TEST_F(ProgressLines, AWaitCountsInOneLineThatIsRedrawnFourTimesASecond) {
  on("xterm");
  const std::string first = "  watching health 0s of 10s, Ctrl-C is safe";
  const std::string second = "  watching health 1s of 10s, Ctrl-C is safe";
  const std::string clear = '\r' + std::string(first.size() + 4, ' ') + '\r';
  EXPECT_EQ(shown(200, plain_, {100, 499, 600, 650, 800, 1000}),
            "  wrote /x\n" + first + clear + second + clear + "  failed: see it\n");
  EXPECT_EQ(shown(200, plain_, {499}), steps_);
}

TEST_F(ProgressLines, AreNotWiderThanTheTerminal) {
  on("xterm");
  const std::string text = shown(20, plain_, {600});
  EXPECT_THAT(text, testing::HasSubstr("  watching health 0\r"));
  EXPECT_THAT(text, testing::HasSubstr('\r' + std::string(19, ' ') + '\r'));
}

TEST_F(ProgressLines, AreOneAStepWhereALineCannotBeRedrawn) {
  on("dumb");
  EXPECT_EQ(shown(80, plain_, {600, 5000}), steps_);
  on("xterm");
  EXPECT_EQ(shown(0, plain_, {600, 5000}), steps_);
}

TEST_F(ProgressLines, AreForPeopleOnlyAndNotForATreeThatNobodyWatches) {
  on("xterm");
  cli::Options json;
  json.json = true;
  cli::Options quiet;
  quiet.quiet = true;
  cli::Options tree;
  tree.root = "/mnt";
  EXPECT_EQ(shown(80, json), "");
  EXPECT_EQ(shown(80, quiet), "");
  EXPECT_EQ(shown(0, tree), "");
  EXPECT_EQ(shown(80, tree), steps_);
}

}  // namespace
}  // namespace kubelet_sysctl::golden
