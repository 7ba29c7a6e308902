// SPDX-License-Identifier: Apache-2.0
// Looking for pods in each place that may show them, and what a change is reported those it would end.
#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/pods.hpp"
#include "kubelet_sysctl/pods/rejected_pods.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

constexpr const char* kTask = "/run/containerd/io.containerd.runtime.v2.task/k8s.io/";
constexpr const char* kCrioRun = "/run/containers/storage/overlay-containers/";

/// A configuration as containerd writes it; `name` may be empty for a sandbox without sysctls.
std::string containerd(const std::string& pod, const std::string& sysctl) {
  return fmt::format(
      R"({{"annotations":{{"io.kubernetes.cri.container-type":"sandbox",)"
      R"("io.kubernetes.cri.sandbox-name":"{}","io.kubernetes.cri.sandbox-namespace":"shop"}},)"
      R"("linux":{{"sysctl":{{"{}":"1"}},"namespaces":[{{"type":"ipc"}},{{"type":"network"}}]}}}})",
      pod, sysctl);
}

std::string crio(const std::string& pod, const std::string& sysctl) {
  return fmt::format(
      R"({{"annotations":{{"io.kubernetes.cri-o.ContainerType":"sandbox",)"
      R"("io.kubernetes.cri-o.KubeName":"{}","io.kubernetes.cri-o.Namespace":"shop"}},)"
      R"("linux":{{"sysctl":{{"{}":"1"}},"namespaces":[{{"type":"ipc"}},{{"type":"network"}}]}}}})",
      pod, sysctl);
}

std::string manifest(const std::string& pod, const std::string& sysctl) {
  return fmt::format(
      "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {}\n  namespace: shop\nspec:\n"
      "  securityContext:\n    sysctls:\n    - name: {}\n      value: \"1\"\n",
      pod, sysctl);
}

/// A node that reads its arguments from /etc/default/kubelet; containerd is there and has no pods.
Lab::NodeFiles node(const std::string& flags) {
  Lab::NodeFiles files =
      plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                 fmt::format("KUBELET_EXTRA_ARGS=\"--read-only-port=0 {}\"\n", flags));
  files.emplace_back(std::string(kTask) + ".gone/config.json", containerd("gone", "kernel.sem"));
  return files;
}

constexpr const char* kList = "--allowed-unsafe-sysctls=kernel.sem,kernel.msg*,net.core.somaxconn";

/// "shop/web kernel.sem by containerd"
std::vector<std::string> titles(const pods::PodsSeen& seen) {
  std::vector<std::string> texts;
  for (const pods::SeenPod& pod : seen.pods) {
    for (const pods::PodSysctl& one : pod.spec.sysctls) {
      texts.push_back(fmt::format("{}/{} {} by {}", pod.spec.pod_namespace, pod.spec.name, one.name,
                                  pod.where));
    }
  }
  return texts;
}

pods::PodsSeen look(Lab& lab, const pods::PodPlaces& places = {}) {
  ports::Ports ports = lab.ports();
  return pods::find_pods(ports, places, true);
}

TEST(FindPods, FindsTheSandboxesOfContainerdWhereverItsStateIs) {
  Lab lab(
      Lab::NodeFiles{{std::string(kTask) + "aa/config.json", containerd("a", "kernel.sem")},
                     {std::string(kTask) + ".bb/config.json", containerd("leaving", "kernel.sem")},
                     {"/run/containerd/io.containerd.runtime.v1.linux/k8s.io/cc/config.json",
                      containerd("c", "kernel.sem")},
                     {"/run/containerd/io.containerd.runtime.v2.task/moby/dd/config.json",
                      containerd("docker", "kernel.sem")},
                     {"/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/ee/config.json",
                      containerd("e", "kernel.sem")}});
  const pods::PodsSeen seen = look(lab);
  EXPECT_TRUE(seen.whole);
  EXPECT_EQ(seen.unreadable, 0U);
  EXPECT_THAT(titles(seen), UnorderedElementsAre("shop/a kernel.sem by containerd",
                                                 "shop/c kernel.sem by containerd",
                                                 "shop/e kernel.sem by containerd"));
}

TEST(FindPods, FindsTheSandboxesOfCrioThatHaveNotStopped) {
  const std::string run(kCrioRun);
  Lab lab(Lab::NodeFiles{{"/run/crio/crio.sock", ""},
                         {run + "aa/userdata/config.json", crio("a", "kernel.sem")},
                         {run + "bb/userdata/config.json", crio("b", "kernel.sem")},
                         {run + "bb/userdata/stopped", ""},
                         {run + "cc/userdata/config.json", crio("c", "kernel.sem")},
                         {"/var/lib/containers/storage/overlay-containers/cc/userdata/stopped", ""},
                         {"/var/lib/containers/storage/overlay-containers/dd/userdata/config.json",
                          crio("of-an-earlier-boot", "kernel.sem")}});
  const pods::PodsSeen seen = look(lab);
  EXPECT_TRUE(seen.whole);
  EXPECT_THAT(titles(seen), ElementsAre("shop/a kernel.sem by CRI-O"));
}

TEST(FindPods, TakesContainersOfPodmanForNoAnswerOfCrio) {
  Lab lab(Lab::NodeFiles{{std::string(kCrioRun) + "aa/userdata/config.json", "{}"}});
  EXPECT_FALSE(look(lab).whole);
}

TEST(FindPods, FindsStaticPodsAndNamesEachOnce) {
  Lab lab(Lab::NodeFiles{
      {"/etc/kubernetes/manifests/dns.yaml", manifest("dns", "kernel.sem")},
      {"/etc/kubernetes/manifests/.dns.yaml.swp", manifest("swapped", "kernel.sem")},
      {"/etc/kubernetes/manifests/old/dns.yaml", manifest("backup", "kernel.sem")},
      {std::string(kTask) + "aa/config.json", containerd("dns-node-1", "kernel.sem")}});
  pods::PodPlaces places;
  places.static_pods = "/etc/kubernetes/manifests";
  places.node_name = "node-1";
  EXPECT_THAT(titles(look(lab, places)),
              ElementsAre("shop/dns kernel.sem by /etc/kubernetes/manifests/dns.yaml"));
}

TEST(FindPods, PrefersTheKubeletsOwnListWhereThePortIsOpen) {
  Lab lab(Lab::NodeFiles{
      {std::string(kTask) + "aa/config.json", containerd("a", "net.ipv4.ping_group_range")}});
  pods::PodPlaces places;
  places.read_only_port = 10255;
  places.read_only_address = "127.0.0.1";
  lab.services().pod_lists[10255] =
      R"({"kind":"PodList","apiVersion":"v1","items":[)"
      R"({"metadata":{"name":"a","namespace":"shop"},"spec":{"hostNetwork":true}},)"
      R"({"metadata":{"name":"b","namespace":"shop"},"spec":{"securityContext":)"
      R"({"sysctls":[{"name":"kernel.sem","value":"1"}]}}}]})";
  const pods::PodsSeen seen = look(lab, places);
  EXPECT_TRUE(seen.whole);
  EXPECT_THAT(titles(seen), ElementsAre("shop/b kernel.sem by the kubelet's own list"));
}

/// crictl that knows the sandboxes it is given, by their ids.
class Crictl final : public ports::Programs {
 public:
  std::map<std::string, std::string> configurations;

  Result<std::string> output_of(const std::string& path, const std::vector<std::string>& arguments,
                                Milliseconds) override {
    if (path != "/usr/bin/crictl") return Error{.kind = ErrorKind::kNotFound, .message = "no"};
    if (arguments == std::vector<std::string>{"pods", "--state", "Ready", "-q"}) {
      std::string ids;
      for (const auto& [id, text] : configurations) ids += id + "\n";
      return ids;
    }
    EXPECT_EQ(arguments.size(), 4U);
    return configurations.at(arguments.back());
  }
};

TEST(FindPods, AsksCrictlWhereNoStateDirectoryIsSeen) {
  Lab lab(Lab::NodeFiles{{"/usr/bin/crictl", ""}});
  Crictl crictl;
  crictl.configurations = {
      {"aa", R"({"info":{"runtimeSpec":)" + containerd("a", "kernel.sem") + "}}"},
      {"bb", R"({"status":{},"info":{}})"}};
  const ports::Ports with = lab.ports();
  ports::Ports ports = {.files = with.files,
                        .services = with.services,
                        .health = with.health,
                        .clock = with.clock,
                        .log = with.log,
                        .kernel = with.kernel,
                        .programs = crictl};
  const pods::PodsSeen seen = pods::find_pods(ports, {}, true);
  EXPECT_TRUE(seen.whole);
  EXPECT_THAT(titles(seen), ElementsAre("shop/a kernel.sem by the runtime, by crictl"));
  EXPECT_EQ(seen.unreadable, 1U) << "what crictl does not show is not a pod without sysctls";
}

TEST(FindPods, TellsWhyNobodyShowsThePods) {
  Lab lab(Lab::NodeFiles{{"/etc/hostname", "node-1\n"}});
  const pods::PodsSeen seen = look(lab);
  EXPECT_FALSE(seen.whole);
  EXPECT_THAT(seen.not_inspected,
              ElementsAre("containerd has no pods here", "CRI-O does not run",
                          "the kubelet's read-only port is off", "there is no crictl"));
}

TEST(FindPods, CountsAPodThatItCannotReadAsUnknown) {
  Lab lab(Lab::NodeFiles{{std::string(kTask) + "aa/config.json", R"({"linux":{"sysctl":{)"},
                         {std::string(kTask) + "bb/rootfs/x", ""}});
  const pods::PodsSeen seen = look(lab);
  EXPECT_TRUE(seen.whole);
  EXPECT_EQ(seen.unreadable, 2U);
  EXPECT_THAT(seen.unreadable_why, HasSubstr("aa/config.json"));
}

TEST(FindPods, DoesNotCallARuntimeSeenThatTheMachineHides) {
  Lab lab(node(kList));
  lab.faults().fail(1, Calls::kAll,
                    Error{.kind = ErrorKind::kPermission, .message = "cannot look: denied"});
  const pods::PodsSeen seen = look(lab);
  EXPECT_FALSE(seen.whole);
  EXPECT_THAT(seen.not_inspected, testing::Contains(HasSubstr("denied")));
}

/// check_rejected_pods() for `change`, on a running node.
struct Checked {
  Status status;
  planning::Plan plan;
};
Checked check(Lab& lab, const planning::Change& change,
              const pods::RejectedPodOptions& options = {}) {
  auto prepared = lab.prepare(change);
  EXPECT_TRUE(prepared);
  ports::Ports ports = lab.ports();
  lab.faults().heal();
  Checked checked;
  checked.status = pods::check_rejected_pods(ports, prepared->snapshot, prepared->model, options,
                                             prepared->plan);
  checked.plan = std::move(prepared->plan);
  return checked;
}

TEST(CheckRejectedPods, RefusesARemovalThatEndsAPodAndOneOfAPatternToo) {
  Lab::NodeFiles files = node(kList);
  files.emplace_back(std::string(kTask) + "aa/config.json", containerd("queue", "kernel.msgmax"));
  Lab lab(files);
  lab.services().boot();
  for (const planning::Change& change : {remove({"kernel.msg*"}), set({"kernel.sem"})}) {
    const Checked checked = check(lab, change);
    ASSERT_FALSE(checked.status);
    EXPECT_EQ(checked.status.error().kind, ErrorKind::kRefused);
    EXPECT_EQ(checked.status.error().detail,
              "shop/queue sets kernel.msgmax (seen in containerd)\n");
  }
  const Checked other = check(lab, remove({"kernel.sem"}));
  EXPECT_TRUE(other.status);
  EXPECT_THAT(other.plan.findings, IsEmpty());
}

TEST(CheckRejectedPods, SeesStaticPodsOfTheConfigurationInForce) {
  Lab::NodeFiles files = node(std::string(kList) + " --config=/var/lib/kubelet/config.yaml");
  files.emplace_back("/var/lib/kubelet/config.yaml",
                     "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"
                     "staticPodPath: /etc/kubernetes/manifests\n");
  files.emplace_back("/etc/kubernetes/manifests/web.yaml", manifest("web", "net.core.somaxconn"));
  Lab lab(files);
  lab.services().boot();
  const Checked checked = check(lab, remove({"net.core.somaxconn"}));
  ASSERT_FALSE(checked.status);
  EXPECT_THAT(checked.status.error().detail, HasSubstr("/etc/kubernetes/manifests/web.yaml"));
}

TEST(CheckRejectedPods, LetsThemGoWhereTheOperatorSaidSo) {
  Lab::NodeFiles files = node(kList);
  files.emplace_back(std::string(kTask) + "aa/config.json", containerd("web", "kernel.sem"));
  Lab lab(files);
  lab.services().boot();
  const Checked checked = check(lab, remove({"kernel.sem"}), {.evict = true});
  EXPECT_TRUE(checked.status);
  EXPECT_THAT(ids_of(checked.plan.findings), ElementsAre("pod-refused"));
}

TEST(CheckRejectedPods, ReadsNothingWhereTheListDoesNotBecomeNarrower) {
  Lab lab(node(kList));
  lab.services().boot();
  for (const planning::Change& change :
       {add({"net.ipv4.tcp_rmem"}), set({"net.core.*", "kernel.sem", "kernel.msg*"})}) {
    const Checked checked = check(lab, change);
    EXPECT_TRUE(checked.status);
    EXPECT_TRUE(checked.plan.restart);
    EXPECT_EQ(lab.faults().count(Calls::kAll), 0U);
  }
  EXPECT_TRUE(check(lab, remove({"kernel.sem"})).status);
  EXPECT_GT(lab.faults().count(Calls::kAll), 0U);
}

TEST(CheckRejectedPods, GoesByTheListOfTheProcessWhereTheFilesAreOlder) {
  Lab::NodeFiles files = node(kList);
  files.emplace_back(std::string(kTask) + "aa/config.json", containerd("web", "kernel.sem"));
  Lab lab(files);
  lab.services().boot();
  // A user took kernel.sem out and did not restart: the next restart ends the pod, anyone who does it.
  lab.services().write("/etc/default/kubelet",
                       "KUBELET_EXTRA_ARGS=\"--read-only-port=0 "
                       "--allowed-unsafe-sysctls=kernel.msg*,net.core.somaxconn\"\n");
  EXPECT_FALSE(check(lab, remove({"net.core.somaxconn"})).status);
  const Checked adding = check(lab, add({"net.ipv4.tcp_rmem"}));
  EXPECT_TRUE(adding.status);
  EXPECT_THAT(ids_of(adding.plan.findings), testing::Contains("pod-refused"));
}

// The next start of a kubelet that is down ends them just so.
TEST(CheckRejectedPods, OfAStoppedKubeletNeedLeaveToo) {
  Lab::NodeFiles files = node(kList);
  files.emplace_back(std::string(kTask) + "aa/config.json", containerd("web", "kernel.sem"));
  Lab lab(files);
  lab.services().boot();
  lab.services().stop();
  EXPECT_FALSE(check(lab, remove({"kernel.sem"})).status);
}

}  // namespace
}  // namespace kubelet_sysctl
