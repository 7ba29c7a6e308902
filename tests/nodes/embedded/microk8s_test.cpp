// SPDX-License-Identifier: Apache-2.0
// The words that MicroK8s makes for its kubelet.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/embedded.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using embedded::command_of;
using embedded::node;
using embedded::Texts;
using embedded::words_of;

constexpr const char* kKubelite = "/var/snap/microk8s/current/args/kubelite";
constexpr const char* kMicroK8sArgs = "/var/snap/microk8s/current/args/kubelet";

nodes::NodeSnapshot microk8s(const std::string& args, const std::string& kubelite = {}) {
  nodes::NodeSnapshot snapshot =
      node("snap.microk8s.daemon-kubelite.service", "/usr/bin/snap run microk8s.daemon-kubelite");
  if (!kubelite.empty()) built::add_file(snapshot, kKubelite, kubelite);
  built::add_file(snapshot, kMicroK8sArgs, args);
  return snapshot;
}

// Source: ReadArgsFromFile() of the patch; every row of it in one file.
TEST(MicroK8sHost, ArgumentsAreReadByTheRulesOfKubelite) {
  EXPECT_EQ(
      words_of(microk8s("# a comment\n\n  --v=2  \n--a=\"b'c\" d\n--e  f\n\t--g=h\r\n--i=j\tk")),
      (Texts{"--v=2", "--a=bc", "d", "--e", "", "f", "--g=h", "--i=j\tk"}));
}

TEST(MicroK8sHost, VariablesOfTheSnapAreKnownAndOthersCountOnlyWhereTheyDecideNothing) {
  EXPECT_EQ(words_of(microk8s("--root-dir=${SNAP_COMMON}/x\n--cert-dir=$SNAP_DATA/certs\n")),
            (Texts{"--root-dir=/var/snap/microk8s/common/x",
                   "--cert-dir=/var/snap/microk8s/current/certs"}));
  EXPECT_EQ(words_of(microk8s("--node-ip=${NODE_IP}\n")), Texts{"--node-ip=${NODE_IP}"});
  for (const char* args : {"--config=$HOME/x\n", "--allowed-unsafe-sysctls=$LIST\n", "$MORE\n",
                           "--node-ip=$\n", "--node-ip=${\n"}) {
    const auto command = command_of(microk8s(args));
    ASSERT_FALSE(command) << args;
    EXPECT_EQ(command.error().kind, ErrorKind::kUnsupported) << args;
    EXPECT_EQ(command.error().line, 1u) << args;
  }
}

TEST(MicroK8sHost, FileOfArgumentsIsTheOneThatKubeliteIsTold) {
  nodes::NodeSnapshot snapshot = microk8s(
      "--v=1\n", "--kubelet-args-file=${SNAP_DATA}/args/other\n--start-control-plane=true\n");
  built::add_file(snapshot, "/var/snap/microk8s/current/args/other", "--v=9\n");
  EXPECT_EQ(words_of(snapshot), Texts{"--v=9"});
}

TEST(MicroK8sHost, LineThatIsTooLongForKubeliteEndsIt) {
  const std::string longest(64 * 1024 - 1 - 4, 'x');
  EXPECT_EQ(words_of(microk8s("--a=" + longest + "\n")).size(), 1u);
  const auto command = command_of(microk8s("--a=" + longest + "x\n"));
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kMalformed);
}

}  // namespace
}  // namespace kubelet_sysctl
