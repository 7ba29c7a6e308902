// SPDX-License-Identifier: Apache-2.0
// Flags that end a release of the kubelet though they are spelt as flags are. The words were measured
// (tests/data/kubelet-vectors.json, flags).
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using built::add_file;
using built::node_with_unit;
using ::testing::HasSubstr;

nodes::NodeSnapshot node(const std::string& arguments, std::optional<int> minor) {
  nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/usr/bin/kubelet " + arguments + "\n");
  if (minor)
    snapshot.kubelet_version = sysctl::KubeletVersion{.major = 1, .minor = *minor, .patch = 0};
  return snapshot;
}

std::string fatal(const nodes::NodeSnapshot& snapshot) {
  auto model = checks::resolve_and_check(snapshot);
  if (!model) return model.error().message;
  return model->flags.fatal.value_or("it starts");
}

TEST(FlagFault, AFlagThatTheReleaseDroppedEndsIt) {
  for (const auto& [flag, gone] :
       std::vector<std::pair<std::string, int>>{{"--container-runtime=remote", 27},
                                                {"--network-plugin=cni", 24},
                                                {"--pod-infra-container-image=p", 35},
                                                {"--logtostderr=true", 26},
                                                {"--dynamic-config-dir=/x", 24},
                                                {"--master-service-namespace=x", 27}}) {
    EXPECT_EQ(fatal(node(flag, gone - 1)), "it starts") << flag;
    EXPECT_THAT(fatal(node(flag, gone)),
                HasSubstr("unknown flag: " + flag.substr(0, flag.find('='))));
    EXPECT_EQ(fatal(node(flag, std::nullopt)), "it starts") << flag;
  }
}

TEST(FlagFault, AFlagThatNoReleaseHasEndsAKnownOne) {
  EXPECT_THAT(fatal(node("--x=y", 32)), HasSubstr("unknown flag: --x"));
  EXPECT_EQ(fatal(node("--x=y", std::nullopt)), "it starts");
  EXPECT_THAT(fatal(node("--config-dir=/d", 27)), HasSubstr("it came with 1.28"));
}

TEST(FlagFault, AKubeletThatRunsWithAFlagHasIt) {
  nodes::NodeSnapshot snapshot = node("--x=y --max-pods=5", 32);
  snapshot.process = Process{.pid = 7,
                             .start_ticks = 1,
                             .started_at_ms = 1,
                             .argv = {"/usr/bin/kubelet", "--x=y", "--max-pods=5"}};
  EXPECT_EQ(fatal(snapshot), "it starts");
}

TEST(FlagFault, AValueOfAnotherTypeEndsIt) {
  EXPECT_THAT(fatal(node("--max-pods=x", 32)),
              HasSubstr("invalid argument \"x\" for \"--max-pods\" flag: strconv.ParseInt: parsing "
                        "\"x\": invalid syntax"));
  EXPECT_THAT(fatal(node("--fail-swap-on=nope", 32)), HasSubstr("strconv.ParseBool: parsing"));
  EXPECT_THAT(fatal(node("--v --allowed-unsafe-sysctls=net.a", 32)),
              HasSubstr("for \"-v, --v\" flag: strconv.ParseUint"));
  EXPECT_THAT(fatal(node("--sync-frequency=5", 32)), HasSubstr("missing unit in duration"));
  EXPECT_THAT(fatal(node("--max-pods=3000000000", 32)), HasSubstr("value out of range"));
  for (const char* good : {"--max-pods=0x10", "--fail_swap_on=0", "--log-flush-frequency=5s", "-v2",
                           "--v=2", "--feature-gates=", "--max-pods=-1", "--help=false"}) {
    EXPECT_EQ(fatal(node(good, 32)), "it starts") << good;
  }
}

TEST(FlagFault, AnEmptyValueOfAVariableThatNothingSetsHereIsNotJudged) {
  EXPECT_EQ(fatal(node("--max-pods=${MAX_PODS}", 32)), "it starts");
}

TEST(FlagFault, AskedForItsHelpTheKubeletEnds) {
  EXPECT_THAT(fatal(node("-h", 32)), HasSubstr("print its flags and end"));
  EXPECT_THAT(fatal(node("--version", 32)), HasSubstr("print its version and end"));
  EXPECT_THAT(fatal(node("--version true", 32)), HasSubstr("unknown command"));
}

TEST(FlagFault, WithoutTheVariableOf128TheDirectoryOfDropInsIsFatal) {
  nodes::NodeSnapshot snapshot = node("--config-dir=/d", 29);
  snapshot.config_dirs["/d"] = {};
  const auto ids = [](const nodes::NodeSnapshot& one) {
    auto model = checks::resolve_and_check(one);
    std::string text;
    for (const Finding& finding : model ? model->findings : std::vector<Finding>{}) {
      text += finding.id + " " + finding.message + "\n";
    }
    return text;
  };
  EXPECT_THAT(ids(snapshot), HasSubstr("KUBELET_CONFIG_DROPIN_DIR_ALPHA not set"));
  snapshot.kubelet_version->minor = 30;
  EXPECT_EQ(ids(snapshot), "");
}

}  // namespace
}  // namespace kubelet_sysctl
