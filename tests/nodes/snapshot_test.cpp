// SPDX-License-Identifier: Apache-2.0
// Files of a node by the paths that name them.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

TEST(FindFile, ByPathBeforeRealPathAndByLibWhereItIsALink) {
  nodes::NodeSnapshot snapshot;
  const auto add = [&](const char* path, const char* real_path) {
    SourceFile file;
    file.path = path;
    file.real_path = real_path;
    snapshot.files.push_back(file);
  };
  add("/etc/link", "/etc/b");
  add("/etc/b", "/etc/b");
  add("/usr/lib/systemd/system/kubelet.service", "/usr/lib/systemd/system/kubelet.service");
  add("/etc/c", "/opt/c");
  EXPECT_EQ(nodes::find_source(snapshot, "/etc/b"), 1);
  EXPECT_EQ(nodes::find_source(snapshot, "/opt/c"), 3);
  EXPECT_EQ(nodes::find_source(snapshot, "/lib/systemd/system/kubelet.service"), 2);
  EXPECT_EQ(nodes::find_source(snapshot, "/etc/none"), kNoSource);
  EXPECT_EQ(nodes::find_file(snapshot, "/etc/none"), nullptr);
}

}  // namespace
}  // namespace kubelet_sysctl
