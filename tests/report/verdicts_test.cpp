// SPDX-License-Identifier: Apache-2.0
// The answers of `check` as text.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/report/verdicts.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(VerdictsText, ControlCharactersOfAManifestDoNotReachTheTerminal) {
  pods::VerdictContext node;
  node.version = sysctl::parse_kubelet_version("1.29");
  node.list.emplace();
  node.pod_list.emplace();
  pods::PodSpec odd;
  odd.sysctls = {{.name = "a\x1b[2Jb", .value = "1"}};
  odd.name = "x\x1b]0;y";
  const std::string text =
      report::verdicts_text(pods::verdicts_on({"\x1b[1m"}, {odd}, {}, node), node, {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace kubelet_sysctl
