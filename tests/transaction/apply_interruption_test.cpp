// SPDX-License-Identifier: Apache-2.0
// Signals and editors that come in the middle of a change.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";

class Interruption : public ::testing::Test {
 protected:
  Interruption()
      : lab_(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                        "KUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=net.core.somaxconn'\n")) {
    lab_.services().boot();
    before_ = lab_.tree().files();
  }

  /// Something happens as the step that begins with `what` begins.
  void at(const std::string& what, std::function<void()> happens) {
    lab_.options.on_begin = [what, happens = std::move(happens)](const std::string& step) {
      if (step.starts_with(what)) happens();
    };
  }

  Lab lab_;
  std::map<std::string, std::string> before_;
};

TEST_F(Interruption, SignalAfterTheWriteLetsTheRunEndAndIsTold) {
  at("restart ", [this] { lab_.services().interrupt(); });
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(ids_of(outcome->findings), (std::vector<std::string>{"signal-after-write"}));
}

TEST_F(Interruption, SignalOfARunThatIsRolledBackIsToldToo) {
  Misbehaviour bad;
  bad.only_with = "kernel.sem";
  bad.dies_after = Milliseconds(300);
  lab_.services().misbehave(bad);
  at("restart ", [this] { lab_.services().interrupt(); });
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->kind, transaction::OutcomeKind::kRolledBack);
  EXPECT_EQ(ids_of(outcome->findings), (std::vector<std::string>{"signal-after-write"}));
  EXPECT_EQ(lab_.tree().files(), before_);
}

TEST_F(Interruption, SignalBetweenTheRecordAndTheFirstFileChangesNothing) {
  lab_.options.on_end = [this](const transaction::Step& step) {
    if (step.what == "keep the original bytes") lab_.services().interrupt();
  };
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kInterrupted);
  EXPECT_EQ(lab_.tree().files(), before_);
  EXPECT_EQ(newest_record(lab_)->state, transaction::TransactionState::kRolledBack);
}

TEST_F(Interruption, EditorBetweenReadingAndCommitKeepsItsBytes) {
  const std::string theirs = lab_.tree().read(kArguments) + "# by hand\n";
  at("write ", [&] { lab_.services().write(kArguments, theirs); });
  auto outcome = lab_.change(add({"kernel.sem"}));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(outcome.error().path, kArguments);
  EXPECT_EQ(lab_.tree().read(kArguments), theirs);
  EXPECT_EQ(newest_record(lab_)->state, transaction::TransactionState::kRolledBack);
  EXPECT_TRUE(lab_.services().changes.empty());
}

}  // namespace
}  // namespace kubelet_sysctl
