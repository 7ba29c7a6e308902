// SPDX-License-Identifier: Apache-2.0
// The nodes whose fault is in their files.
#include "support/doctor_nodes.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/health.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

#include <sys/stat.h>

#include <fmt/format.h>

namespace kubelet_sysctl::doctor_nodes {
namespace {

const std::string kCommand = std::string("/usr/bin/kubelet --config=") + kConfig + " $ARGS";
const std::string kWithDirectory =
    std::string("/usr/bin/kubelet --config=") + kConfig + " --config-dir=" + kConfigDir + " $ARGS";

std::string flag(const std::string& value) {
  return fmt::format("ARGS=\"--v=2 --allowed-unsafe-sysctls={} --max-pods=50\"\n", value);
}

Node with(const Files& files) {
  return [files] { return node(files); };
}

Node with_arguments(const std::string& bytes) { return with({{kArguments, bytes}}); }
Node with_config(const std::string& rest) { return with({{kConfig, config(rest)}}); }

Node with_drop_in_file(const std::string& name, const std::string& bytes) {
  return with({{kUnit, unit(kWithDirectory)}, {std::string(kConfigDir) + "/" + name, bytes}});
}

Node with_kernel(const std::string& entry, sysctl::KernelState state) {
  return [entry, state] {
    auto lab = listing({entry});
    lab->services().kernel.answer(entry, state);
    return lab;
  };
}

/// A pattern on a kernel that has `count` names below it.
Node with_pattern(const std::string& stem, int count) {
  return [stem, count] {
    auto lab = listing({stem + "*"});
    for (int i = 0; i < count; ++i) {
      lab->services().kernel.answer(fmt::format("{}a{}", stem, i), sysctl::KernelState::kWritable);
    }
    return lab;
  };
}

Node with_version(const std::string& entry, const char* version) {
  return [entry, version] {
    auto lab = listing({entry});
    lab->discover.kubelet_version = sysctl::parse_kubelet_version(version);
    lab->services().kernel.release_text = "6.1.0-28-amd64";
    return lab;
  };
}

/// A kubelet of 1.37 with `rest` in its configuration.
Node with_defaults(const std::string& rest) {
  return [rest] {
    auto lab = node({{kConfig, config(rest)}});
    lab->discover.kubelet_version = sysctl::parse_kubelet_version("1.37.0");
    return lab;
  };
}

/// A unit that runs `first` and then a kubelet.
std::string oneshot(const std::string& first) {
  return "[Service]\nType=oneshot\nExecStart=" + first + "\nExecStart=/usr/bin/kubelet --v=2\n";
}

Node without_unit() {
  return [] {
    auto lab = node();
    lab->discover.unit = "kubelte.service";
    return lab;
  };
}

std::vector<Pair> what_stops() {
  return {
      {"no-unit", without_unit(), with({})},
      {"unit-broken", with({{kUnit, "[Service]\nEnvironmentFile=-/etc/default/kubelet\n"}}),
       with({})},
      {"config-broken", with_config("allowedUnsafeSysctls: net.core.somaxconn\n"),
       with_config("allowedUnsafeSysctls: [net.core.somaxconn]\n")},
      {"config-doubtful", with_config("podLogsDir: 5\n"),
       with_config("podLogsDir: /var/log/pods\n")},
      {"default-sysctl-fatal",
       with_defaults("featureGates: {DefaultPodSysctls: true}\n"
                     "defaultPodSysctls: {vm.swappiness: \"1\"}\n"),
       with_defaults("featureGates: {DefaultPodSysctls: true}\n"
                     "defaultPodSysctls: {kernel.msgmax: \"1\"}\n")},
      {"drop-in-without-kind",
       with_drop_in_file("10.conf", "allowedUnsafeSysctls: [net.core.somaxconn]\n"),
       with_drop_in_file("10.conf", config("allowedUnsafeSysctls: [net.core.somaxconn]\n"))},
      {"not-understood", with({{kUnit, oneshot("/usr/bin/kubelet --v=3")}}),
       with({{kUnit, oneshot("/usr/bin/mkdir /run/kubelet")}})},
      {"flag-fatal", with_arguments("ARGS=--bogus=1 -x\n"), with_arguments("ARGS=--bogus=1\n")},
      {"swallowed-flags", with_arguments("ARGS=--allowed-unsafe-sysctls='kernel.sem --v=2'\n"),
       with_arguments("ARGS=--allowed-unsafe-sysctls='kernel.sem' --v=2\n")},
      {"renamed-flag", with_arguments("ARGS=--experimental-allowed-unsafe-sysctls=kernel.sem\n"),
       with_arguments(flag("kernel.sem"))},
      {"misspelt-flag", with_arguments("ARGS=--allowedUnsafeSysctls=net.core.somaxconn\n"),
       with_arguments("ARGS=--allowed_unsafe_sysctls=net.core.somaxconn\n")},
      {"blank-after-comma", with_arguments(flag("kernel.sem, net.core.somaxconn")),
       with_arguments(flag("kernel.sem,net.core.somaxconn"))},
      {"program-missing", with({{"/usr/bin/kubelet", ""}}), with({})},
  };
}

/// A k3s of 1.32 whose operator's drop-in holds `entries`.
Node on_k3s(const std::string& entries) {
  return [entries] {
    const std::string directory = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/";
    return std::make_unique<Lab>(Lab::NodeFiles{
        {"/etc/systemd/system/k3s.service", "[Service]\nExecStart=/usr/local/bin/k3s server\n"},
        {directory + "00-k3s-defaults.conf", config("")},
        {directory + "50-site.conf", config("allowedUnsafeSysctls: [" + entries + "]\n")}});
  };
}

std::vector<Pair> what_is_listed() {
  const std::string list = "allowedUnsafeSysctls: [kernel.sem]\n";
  return {
      {"bad-value", with_arguments(flag("kernel.sem,")), with_arguments(flag("kernel.sem"))},
      {"entry-refused", with_version("kernel.shm_*", "1.28.0"),
       with_version("kernel.sem", "1.28.0")},
      {"misspelt-key", with_config("allowed-unsafe-sysctls: [kernel.sem]\n"), with_config(list)},
      {"empty-flag", with({{kConfig, config(list)}, {kArguments, flag("")}}),
       with({{kConfig, config("")}, {kArguments, flag("")}})},
      {"shadowed-list", with({{kConfig, config(list)}, {kArguments, flag("net.core.somaxconn")}}),
       with_config(list)},
      {"repeated-key", with_config(list + list), with_config(list)},
      {"second-document", with_config(list + "---\n" + config(list)), with_config(list + "---\n")},
      {"unread-drop-in", with_drop_in_file("list.yaml", config(list)),
       with_drop_in_file("notes.txt", "the list is allowed unsafe here\n")},
      {"useless-in-kernel",
       with_kernel("net.core.netdev_max_backlog", sysctl::KernelState::kAbsent),
       with_kernel("net.core.somaxconn", sysctl::KernelState::kWritable)},
      {"default-sysctl-unused", with_defaults("defaultPodSysctls: {kernel.msgmax: \"1\"}\n"),
       with_defaults("featureGates: {DefaultPodSysctls: true}\n"
                     "defaultPodSysctls: {kernel.msgmax: \"1\"}\n")},
      {"wide-grant", with_pattern("net.ipv4.tcp_", 11), with_pattern("net.ipv4.tcp_", 10)},
      {"launcher-needs-entry", on_k3s("kernel.sem"),
       on_k3s("net.ipv4.ip_forward, net.ipv6.conf.all.forwarding")},
      {"desired-list-broken", with({{desired::kDesiredFile, "kernel.sem owner=\n"}}),
       with({{desired::kDesiredFile, "# nothing is desired\n"}})},
      {"desired-list-not-met",
       with({{kArguments, flag("kernel.sem")},
             {desired::kDesiredFile, "kernel.sem\nkernel.msgmax\n"}}),
       with({{kArguments, flag("kernel.msg*")}, {desired::kDesiredFile, "kernel.msgmax\n"}})},
      {"expired-entry",
       with({{kArguments, flag("kernel.sem")},
             {desired::kDesiredFile, "kernel.sem expires=2026-11-19\n"}}),
       with({{kArguments, flag("kernel.sem")},
             {desired::kDesiredFile, "kernel.sem expires=2026-11-20\n"}})},
      {"newer-release", with_version("kernel.sem", "1.38.0"), with_version("kernel.sem", "1.37.0")},
      {"safe-already", with_version("net.ipv4.tcp_rmem", "1.32.0"),
       with_version("net.ipv4.tcp_rmem", "1.31.4")},
      {"duplicate-entry", with_arguments(flag("kernel.sem,kernel.sem")),
       with_arguments(flag("kernel.sem,kernel.msgmax"))},
      {"covered-entry", with_arguments(flag("kernel.msg*,kernel.msgmax")),
       with_arguments(flag("kernel.msg*,kernel.shmmax"))},
      {"will-be-rewritten",
       with({{kUnit,
              unit(kCommand + " --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf "
                              "$KUBELET_KUBEADM_ARGS")},
             {kConfig, config(list)},
             {"/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",
              "[Service]\nEnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env\n"}}),
       with_config(list)},
  };
}

std::vector<Pair> where_arguments_come_from() {
  const std::string more = "ARGS=--max-pods=50\n";
  return {
      {"env-dropped", with({{kDropIn, "[Service]\nEnvironment=A=b c\n"}}),
       with({{kDropIn, "[Service]\nEnvironment=\"A=b c\"\n"}})},
      {"assigned-again", with_arguments(flag("kernel.sem") + more),
       with_arguments(flag("kernel.sem"))},
      {"wiped-assignment", with_arguments(flag("kernel.sem") + "ARGS=\n"),
       with_arguments("ARGS=\n" + flag("kernel.sem"))},
      {"wiped-setting",
       with({{kArguments, flag("kernel.sem")}, {kDropIn, "[Service]\nEnvironmentFile=\n"}}),
       with({{kArguments, flag("kernel.sem")},
             {kDropIn, "[Service]\nEnvironmentFile=\nEnvironmentFile=/etc/default/kubelet\n"}})},
      {"unread-arguments", with({{"/etc/sysconfig/kubelet", flag("kernel.sem")}}),
       with({{"/etc/sysconfig/kubelet", "ARGS=\n"}})},
      {"health-off", with_config("healthzPort: 0\n"), with_config("healthzPort: 10248\n")},
      {"health-moved", with_config("healthzPort: 20248\n"), with_config("healthzPort: 10248\n")},
      {"dynamic-config-dir", with_arguments("ARGS=--dynamic-config-dir=/var/lib/dynamic\n"),
       with_arguments("ARGS=--dynamic-config-dir=\n")},
      {"lock-file",
       with_arguments("ARGS=\"--lock-file=/run/kubelet.lock --exit-on-lock-contention\"\n"),
       with_arguments("ARGS=--lock-file=/run/kubelet.lock\n")},
  };
}

}  // namespace

std::string config(const std::string& rest) {
  return "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n" + rest;
}

std::string unit(const std::string& command) {
  return fmt::format(
      "[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart={}\nRestart=always\n", command);
}

std::unique_ptr<Lab> node(const Files& other) {
  Files files = {{kUnit, unit(kCommand)},
                 {kArguments, "ARGS=--v=2\n"},
                 {kConfig, config("")},
                 {"/usr/bin/kubelet", "#!/bin/true\n"}};
  for (const auto& [path, bytes] : other) files[path] = bytes;
  Lab::NodeFiles made;
  for (const auto& [path, bytes] : files) {
    if (!bytes.empty()) made.emplace_back(path, bytes);
  }
  auto lab = std::make_unique<Lab>(made);
  for (const auto& [path, bytes] : files) {
    if (bytes.empty() && lab->tree().exists(path)) lab->tree().remove(path);
  }
  constexpr mode_t kProgram = 0755;
  if (lab->tree().exists("/usr/bin/kubelet")) {
    ::chmod(lab->tree().at("/usr/bin/kubelet").c_str(), kProgram);
  }
  return lab;
}

std::unique_ptr<Lab> running(const Files& other) {
  auto lab = node(other);
  lab->services().boot();
  return lab;
}

std::unique_ptr<Lab> listing(const std::vector<std::string>& entries) {
  return node(
      {{kConfig, config(fmt::format("allowedUnsafeSysctls:\n- {}\n", joined(entries, "\n- ")))}});
}

std::vector<Pair> pairs_of_files() {
  std::vector<Pair> all;
  for (auto& part : {what_stops(), what_is_listed(), where_arguments_come_from()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::vector<Finding> found_on(Lab& lab) {
  ports::Ports ports = lab.ports();
  discover::DiscoverOptions options = lab.discover;
  options.version_from = discover::VersionFrom::kProgram;
  auto snapshot = discover::discover(ports, options);
  if (!snapshot) bug(snapshot.error().message.c_str());
  const model::NodeModel model = model::resolve_partly(*snapshot);
  snapshot->health = discover::health_of(ports, *snapshot, model);
  discover::read_doctor_facts(ports, model, *snapshot);
  snapshot->kernel = ports.kernel.ask(model::kernel_questions(model));
  return checks::run_checks(*snapshot, model, checks::Audience::kDoctor);
}

}  // namespace kubelet_sysctl::doctor_nodes
