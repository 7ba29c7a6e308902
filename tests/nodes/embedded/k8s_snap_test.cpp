// SPDX-License-Identifier: Apache-2.0
// The words that Canonical Kubernetes makes for its kubelet, against those of bash.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "support/embedded.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using embedded::command_of;
using embedded::node;
using embedded::Texts;
using embedded::words_of;

constexpr const char* kK8sArgs = "/var/snap/k8s/common/args/kubelet";

nodes::NodeSnapshot k8s(const std::string& args) {
  nodes::NodeSnapshot snapshot = node("snap.k8s.kubelet.service", "/usr/bin/snap run k8s.kubelet");
  built::add_file(snapshot, kK8sArgs, args);
  return snapshot;
}

/// What bash itself makes of the text, in the way of the wrapper: each word ended by a NUL.
std::optional<Texts> bash_words(const std::string& text) {
  const std::string path = testing::TempDir() + "/kubelet-sysctl-args";
  std::ofstream(path, std::ios::binary) << text;
  const std::string script =
      "cd / && SNAP=/snap/k8s/current SNAP_DATA=/var/snap/k8s/current "
      "SNAP_COMMON=/var/snap/k8s/common bash -c '"
      "declare -a args=\"($(cat " +
      path + "))\" && printf \"%s\\0\" \"${args[@]}\"' 2>/dev/null";
  const auto close = [](FILE* pipe) { return ::pclose(pipe); };
  std::unique_ptr<FILE, decltype(close)> pipe(::popen(script.c_str(), "r"), close);
  if (!pipe) return std::nullopt;
  Texts words;
  std::string word;
  for (int byte = std::fgetc(pipe.get()); byte != EOF; byte = std::fgetc(pipe.get())) {
    if (byte != 0) {
      word.push_back(static_cast<char>(byte));
    } else {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  return words;
}

TEST(K8sSnapHost, WordsAreThoseThatBashMakes) {
  const char* texts[] = {
      "--v=2\n--a='b c' --d=\"e f\"g\n",
      "# first\n--a=b#c # more\n\t--d=e\n\n--f",
      "--eviction-hard='memory.available<100Mi,nodefs.available<1Gi'\n--taints=\n",
      "--root-dir=$SNAP_COMMON/x --b=\"${SNAP_DATA}/y\"\n",
      "--a='' '' \"\" --b=%,:^@!x\n",
      "--a=it\\ is\n",
      "--a=b;--c\n",
      "--a=x*\n"};
  std::size_t told = 0;
  for (const char* text : texts) {
    const nodes::NodeSnapshot snapshot = k8s(text);
    if (model::host_refusal(snapshot)) continue;  // ours is not to tell
    ++told;
    const auto expected = bash_words(text);
    ASSERT_TRUE(expected);
    EXPECT_EQ(words_of(snapshot), *expected) << text;
  }
  EXPECT_EQ(told, 5u);
}

TEST(K8sSnapHost, WhereOnlyTheShellCanTellNothingIsEditedAndThePlaceIsNamed) {
  const std::pair<const char*, std::size_t> rows[] = {
      {"--v=1\n--allowed-unsafe-sysctls=kernel.msg*\n", 36},
      {"--a={b,c}\n", 5},
      {"--a=`id`\n", 5},
      {"--a=$(id)\n", 5},
      {"--a=~/x\n", 5},
      {"--a=\\x\n", 5},
      {"--config=\"$HOME\"\n", 11},
      {"--a='b\n", 5},
      {"--a=$B\n", 5},
      {"--a=b&\n", 6}};
  for (const auto& [text, column] : rows) {
    const auto refusal = model::host_refusal(k8s(text));
    ASSERT_TRUE(refusal) << text;
    EXPECT_EQ(refusal->kind, ErrorKind::kUnsupported) << text;
    EXPECT_EQ(refusal->path, kK8sArgs) << text;
    EXPECT_EQ(refusal->column, column) << text;
    // The process shows what the files do not; without one nothing does.
    nodes::NodeSnapshot snapshot = k8s(text);
    EXPECT_FALSE(command_of(snapshot)) << text;
    snapshot.process = Process{.pid = 1, .start_ticks = 1, .started_at_ms = 1, .argv = {"kubelet"}};
    EXPECT_EQ(words_of(snapshot), (Texts{"run", "k8s.kubelet"})) << text;
  }
}

TEST(K8sSnapHost, ValueThatTheShellPutsInIsLeftAsItIsWrittenWhereItDecidesNothing) {
  EXPECT_EQ(words_of(k8s("--hostname-override=\"$(hostname)\" --node-ip=\"$IP\"\n")),
            (Texts{"--hostname-override=$(hostname)", "--node-ip=$IP"}));
}

}  // namespace
}  // namespace kubelet_sysctl
