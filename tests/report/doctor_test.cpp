// SPDX-License-Identifier: Apache-2.0
// What doctor says a person.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl {
namespace {

TEST(DoctorText, NamesTheNodeCountsTheFindingsAndSaysWhatWasNotLookedAt) {
  nodes::NodeSnapshot snapshot;
  snapshot.live = true;
  snapshot.unit.name = "kubelet.service";
  snapshot.kubelet_version = sysctl::KubeletVersion{1, 29, 6};
  std::vector<Finding> findings(3);
  findings[0].severity = Severity::kError;
  const std::string text =
      report::doctor_text(snapshot, model::NodeModel{}, findings, {"the kernel"}, TextStyle{});
  EXPECT_TRUE(text.starts_with("kubelet.service  -  kubelet 1.29.6\n\n")) << text;
  EXPECT_TRUE(text.ends_with("\n1 error, 2 notes\nnot inspected: the kernel\n")) << text;
}

TEST(DoctorText, LetsNoEscapeSequenceReachTheTerminal) {
  nodes::NodeSnapshot snapshot;
  snapshot.unit.name = snapshot.root = snapshot.kernel.release = "\x1b[2J";
  const std::string text =
      report::doctor_text(snapshot, model::NodeModel{}, {}, {"\x1b]0;x"}, TextStyle{});
  EXPECT_EQ(text.find('\x1b'), std::string::npos) << text;
  EXPECT_NE(text.find("nothing found\n"), std::string::npos);
}

}  // namespace
}  // namespace kubelet_sysctl
