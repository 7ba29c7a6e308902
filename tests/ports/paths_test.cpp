// SPDX-License-Identifier: Apache-2.0
// Paths taken apart and joined. Source: path_resolution(7).
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/ports/paths.hpp"

namespace kubelet_sysctl {
namespace {

TEST(Paths, AreTakenApartAtTheLastSlash) {
  EXPECT_EQ(base_name("/etc/default/kubelet"), "kubelet");
  EXPECT_EQ(base_name("kubelet"), "kubelet");
  EXPECT_EQ(directory_of("/etc/default/kubelet"), "/etc/default");
  EXPECT_EQ(directory_of("/etc"), "/");
}

TEST(Paths, AreJoinedUnlessAbsoluteAndCleaned) {
  EXPECT_EQ(ports::joined("/var/lib/kubelet", "config.yaml"), "/var/lib/kubelet/config.yaml");
  EXPECT_EQ(ports::joined("/var/lib/kubelet", "/etc/kubelet.yaml"), "/etc/kubelet.yaml");
  EXPECT_EQ(ports::joined("/var//lib/", "./a/../config.d/"), "/var/lib/config.d");
  EXPECT_EQ(ports::joined("/", ".."), "/");
}

}  // namespace
}  // namespace kubelet_sysctl
