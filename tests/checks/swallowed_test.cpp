// SPDX-License-Identifier: Apache-2.0
// Flags inside the value of another flag. Source: systemd.service(5): ${FOO} is one argument,
// $FOO is split.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

std::vector<checks::Swallowed> swallowed_in(const std::string& settings) {
  const nodes::NodeSnapshot snapshot = built::node_with_unit("[Service]\n" + settings);
  const auto model = model::resolve(snapshot);
  EXPECT_TRUE(model) << model.error().message;
  return model ? checks::swallowed_flags(snapshot, *model) : std::vector<checks::Swallowed>{};
}

TEST(SwallowedFlags, BracesMakeOneArgumentOfAVariableWithSeveral) {
  const std::string variable =
      "Environment=\"A=--allowed-unsafe-sysctls=net.core.somaxconn --v=2\"\n";
  const auto found = swallowed_in(variable + "ExecStart=/usr/bin/kubelet ${A}\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].flag, "--allowed-unsafe-sysctls");
  EXPECT_EQ(found[0].hidden, std::vector<std::string>{"--v=2"});
  EXPECT_TRUE(found[0].of_list);
  EXPECT_TRUE(swallowed_in(variable + "ExecStart=/usr/bin/kubelet $A\n").empty());
}

// Source: github.com/spf13/pflag flag.go parseLongArg(): a flag without '=' takes the next argument.
TEST(SwallowedFlags, AFlagWithoutAValueTakesTheNextOne) {
  const auto found = swallowed_in(
      "ExecStart=/usr/bin/kubelet --node-ip --allowed-unsafe-sysctls=net.core.somaxconn\n");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].flag, "--node-ip");
  EXPECT_EQ(found[0].hidden,
            std::vector<std::string>{"--allowed-unsafe-sysctls=net.core.somaxconn"});
  EXPECT_TRUE(found[0].of_list);
}

TEST(SwallowedFlags, TwoHyphensInsideAWordAreNoFlag) {
  EXPECT_TRUE(swallowed_in("ExecStart=/usr/bin/kubelet --node-labels=a--b=c,d=e --v=2\n").empty());
}

}  // namespace
}  // namespace kubelet_sysctl
