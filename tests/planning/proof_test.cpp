// SPDX-License-Identifier: Apache-2.0
// The proof of an edit: the list is the wanted one, and nothing else is another.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "planning/parts.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

const std::string kText = "ARGS=--v=2 --allowed-unsafe-sysctls=kernel.sem\n";

nodes::NodeSnapshot node() {
  nodes::NodeSnapshot snapshot = built::node_with_unit(
      "[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/usr/bin/kubelet $ARGS\n");
  built::add_file(snapshot, built::kEnvPath, kText);
  return snapshot;
}

/// Why the edit that puts `with` in the place of `what` is not one to the list `wanted`; empty where it is.
std::string fault_of(std::string_view what, const std::string& with,
                     const std::vector<std::string>& wanted) {
  const nodes::NodeSnapshot snapshot = node();
  const auto model = model::resolve(snapshot);
  EXPECT_TRUE(model) << model.error().message;
  const std::size_t at = kText.find(what);
  const SourceFile* file = nodes::find_file(snapshot, built::kEnvPath);
  if (!model || file == nullptr || at == std::string::npos) return "no such node";
  auto edit = planning::edit_of(*file, {{{at, at + what.size()}, with}}, nodes::Route::kArgs);
  EXPECT_TRUE(edit);
  const auto proved = planning::prove(snapshot, *model, {*edit}, wanted);
  if (proved) return {};
  EXPECT_EQ(proved.error().kind, ErrorKind::kUnsupported);
  return proved.error().message;
}

TEST(Proof, AcceptsTheEditThatMakesTheListAndNothingElse) {
  EXPECT_EQ(fault_of("kernel.sem", "kernel.sem,kernel.msgmax", {"kernel.sem", "kernel.msgmax"}),
            "");
}

TEST(Proof, RefusesAnotherListThanTheWantedOne) {
  EXPECT_NE(fault_of("kernel.sem", "kernel.sem,kernel.msgmax", {"kernel.sem"}), "");
  EXPECT_NE(fault_of("kernel.sem", "kernel.msgmax,kernel.sem", {"kernel.sem", "kernel.msgmax"}),
            "");
}

TEST(Proof, RefusesAnEditThatChangesAnotherWordOrVariable) {
  EXPECT_NE(fault_of("--v=2 --allowed-unsafe-sysctls=kernel.sem",
                     "--v=4 --allowed-unsafe-sysctls=kernel.sem", {"kernel.sem"}),
            "");
  EXPECT_NE(fault_of("\n", "\nOTHER=1\n", {"kernel.sem"}), "");
}

}  // namespace
}  // namespace kubelet_sysctl
