// SPDX-License-Identifier: Apache-2.0
// A list that is unknown is not an empty list.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

bool is_unknown(const nodes::NodeSnapshot& snapshot) {
  const auto model = model::resolve(snapshot);
  EXPECT_TRUE(model) << model.error().message;
  return model && checks::is_list_unknown(*model);
}

TEST(UnknownListCheck, AShellHidesTheArgumentsUntilAProcessShowsThem) {
  nodes::NodeSnapshot snapshot =
      built::node_with_unit("[Service]\nExecStart=/bin/sh -c 'exec /usr/bin/kubelet $ARGS'\n");
  EXPECT_TRUE(is_unknown(snapshot));
  snapshot.live = true;
  snapshot.process = Process{
      .pid = 42, .start_ticks = 7, .started_at_ms = 1, .argv = {"/usr/bin/kubelet", "--v=2"}};
  EXPECT_FALSE(is_unknown(snapshot));
}

TEST(UnknownListCheck, AKubeletWithoutTheFlagHasAnEmptyList) {
  EXPECT_FALSE(is_unknown(built::node_with_unit("[Service]\nExecStart=/usr/bin/kubelet --v=2\n")));
}

// Source: kubernetes CHANGELOG-1.11: --experimental-allowed-unsafe-sysctls became
// --allowed-unsafe-sysctls.
TEST(UnknownListCheck, TheNameThatTheFlagHadUpTo110LeavesTheListUnknown) {
  EXPECT_TRUE(is_unknown(built::node_with_unit(
      "[Service]\nExecStart=/usr/bin/kubelet --experimental-allowed-unsafe-sysctls=kernel.sem\n")));
}

}  // namespace
}  // namespace kubelet_sysctl
