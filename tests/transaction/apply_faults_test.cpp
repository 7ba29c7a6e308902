// SPDX-License-Identifier: Apache-2.0
// Every call of the file port fails once, those that only read too: the files are the old ones or the new
// ones, the result says which, and the next run finds its way. What fails below the port is in faults/.
#include <gtest/gtest.h>

#include <functional>
#include <iostream>
#include <map>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

using Files = std::map<std::string, std::string>;

/// One change on one kind of node.
struct Case {
  std::string name;
  std::function<std::unique_ptr<Lab>()> node;
  planning::Change change;
};

/// For the messages of GoogleTest.
void PrintTo(const Case& one, std::ostream* out) { *out << one.name; }

const Error kFault{.kind = ErrorKind::kIo, .message = "input/output error"};

std::unique_ptr<Lab> of_kind(const std::string& kind) { return std::make_unique<Lab>(kind); }

/// The list in two files, so that a change of both can be torn.
std::unique_ptr<Lab> two_files() {
  return std::make_unique<Lab>(Lab::NodeFiles{
      {"/etc/systemd/system/kubelet.service",
       "[Service]\nEnvironmentFile=/etc/a\nEnvironmentFile=/etc/b\n"
       "ExecStart=/usr/bin/kubelet $A $B\n"},
      {"/etc/a", "A=\"--allowed-unsafe-sysctls=net.core.somaxconn,kernel.sem --v=2\"\n"},
      {"/etc/b", "B=\"--allowed-unsafe-sysctls=kernel.msg*\"\n"}});
}

/// Every file is the old one or the new one, and there is no other, above all no temporary one.
void expect_old_or_new(const Files& now, const Files& before, const Files& after,
                       const std::string& where) {
  Files both = before;
  both.insert(after.begin(), after.end());
  for (const auto& [path, bytes] : now) {
    ASSERT_TRUE(both.contains(path)) << where << ": " << path;
    const auto old = before.find(path);
    const auto made = after.find(path);
    const bool is_old = old != before.end() && old->second == bytes;
    const bool is_new = made != after.end() && made->second == bytes;
    EXPECT_TRUE(is_old || is_new) << where << ": " << path << ":\n" << bytes;
  }
}

bool is_back(transaction::OutcomeKind kind) {
  return kind == transaction::OutcomeKind::kRolledBack;
}

/// What the result claims about the files. Only a stranded run may leave one file old and another
/// new: that needs a disk that takes the first and then neither the second nor the first one back.
void expect_reported(const Result<transaction::Outcome>& outcome, bool is_old, bool is_new,
                     const std::string& where) {
  if (!outcome || is_back(outcome->kind)) {
    EXPECT_TRUE(is_old) << where << ": told that nothing is changed";
  } else if (outcome->kind == transaction::OutcomeKind::kApplied) {
    EXPECT_TRUE(is_new) << where << ": told that the change is in force";
  } else {
    EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kStranded) << where;
    EXPECT_FALSE(outcome->commands.empty()) << where;
  }
}

class Faults : public ::testing::TestWithParam<Case> {
 protected:
  /// The files after the change without a fault.
  Files wished() {
    auto lab = GetParam().node();
    lab->services().boot();
    auto outcome = lab->change(GetParam().change);
    EXPECT_TRUE(outcome && outcome->kind == transaction::OutcomeKind::kApplied);
    return lab->tree().files();
  }

  /// Runs the change with call `number` failing. False when the run had no such call.
  bool run(std::size_t number, const Files& after) {
    const std::string where = fmt::format("{}, call {}", GetParam().name, number);
    auto lab = GetParam().node();
    lab->options.window = Milliseconds(1000);
    lab->options.timeout = Milliseconds(2000);
    lab->services().boot();
    const Files before = lab->tree().files();
    auto prepared = lab->prepare(GetParam().change);
    EXPECT_TRUE(prepared) << where;
    if (!prepared) return false;
    lab->faults().fail(number, Calls::kAll, kFault);
    auto outcome = lab->carry_out(*prepared);
    const bool failed = lab->faults().has_failed();
    lab->faults().heal();
    const Files now = lab->tree().files();
    expect_old_or_new(now, before, after, where);
    expect_reported(outcome, now == before, now == after, where);
    ports::Ports ports = lab->ports();
    auto records = transaction::list_transactions(ports);
    EXPECT_TRUE(records) << where;
    expect_kubelet_of_files(*lab, outcome, where);
    expect_next_run_ends(*lab, after, where);
    return failed;
  }

  /// Unless stranded, the kubelet that runs has the list of the files. (It may not be possible to
  /// tell: a file that was put back is newer than the process.)
  static void expect_kubelet_of_files(Lab& lab, const Result<transaction::Outcome>& outcome,
                                      const std::string& where) {
    if (outcome && outcome->kind == transaction::OutcomeKind::kStranded) return;
    auto model = lab.model();
    ASSERT_TRUE(model) << where;
    EXPECT_FALSE(model->drift) << where;
    EXPECT_EQ(lab.services().started_lists.back(), configured_texts(*model)) << where;
    EXPECT_NE(lab.services().pid(), 0) << where;
  }

  static void expect_next_run_ends(Lab& lab, const Files& after, const std::string& where) {
    auto again = lab.change(GetParam().change);
    ASSERT_TRUE(again) << where << ": " << again.error().message;
    const bool good = again->kind == transaction::OutcomeKind::kApplied ||
                      again->kind == transaction::OutcomeKind::kUnchanged;
    EXPECT_TRUE(good) << where << ": " << transaction::name_of(again->kind);
    EXPECT_EQ(lab.tree().files(), after) << where;
    EXPECT_FALSE(lab.model()->drift) << where;
  }
};

TEST_P(Faults, OneCallOfAnyKindFails) {
  const Files after = wished();
  std::size_t points = 0;
  for (std::size_t number = 1; run(number, after); ++number) ++points;
  // The least that a change reads and writes.
  EXPECT_GE(points, 40U);
}

INSTANTIATE_TEST_SUITE_P(
    Nodes, Faults,
    ::testing::Values(Case{"two files set", two_files, set({"kernel.shmmax"})},
                      Case{"kubeadm deb add", [] { return of_kind("kubeadm-deb"); },
                           add({"net.ipv4.tcp_rmem"})}),
    [](const auto& one) { return std::string(one.index == 0 ? "two_files" : "kubeadm_deb"); });

}  // namespace
}  // namespace kubelet_sysctl
