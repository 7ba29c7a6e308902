// SPDX-License-Identifier: Apache-2.0
// The port at which the running kubelet is asked for its configuration.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/model/kubelet_port.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using built::add_file;
using built::node_with_unit;

constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

TEST(KubeletPort, TheFlagStandsAboveTheDropInsAndTheFile) {
  nodes::NodeSnapshot snapshot = node_with_unit("[Service]\nExecStart=/usr/bin/kubelet\n");
  snapshot.process_cwd = "/";
  using Words = std::vector<std::string>;
  EXPECT_EQ(model::kubelet_port_of(snapshot, Words{"kubelet", "--config=/c.yaml"}), 10250);
  add_file(snapshot, "/c.yaml", std::string(kHead) + "port: 10260\n");
  EXPECT_EQ(model::kubelet_port_of(snapshot, Words{"kubelet"}), 10250);
  EXPECT_EQ(model::kubelet_port_of(snapshot, Words{"kubelet", "--config=/c.yaml"}), 10260);
  EXPECT_EQ(model::kubelet_port_of(snapshot, Words{"kubelet", "--config=c.yaml"}), 10260);
  const auto source = add_file(snapshot, "/d/10.conf", std::string(kHead) + "port: 10270\n");
  snapshot.config_dirs["/d"] = {{"/d/10.conf", source}};
  const Words both = {"kubelet", "--config=/c.yaml", "--config-dir=/d"};
  EXPECT_EQ(model::kubelet_port_of(snapshot, both), 10270);
  Words flag = both;
  flag.emplace_back("--port=10280");
  EXPECT_EQ(model::kubelet_port_of(snapshot, flag), 10280);
}

}  // namespace
}  // namespace kubelet_sysctl
