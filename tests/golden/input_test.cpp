// SPDX-License-Identifier: Apache-2.0
// What -f reads: no more than a list can have, and nothing of it is shown that is not a list's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSecret = "hunter2";

/// Anyone who may run this as root must not read other files with it. Forms: shadow(5), netrc(5), a
/// kubeconfig, a file of variables, the token of a service account.
const std::vector<std::string>& secret_files() {
  static const std::vector<std::string> files = {
      "root:$6$hunter2:19000:0:99999:7:::\nbin:*:1:0:99999:7:::\n",
      "machine node.example login me password hunter2\n",
      "token hunter2\n",
      "token hunter2=\n",
      "hunter2=\n",
      "hunter2 = 1\n",
      "net.core.somaxconn hunter2\n",
      "net.core.somaxconn hunter2 = 1\n",
      "net.core.somaxconn owner=a expires=hunter2\n",
      "mode = hunter2\n",
      "apiVersion: v1\nusers:\n- name: a\n  user: {token: hunter2}\nkind: hunter2: x\n",
      "{\"token\": \"hunter2\", }\n",
      "--- !hunter2\n",
      "Hunter2\nhunter2 hunter2\nnet.a\tb\n"};
  return files;
}

TEST(Input, NothingOfAFileThatIsNoListIsShown) {
  const GoldenNode node("kubeadm-deb");
  const std::string file = node.tree().at("/srv/file");
  for (const std::string& bytes : secret_files()) {
    node.tree().write("/srv/file", bytes);
    for (const char* verb : {"add", "remove", "set", "check", "sync"}) {
      for (const char* form : {"text", "json"}) {
        const Said said = node.run({verb, "-f", file, "-o", form, "--root", "ROOT", "--dry-run"});
        const std::string all = said.out + said.err;
        // 'check' has no --dry-run; a list that is one may be planned.
        if (said.exit == 0) continue;
        EXPECT_THAT(all, Not(HasSubstr(kSecret))) << verb << ' ' << form << ": " << bytes;
        EXPECT_THAT(all, Not(HasSubstr("$6$")));
      }
    }
    const Said said = node.run({"check", "-f", file, "--root", "ROOT"});
    if (said.exit != 0) {
      EXPECT_THAT(said.out + said.err, Not(HasSubstr(kSecret))) << bytes;
    }
  }
}

TEST(Input, MoreThanSixteenMebibytesAreRefused) {
  const GoldenNode node("kubeadm-deb");
  constexpr std::size_t kMost = 16U << 20U;
  node.tree().write("/srv/stdin", std::string(kMost + 1, '#'));
  const std::string directory = node.tree().at("/srv");
  const auto before = node.things();
  for (const char* verb : {"add", "set", "sync"}) {
    for (const std::string& file : {std::string("-"), directory + "/stdin"}) {
      const Said said = node.run({verb, "-f", file, "--root", "ROOT"}, directory);
      EXPECT_EQ(said.exit, 2) << verb << ' ' << file;
      EXPECT_THAT(said.err, HasSubstr("will not read more than 16 MiB"));
    }
  }
  EXPECT_EQ(node.things(), before);
}

/// U+202E turns the text behind it round, U+001B begins a command to a terminal.
TEST(Input, ControlAndDirectionCharactersOfAFileAreEscapedInEveryForm) {
  const GoldenNode node("kubeadm-deb");
  node.tree().write("/var/lib/kubelet/config.yaml",
                    "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
                    "allowedUnsafeSysctls:\n- \"net.a\\u202Eb\\x1B[2Jc\"\n");
  for (const char* form : {"text", "json", "prometheus"}) {
    const Said said = node.run({"show", "-o", form, "--root", "ROOT"});
    const std::string all = said.out + said.err;
    EXPECT_THAT(all, Not(HasSubstr("\xe2\x80\xae"))) << form;
    EXPECT_THAT(all, Not(HasSubstr("\x1b"))) << form;
  }
  EXPECT_THAT(node.run({"show", "--root", "ROOT"}).out,
              HasSubstr("net.a\\xe2\\x80\\xaeb\\x1b[2Jc"));
  EXPECT_THAT(node.run({"show", "-o", "json", "--root", "ROOT"}).out,
              HasSubstr("net.a\\u202eb\\u001b[2Jc"));
  EXPECT_THAT(node.run({"show", "-o", "prometheus", "--root", "ROOT"}).out,
              HasSubstr("net.a\\\\xe2\\\\x80\\\\xaeb\\\\x1b[2Jc"));
}

}  // namespace
}  // namespace kubelet_sysctl::golden
