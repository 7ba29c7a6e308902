// SPDX-License-Identifier: Apache-2.0
// Layouts that a user made by hand, each a small tree: what is not known is not answered, what resembles a
// known kind is not one, and what is printed works.
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::HasSubstr;
using testing::Not;

using Files = std::map<std::string, std::string>;

const std::string kUnit = "/etc/systemd/system/kubelet.service";
const std::string kDropIns = "/etc/systemd/system/kubelet.service.d/";
const std::string kConfig = "/etc/kube/kubelet.yaml";
const std::string kHead = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
const std::string kKubelet = "/opt/kube/kubelet --config=/etc/kube/kubelet.yaml";
const std::string kList = " --allowed-unsafe-sysctls=net.core.somaxconn";

std::string unit(const std::string& command, const std::string& more = {}) {
  return "[Service]\n" + more + "ExecStart=" + command + "\n";
}

/// A node with these files beside an empty configuration.
class Made {
 public:
  explicit Made(const Files& files, const std::string& kind = "unknown") : node_(kind) {
    if (kind == "unknown") node_.tree().write(kConfig, kHead);
    for (const auto& [path, bytes] : files) node_.tree().write(path, bytes);
  }

  [[nodiscard]] const NodeTree& tree() const { return node_.tree(); }

  [[nodiscard]] Said say(const std::string& line) const {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < line.size();) {
      const std::size_t end = std::min(line.find(' ', at), line.size());
      words.push_back(line.substr(at, end - at));
      at = end + 1;
    }
    words.insert(words.end(), {"--root", "ROOT"});
    return node_.run(words);
  }

  [[nodiscard]] Said run(const std::vector<std::string>& words) const { return node_.run(words); }

 private:
  GoldenNode node_;
};

TEST(UnknownList, NoVerbSaysThatThereIsNothingToDo) {
  const std::string whole = kKubelet + kList;
  for (const std::string& command :
       {"/usr/bin/tini -- " + whole, "/usr/bin/env A=b " + whole, "/usr/bin/nice -n 5 " + whole,
        "/usr/bin/numactl --interleave=all " + whole, "/usr/bin/nsenter -t 1 -m " + whole,
        "/usr/sbin/chroot /rootfs " + whole, "/bin/sh -c \"exec " + whole + "\"",
        "/bin/bash -c \"exec -a kubelet " + whole + "\"",
        "systemd-inhibit --what=shutdown " + whole,
        "/usr/bin/docker run --net=host image:v1 /hyperkube kubelet" + kList}) {
    const Made made(Files{{kUnit, unit(command)}, {"/desired", "kernel.sem\n"}});
    EXPECT_THAT(made.say("show").out, HasSubstr("unknown: a wrapper")) << command;
    EXPECT_THAT(made.say("check net.core.somaxconn").out, HasSubstr("the list is not known"));
    for (const std::string& line : std::vector<std::string>{
             "add kernel.sem", "remove net.core.somaxconn", "set kernel.sem", "set --empty",
             "sync -f " + made.tree().at("/desired"), "add kernel.sem --via config"}) {
      const Said said = made.say(line);
      EXPECT_EQ(said.exit, 3) << command << ": " << line << '\n' << said.out << said.err;
      EXPECT_THAT(said.err, HasSubstr("will not change a list that is unknown")) << line;
    }
  }
}

TEST(UnknownList, OldNameOfTheFlagIsNoEmptyList) {
  const Made made(
      Files{{kUnit, unit(kKubelet + " --experimental-allowed-unsafe-sysctls=kernel.sem")}});
  EXPECT_THAT(made.say("show").out, HasSubstr("configured  unknown: '--experimental-"));
  EXPECT_THAT(made.say("check kernel.sem").out, HasSubstr("the list is not known"));
  EXPECT_THAT(made.say("show -o json").out, HasSubstr("\"layer\":\"unknown\""));
  EXPECT_THAT(made.say("show --kubelet-version 1.10").out, HasSubstr("1 entry, set by the flag"));
  EXPECT_EQ(made.say("remove kernel.sem").exit, 3);
}

TEST(CommandLine, FlagThatThisReleaseDoesNotHaveYetEndsIt) {
  const Made made(Files{{kUnit, unit(kKubelet + kList)}});
  EXPECT_THAT(made.say("show --kubelet-version 1.10").out,
              HasSubstr("unknown flag: --allowed-unsafe-sysctls (it came with 1.11)"));
  EXPECT_EQ(made.say("add kernel.sem --kubelet-version 1.10 --dry-run").exit, 3);
  EXPECT_EQ(made.say("add kernel.sem --kubelet-version 1.11 --dry-run").exit, 0);
}

TEST(CommandLine, MisspeltFlagOfTheListIsRefusedBeforeAnythingIsWritten) {
  for (const std::string flag :
       {"-allowed-unsafe-sysctls=kernel.sem", "--allowed-unsafe-sysctl=kernel.sem",
        "--Allowed-Unsafe-Sysctls=kernel.sem", "--allowedUnsafeSysctls=kernel.sem"}) {
    const Made made(Files{{kUnit, unit(kKubelet + " " + flag)}});
    const Said said = made.say("add kernel.msgmax --dry-run");
    EXPECT_EQ(said.exit, 3) << flag;
    EXPECT_THAT(said.err,
                HasSubstr("the kubelet exits at once because of its command line: unknown"));
  }
}

TEST(CommandLine, FlagBehindACommaOfAnotherValueIsSwallowed) {
  const Made made(
      Files{{kUnit, unit(kKubelet + " --node-labels=a=b,--allowed-unsafe-sysctls=kernel.sem")}});
  EXPECT_THAT(made.say("show").out,
              HasSubstr("'--node-labels' swallows '--allowed-unsafe-sysctls=kernel.sem'"));
  EXPECT_EQ(made.say("set kernel.msgmax --dry-run").exit, 3);
}

TEST(Places, FilesOfAStoreASnapOrAnImageAreNotWritten) {
  const auto refused = [](const Files& files, const std::string& path, const std::string& word) {
    Files all = files;
    all[path] = kHead;
    const Made made(all);
    const Said said = made.say("add kernel.sem --kubelet-version 1.31");
    EXPECT_EQ(said.exit, 3) << path << said.out;
    EXPECT_THAT(said.err, HasSubstr(word));
    EXPECT_EQ(made.tree().read(path), kHead);
  };
  const auto with = [](const std::string& path) {
    return Files{{kUnit, unit("/opt/kube/kubelet --config=" + path)}};
  };
  refused(with("/gnu/store/abc-k/k.yaml"), "/gnu/store/abc-k/k.yaml", "the Guix store");
  refused(with("/snap/node/12/k.yaml"), "/snap/node/12/k.yaml", "mounted read-only");
  refused(with("/nix/store/abc-k/k.yaml"), "/nix/store/abc-k/k.yaml", "the Nix store");
}

TEST(Places, NewFileInADirectoryThatIsALinkLiesWhereItLeads) {
  const Made made(
      Files{{kUnit, unit(kKubelet + " --config-dir=/etc/kube/drop")},
            {"/usr/lib/kube/10-a.conf", kHead + "allowedUnsafeSysctls: [kernel.sem]\n"}});
  std::filesystem::create_symlink("/usr/lib/kube", made.tree().at("/etc/kube/drop"));
  const Said said = made.say("add kernel.msgmax --kubelet-version 1.31");
  EXPECT_EQ(said.exit, 3) << said.out;
  EXPECT_THAT(said.err, HasSubstr("below /usr"));
}

TEST(CommandLine, VariableThatTheManagerGivesEveryUnitIsNotLost) {
  for (const std::string path :
       {"/etc/systemd/system.conf", "/usr/lib/systemd/system.conf.d/10-a.conf"}) {
    const Made made(Files{{kUnit, unit(kKubelet + " $MORE", "EnvironmentFile=-/etc/kube/more\n")},
                          {path, "[Manager]\nDefaultEnvironment=\"MORE=--v=5\"\n"}});
    EXPECT_THAT(made.say("explain").out, HasSubstr("--v=5")) << path;
    const Said said = made.say("add kernel.sem --via args");
    EXPECT_EQ(said.exit, 0) << said.err;
    const std::string after = made.say("explain").out;
    EXPECT_THAT(after, HasSubstr("--v=5")) << path;
    EXPECT_THAT(after, HasSubstr("--allowed-unsafe-sysctls=kernel.sem")) << path;
  }
}

TEST(Specifiers, WhatAPartOfTheFilesDoesNotTellIsOpaque) {
  for (const std::string letter : {"A", "B", "M", "o", "w", "W", "s"}) {
    const Made made(Files{{kUnit, unit(kKubelet + " --node-labels=x=%" + letter)}});
    EXPECT_THAT(made.say("explain --systemd-version 252").out,
                HasSubstr("--node-labels=x=%" + letter));
    EXPECT_EQ(made.say("add kernel.sem --dry-run").exit, 0) << letter;
    const Made decides(Files{{kUnit, unit("/opt/kube/kubelet --config=/etc/%" + letter)}});
    EXPECT_THAT(decides.say("show").err,
                HasSubstr("cannot determine here what systemd substitutes"))
        << letter;
  }
}

TEST(Specifiers, StandInTheWorkingDirectory) {
  const Made made(
      Files{{kUnit, unit("/opt/kube/kubelet --config=c.yaml", "WorkingDirectory=/var/lib/%p\n")},
            {"/var/lib/kubelet/c.yaml", kHead + "allowedUnsafeSysctls: [kernel.sem]\n"}});
  EXPECT_THAT(made.say("show").out, HasSubstr("kernel.sem  /var/lib/kubelet/c.yaml:3"));
}

TEST(Dropped, EachLineIsNamedWithWhatSystemdSays) {
  const std::string list = "\"OPTIONS=--allowed-unsafe-sysctls=kernel.sem\"\n";
  const std::vector<std::pair<std::string, std::string>> drop_ins = {
      {"Environment=" + list, "'Assignment outside of section. Ignoring.'"},
      {"[Unit]\nEnvironment=" + list, "'Unknown key 'Environment' in section [Unit], ignoring'"},
      {"[service]\nEnvironment=" + list, "'Unknown section 'service'. Ignoring.'"},
      {"[Service]\nEnviroment=" + list,
       "'Unknown key 'Enviroment' in section [Service], ignoring'"},
      {"[Service]\nenvironment=" + list, "'Unknown key 'environment' in section [Service]"},
      {"[Service]\nEnvironmentFiles=/etc/x\n", "'Unknown key 'EnvironmentFiles' in section"}};
  for (const auto& [text, said] : drop_ins) {
    const Made made(Files{{kUnit, unit(kKubelet + " $OPTIONS")}, {kDropIns + "20-x.conf", text}});
    const Said doctor = made.say("doctor");
    EXPECT_EQ(doctor.exit, 6) << text;
    EXPECT_THAT(doctor.out, HasSubstr(kDropIns + "20-x.conf:")) << text;
    EXPECT_THAT(doctor.out, HasSubstr(said)) << text;
  }
  for (const std::string other : {"ExecStop=/bin/true", "ExecStartPre=/bin/true",
                                  "ExecReload=/bin/true", "Restart=always", "X-Environment=a"}) {
    const Made made(Files{{kUnit, unit(kKubelet, other + "\n")}});
    EXPECT_THAT(made.say("doctor").out, HasSubstr("nothing found")) << other;
  }
}

TEST(Dropped, AssignmentOfAnEnvironmentFileIsNamedWithoutItsValue) {
  for (const std::string name : {"export OPTIONS", "OPTIONS+", "MY-OPTIONS", "1OPTIONS"}) {
    const Made made(Files{{kUnit, unit(kKubelet + " $OPTIONS", "EnvironmentFile=/etc/kube/env\n")},
                          {"/etc/kube/env", "A=1\n" + name + "=--token=secret\n"}});
    const Said doctor = made.say("doctor");
    EXPECT_THAT(doctor.out, HasSubstr("warning: /etc/kube/env:2: systemd drops this: 'Ignoring "
                                      "invalid environment assignment '" +
                                      name + "=...''"));
    EXPECT_THAT(doctor.out, Not(HasSubstr("secret")));
  }
}

TEST(Dropped, CommandThatOurOwnFileMasksIsTold) {
  const auto made = [](const std::string& vendor) {
    return Made(Files{{"/usr/lib/systemd/system/kubelet.service", unit(kKubelet + vendor)},
                      {kUnit, ""},
                      {kDropIns + "90-kubelet-sysctl.conf",
                       "[Service]\nExecStart=\nExecStart=" + kKubelet + " --v=2" + kList + "\n"}});
  };
  const Made changed = made(" --v=3");
  changed.tree().remove(kUnit);
  EXPECT_THAT(changed.say("doctor").out, HasSubstr("'--v=3' of this command is not in force"));
  const Made same = made(" --v=2");
  same.tree().remove(kUnit);
  EXPECT_THAT(same.say("doctor").out, HasSubstr("nothing found"));
}

TEST(LayoutHints, EntryThatLooksLikeAnOptionIsTakenOutBehindTwoHyphens) {
  const Made made(Files{{kUnit, unit(kKubelet)},
                        {kConfig, kHead + "allowedUnsafeSysctls:\n- \"-x\"\n- kernel.sem\n"}});
  EXPECT_THAT(made.say("add kernel.msgmax").err, HasSubstr("run: kubelet-sysctl remove -- -x\n"));
  EXPECT_EQ(made.run({"remove", "--root", "ROOT", "--", "-x"}).exit, 0);
  EXPECT_EQ(made.tree().read(kConfig), kHead + "allowedUnsafeSysctls:\n- kernel.sem\n");
}

TEST(LayoutHints, CheckNamesNoCommandThatIsRefused) {
  const Made nix(Files{{kUnit, unit("/opt/kube/kubelet --config=/nix/store/a/k.yaml")},
                       {"/nix/store/a/k.yaml", kHead}});
  const Made quoted(
      Files{{kUnit, unit(kKubelet + " \"--allowed-unsafe-sysctls=kernel.sem --v=2\"")}});
  for (const Made* made : {&nix, &quoted}) {
    const std::string out = made->say("check net.core.somaxconn").out;
    EXPECT_THAT(out, HasSubstr("nothing can be added here: will not"));
    EXPECT_THAT(out, Not(HasSubstr("kubelet-sysctl add")));
  }
  const Made good(Files{{kUnit, unit(kKubelet)}});
  EXPECT_THAT(good.say("check kernel.sem").out, HasSubstr("run: kubelet-sysctl add kernel.sem\n"));
}

TEST(LayoutHints, NameOfTheUnitIsOneThatRunsAKubelet) {
  const std::string dir = "/etc/systemd/system/";
  const std::string no_unit = "no unit here runs a kubelet";
  const std::vector<std::pair<Files, std::string>> layouts = {
      {{{dir + "backup.service", unit("/usr/bin/rsync -a /var/lib/kubelet /backup")}}, no_unit},
      {{{dir + "node.service", unit("/usr/bin/docker run image:v1 /hyperkube kubelet --v=2")}},
       "name it with '--unit node.service'"},
      {{{dir + "node.service", unit("/opt/kube/kubelet-wrapper --v=2")}},
       "name it with '--unit node.service'"},
      {{{dir + "node.service", unit("/bin/sh -c 'exec /opt/bin/kubelet --v=2'")}},
       "name it with '--unit node.service'"},
      {{{dir + "node.service", unit("/bin/true")},
        {dir + "node.service.d/10-k.conf", "[Service]\nExecStart=\nExecStart=/opt/bin/kubelet\n"}},
       "name it with '--unit node.service'"},
      {{{dir + "a.service", unit("/opt/bin/kubelet")},
        {dir + "b.service", unit("/opt/bin/kubelet")}},
       "'a.service', 'b.service' run a kubelet: name the one that is meant with '--unit'"},
      {{{dir + "node@.service", unit("/opt/bin/kubelet --node=%i")}},
       "name one with '--unit node@NAME.service'"},
      {{{"/etc/init.d/k3s-agent", "#!/sbin/openrc-run\n"}}, "rc-service k3s-agent restart"},
      {{{"/etc/init.d/k0sworker", "#!/sbin/openrc-run\n"}}, "rc-service k0sworker restart"},
      {{{"/etc/init.d/kubelet", "#!/bin/sh\n"}}, "then run: /etc/init.d/kubelet restart"}};
  for (const auto& [files, hint] : layouts) {
    const Made made(files, "not-installed");
    const Said said = made.say("show");
    EXPECT_EQ(said.exit, 1) << hint;
    EXPECT_THAT(said.err, HasSubstr(hint));
    // Where something runs one, it is not merely awaited.
    EXPECT_EQ(made.say("add kernel.sem").exit, hint == no_unit ? 0 : 1) << hint;
  }
}

TEST(Names, BeginningOfSeveralNamesIsMeantAsAPattern) {
  const Made made(Files{{kUnit, unit(kKubelet)}});
  EXPECT_THAT(made.say("add kernel.shm").err, HasSubstr("did you mean 'kernel.shm*'?"));
  EXPECT_THAT(made.say("add net.core.somaxcon").err,
              HasSubstr("did you mean 'net.core.somaxconn'?"));
}

TEST(Diff, MarkOfTheFirstLineStaysForPatch) {
  const std::string mark = "\xef\xbb\xbf";
  const Made made(Files{{kUnit, unit(kKubelet)}, {kConfig, mark + kHead}});
  EXPECT_THAT(made.say("add kernel.sem --dry-run --diff").out,
              HasSubstr("\n " + mark + "apiVersion: kubelet.config.k8s.io/v1beta1\n"));
}

TEST(Lasting, RanchersOwnPlaceIsNotCalledNone) {
  const Made made(Files{{"/etc/rancher/k3s/config.yaml.d/50-rancher.yaml",
                         "kubelet-arg:\n- allowed-unsafe-sysctls=net.core.somaxconn\n"}},
                  "k3s");
  const Said said = made.say("add kernel.sem --persist --dry-run --via args");
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_THAT(said.out + said.err, HasSubstr("machineGlobalConfig"));
  EXPECT_THAT(said.out + said.err, Not(HasSubstr("no-persistent-place")));
}

TEST(Lasting, ListOfTwoFilesDoesNotLastWhereOneIsRewritten) {
  const std::string path = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf";
  const Made made({}, "kubeadm-deb");
  std::string text = made.tree().read(path);
  const std::string config = "--config=/var/lib/kubelet/config.yaml";
  const std::size_t at = text.find(config);
  ASSERT_NE(at, std::string::npos);
  made.tree().write(path, text.insert(at + config.size(), kList));
  const Said said = made.say("add kernel.sem --persist --dry-run");
  EXPECT_EQ(said.exit, 0) << said.err;
  EXPECT_THAT(said.out + said.err, HasSubstr("[lasts-in-part]"));
  // Of this file it is the package, and not kubeadm, that rewrites it.
  EXPECT_THAT(said.out + said.err,
              HasSubstr("is rewritten by an upgrade of the kubeadm package ["));
  EXPECT_THAT(said.out + said.err, Not(HasSubstr("[persists-here]")));
}

}  // namespace
}  // namespace kubelet_sysctl::golden
