// SPDX-License-Identifier: Apache-2.0
// The words that MicroK8s, Canonical Kubernetes, k0s and a container's unit make for their kubelet.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "unit/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

constexpr const char* kKubelite = "/var/snap/microk8s/current/args/kubelite";
constexpr const char* kMicroK8sArgs = "/var/snap/microk8s/current/args/kubelet";
constexpr const char* kK8sArgs = "/var/snap/k8s/common/args/kubelet";
constexpr const char* kK0sConfig = "/run/k0s/kubelet/config.yaml";

nodes::NodeSnapshot node(const std::string& unit, const std::string& command,
                         const std::string& more = {}) {
  nodes::NodeSnapshot snapshot =
      built::node_with_unit("[Service]\n" + more + "ExecStart=" + command + "\n");
  snapshot.unit.name = snapshot.unit.id = unit;
  return snapshot;
}

nodes::NodeSnapshot microk8s(const std::string& args, const std::string& kubelite = {}) {
  nodes::NodeSnapshot snapshot =
      node("snap.microk8s.daemon-kubelite.service", "/usr/bin/snap run microk8s.daemon-kubelite");
  if (!kubelite.empty()) built::add_file(snapshot, kKubelite, kubelite);
  built::add_file(snapshot, kMicroK8sArgs, args);
  return snapshot;
}

nodes::NodeSnapshot k8s(const std::string& args) {
  nodes::NodeSnapshot snapshot = node("snap.k8s.kubelet.service", "/usr/bin/snap run k8s.kubelet");
  built::add_file(snapshot, kK8sArgs, args);
  return snapshot;
}

nodes::NodeSnapshot k0s(const std::string& arguments) {
  return node("k0sworker.service", "/usr/local/bin/k0s worker " + arguments);
}

nodes::NodeSnapshot container(const std::string& options, const std::string& arguments) {
  return node("kubelet.service",
              "/usr/bin/podman run " + options + " ${KUBELET_IMAGE} " + arguments,
              "Environment=KUBELET_IMAGE=image:v1\n");
}

Result<systemd::CommandLine> command_of(const nodes::NodeSnapshot& snapshot) {
  auto unit = model::resolve_command(snapshot);
  if (!unit) return std::move(unit).error();
  return model::kubelet_command(snapshot, std::move(*unit));
}

using Texts = std::vector<std::string>;

/// The words behind the kubelet's name; one that says why where they cannot be told.
Texts words_of(const nodes::NodeSnapshot& snapshot) {
  const auto command = command_of(snapshot);
  if (!command) return {command.error().message};
  Texts texts;
  for (const systemd::Word& word : command->words) texts.push_back(word.text.text);
  EXPECT_FALSE(texts.empty());
  if (!texts.empty()) texts.erase(texts.begin());
  return texts;
}

// Source: ReadArgsFromFile() of the patch; every row of it in one file.
TEST(MicroK8sHost, ArgumentsAreReadByTheRulesOfKubelite) {
  EXPECT_EQ(
      words_of(microk8s("# a comment\n\n  --v=2  \n--a=\"b'c\" d\n--e  f\n\t--g=h\r\n--i=j\tk")),
      (Texts{"--v=2", "--a=bc", "d", "--e", "", "f", "--g=h", "--i=j\tk"}));
}

TEST(MicroK8sHost, VariablesOfTheSnapAreKnownAndOthersCountOnlyWhereTheyDecideNothing) {
  EXPECT_EQ(words_of(microk8s("--root-dir=${SNAP_COMMON}/x\n--cert-dir=$SNAP_DATA/certs\n")),
            (Texts{"--root-dir=/var/snap/microk8s/common/x",
                   "--cert-dir=/var/snap/microk8s/current/certs"}));
  EXPECT_EQ(words_of(microk8s("--node-ip=${NODE_IP}\n")), Texts{"--node-ip=${NODE_IP}"});
  for (const char* args : {"--config=$HOME/x\n", "--allowed-unsafe-sysctls=$LIST\n", "$MORE\n",
                           "--node-ip=$\n", "--node-ip=${\n"}) {
    const auto command = command_of(microk8s(args));
    ASSERT_FALSE(command) << args;
    EXPECT_EQ(command.error().kind, ErrorKind::kUnsupported) << args;
    EXPECT_EQ(command.error().line, 1u) << args;
  }
}

TEST(MicroK8sHost, FileOfArgumentsIsTheOneThatKubeliteIsTold) {
  nodes::NodeSnapshot snapshot = microk8s(
      "--v=1\n", "--kubelet-args-file=${SNAP_DATA}/args/other\n--start-control-plane=true\n");
  built::add_file(snapshot, "/var/snap/microk8s/current/args/other", "--v=9\n");
  EXPECT_EQ(words_of(snapshot), Texts{"--v=9"});
}

TEST(MicroK8sHost, LineThatIsTooLongForKubeliteEndsIt) {
  const std::string longest(64 * 1024 - 1 - 4, 'x');
  EXPECT_EQ(words_of(microk8s("--a=" + longest + "\n")).size(), 1u);
  const auto command = command_of(microk8s("--a=" + longest + "x\n"));
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kMalformed);
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

// Source: flags.Split(): fields, cut at the first '=', in a map; then sorted.
TEST(K0sHost, ExtraArgumentsAreFieldsOfWhichTheLastOfANameCounts) {
  EXPECT_EQ(words_of(k0s("--kubelet-extra-args=--v=2\\x20--a=b=c\\x20\\x20--v=3")),
            (Texts{"--a=b=c", "--v=3"}));
  EXPECT_EQ(words_of(k0s("--kubelet-extra-args=--v=1 --kubelet-extra-args --v=4")), Texts{"--v=4"});
  EXPECT_EQ(words_of(k0s("\"--kubelet-extra-args=--v=2 --a=b\"")), (Texts{"--a=b", "--v=2"}));
  EXPECT_EQ(words_of(k0s("--profile=x")), Texts{});
}

TEST(K0sHost, FlagAndValueInTwoWordsEndTheKubelet) {
  nodes::NodeSnapshot snapshot =
      k0s("--kubelet-extra-args=--allowed-unsafe-sysctls\\x20net.core.somaxconn");
  EXPECT_EQ(words_of(snapshot), (Texts{"--allowed-unsafe-sysctls=", "net.core.somaxconn="}));
  const auto model = model::resolve(snapshot);
  ASSERT_TRUE(model);
  EXPECT_TRUE(model->flags.fatal);
}

TEST(K0sHost, ConfigurationIsTheOneUnderRunWhereThereIsOne) {
  nodes::NodeSnapshot snapshot = k0s("--data-dir=/srv/k0s");
  built::add_file(snapshot, "/srv/k0s/kubelet-config.yaml", "");
  EXPECT_EQ(words_of(snapshot), Texts{"--config=/srv/k0s/kubelet-config.yaml"});
  built::add_file(snapshot, kK0sConfig, "");
  EXPECT_EQ(words_of(snapshot), Texts{std::string("--config=") + kK0sConfig});
}

TEST(K0sHost, ControllerRunsAKubeletOnlyWithAWorker) {
  nodes::NodeSnapshot alone = node("k0scontroller.service", "/usr/local/bin/k0s controller");
  const auto command = command_of(alone);
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kNotFound);
  for (const char* option : {"--enable-worker", "--single", "--enable-worker=true"}) {
    EXPECT_TRUE(command_of(
        node("k0scontroller.service", std::string("/usr/local/bin/k0s controller ") + option)))
        << option;
  }
}

TEST(ContainerHost, ArgumentsOfTheKubeletBeginBehindTheImage) {
  EXPECT_EQ(words_of(container("--name kubelet --pid host -v /etc:/etc:ro,z --privileged -it",
                               "--v=2 --a b")),
            (Texts{"--v=2", "--a", "b"}));
  EXPECT_EQ(words_of(container("--entrypoint=/kubelet -- ", "--v=2")), Texts{"--v=2"});
  EXPECT_EQ(words_of(container("", "/hyperkube kubelet --v=3")), Texts{"--v=3"});
}

TEST(ContainerHost, OptionThatIsNotKnownMayTakeTheNextWord) {
  const auto command = command_of(container("--new-option image", "--v=2"));
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(command.error().message.find("'--new-option'"), std::string::npos);
  EXPECT_EQ(words_of(container("--new-option=image", "--v=2")), Texts{"--v=2"});
}

TEST(ContainerHost, CommandBeforeTheMainProcessStartsTheContainerToo) {
  EXPECT_EQ(
      words_of(node("kubelet.service", "docker logs -f kubelet",
                    "Environment=KUBELET_IMAGE=image:v1\nExecStartPre=/bin/mkdir -p /x\n"
                    "ExecStartPre=/usr/bin/docker run -d --pid host ${KUBELET_IMAGE} --v=2\n")),
      Texts{"--v=2"});
}

TEST(ContainerHost, ConfigurationMustBeAtTheSamePathOnTheHost) {
  const std::string config = "--config=/etc/kubernetes/kubelet.yaml";
  for (const char* options :
       {"-v /etc/kubernetes:/etc/kubernetes:ro", "--volume=/etc:/etc/ -v /srv:/srv", "-v /:/",
        "--mount type=bind,src=/etc/kubernetes,dst=/etc/kubernetes"}) {
    EXPECT_EQ(words_of(container(options, config)), Texts{config}) << options;
  }
  for (const char* options :
       {"--pid host", "-v /srv/kubernetes:/etc/kubernetes", "-v /etc:/etc -v conf:/etc/kubernetes",
        "-v /etc/kube:/etc/kube", "--mount type=bind,source=/srv,target=/etc"}) {
    const auto command = command_of(container(options, config));
    ASSERT_FALSE(command) << options;
    EXPECT_EQ(command.error().kind, ErrorKind::kUnsupported) << options;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
