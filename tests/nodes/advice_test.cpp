// SPDX-License-Identifier: Apache-2.0
// The persistent way is filled in with the whole list, in a form that can be pasted.
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/nodes/advice.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

const std::vector<std::string> kList = {"net.core.somaxconn", "kernel.msg*"};

Advice advice_of(std::string_view id, const std::vector<std::string>& list) {
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    if (kind.id == id && kind.advise != nullptr) return kind.advise(list);
  }
  ADD_FAILURE() << id << " has no advice";
  return {};
}

TEST(Advice, EveryKindThatHasOneNamesEveryEntryAndWhatToDo) {
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    if (kind.advise == nullptr) continue;
    const Advice advice = kind.advise(kList);
    EXPECT_FALSE(advice.what.empty()) << kind.id;
    const std::string text = nodes::advice_text(advice);
    for (const std::string& entry : kList) {
      EXPECT_NE(text.find(entry), std::string::npos) << kind.id << ": " << text;
    }
    EXPECT_TRUE(text.ends_with('\n')) << kind.id;
  }
}

TEST(Advice, RefusedKindsHaveTheirObjectOrCommand) {
  for (const char* id : {"openshift", "talos", "bottlerocket"}) {
    EXPECT_FALSE(advice_of(id, kList).command.empty()) << id;
  }
}

TEST(Advice, OpenShiftGetsAWholeKubeletConfigOnTheInputOfOc) {
  const Advice advice = advice_of("openshift", kList);
  EXPECT_EQ(nodes::advice_text(advice),
            "oc apply -f - <<'EOF'\n"
            "apiVersion: machineconfiguration.openshift.io/v1\n"
            "kind: KubeletConfig\n"
            "metadata:\n"
            "  name: allowed-unsafe-sysctls\n"
            "spec:\n"
            "  machineConfigPoolSelector:\n"
            "    matchLabels:\n"
            "      pools.operator.machineconfiguration.openshift.io/worker: \"\"\n"
            "  kubeletConfig:\n"
            "    allowedUnsafeSysctls:\n"
            "    - \"net.core.somaxconn\"\n"
            "    - \"kernel.msg*\"\n"
            "EOF\n");
}

TEST(Advice, CommandOfBottlerocketKeepsItsJsonFromTheShell) {
  EXPECT_EQ(nodes::advice_text(advice_of("bottlerocket", kList)),
            "apiclient set --json '{\"settings\":{\"kubernetes\":{\"allowed-unsafe-sysctls\":"
            "[\"net.core.somaxconn\",\"kernel.msg*\"]}}}'\n");
}

TEST(Advice, EmptyListIsSaidAndNotLeftOut) {
  EXPECT_NE(advice_of("talos", {}).object.find("allowedUnsafeSysctls: []\n"), std::string::npos);
  EXPECT_NE(advice_of("aks", {}).object.find("[]"), std::string::npos);
}

/// The words of a command line as sh takes them, one in each line, or nothing where there is no shell.
std::string words_by_shell(std::string_view command) {
  const std::string script = "printf '%s\\n' " + std::string(command.substr(command.find(' ') + 1));
  std::FILE* shell = ::popen(script.c_str(), "r");
  if (shell == nullptr) return {};
  std::string out;
  for (int byte = std::fgetc(shell); byte != EOF; byte = std::fgetc(shell)) {
    out += static_cast<char>(byte);
  }
  ::pclose(shell);
  return out;
}

TEST(Advice, EntryThatSomebodyForcedEndsNoDocumentAndStaysInItsWord) {
  const std::vector<std::string> hostile = {"it's\nEOF\n$(echo gone)"};
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    if (kind.advise == nullptr) continue;
    const Advice advice = kind.advise(hostile);
    EXPECT_EQ(advice.object.find("\nEOF\n"), std::string::npos) << kind.id;
    if (!advice.object.empty()) continue;
    EXPECT_NE(words_by_shell(advice.command).find("$(echo gone)"), std::string::npos) << kind.id;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
