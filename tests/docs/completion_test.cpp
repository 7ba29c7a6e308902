// SPDX-License-Identifier: Apache-2.0
// What the program offers a shell: the tables of commands and options, and the names of a kernel.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// The words of the answer, in its order, without their meanings.
std::vector<std::string> offered(const std::vector<std::string>& words) {
  cli::CliEnvironment host;
  std::string said;
  host.out = [&said](const std::string& text) { said += text; };
  std::vector<std::string> line{std::string(cli::kCompleteCommand)};
  line.insert(line.end(), words.begin(), words.end());
  EXPECT_EQ(cli::run_cli(line, host), 0);
  std::vector<std::string> offers;
  std::istringstream lines(said);
  for (std::string one; std::getline(lines, one);) offers.push_back(one.substr(0, one.find('\t')));
  return offers;
}

TEST(Completion, OffersEveryCommandAndHelp) {
  std::vector<std::string> expected;
  for (const cli::Command* command : cli::all_commands()) expected.emplace_back(command->name);
  EXPECT_EQ(offered({"help", ""}), expected);
  expected.emplace_back("help");
  EXPECT_EQ(offered({""}), expected);
  EXPECT_THAT(offered({"-"}), ElementsAre("--help", "--version"));
}

TEST(Completion, OffersTheOptionsOfEachCommandAndNoOther) {
  for (const cli::Command* command : cli::all_commands()) {
    std::set<std::string> expected;
    for (const cli::OptionRow& row : cli::all_options()) {
      if (cli::takes(*command, row)) expected.emplace(row.name);
    }
    const auto offers = offered({std::string(command->name), "-"});
    EXPECT_EQ((std::set<std::string>{offers.begin(), offers.end()}), expected) << command->name;
    EXPECT_EQ(offers.size(), expected.size()) << command->name;
  }
}

TEST(Completion, OffersTheChoicesOfEachOption) {
  for (const cli::Command* command : cli::all_commands()) {
    for (const cli::OptionRow& row : cli::all_options()) {
      const bool has_choices = row.value.find('|') != std::string_view::npos;
      if (!cli::takes(*command, row) || !has_choices) continue;
      std::string choices;
      for (const std::string& one :
           offered({std::string(command->name), std::string(row.name), ""})) {
        choices += (choices.empty() ? "" : "|") + one;
      }
      EXPECT_EQ(choices, row.value) << command->name << ' ' << row.name;
    }
  }
  EXPECT_THAT(offered({"add", "--via", "x", "--color=a"}),
              ElementsAre("--color=auto", "--color=always"));
  EXPECT_THAT(offered({"explain", "-o", "j"}), ElementsAre("json"));
}

TEST(Completion, SaysWhereFilesAreMeant) {
  EXPECT_THAT(offered({"add", "--from-file", "/et"}), ElementsAre(":files"));
  EXPECT_THAT(offered({"add", "-f", ""}), ElementsAre(":files"));
  EXPECT_THAT(offered({"show", "--root", ""}), ElementsAre(":directories"));
}

TEST(Completion, OffersNoOptionTwiceAndNoneAfterTwoDashes) {
  EXPECT_THAT(offered({"add", "--dry-run", "--dr"}), IsEmpty());
  EXPECT_THAT(offered({"show", "--", "-"}), IsEmpty());
  EXPECT_THAT(offered({"no-such-command", ""}), IsEmpty());
  EXPECT_THAT(offered({"add", "--reason", ""}), IsEmpty());
}

/// A directory that goes again, with empty files in it.
class Kernel {
 public:
  explicit Kernel(const std::vector<std::string>& files)
      : root_(std::filesystem::path(testing::TempDir()) /
              ("kernel." +
               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()))) {
    std::filesystem::remove_all(root_);
    for (const std::string& file : files) {
      const auto path = root_ / "proc/sys" / file;
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path) << "1\n";
    }
  }
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  ~Kernel() { std::filesystem::remove_all(root_); }

  [[nodiscard]] std::vector<std::string> names(std::string_view prefix) const {
    machine::Disk disk(root_.string());
    return cli::kernel_names(disk, prefix);
  }

 private:
  std::filesystem::path root_;
};

// Source: the table of the kubelet, component-helpers node/util/sysctl/namespace.go.
TEST(Completion, NamesWhatAKubeletCanAllow) {
  const Kernel kernel({"kernel/sem", "kernel/shmmax", "kernel/msgmni", "kernel/hostname",
                       "vm/swappiness", "fs/file-max", "fs/mqueue/queues_max", "net/core/somaxconn",
                       "net/ipv4/tcp_rmem"});
  EXPECT_THAT(kernel.names(""),
              ElementsAre("fs.mqueue.queues_max", "kernel.msgmni", "kernel.sem", "kernel.shmmax",
                          "net.core.somaxconn", "net.ipv4.tcp_rmem"));
  EXPECT_THAT(kernel.names("net.c"), ElementsAre("net.core.somaxconn"));
  EXPECT_THAT(kernel.names("vm."), IsEmpty());
}

TEST(Completion, NamesInterfacesFirstAndWhatIsInThemWhenOneWasChosen) {
  const Kernel kernel({"net/ipv4/conf/all/rp_filter", "net/ipv4/conf/eth0/rp_filter",
                       "net/ipv4/conf/eth0.1/rp_filter", "net/ipv4/ip_forward"});
  EXPECT_THAT(kernel.names("net.ipv4."),
              ElementsAre("net.ipv4.conf.all.", "net.ipv4.conf.eth0.", "net.ipv4.conf.eth0/1.",
                          "net.ipv4.ip_forward"));
  // A dot in the name of an interface is a slash. Source: sysctl.d(5).
  EXPECT_THAT(kernel.names("net.ipv4.conf.eth0/1."), ElementsAre("net.ipv4.conf.eth0/1.rp_filter"));
  EXPECT_THAT(kernel.names("net.ipv4.conf.eth0.r"), ElementsAre("net.ipv4.conf.eth0.rp_filter"));
}

}  // namespace
}  // namespace kubelet_sysctl
