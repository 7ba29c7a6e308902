// SPDX-License-Identifier: Apache-2.0
// The kubelet's words as k3s and RKE2 make them of their options. The expected words are those of their own tests,
// k3s pkg/util/args_test.go and pkg/configfilearg/parser_test.go, and of agent_linux.go.
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl {
namespace {

using Words = std::vector<std::string>;
using Files = std::vector<std::pair<std::string, std::string>>;

constexpr const char* kMain = "/etc/rancher/k3s/config.yaml";
constexpr const char* kBeside = "/etc/rancher/k3s/config.yaml.d/";
const std::string kTwo = "net.ipv4.ip_forward,net.ipv6.conf.all.forwarding";

std::int32_t put(nodes::NodeSnapshot& snapshot, const std::string& path, const std::string& bytes) {
  SourceFile file;
  file.path = file.real_path = path;
  file.kind = FileKind::kRegular;
  file.bytes = bytes;
  snapshot.files.push_back(std::move(file));
  return static_cast<std::int32_t>(snapshot.files.size() - 1);
}

/// A k3s (or the program of the command) of this release whose unit runs `command`.
nodes::NodeSnapshot node(const std::string& command, const Files& files,
                         const std::string& release) {
  const std::string program = command.find("rke2") == std::string::npos ? "k3s" : "rke2";
  nodes::NodeSnapshot snapshot;
  snapshot.unit.load = systemd::UnitLoad::kLoaded;
  snapshot.unit.name = snapshot.unit.id = program + ".service";
  snapshot.unit.fragment_path = "/etc/systemd/system/" + program + ".service";
  snapshot.unit.fragment =
      put(snapshot, snapshot.unit.fragment_path, "[Service]\nExecStart=" + command + "\n");
  snapshot.process_cwd = "/";
  snapshot.kubelet_version = sysctl::parse_kubelet_version(release);
  for (const auto& [path, bytes] : files) {
    snapshot.launcher_files.push_back(put(snapshot, path, bytes));
    const std::size_t slash = path.rfind('/');
    if (path.substr(0, slash).ends_with(".d")) {
      snapshot.listings[path.substr(0, slash)].push_back(path.substr(slash + 1));
    }
  }
  return snapshot;
}

Result<systemd::CommandLine> command_of(const nodes::NodeSnapshot& snapshot) {
  auto unit = model::resolve_command(snapshot);
  if (!unit) return std::move(unit).error();
  return model::kubelet_command(snapshot, std::move(*unit));
}

Words words_of(const nodes::NodeSnapshot& snapshot) {
  const auto command = command_of(snapshot);
  Words words;
  EXPECT_TRUE(command) << (command ? "" : command.error().message);
  if (!command) return words;
  for (std::size_t i = 1; i < command->words.size(); ++i)
    words.push_back(command->words[i].text.text);
  return words;
}

Words words_of(const std::string& command, const Files& files,
               const std::string& release = "1.31.4") {
  return words_of(node(command, files, release));
}

constexpr const char* kServer = "/usr/local/bin/k3s server";
constexpr const char* kNoLb = "/usr/local/bin/k3s server --disable=servicelb";

TEST(HostRancher, WordsAreSortedByNameAndTheOrderOfARepeatedOneStays) {
  EXPECT_EQ(words_of(kNoLb, {{kMain, "kubelet-arg: [ccc=C, bbb=DD, bbb=AA, --iii=II, flag]\n"}}),
            (Words{"--bbb=DD", "--bbb=AA", "--ccc=C", "--flag=true", "--iii=II"}));
}

TEST(HostRancher, PlainValueReplacesTheDefaultAndSignsPutItBesideThat) {
  const auto with = [](const std::string& item) {
    return words_of(kServer, {{kMain, "kubelet-arg:\n- " + item + "\n"}});
  };
  const std::string flag = "--allowed-unsafe-sysctls=";
  EXPECT_EQ(with("allowed-unsafe-sysctls=a.b"), (Words{flag + "a.b"}));
  EXPECT_EQ(with("allowed-unsafe-sysctls+=a.b"), (Words{flag + kTwo, flag + "a.b"}));
  EXPECT_EQ(with("--allowed-unsafe-sysctls-=a.b"), (Words{flag + "a.b", flag + kTwo}));
  EXPECT_EQ(with("max-pods=7"), (Words{flag + kTwo, "--max-pods=7"}));
}

TEST(HostRancher, LoadBalancerThatIsOffNeedsNoDefault) {
  EXPECT_EQ(words_of(kNoLb, {}), Words{});
  EXPECT_EQ(words_of(kServer, {{kMain, "disable:\n- traefik\n- servicelb\n"}}), Words{});
  EXPECT_EQ(words_of(kServer, {{kMain, "disable: traefik,servicelb\n"}}), Words{});
  // An agent has no such option: pkg/agent/config takes it from the server's own structure alone.
  EXPECT_EQ(words_of("/usr/local/bin/k3s agent", {}), (Words{"--allowed-unsafe-sysctls=" + kTwo}));
  EXPECT_EQ(words_of("/usr/local/bin/rke2 server", {}), Words{});
}

TEST(HostRancher, LaterFileReplacesAndThePlusAppends) {
  const Files files = {{kMain, "kubelet-arg: [a=1]\n"},
                       {std::string(kBeside) + "10.yaml", "kubelet-arg+:\n  - b=2\n"},
                       {std::string(kBeside) + "20.txt", "kubelet-arg: [z=9]\n"},
                       {std::string(kBeside) + "30.YML", "kubelet-arg+: c=3\n"}};
  EXPECT_EQ(words_of(kNoLb, files), (Words{"--a=1", "--b=2", "--c=3"}));
  Files replaced = files;
  replaced.emplace_back(std::string(kBeside) + "40.yaml", "kubelet-arg:\n- d=4\n");
  EXPECT_EQ(words_of(kNoLb, replaced), (Words{"--d=4"}));
}

TEST(HostRancher, ReleaseDecidesWhereTheDefaultsStand) {
  const std::string directory = "--config-dir=/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";
  EXPECT_EQ(words_of(kServer, {}, "1.32.0"), (Words{directory}));
  nodes::NodeSnapshot unknown = node(kServer, {}, "");
  EXPECT_EQ(words_of(unknown), Words{});
  ASSERT_TRUE(model::host_refusal(unknown));
  EXPECT_EQ(model::host_refusal(unknown)->kind, ErrorKind::kUnsupported);
  EXPECT_NE(model::host_refusal(unknown)->hint.find("--kubelet-version"), std::string::npos);
  put(unknown, "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf", "kind: x\n");
  EXPECT_EQ(words_of(unknown), (Words{directory}));
  EXPECT_FALSE(model::host_refusal(unknown));
}

TEST(HostRancher, DataDirectoryAndConfigurationAreWhereTheUnitSays) {
  const Words moved = {"--config-dir=/data/agent/etc/kubelet.conf.d"};
  EXPECT_EQ(words_of("/usr/local/bin/k3s server -d /data/", {}, "1.33"), moved);
  EXPECT_EQ(words_of("/usr/local/bin/k3s server", {{kMain, "data-dir: /data\n"}}, "1.33"), moved);
  EXPECT_EQ(words_of("/usr/local/bin/k3s server --config /k.yaml --disable servicelb",
                     {{"/k.yaml", "kubelet-arg: a=1\n"}, {kMain, "kubelet-arg: b=2\n"}}),
            (Words{"--a=1"}));
  // The variable goes before the option: parser.go findConfigFileFlag().
  EXPECT_EQ(words_of("/usr/local/bin/k3s server -c /k.yaml --disable servicelb\n"
                     "Environment=K3S_CONFIG_FILE=/e.yaml",
                     {{"/e.yaml", "kubelet-arg: e=1\n"}, {"/k.yaml", "kubelet-arg: k=1\n"}}),
            (Words{"--e=1"}));
}

TEST(HostRancher, ConfigurationOfTheKubeletIsCopiedFromTheReleaseOnThatHasADirectory) {
  const Files files = {{kMain, "kubelet-arg: [config=/site.yaml, max-pods=7]\n"}};
  EXPECT_EQ(words_of(kNoLb, files), (Words{"--config=/site.yaml", "--max-pods=7"}));
  EXPECT_EQ(words_of(kNoLb, files, "1.32.1"),
            (Words{"--config-dir=/var/lib/rancher/k3s/agent/etc/kubelet.conf.d", "--max-pods=7"}));
  nodes::NodeSnapshot snapshot = node(kNoLb, files, "1.32.1");
  put(snapshot, "/site.yaml", "kind: KubeletConfiguration\n");
  EXPECT_TRUE(model::host_refusal(snapshot)) << "not copied yet";
  put(snapshot, "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/10-cli-config.conf",
      "kind: KubeletConfiguration\n");
  EXPECT_FALSE(model::host_refusal(snapshot));
}

TEST(HostRancher, ListsOfUnitAndFilesTogetherAreNotGuessedAt) {
  const std::string unit = std::string(kNoLb) + " --kubelet-arg=max-pods=7";
  EXPECT_EQ(words_of(unit, {{kMain, "kubelet-arg: v=2\n"}}), (Words{"--max-pods=7", "--v=2"}));
  const auto open = command_of(
      node(unit, {{kMain, "x: 1\nkubelet-arg:\n- allowed-unsafe-sysctls=a.b\n"}}, "1.33"));
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(open.error().path, kMain);
  EXPECT_EQ(open.error().line, 3u);
}

TEST(HostRancher, EveryEntryKnowsItsBytesWhateverTheQuotes) {
  for (const std::string written :
       {"allowed-unsafe-sysctls=a.b,c.d", "'allowed-unsafe-sysctls=a.b,c.d'",
        "\"--allowed-unsafe-sysctls+=a.b,c.d\""}) {
    const std::string bytes = "kubelet-arg:\n  - v=1\n  - " + written + "  # why\n";
    const nodes::NodeSnapshot snapshot = node(kNoLb, {{kMain, bytes}}, "1.31.0");
    const auto model = model::resolve(snapshot);
    ASSERT_TRUE(model) << model.error().message;
    ASSERT_EQ(configured_texts(*model), (Words{"a.b", "c.d"})) << written;
    for (const model::Entry& entry : configured_entries(*model)) {
      EXPECT_EQ(origin_of(*model, entry).path, kMain);
      EXPECT_EQ(entry.line, 3u);
      EXPECT_EQ(bytes.substr(entry.span.begin, entry.span.size()), entry.text);
    }
  }
}

TEST(HostRancher, UnitThatRunsSomethingElseIsNotFollowed) {
  for (const char* command : {"/bin/sh -c 'k3s server'", "/usr/local/bin/k3s etcd-snapshot",
                              "/usr/local/bin/k3s server --config https://example.com/k.yaml"}) {
    const auto made = command_of(node(command, {}, "1.33"));
    ASSERT_FALSE(made) << command;
    EXPECT_EQ(made.error().kind, ErrorKind::kUnsupported);
  }
  const auto broken = command_of(node(kServer, {{kMain, "kubelet-arg: [a\n"}}, "1.33"));
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().kind, ErrorKind::kMalformed);
  EXPECT_NE(broken.error().message.find("k3s cannot read"), std::string::npos)
      << broken.error().message;
}

TEST(HostRancher, FilesWithoutAServiceAreToldFromANodeWithoutAKubelet) {
  nodes::NodeSnapshot none;
  none.unit.name = "kubelet.service";
  none.unit.load = systemd::UnitLoad::kNotFound;
  none.markers["/etc/rancher/k3s"] = true;
  const auto command = command_of(none);
  ASSERT_FALSE(command);
  EXPECT_NE(command.error().hint.find("'k3s.service' or 'k3s-agent.service'"), std::string::npos)
      << command.error().hint;
}

TEST(HostRancher, LoadBalancerNeedsItsTwoEntries) {
  EXPECT_EQ(model::launcher_needs(node(kServer, {}, "1.33")).size(), 2u);
  EXPECT_TRUE(model::launcher_needs(node(kNoLb, {}, "1.33")).empty());
  EXPECT_TRUE(model::launcher_needs(node("/usr/local/bin/rke2 agent", {}, "1.33")).empty());
  EXPECT_EQ(model::launcher_needs(
                node("/usr/local/bin/rke2 server",
                     {{"/etc/rancher/rke2/config.yaml", "enable-servicelb: true\n"}}, "1.33"))
                .size(),
            2u);
}

TEST(HostRancher, LineOfTheJournalIsTakenApartOrNotAtAll) {
  const std::string head = "time=\"2026-11-20T22:57:26Z\" level=info msg=\"Running kubelet ";
  const auto words = [&](const std::string& line) {
    return model::words_in_log(line, "Running kubelet ");
  };
  EXPECT_EQ(words(head + "--a=1 --node-labels= --b=x,y\""),
            (Words{"kubelet", "--a=1", "--node-labels=", "--b=x,y"}));
  EXPECT_EQ(words(head + "--a=\\\"q\\\"\""), (Words{"kubelet", "--a=\"q\""}));
  EXPECT_FALSE(words(head + "--a=one two\"")) << "a value with a blank";
  EXPECT_FALSE(words(head + "--a=1 --b=2")) << "cut short";
  EXPECT_FALSE(words("Running containerd"));
}

}  // namespace
}  // namespace kubelet_sysctl
