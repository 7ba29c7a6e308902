// SPDX-License-Identifier: Apache-2.0
// Whole command lines on a pretend running node with pods that a narrower list would end, and on a tree.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "golden/golden_node.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/fake_services.hpp"
#include "support/node_tree.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kArguments = "/etc/sysconfig/kubelet";
constexpr const char* kTask =
    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/4f1c/config.json";

constexpr const char* kStaticPod =
    "apiVersion: v1\n"
    "kind: Pod\n"
    "metadata:\n"
    "  name: proxy\n"
    "  namespace: kube-system\n"
    "spec:\n"
    "  securityContext:\n"
    "    sysctls:\n"
    "    - {name: net.core.somaxconn, value: \"4096\"}\n";

/// As containerd writes it.
constexpr const char* kSandbox =
    R"({"annotations":{"io.kubernetes.cri.container-type":"sandbox",)"
    R"("io.kubernetes.cri.sandbox-name":"web-7d4","io.kubernetes.cri.sandbox-namespace":"shop"},)"
    R"("linux":{"sysctl":{"net.core.somaxconn":"1024"},)"
    R"("namespaces":[{"type":"ipc"},{"type":"network","path":"/var/run/netns/cni-1"}]}})";

/// The kops node, booted: its list is net.core.somaxconn and net.ipv4.tcp_tw_reuse.
class Running : public testing::Test {
 protected:
  Running()
      : tree_((nodes_directory() / "kops" / "root").string()),
        disk_(tree_.root()),
        services_(tree_.root(), disk_) {
    services_.boot();
    before_ = tree_.read(kArguments);
  }

  Said run(std::vector<std::string> words) {
    Said said;
    cli::CliEnvironment host;
    host.open = [this](const std::string&) { return services_.ports(); };
    host.out = [&said](const std::string& text) { said.out += text; };
    host.err = [&said](const std::string& text) { said.err += text; };
    said.exit = cli::run_cli(words, host);
    return said;
  }

  [[nodiscard]] bool is_untouched() const {
    return services_.changes.empty() && tree_.read(kArguments) == before_;
  }

  NodeTree tree_;
  machine::Disk disk_;
  FakeServices services_;
  std::string before_;
};

TEST_F(Running, RemovalIsRefusedWithThePodsThatItWouldEnd) {
  tree_.write("/etc/kubernetes/manifests/proxy.yaml", kStaticPod);
  tree_.write(kTask, kSandbox);
  for (const char* option : {"--dry-run", "--diff"}) {
    const Said said = run({"remove", "net.core.somaxconn", option});
    EXPECT_EQ(said.exit, 3);
    EXPECT_EQ(
        said.err,
        "kubelet-sysctl: error: the kubelet would refuse 2 pods of this node when it restarts "
        "with the new list, and end them\n"
        "hint: remove the sysctls from them or move them to another node first; or have them ended "
        "with '--evict-pods'\n"
        "  kube-system/proxy sets net.core.somaxconn (seen in "
        "/etc/kubernetes/manifests/proxy.yaml)\n"
        "  shop/web-7d4 sets net.core.somaxconn (seen in containerd)\n");
    EXPECT_TRUE(is_untouched());
  }
}

TEST_F(Running, RefusalIsADocumentToo) {
  tree_.write(kTask, kSandbox);
  const Said said = run({"set", "--empty", "-o", "json"});
  EXPECT_EQ(said.exit, 3);
  const auto error = nlohmann::json::parse(said.out).at("error");
  EXPECT_EQ(error.at("kind"), "refused");
  EXPECT_EQ(error.at("detail"), "shop/web-7d4 sets net.core.somaxconn (seen in containerd)\n");
  EXPECT_TRUE(is_untouched());
}

TEST_F(Running, RemovalGoesOnWithEvictPodsAndNamesThem) {
  tree_.write(kTask, kSandbox);
  const Said said = run({"remove", "net.core.somaxconn", "--evict-pods"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_THAT(said.out + said.err,
              AllOf(HasSubstr("the kubelet refuses the pod 'shop/web-7d4' at this restart: "
                              "forbidden sysctl: \"net.core.somaxconn\" not allowlisted"),
                    HasSubstr("[pod-refused]")));
  EXPECT_THAT(tree_.read(kArguments), Not(HasSubstr("somaxconn")));
}

TEST_F(Running, UndoOfAnAddIsAsCareful) {
  tree_.write(kTask, R"({"linux":{}})");  // containerd is there
  ASSERT_EQ(run({"add", "kernel.sem"}).exit, 0);
  std::string sandbox = kSandbox;
  sandbox.replace(sandbox.find("net.core.somaxconn"), 18, "kernel.sem");
  tree_.write(kTask, sandbox);
  const Said refused = run({"undo"});
  EXPECT_EQ(refused.exit, 3);
  EXPECT_THAT(refused.err, HasSubstr("shop/web-7d4 sets kernel.sem"));
  EXPECT_EQ(run({"undo", "--evict-pods"}).exit, 0);
  EXPECT_EQ(tree_.read(kArguments), before_);
}

TEST_F(Running, RemovalSaysWhenNobodyShowsThePods) {
  const Said said = run({"remove", "net.core.somaxconn"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_THAT(said.out + said.err,
              AllOf(HasSubstr("could not search for running pods that the new list refuses: "
                              "containerd has no pods here; CRI-O does not run; the kubelet's "
                              "read-only port is off; there is no crictl"),
                    HasSubstr("[pods-not-seen]"), HasSubstr("spec.nodeName=")));
}

TEST_F(Running, RemovalOfWhatNoPodUsesSaysNothingOfPods) {
  tree_.write(kTask, kSandbox);
  const Said said = run({"remove", "net.ipv4.tcp_tw_reuse"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_THAT(said.out + said.err, Not(HasSubstr("pod")));
}

TEST_F(Running, WithoutARestartThePodsAreOnlyNamed) {
  tree_.write(kTask, kSandbox);
  const Said said = run({"remove", "net.core.somaxconn", "--no-restart"});
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_THAT(said.out + said.err, HasSubstr("'shop/web-7d4' when it starts next"));
}

TEST(RejectedPodsInATree, AreItsStaticPodsAndOnlyNamed) {
  const GoldenNode node("kops");
  node.tree().write("/etc/kubernetes/manifests/proxy.yaml", kStaticPod);
  node.tree().write(kTask, kSandbox);
  const auto document = node.ask({"remove", "net.core.somaxconn"});
  std::vector<std::string> files;
  for (const auto& finding : document.at("findings")) {
    if (finding.at("id") == "pod-refused") files.push_back(finding.at("file"));
    EXPECT_NE(finding.at("id"), "pods-not-seen");
  }
  EXPECT_THAT(files, testing::ElementsAre("/etc/kubernetes/manifests/proxy.yaml"));
}

}  // namespace
}  // namespace kubelet_sysctl::golden
