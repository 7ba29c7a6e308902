// SPDX-License-Identifier: Apache-2.0
// A list that lost entries since the newest change in effect is missed, and nothing else is.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/transaction/lost_entries.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kFile = "/var/lib/kubelet/config.yaml";
constexpr const char* kUnit = "kubelet.service";

const nodes::NodeKind& kubeadm() {
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    if (kind.id == "kubeadm") return kind;
  }
  return nodes::node_kinds().back();
}

struct Node {
  nodes::NodeSnapshot snapshot;
  model::NodeModel model;
};

Node node_with(const std::vector<std::string>& list) {
  Node node;
  node.snapshot.unit.name = kUnit;
  SourceFile file;
  file.path = file.real_path = kFile;
  file.kind = FileKind::kRegular;
  file.meta.mtime_ns = 1'795'215'446'000'000'000;
  node.snapshot.files.push_back(file);
  node.model.kind = &kubeadm();
  model::Layer layer;
  layer.wins = true;
  for (const std::string& entry : list) add_entry(layer, entry, {});
  node.model.layers.push_back(std::move(layer));
  return node;
}

transaction::Transaction change(const std::string& id, transaction::TransactionState state,
                                std::vector<std::string> before, std::vector<std::string> after) {
  transaction::Transaction made;
  made.id = id;
  made.state = state;
  made.unit = kUnit;
  made.before = std::move(before);
  made.after = std::move(after);
  transaction::JournalFile file;
  file.path = kFile;
  made.files.push_back(file);
  return made;
}

std::optional<Finding> found(const Node& node,
                             const std::vector<transaction::Transaction>& records) {
  return transaction::lost_list(node.snapshot, node.model, records);
}

using enum transaction::TransactionState;

TEST(LostList, EntriesThatTheLastChangePutThereAndThatAreGoneAreNamedWithWhoWroteTheFile) {
  const Node node = node_with({"kernel.sem"});
  const auto finding =
      found(node, {change("a", kConfirmed, {"kernel.sem"}, {"kernel.sem", "net.core.somaxconn"})});
  ASSERT_TRUE(finding);
  EXPECT_EQ(finding->id, "list-lost");
  EXPECT_EQ(finding->severity, Severity::kWarning);
  EXPECT_EQ(finding->path, kFile);
  EXPECT_NE(finding->message.find("'net.core.somaxconn'"), std::string::npos);
  EXPECT_EQ(finding->message.find("kernel.sem"), std::string::npos) << finding->message;
  EXPECT_NE(finding->message.find("written at 2026-11-20T22:57:26Z"), std::string::npos);
  EXPECT_NE(finding->message.find("kubeadm init, join and upgrade"), std::string::npos);
  EXPECT_NE(finding->hint.find("kubelet-sysctl add net.core.somaxconn --persist"),
            std::string::npos)
      << finding->hint;
}

TEST(LostList, ListThatHasOrCoversEveryEntryIsNotLost) {
  const std::vector<transaction::Transaction> records = {
      change("a", kConfirmed, {}, {"kernel.msgmax"})};
  EXPECT_FALSE(found(node_with({"kernel.msgmax", "kernel.sem"}), records));
  EXPECT_FALSE(found(node_with({"kernel.msg*"}), records));
  EXPECT_FALSE(found(node_with({"kernel/msgmax"}), records));
}

TEST(LostList, NewestChangeThatStandsDecides) {
  const auto added = change("a", kConfirmed, {}, {"kernel.sem"});
  EXPECT_FALSE(found(node_with({}), {added, change("b", kConfirmed, {"kernel.sem"}, {})}));
  EXPECT_TRUE(found(node_with({}), {added, change("b", kRolledBack, {"kernel.sem"}, {})}));
}

TEST(LostList, ChangeThatNobodySawToItsEndExplainsEveryList) {
  const auto added = change("a", kConfirmed, {}, {"kernel.sem"});
  for (const transaction::TransactionState state :
       {kPlanned, kWritten, kRestarted, kStranded, kOvertaken}) {
    EXPECT_FALSE(found(node_with({}), {added, change("b", state, {"kernel.sem"}, {"net.*"})}));
  }
}

TEST(LostList, RecordsOfAnotherUnitSayNothing) {
  auto other = change("a", kConfirmed, {}, {"kernel.sem"});
  other.unit = "k3s.service";
  EXPECT_FALSE(found(node_with({}), {other}));
}

TEST(LostList, ListThatCannotBeToldIsNotCalledLost) {
  const auto added = change("a", kConfirmed, {}, {"kernel.sem"});
  Node wrapped = node_with({});
  wrapped.model.wrapped = true;
  EXPECT_FALSE(found(wrapped, {added}));
  Node stopped = node_with({});
  stopped.model.stopped = Error{.message = "no unit"};
  EXPECT_FALSE(found(stopped, {added}));
}

}  // namespace
}  // namespace kubelet_sysctl
