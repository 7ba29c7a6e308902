// SPDX-License-Identifier: Apache-2.0
// Tests of where a kubelet shows its pods, by its flags and its configuration. Expected values from
// cmd/kubelet/app/options/options.go, apis/config/v1beta1/types.go and defaults.go.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/pods/pods.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kHead =
    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

pods::PodPlaces places(const std::string& flags, const std::string& config) {
  nodes::NodeSnapshot snapshot =
      built::node_with_unit("[Service]\nExecStart=/usr/bin/kubelet " + flags + "\n");
  built::add_file(snapshot, built::kConfigPath, kHead + config);
  snapshot.programs["/usr/bin/kubelet"] = true;
  snapshot.specifiers['H'] = "Node-1.Example";
  const auto model = checks::resolve_and_check(snapshot);
  EXPECT_TRUE(model);
  return model ? pods::pod_places_of(snapshot, *model) : pods::PodPlaces{};
}

const std::string kConfig = std::string("--config=") + built::kConfigPath;

TEST(PodPlaces, ComeFromTheConfigurationUnlessAFlagSaysOtherwise) {
  const std::string file =
      "staticPodPath: /etc/kubernetes/manifests\nreadOnlyPort: 10300\naddress: 192.0.2.7\n";
  const pods::PodPlaces by_file = places(kConfig, file);
  EXPECT_EQ(by_file.static_pods, "/etc/kubernetes/manifests");
  EXPECT_EQ(by_file.read_only_port, 10300);
  EXPECT_EQ(by_file.read_only_address, "192.0.2.7");
  const pods::PodPlaces by_flag = places(kConfig +
                                             " --pod-manifest-path=/srv/pods --read_only_port=0 "
                                             "--address 0.0.0.0 --hostname-override=worker",
                                         file);
  EXPECT_EQ(by_flag.static_pods, "/srv/pods");
  EXPECT_EQ(by_flag.read_only_port, 0);
  EXPECT_EQ(by_flag.read_only_address, "127.0.0.1");
  EXPECT_EQ(by_flag.node_name, "worker");
}

TEST(PodPlaces, HaveAReadOnlyPortByDefaultOnlyWithoutAConfiguration) {
  EXPECT_EQ(places(kConfig, "").read_only_port, 0);
  EXPECT_EQ(places("--v=2", "").read_only_port, 10255);
}

TEST(PodPlaces, NameTheNodeInSmallLetters) {
  EXPECT_EQ(places(kConfig, "").node_name, "node-1.example");
}

TEST(PodPlaces, OfTheProcessCountMoreThanThoseOfTheNextStart) {
  nodes::NodeSnapshot snapshot =
      built::node_with_unit("[Service]\nExecStart=/usr/bin/kubelet --pod-manifest-path=/new\n");
  snapshot.programs["/usr/bin/kubelet"] = true;
  Process process;
  process.pid = 9;
  process.argv = {"/usr/bin/kubelet", "--pod-manifest-path=/old"};
  snapshot.process = process;
  const auto model = checks::resolve_and_check(snapshot);
  ASSERT_TRUE(model);
  EXPECT_EQ(pods::pod_places_of(snapshot, *model).static_pods, "/old");
}

}  // namespace
}  // namespace kubelet_sysctl
