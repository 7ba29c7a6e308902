// SPDX-License-Identifier: Apache-2.0
// Settings of the unit that put other files before the kubelet than those of the node.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using built::add_file;
using built::kConfigPath;
using built::node_with_unit;

constexpr const char* kConfig =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
    "allowedUnsafeSysctls: [net.core.somaxconn]\n";

// Source: systemd.exec(5).
TEST(OtherFiles, OfASettingThatPutsThemBeforeTheKubeletAreNotTakenForTheNodes) {
  const std::string config = " --config=/var/lib/kubelet/config.yaml";
  const auto is_known = [&](const std::string& settings, const std::string& more = {}) {
    nodes::NodeSnapshot snapshot =
        node_with_unit("[Service]\nExecStart=/usr/bin/kubelet" + config + more + "\n" + settings);
    add_file(snapshot, kConfigPath, kConfig);
    const auto model = model::resolve(snapshot);
    if (model) return true;
    EXPECT_EQ(model.error().kind, ErrorKind::kUnsupported) << model.error().message;
    EXPECT_EQ(model.error().line, 3u) << settings;
    return false;
  };
  for (const char* other : {"RootDirectory=/srv/kubelet\n", "RootImage=/srv/kubelet.raw\n",
                            "BindPaths=/srv/conf:/var/lib/kubelet\n",
                            "BindReadOnlyPaths=-/srv/c.yaml:/var/lib/kubelet/config.yaml:norbind\n",
                            "BindPaths=/a:/b /srv:/var\n", "TemporaryFileSystem=/var/lib:ro\n",
                            "MountImages=/srv/kubelet.raw:/var/lib/kubelet\n"}) {
    EXPECT_FALSE(is_known(other)) << other;
    EXPECT_TRUE(is_known(other, " --allowed-unsafe-sysctls=kernel.sem")) << other;
  }
  for (const char* same :
       {"RootDirectory=/\n", "RootDirectory=/srv\nRootDirectory=\n", "BindPaths=/var/lib/kubelet\n",
        "BindPaths=/var/lib/kubelet:/var/lib/kubelet:rbind\n",
        "BindPaths=/srv:/var/lib/kubelet-plugins\n", "BindPaths=/srv:/var\nBindPaths=\n",
        "TemporaryFileSystem=/srv\n"}) {
    EXPECT_TRUE(is_known(same)) << same;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
