// SPDX-License-Identifier: Apache-2.0
// Each kind of node is recognised by what its vendor writes, and by nothing that another kind has too.
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl {
namespace {

struct File {
  std::string path;
  std::string bytes;
};

nodes::NodeSnapshot node(const File& fragment, const std::vector<File>& drop_ins = {},
                         const std::vector<std::string>& markers = {}) {
  nodes::NodeSnapshot snapshot;
  snapshot.unit.load = systemd::UnitLoad::kLoaded;
  snapshot.unit.name = snapshot.unit.id = fragment.path.substr(fragment.path.rfind('/') + 1);
  const auto add = [&](const File& file) {
    SourceFile source;
    source.path = source.real_path = file.path;
    source.kind = FileKind::kRegular;
    source.bytes = file.bytes;
    snapshot.files.push_back(source);
    return static_cast<std::int32_t>(snapshot.files.size() - 1);
  };
  snapshot.unit.fragment = add(fragment);
  for (const File& drop_in : drop_ins) snapshot.unit.drop_ins.push_back(add(drop_in));
  for (const std::string& path : nodes::kind_markers()) snapshot.markers[path] = false;
  for (const std::string& path : markers) {
    EXPECT_TRUE(snapshot.markers.contains(path)) << path << " is not searched for";
    snapshot.markers[path] = true;
  }
  return snapshot;
}

const std::string kUnit = "/etc/systemd/system/kubelet.service";
const std::string kDropIns = "/etc/systemd/system/kubelet.service.d/";
const File kBare = {"/usr/lib/systemd/system/kubelet.service",
                    "[Service]\nExecStart=/usr/bin/kubelet\n"};

std::string kubeadm_drop_in(const std::string& file) {
  return "[Service]\n"
         "Environment=\"KUBELET_KUBECONFIG_ARGS="
         "--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf "
         "--kubeconfig=/etc/kubernetes/kubelet.conf\"\n"
         "Environment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\"\n"
         "EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\nEnvironmentFile=-" +
         file +
         "\nExecStart=\nExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS "
         "$KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS\n";
}

TEST(NodeKinds, KopsHasDaemonArgsFromTheSysconfigFile) {
  const auto snapshot = node({"/usr/lib/systemd/system/kubelet.service",
                              "[Service]\nEnvironmentFile=/etc/sysconfig/kubelet\n"
                              "ExecStart=/usr/local/bin/kubelet \"$DAEMON_ARGS\"\n"});
  EXPECT_EQ(nodes::kind_of(snapshot).id, "kops");
  EXPECT_EQ(nodes::kind_of(snapshot).variable, "DAEMON_ARGS");
}

TEST(NodeKinds, KubeadmIsToldByItsDropInWhateverFileTheUnitReads) {
  const std::string name = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf";
  for (const std::string file : {"/etc/default/kubelet", "/etc/sysconfig/kubelet"}) {
    EXPECT_EQ(nodes::kind_of(node(kBare, {{name, kubeadm_drop_in(file)}})).id, "kubeadm") << file;
  }
}

TEST(NodeKinds, EksOnAmazonLinux2HasItsArgumentsInADropIn) {
  const File unit = {kUnit,
                     "[Service]\nExecStart=/usr/bin/kubelet \\\n"
                     "    --config /etc/kubernetes/kubelet/kubelet-config.json \\\n"
                     "    $KUBELET_ARGS \\\n    $KUBELET_EXTRA_ARGS\n"};
  const File arguments = {kDropIns + "10-kubelet-args.conf",
                          "[Service]\nEnvironment='KUBELET_ARGS=--v=2'\n"};
  EXPECT_EQ(nodes::kind_of(node(unit, {arguments})).id, "eks-al2");
  EXPECT_EQ(nodes::kind_of(node(unit)).id, "unknown");
}

TEST(NodeKinds, EksOnAmazonLinux2023ReadsTheEnvironmentOfNodeadm) {
  const auto snapshot = node({kUnit,
                              "[Service]\nEnvironmentFile=/etc/eks/kubelet/environment\n"
                              "ExecStart=/usr/bin/kubelet $NODEADM_KUBELET_ARGS\n"});
  EXPECT_EQ(nodes::kind_of(snapshot).id, "eks-al2023");
  EXPECT_EQ(nodes::kind_of(snapshot).new_list_route, nodes::Route::kConfigDir);
}

TEST(NodeKinds, SnapsAndK0sAreToldByTheirUnits) {
  const std::pair<std::string, std::string> wanted[] = {
      {"snap.microk8s.daemon-kubelite.service", "microk8s"},
      {"snap.k8s.kubelet.service", "k8s-snap"},
      {"k0sworker.service", "k0s"},
      {"k0scontroller.service", "k0s"},
      {"snap.microk8s.daemon-containerd.service", "unknown"}};
  for (const auto& [unit, id] : wanted) {
    const auto snapshot =
        node({"/etc/systemd/system/" + unit, "[Service]\nExecStart=/usr/bin/x\n"});
    EXPECT_EQ(nodes::kind_of(snapshot).id, id) << unit;
    EXPECT_EQ(nodes::kind_of(snapshot).launcher != nullptr, id != "unknown") << unit;
  }
}

TEST(NodeKinds, TyphoonRunsAnImageOfTheKubelet) {
  const std::string image = "[Service]\nEnvironment=KUBELET_IMAGE=image:v1\n";
  EXPECT_EQ(nodes::kind_of(
                node({kUnit, image + "ExecStart=/usr/bin/podman run ${KUBELET_IMAGE} --v=2\n"}))
                .id,
            "typhoon");
  EXPECT_EQ(nodes::kind_of(
                node({kUnit, image + "ExecStartPre=/usr/bin/docker run -d ${KUBELET_IMAGE} --v=2\n"
                                     "ExecStart=docker logs -f kubelet\n"}))
                .id,
            "typhoon");
  EXPECT_EQ(nodes::kind_of(node({kUnit, image + "ExecStart=/opt/bin/kubelet-wrapper --v=2\n"})).id,
            "unknown");
}

TEST(NodeKinds, KubesprayHasItsEnvironmentFileAndTheWordsOfItsTemplate) {
  const std::string reads = "[Service]\nEnvironmentFile=-/etc/kubernetes/kubelet.env\n";
  const std::string words =
      "$KUBE_LOGTOSTDERR $KUBE_LOG_LEVEL $KUBELET_API_SERVER "
      "$KUBELET_HOSTNAME $KUBELET_ARGS\n";
  EXPECT_EQ(nodes::kind_of(node({kUnit, reads + "ExecStart=/usr/local/bin/kubelet " + words})).id,
            "kubespray");
  // The package of Arch Linux has the file alone.
  EXPECT_EQ(nodes::kind_of(node({kUnit, reads + "ExecStart=/usr/bin/kubelet $KUBELET_ARGS\n"})).id,
            "unknown");
  // Magnum has both, and a file of its own.
  EXPECT_EQ(nodes::kind_of(node({kUnit, reads +
                                            "EnvironmentFile=/etc/sysconfig/heat-params\n"
                                            "ExecStart=/usr/local/bin/kubelet " +
                                            words}))
                .id,
            "unknown");
}

TEST(NodeKinds, WhatSomebodyLeftBehindIsNoSign) {
  const File kubeadm = {kDropIns + "10-kubeadm.conf", kubeadm_drop_in("/etc/default/kubelet")};
  const auto id = [&](const File& other, const std::vector<std::string>& markers = {}) {
    return nodes::kind_of(node(kBare, {kubeadm, other}, markers)).id;
  };
  const std::string reads = "[Service]\nEnvironmentFile=-";
  const File arguments = {kDropIns + "10-kubelet-args.conf", "[Service]\nEnvironment=A=b\n"};
  EXPECT_EQ(id(arguments, {"/etc/eks/bootstrap.sh"}), "kubeadm");
  EXPECT_EQ(id({kDropIns + "20-x.conf", reads + "/etc/eks/kubelet/environment\n"}), "kubeadm");
  EXPECT_EQ(id({kDropIns + "20-x.conf", reads + "/var/lib/kubelet/extra_args\n"}), "kubeadm");
  EXPECT_EQ(id({kDropIns + "20-x.conf", "[Service]\n"}, {"/etc/machine-config-daemon"}), "kubeadm");
  // A variable of that name is anybody's; kOps has it in quotes.
  const std::string daemon =
      "[Service]\nEnvironmentFile=/etc/sysconfig/kubelet\nExecStart=/usr/bin/kubelet "
      "$DAEMON_ARGS\n";
  EXPECT_EQ(nodes::kind_of(node({kUnit, daemon})).id, "unknown");
}

TEST(NodeKinds, WhatALaterFileResetsIsNoSign) {
  const File kubeadm = {kDropIns + "10-kubeadm.conf", kubeadm_drop_in("/etc/default/kubelet")};
  const File plain = {kDropIns + "20-plain.conf",
                      "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --config=/etc/k.yaml\n"};
  EXPECT_EQ(nodes::kind_of(node(kBare, {kubeadm, plain})).id, "unknown");
  const File kops = {kUnit,
                     "[Service]\nEnvironmentFile=/etc/sysconfig/kubelet\n"
                     "ExecStart=/usr/local/bin/kubelet \"$DAEMON_ARGS\"\n"};
  EXPECT_EQ(nodes::kind_of(node(kops, {plain})).id, "unknown");
  const File image = {kUnit,
                      "[Service]\nEnvironment=KUBELET_IMAGE=image:v1\n"
                      "ExecStart=/usr/bin/podman run ${KUBELET_IMAGE} --v=2\n"};
  EXPECT_EQ(nodes::kind_of(node(image, {plain})).id, "unknown");
  // A file of ours says kubeadm's command again, and the node is still kubeadm's.
  const File again = {kDropIns + "90-kubelet-sysctl.conf",
                      "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet "
                      "$KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS\n"};
  EXPECT_EQ(nodes::kind_of(node(kBare, {kubeadm, again})).id, "kubeadm");
}

TEST(NodeKinds, FilesOfKubeadmsNamesAloneAreNotKubeadm) {
  const File own = {kDropIns + "10-own.conf",
                    "[Service]\nEnvironment=\n"
                    "Environment=\"KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml\"\n"
                    "EnvironmentFile=/var/lib/kubelet/kubeadm-flags.env\nExecStart=\n"
                    "ExecStart=/usr/bin/kubelet $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS\n"};
  EXPECT_EQ(nodes::kind_of(node(kBare, {own})).id, "unknown");
}

TEST(NodeKinds, AckIsToldByItsConfigurationFile) {
  const File drop_in = {kDropIns + "10-kubeadm.conf",
                        kubeadm_drop_in("/var/lib/none") +
                            "Environment=\"KUBELET_EXTRA_ARGS=--config="
                            "/var/lib/kubelet/ack-managed-config.yaml\"\n"};
  EXPECT_EQ(nodes::kind_of(node(kBare, {drop_in})).id, "ack");
}

TEST(NodeKinds, GkeAndAksShareAFileAndDifferInTheVariable) {
  EXPECT_EQ(nodes::kind_of(node({kUnit,
                                 "[Service]\nEnvironmentFile=/etc/default/kubelet\n"
                                 "ExecStart=/home/kubernetes/bin/kubelet $KUBELET_OPTS\n"}))
                .id,
            "gke");
  EXPECT_EQ(nodes::kind_of(node({kUnit,
                                 "[Service]\nEnvironmentFile=/etc/default/kubelet\n"
                                 "ExecStart=/opt/bin/kubelet --enable-server $KUBELET_FLAGS\n"},
                                {}, {"/opt/azure"}))
                .id,
            "aks");
}

TEST(NodeKinds, MinikubeHasTheDropInOfKubeadmButReadsNoFile) {
  const File drop_in = {
      kDropIns + "10-kubeadm.conf",
      "[Service]\nExecStart=\nExecStart=/var/lib/minikube/binaries/v1.31.0/kubelet "
      "--config=/var/lib/kubelet/config.yaml\n"};
  EXPECT_EQ(nodes::kind_of(node(kBare, {drop_in}, {"/var/lib/minikube"})).id, "minikube");
}

TEST(NodeKinds, KindIsToldBeforeKubeadmWhoseDropInItHas) {
  const File kubeadm = {kDropIns + "10-kubeadm.conf", kubeadm_drop_in("/etc/default/kubelet")};
  const File kind = {kDropIns + "11-kind.conf", "[Service]\nCPUAccounting=true\n"};
  EXPECT_EQ(nodes::kind_of(node(kBare, {kubeadm, kind})).id, "kind");
}

TEST(NodeKinds, NodesOfAnotherManagerAreRefusedWithItsRoute) {
  nodes::NodeSnapshot talos;
  talos.os_id = "talos";
  nodes::NodeSnapshot bottlerocket =
      node({"/usr/lib/systemd/system/kubelet.service", "[Service]\nExecStart=/usr/bin/false\n"});
  bottlerocket.os_id = "bottlerocket";
  const nodes::NodeSnapshot openshift =
      node({kUnit, "[Service]\nExecStart=/usr/local/bin/kubenswrapper /usr/bin/kubelet\n"});
  const std::pair<const nodes::NodeSnapshot*, std::string> wanted[] = {
      {&talos, "talos"}, {&bottlerocket, "bottlerocket"}, {&openshift, "openshift"}};
  for (const auto& [snapshot, id] : wanted) {
    EXPECT_EQ(nodes::kind_of(*snapshot).id, id);
    EXPECT_TRUE(nodes::kind_of(*snapshot).refuse) << id;
    EXPECT_FALSE(nodes::kind_of(*snapshot).vendor_route.empty()) << id;
  }
}

TEST(NodeKinds, ProgramsThatRunTheKubeletAreToldByTheirUnits) {
  const nodes::NodeSnapshot k3s =
      node({"/etc/systemd/system/k3s.service", "[Service]\nExecStart=/usr/local/bin/k3s server\n"});
  const nodes::NodeSnapshot rke2 = node({"/usr/local/lib/systemd/system/rke2-agent.service",
                                         "[Service]\nExecStart=/usr/local/bin/rke2 agent\n"});
  for (const auto& [snapshot, id] : {std::pair{&k3s, "k3s"}, std::pair{&rke2, "rke2"}}) {
    EXPECT_EQ(nodes::kind_of(*snapshot).id, id);
    EXPECT_FALSE(nodes::kind_of(*snapshot).refuse) << id;
    EXPECT_NE(nodes::kind_of(*snapshot).launcher, nullptr) << id;
  }
}

TEST(NodeKinds, SnapsOfEksAndOfTheCharmAreToldByTheNamesOfTheirUnits) {
  const std::string directory = "/etc/systemd/system/";
  const std::string text = "[Service]\nExecStart=/usr/bin/snap run kubelet.daemon\n";
  EXPECT_EQ(nodes::kind_of(node({directory + "snap.kubelet-eks.daemon.service", text})).id,
            "eks-ubuntu");
  EXPECT_EQ(
      nodes::kind_of(node({directory + "snap.kubelet.daemon.service", text}, {}, {"/root/cdk"})).id,
      "charmed");
  EXPECT_EQ(nodes::kind_of(node({directory + "snap.kubelet.daemon.service", text})).id,
            "kubelet-snap");
  EXPECT_EQ(nodes::kind_of(node({directory + "snap.other.daemon.service", text})).id, "unknown");
}

TEST(NodeKinds, GardenerReadsTheExtraArgumentsFileThatIsRarelyThere) {
  EXPECT_EQ(nodes::kind_of(node({kUnit,
                                 "[Service]\nEnvironmentFile=-/var/lib/kubelet/extra_args\n"
                                 "ExecStart=/opt/bin/kubelet $KUBELET_EXTRA_ARGS\n"}))
                .id,
            "gardener");
}

TEST(NodeKinds, MachineOfClusterApiIsAKubeadmNodeWithResourceSizing) {
  const File kubeadm = {kDropIns + "10-kubeadm.conf", kubeadm_drop_in("/etc/default/kubelet")};
  const File sizing = {kDropIns + "11-resource-sizing.conf",
                       "[Service]\nEnvironmentFile=-/run/kubelet/extra-args.env\n"};
  EXPECT_EQ(nodes::kind_of(node(kBare, {kubeadm, sizing})).id, "cluster-api");
  EXPECT_EQ(nodes::kind_of(node(kBare, {kubeadm})).id, "kubeadm");
}

TEST(NodeKinds, K3sIsToldByItsFilesOnlyWhereNoKubeletUnitStands) {
  nodes::NodeSnapshot none;
  none.unit.name = "kubelet.service";
  none.unit.load = systemd::UnitLoad::kNotFound;
  none.markers["/etc/rancher/k3s"] = true;
  EXPECT_EQ(nodes::kind_of(none).id, "k3s");
  EXPECT_EQ(nodes::kind_of(node(kBare, {}, {"/etc/rancher/k3s"})).id, "unknown");
}

TEST(NodeKinds, TheLastRowMatchesEverythingAndIdsAreUnique) {
  const nodes::NodeSnapshot none;
  std::set<std::string_view> ids;
  for (const nodes::NodeKind& kind : nodes::node_kinds()) {
    EXPECT_TRUE(ids.insert(kind.id).second) << kind.id;
    EXPECT_EQ(kind.rewritten.empty(), kind.rewritten_by.empty()) << kind.id;
  }
  EXPECT_EQ(nodes::node_kinds().back().id, "unknown");
  EXPECT_TRUE(nodes::node_kinds().back().matches({.node = none, .settings = {}}));
}

}  // namespace
}  // namespace kubelet_sysctl
