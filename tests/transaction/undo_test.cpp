// SPDX-License-Identifier: Apache-2.0
// The way back through the journal.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kArguments = "/etc/default/kubelet";
constexpr const char* kDropIn = "/etc/systemd/system/kubelet.service.d/90-kubelet-sysctl.conf";

Lab::NodeFiles flag_node() {
  return plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                    "# kept\r\nKUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=net.core.somaxconn'");
}

std::uint32_t mode_of(Lab& lab, const std::string& path) {
  struct stat facts = {};
  EXPECT_EQ(::lstat(lab.tree().at(path).c_str(), &facts), 0);
  return facts.st_mode & 07777U;
}

TEST(Undo, ChangedFileIsAgainWhatItWas) {
  Lab lab(flag_node());
  lab.services().boot();
  const auto before = lab.tree().files();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  ASSERT_NE(lab.tree().files(), before);
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_EQ(lab.services().started_lists.back(), std::vector<std::string>{"net.core.somaxconn"});
  EXPECT_EQ(newest_record(lab)->undoes, done->transaction);
}

TEST(Undo, FileThatWasMadeIsTakenAway) {
  Lab lab(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS", ""));
  lab.services().boot();
  const auto before = lab.tree().files();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_TRUE(lab.tree().exists(kArguments));
  ASSERT_TRUE(lab.undo(done->transaction));
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(Undo, DropInThatWasMadeIsTakenAwayWithItsDirectory) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n"}});
  lab.services().boot();
  const auto before = lab.tree().files();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done) << done.error().message;
  ASSERT_TRUE(lab.tree().exists(kDropIn));
  lab.services().changes.clear();
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone);
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied)
      << (undone->cause ? undone->cause->message : "");
  EXPECT_EQ(lab.tree().files(), before);
  EXPECT_FALSE(lab.tree().exists("/etc/systemd/system/kubelet.service.d"));
  EXPECT_EQ(lab.services().changes, (std::vector<std::string>{"reload", "restart"}));
}

TEST(Undo, FileThatWasRemovedComesBackWithItsMode) {
  Lab lab(Lab::NodeFiles{
      {"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/kubelet\n"}});
  lab.services().boot();
  auto made = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(made);
  ASSERT_EQ(::chmod(lab.tree().at(kDropIn).c_str(), 0640), 0);
  const std::string bytes = lab.tree().read(kDropIn);
  auto removed = lab.change(remove({"kernel.sem"}));
  ASSERT_TRUE(removed) << removed.error().message;
  ASSERT_FALSE(lab.tree().exists(kDropIn));
  auto undone = lab.undo(removed->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied)
      << (undone->cause ? undone->cause->message : "");
  EXPECT_EQ(lab.tree().read(kDropIn), bytes);
  EXPECT_EQ(mode_of(lab, kDropIn), 0640U);
}

TEST(Undo, WhereSomebodyChangedTheFileSinceTheEntriesAreTakenBackAlone) {
  Lab lab(flag_node());
  lab.services().boot();
  const std::string old = lab.tree().read(kArguments);
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  lab.services().write(kArguments, lab.tree().read(kArguments) + "\n# by hand\n");
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(ids_of(undone->findings), (std::vector<std::string>{"undone-by-entries"}));
  EXPECT_EQ(lab.tree().read(kArguments), old + "\n# by hand\n");
}

TEST(Undo, LaterChangeOfOtherEntriesSurvives) {
  Lab lab(flag_node());
  lab.services().boot();
  auto first = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(first);
  ASSERT_TRUE(lab.change(add({"kernel.shmmax"})));
  auto undone = lab.undo(first->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->after, (std::vector<std::string>{"net.core.somaxconn", "kernel.shmmax"}));
}

TEST(Undo, EntriesThatWereRemovedComeBackWhereTheyStood) {
  Lab lab(flag_node());
  lab.services().boot();
  ASSERT_TRUE(lab.change(set({"kernel.sem", "kernel.shmmax", "kernel.msgmax"})));
  auto removed = lab.change(remove({"kernel.shmmax"}));
  ASSERT_TRUE(removed);
  ASSERT_TRUE(lab.change(add({"net.ipv4.tcp_rmem"})));
  auto undone = lab.undo(removed->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->after, (std::vector<std::string>{"kernel.sem", "kernel.shmmax", "kernel.msgmax",
                                                     "net.ipv4.tcp_rmem"}));
}

TEST(Undo, WhatHasNotOneMeaningIsRefusedAndShown) {
  Lab lab(flag_node());
  lab.services().boot();
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  ASSERT_TRUE(lab.change(remove({"kernel.sem"})));
  lab.services().write(kArguments, lab.tree().read(kArguments) + "\n# by hand\n");
  const auto before = lab.tree().files();
  lab.faults().heal();
  auto undone = lab.undo(done->transaction);
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(undone.error().path, kArguments);
  EXPECT_NE(undone.error().message.find("'kernel.sem', which it added, is not in the list"),
            std::string::npos)
      << undone.error().message;
  EXPECT_NE(undone.error().detail.find("kernel.sem"), std::string::npos) << undone.error().detail;
  EXPECT_EQ(lab.faults().count(Calls::kChanging), 0u);
  EXPECT_EQ(lab.tree().files(), before);
}

TEST(Undo, NewOrderIsNotUndoneByEntries) {
  Lab lab(flag_node());
  lab.services().boot();
  ASSERT_TRUE(lab.change(set({"kernel.sem", "kernel.shmmax"})));
  auto turned = lab.change(set({"kernel.shmmax", "kernel.sem", "kernel.msgmax"}));
  ASSERT_TRUE(turned);
  ASSERT_TRUE(lab.change(add({"net.ipv4.tcp_rmem"})));
  auto undone = lab.undo(turned->transaction);
  ASSERT_FALSE(undone);
  EXPECT_EQ(undone.error().kind, ErrorKind::kConflict);
}

TEST(Undo, FileThatIsWhatItWasAlreadyNeedsNoEdit) {
  Lab lab(flag_node());
  lab.services().boot();
  const std::string old = lab.tree().read(kArguments);
  lab.options.restart = false;
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  lab.services().write(kArguments, old);
  auto undone = lab.undo(done->transaction);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(undone->kind, transaction::OutcomeKind::kUnchanged);
}

TEST(Undo, UndoOfARunThatNeverEndedPutsItsFilesBack) {
  Lab lab(flag_node());
  lab.services().boot();
  const auto before = lab.tree().files();
  // The power goes after the write: nothing can be written any more, and the outcome is lost.
  lab.options.on_end = [&lab](const transaction::Step& step) {
    if (step.what.starts_with("write ")) lab.faults().fail(1, Calls::kAll, {}, true);
  };
  EXPECT_TRUE(lab.change(add({"kernel.sem"})));
  lab.faults().heal();
  lab.options.on_end = nullptr;
  ASSERT_NE(lab.tree().files(), before);
  auto transaction = newest_record(lab);
  ASSERT_TRUE(transaction);
  auto undone = lab.undo(transaction->id);
  ASSERT_TRUE(undone) << undone.error().message;
  EXPECT_EQ(lab.tree().files(), before);
}

}  // namespace
}  // namespace kubelet_sysctl
