// SPDX-License-Identifier: Apache-2.0
// The words that k0s makes for its kubelet.
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/embedded.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using embedded::command_of;
using embedded::node;
using embedded::Texts;
using embedded::words_of;

constexpr const char* kK0sConfig = "/run/k0s/kubelet/config.yaml";

nodes::NodeSnapshot k0s(const std::string& arguments) {
  return node("k0sworker.service", "/usr/local/bin/k0s worker " + arguments);
}

// Source: flags.Split(): fields, cut at the first '=', in a map; then sorted.
TEST(K0sHost, ExtraArgumentsAreFieldsOfWhichTheLastOfANameCounts) {
  EXPECT_EQ(words_of(k0s("--kubelet-extra-args=--v=2\\x20--a=b=c\\x20\\x20--v=3")),
            (Texts{"--a=b=c", "--v=3"}));
  EXPECT_EQ(words_of(k0s("--kubelet-extra-args=--v=1 --kubelet-extra-args --v=4")), Texts{"--v=4"});
  EXPECT_EQ(words_of(k0s("\"--kubelet-extra-args=--v=2 --a=b\"")), (Texts{"--a=b", "--v=2"}));
  EXPECT_EQ(words_of(k0s("--profile=x")), Texts{});
}

TEST(K0sHost, FlagAndValueInTwoWordsEndTheKubelet) {
  nodes::NodeSnapshot snapshot =
      k0s("--kubelet-extra-args=--allowed-unsafe-sysctls\\x20net.core.somaxconn");
  EXPECT_EQ(words_of(snapshot), (Texts{"--allowed-unsafe-sysctls=", "net.core.somaxconn="}));
  const auto model = model::resolve(snapshot);
  ASSERT_TRUE(model);
  EXPECT_TRUE(model->flags.fatal);
}

TEST(K0sHost, ConfigurationIsTheOneUnderRunWhereThereIsOne) {
  nodes::NodeSnapshot snapshot = k0s("--data-dir=/srv/k0s");
  built::add_file(snapshot, "/srv/k0s/kubelet-config.yaml", "");
  EXPECT_EQ(words_of(snapshot), Texts{"--config=/srv/k0s/kubelet-config.yaml"});
  built::add_file(snapshot, kK0sConfig, "");
  EXPECT_EQ(words_of(snapshot), Texts{std::string("--config=") + kK0sConfig});
}

TEST(K0sHost, ControllerRunsAKubeletOnlyWithAWorker) {
  nodes::NodeSnapshot alone = node("k0scontroller.service", "/usr/local/bin/k0s controller");
  const auto command = command_of(alone);
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kNotFound);
  for (const char* option : {"--enable-worker", "--single", "--enable-worker=true"}) {
    EXPECT_TRUE(command_of(
        node("k0scontroller.service", std::string("/usr/local/bin/k0s controller ") + option)))
        << option;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
