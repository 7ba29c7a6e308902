// SPDX-License-Identifier: Apache-2.0
// doctor, wide grants and show --exit-code as whole command lines, on trees and on a node that pretends to run.
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/cli.hpp"
#include "golden/golden_node.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "support/elf_program.hpp"
#include "support/fake_services.hpp"

namespace kubelet_sysctl::golden {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kConfig = "/var/lib/kubelet/kubelet.conf";
constexpr const char* kBacklog = "net.core.netdev_max_backlog";

/// A copy of a golden node with a pretend manager, kubelet and kernel behind it.
class RunningNode {
 public:
  explicit RunningNode(const std::string& kind)
      : tree_((nodes_directory() / kind / "root").string()),
        disk_(tree_.root()),
        services_(tree_.root(), disk_) {
    constexpr mode_t kProgram = 0755;
    tree_.write("/usr/local/bin/kubelet", elf_with_data("v1.29.6"));
    ::chmod(tree_.at("/usr/local/bin/kubelet").c_str(), kProgram);
    services_.programs.outputs.insert_or_assign("/usr/local/bin/kubelet",
                                                std::string("Kubernetes v1.29.6\n"));
  }

  Said run(const std::vector<std::string>& words) {
    Said said;
    cli::CliEnvironment host;
    host.open = [this](const std::string&) { return services_.ports(); };
    host.out = [&said](const std::string& text) { said.out += text; };
    host.err = [&said](const std::string& text) { said.err += text; };
    said.exit = cli::run_cli(words, host);
    return said;
  }

  NodeTree& tree() { return tree_; }
  FakeServices& services() { return services_; }
  FakeKernel& kernel() { return services_.kernel; }

 private:
  NodeTree tree_;
  machine::Disk disk_;
  FakeServices services_;
};

std::vector<std::string> ids_in(const json& document) {
  std::vector<std::string> ids;
  for (const json& finding : document.at("findings")) ids.push_back(finding.at("id"));
  return ids;
}

TEST(DoctorCommand, TellsTheSeedStoryAndMendsIt) {
  RunningNode node("kops-misspelt");
  node.services().boot();
  node.kernel().answer(kBacklog, sysctl::KernelState::kAbsent);
  node.kernel().answer("net.core.somaxconn", sysctl::KernelState::kWritable);
  for (const char* name : {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni"}) {
    node.kernel().answer(name, sysctl::KernelState::kWritable);
  }
  const std::string before = node.tree().read(kConfig);
  const Said sick = node.run({"doctor"});
  EXPECT_EQ(sick.exit, 6);
  EXPECT_THAT(sick.out, AllOf(HasSubstr("kubelet.conf:37: the kubelet ignores the key "
                                        "'allowed-unsafe-sysctls' with 3 entries [misspelt-key]"),
                              HasSubstr("'kubelet-sysctl doctor --fix'")));
  EXPECT_EQ(node.tree().read(kConfig), before);

  const Said fixed = node.run({"doctor", "--fix", "--window", "1s"});
  EXPECT_EQ(fixed.exit, 0) << fixed.out << fixed.err;
  EXPECT_THAT(fixed.out, HasSubstr("applied: 3 entries added, seen in the running kubelet"));
  EXPECT_THAT(fixed.err, AllOf(HasSubstr("'net.core.netdev_max_backlog' is absent for pods in this "
                                         "kernel (6.18.0)"),
                               HasSubstr("wide-grant")));
  std::string expected = before;
  expected.replace(expected.find("allowed-unsafe-sysctls"), 22, "allowedUnsafeSysctls");
  EXPECT_EQ(node.tree().read(kConfig), expected);

  const Said shown = node.run({"show", "--exit-code"});
  // No drift, but an entry that no pod can set.
  EXPECT_EQ(shown.exit, 6) << shown.out;
  EXPECT_THAT(shown.out, HasSubstr("'net.core.netdev_max_backlog' is absent for pods"));
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("kernel.msg*                  /var/lib/kubelet/kubelet.conf:38"),
                    HasSubstr("ok: the kubelet is healthy and has the configured list")));
  EXPECT_THAT(node.run({"doctor"}).out,
              AllOf(HasSubstr(":40: 'net.core.netdev_max_backlog' is absent for pods"),
                    Not(HasSubstr("misspelt"))));
  EXPECT_THAT(node.run({"doctor", "--fix"}).out, HasSubstr("unchanged: "));
}

TEST(DoctorCommand, FindsNothingOnAWellNodeAndSaysSo) {
  RunningNode node("kops");
  node.tree().write("/etc/sysconfig/kubelet",
                    "DAEMON_ARGS=\"--config=/var/lib/kubelet/kubelet.conf\"\n");
  node.services().boot();
  const Said said = node.run({"doctor"});
  EXPECT_EQ(said.exit, 0) << said.out;
  EXPECT_THAT(said.out, HasSubstr("\nnothing found\n"));
  const json document = json::parse(node.run({"doctor", "-o", "json"}).out);
  EXPECT_THAT(document.at("findings"), IsEmpty());
  EXPECT_THAT(document.at("notInspected"), IsEmpty());
  EXPECT_EQ(document.at("node").at("kubeletVersion"), "1.29.6");
}

TEST(DoctorCommand, SaysWhatItCouldNotLookAt) {
  RunningNode node("kops");
  node.services().boot();
  node.tree().write("/usr/local/bin/kubelet", "#!/bin/sh\n");
  node.kernel().why = "only root can make the namespaces";
  const Said said = node.run({"doctor"});
  EXPECT_THAT(
      said.out,
      AllOf(HasSubstr("not inspected: what this kernel lets pods set: only root can make the"),
            HasSubstr("not inspected: the rules of this kubelet's release: ")));
}

TEST(DoctorCommand, TellsOfAChangeThatDidNotEndAndOfABrokenRecord) {
  const GoldenNode node("kops");
  node.run({"add", "kernel.sem", "--root", "ROOT"});
  EXPECT_THAT(node.run({"doctor", "--root", "ROOT"}).out, Not(HasSubstr("[unfinished-change]")));
  const std::string record = "/var/lib/kubelet-sysctl/transactions/20261120T225726Z-1/journal.json";
  json interrupted = json::parse(node.tree().read(record));
  ASSERT_EQ(interrupted.at("state"), "pending");
  interrupted["state"] = "written";
  node.tree().write(record, interrupted.dump());
  const Said open = node.run({"doctor", "--root", "ROOT"});
  EXPECT_THAT(open.out, AllOf(HasSubstr("was not finished: it is written [unfinished-change]"),
                              HasSubstr("run: kubelet-sysctl recover --root ROOT")));
  EXPECT_THAT(open.out, Not(HasSubstr("[broken-record]")));
  EXPECT_EQ(node.run({"show", "--exit-code", "--root", "ROOT"}).exit, 6);
  node.tree().write(record, "{");
  EXPECT_THAT(node.run({"doctor", "--root", "ROOT"}).out, HasSubstr("[broken-record]"));
}

TEST(Kernel, IsAskedAboutNewEntriesAloneAndWarnsBeforeTheRestart) {
  RunningNode node("kops");
  node.services().boot();
  node.kernel().answer(kBacklog, sysctl::KernelState::kAbsent);
  node.kernel().answer("net.core.rmem_max", sysctl::KernelState::kReadOnly);
  EXPECT_EQ(node.run({"add", "net.core.somaxconn"}).exit, 0);
  EXPECT_EQ(node.run({"remove", "net.core.wmem_max"}).exit, 0);
  EXPECT_THAT(node.kernel().questions, IsEmpty());
  const Said said =
      node.run({"add", kBacklog, "net.core.rmem_max", "net.core.somaxconn", "--dry-run"});
  EXPECT_EQ(node.kernel().questions,
            (std::vector<std::vector<std::string>>{{kBacklog, "net.core.rmem_max"}}));
  EXPECT_THAT(said.out, AllOf(HasSubstr("'net.core.netdev_max_backlog' is absent for pods in this "
                                        "kernel (6.18.0)"),
                              HasSubstr("'net.core.rmem_max' is read-only for pods")));
}

TEST(Kernel, ThatCannotBeAskedIsANoteAndNoVerdict) {
  RunningNode node("kops");
  node.services().boot();
  const Said said = node.run({"add", kBacklog, "--dry-run", "-o", "json"});
  EXPECT_THAT(ids_in(json::parse(said.out)), testing::Contains("kernel-not-asked"));
  EXPECT_THAT(ids_in(json::parse(said.out)), Not(testing::Contains("useless-in-kernel")));
}

TEST(WideGrant, NamesWhatAPatternCoversHereAndWhatToWriteInstead) {
  RunningNode node("kops");
  node.services().boot();
  node.kernel().answer("kernel.shmmax", sysctl::KernelState::kWritable);
  node.kernel().answer("kernel.shm_next_id", sysctl::KernelState::kWritable);
  node.kernel().answer("net.ipv4.tcp_mem", sysctl::KernelState::kAbsent);
  node.kernel().answer("net.ipv4.tcp_rmem", sysctl::KernelState::kWritable);
  const Said said = node.run({"add", "kernel.shm*", "net.ipv4.*", "--dry-run"});
  EXPECT_EQ(said.exit, 0) << said.err;
  // A name that the kubelet refuses is nothing to write instead: kernel.shm_next_id ends 1.29.
  EXPECT_THAT(
      said.out,
      AllOf(
          HasSubstr("'kernel.shm*' covers 2 names in this kernel (6.18.0), pods can set 1 of them"),
          HasSubstr("by its whole name: 'kernel.shmmax'\n"),
          HasSubstr("'net.ipv4.*' covers 2 names"), HasSubstr("'net.ipv4.tcp_rmem'\n")));
  const Said all = node.run({"add", "net.*"});
  EXPECT_EQ(all.exit, 3);
  EXPECT_THAT(all.err, AllOf(HasSubstr("'net.*' covers 2 names"), HasSubstr("--allow-wide")));
  EXPECT_EQ(node.run({"add", "net.*", "--allow-wide", "--window", "1s"}).exit, 0);
}

TEST(ShowExitCode, IsSixOnDriftAndOnAFileNewerThanTheProcess) {
  RunningNode node("kops");
  node.services().boot();
  EXPECT_EQ(node.run({"show", "--exit-code"}).exit, 0);
  const std::string file = "/etc/sysconfig/kubelet";
  const std::string before = node.tree().read(file);
  std::string changed = before;
  changed.replace(changed.find("net.core.somaxconn"), 18, "kernel.sem");
  node.services().write(file, changed);
  EXPECT_EQ(node.run({"show", "--exit-code"}).exit, 6);
  EXPECT_EQ(node.run({"show"}).exit, 0);

  RunningNode other("kops-misspelt");
  other.tree().write(kConfig,
                     "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n");
  other.services().boot();
  EXPECT_EQ(other.run({"show", "--exit-code"}).exit, 0);
  other.services().write(kConfig, other.tree().read(kConfig) + "maxPods: 5\n");
  EXPECT_EQ(other.run({"show", "--exit-code"}).exit, 6);
}

}  // namespace
}  // namespace kubelet_sysctl::golden
