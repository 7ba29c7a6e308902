// SPDX-License-Identifier: Apache-2.0
// docs/troubleshooting.md against the program: each command is run on a golden node that runs with the fault, and
// prints what the page says. UPDATE_DOCS=1 writes the outputs of the page again.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/live_node.hpp"
#include "support/scratch.hpp"

namespace kubelet_sysctl::golden {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const std::string kPage = KUBELET_SYSCTL_TEST_DIR "/../docs/troubleshooting.md";
constexpr const char* kMark = "<!-- node: ";
constexpr const char* kArguments = "/etc/sysconfig/kubelet";
constexpr const char* kFlag = "--allowed-unsafe-sysctls=net.core.somaxconn,net.ipv4.tcp_tw_reuse";

/// What a section of the page is about: a node of tests/nodes, and what went wrong with it.
struct Story {
  std::string kind = "kops";
  std::string program = kKubelet;
  std::function<void(LiveNode&)> fault = {};
  std::string pod = {};  ///< of the manifest pod.yaml, its spec
};

/// The next starts of the kubelet end at once, with these words.
void end_every_start(LiveNode& node, const std::string& words) {
  Misbehaviour how;
  how.dies_after = Milliseconds(200);
  how.last_words = {words};
  node.services.misbehave(how);
}

void restart(LiveNode& node) {
  (void)node.services.restart("kubelet.service", seconds(5));
  node.services.wait_until(node.services.now() + minutes(1), 0);
}

/// The kOps node, started again with `after` in the place of its flag; a kubelet that ends says `words`.
std::function<void(LiveNode&)> with_flag(const std::string& after, const std::string& words) {
  return [after, words](LiveNode& node) {
    std::string text = node.tree().read(kArguments);
    const std::string flag = kFlag;
    const std::size_t at = text.find(flag);
    ASSERT_NE(at, std::string::npos) << text;
    node.services.write(kArguments, text.replace(at, flag.size(), after));
    end_every_start(node, words);
    restart(node);
  };
}

/// The words are the kubelet's own, of its sources and of runs of 1.20; see docs/precedence.md.
const std::map<std::string, Story>& stories() {
  static const std::map<std::string, Story> all = {
      {"pod", {.pod = "{securityContext: {sysctls: [{name: kernel.msgmax, value: '65536'}]}}"}},
      {"hidden", {.kind = "kubeadm-rpm", .program = "/usr/bin/kubelet"}},
      {"not-namespaced",
       {.fault = with_flag(
            "--allowed-unsafe-sysctls=net.core.somaxconn,vm.max_map_count",
            "E0101 00:00:00.000000    1001 run.go:74] \"command failed\" err=\"failed to run "
            "Kubelet: failed to create kubelet: the sysctls \\\"vm.max_map_count\\\" are not known "
            "to be namespaced\"")}},
      {"unknown-flag",
       {.fault = with_flag("--allowedUnsafeSysctls=net.core.somaxconn",
                           "E0101 00:00:00.000000    1001 run.go:74] \"command failed\" "
                           "err=\"failed to parse kubelet flag: unknown flag: "
                           "--allowedUnsafeSysctls\"")}},
      {"shorthand",
       {.fault = with_flag("-allowed-unsafe-sysctls=net.core.somaxconn",
                           "E0101 00:00:00.000000    1001 run.go:74] \"command failed\" "
                           "err=\"failed to parse kubelet flag: unknown shorthand flag: 'a' in "
                           "-allowed-unsafe-sysctls=net.core.somaxconn\"")}},
      {"sandbox", {}},
      {"host-network",
       {.pod = "{hostNetwork: true, securityContext: {sysctls: "
               "[{name: net.core.somaxconn, value: '4096'}]}}"}},
      {"loop",
       {.fault = with_flag("--allowed-unsafe-sysctls=net.core.somaxconn, kernel.sem",
                           "E0101 00:00:00.000000    1001 run.go:74] \"command failed\" "
                           "err=\"unknown command kernel.sem\"")}},
      {"drift",
       {.fault =
            [](LiveNode& node) {
              std::string text = node.tree().read(kArguments);
              text.insert(text.find(kFlag) + std::string(kFlag).size(), ",kernel.sem");
              node.services.write(kArguments, text);
            }}},
      {"stranded",
       {.fault =
            [](LiveNode& node) {
              end_every_start(node,
                              "E0101 00:00:00.000000    1001 run.go:74] \"command failed\" "
                              "err=\"failed to run Kubelet: no space left on device\"");
            }}},
      {"upgrade",
       {.fault =
            [](LiveNode& node) {
              const std::string vendor = node.tree().read(kArguments);
              ASSERT_EQ(node.run({"add", "kernel.msgmax"}).exit, 0);
              node.services.write(kArguments, vendor);
              restart(node);
            }}},
  };
  return all;
}

std::vector<std::string> words_of(const std::string& line) {
  std::istringstream rest(line);
  return {std::istream_iterator<std::string>(rest), {}};
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// What `kubelet-sysctl WORDS` prints on that node, errors and warnings among it.
std::string printed(const Story& story, const std::string& command) {
  LiveNode node("1.29.6", story.kind, story.program);
  if (story.fault) story.fault(node);
  const Scratch scratch;
  const std::string manifest = scratch.path() + "/pod.yaml";
  std::ofstream(manifest) << "kind: Pod\nmetadata: {name: web}\nspec: " << story.pod << '\n';
  std::vector<std::string> words = words_of(replaced(command, "pod.yaml", manifest));
  words.erase(words.begin());
  const Said said = node.run(words);
  // The time of a file is that of the disk, not of the pretend clock.
  const std::regex written("was written at [^,]*,");
  return std::regex_replace(replaced(said.err + said.out, manifest, "pod.yaml"), written,
                            "was written at 2026-11-20T22:59:26Z,");
}

// Read from the top: what is before each output stays, the output is compared or written again.
TEST(TroubleshootingDocument, EveryCommandPrintsWhatThePageSays) {
  std::ifstream file(kPage);
  std::string page{std::istreambuf_iterator<char>(file), {}};
  std::string updated;
  std::size_t at = 0;
  std::size_t sections = 0;
  for (std::size_t mark = 0; (mark = page.find(kMark, at)) != std::string::npos; ++sections) {
    const std::size_t begin = mark + std::string(kMark).size();
    const std::string name = page.substr(begin, page.find(' ', begin) - begin);
    const std::size_t prompt = page.find("\n$ ", mark) + 1;
    const std::size_t output = page.find('\n', prompt) + 1;
    const std::size_t end = page.find("```\n", output);
    ASSERT_NE(end, std::string::npos) << name;
    ASSERT_TRUE(stories().contains(name)) << name;
    const std::string now =
        printed(stories().at(name), page.substr(prompt + 2, output - 1 - prompt - 2));
    if (std::getenv("UPDATE_DOCS") == nullptr) {
      EXPECT_EQ(page.substr(output, end - output), now) << name;
    }
    updated += page.substr(at, output - at) + now;
    at = end;
  }
  EXPECT_EQ(sections, stories().size());
  if (std::getenv("UPDATE_DOCS") != nullptr) std::ofstream(kPage) << updated + page.substr(at);
}

// The texts that people paste into a search: they are headings, as the kubelet and its runtimes write them.
TEST(TroubleshootingDocument, HasTheTextsThatPeopleSearchFor) {
  std::ifstream file(kPage);
  std::string headings;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("## ")) headings += line + '\n';
  }
  for (const char* text :
       {"SysctlForbidden", "forbidden sysctl: \"…\" not allowlisted",
        "are not known to be namespaced", "unknown flag: --allowedUnsafeSysctls",
        "CreatePodSandboxError", "read-only file system", "no such file or directory",
        "not allowed with host Net enabled", "unknown shorthand flag", "restarts for ever", "drift",
        "STRANDED", "was there and is gone after an upgrade"}) {
    EXPECT_THAT(headings, testing::HasSubstr(text));
  }
}

}  // namespace
}  // namespace kubelet_sysctl::golden
