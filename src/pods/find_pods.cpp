// SPDX-License-Identifier: Apache-2.0
// Looking for the pods of the node in every place that shows them without the API server.
#include "kubelet_sysctl/pods/pods.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/rejected_pods.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::pods {
namespace {

/// The state directories of containerd: its own default, that of k3s and RKE2, that of MicroK8s.
/// Source: containerd defaults.DefaultStateDir; k3s pkg/agent/config; microk8s default-args/containerd.
constexpr std::array<const char*, 3> kContainerdStates = {
    "/run/containerd", "/run/k3s/containerd", "/var/snap/microk8s/common/run/containerd"};
/// Below it the tasks of Kubernetes. A directory is made before a task starts and goes, renamed to a
/// hidden name first, once the task is deleted, which the CRI plugin does when the sandbox ends: what is
/// there runs. The second is for the shim of containerd up to 1.7. Source: core/runtime/v2/bundle.go
/// NewBundle(), Delete(); pkg/cri/server/events.go.
constexpr std::array<const char*, 2> kTasks = {"io.containerd.runtime.v2.task/k8s.io",
                                               "io.containerd.runtime.v1.linux/k8s.io"};

/// CRI-O and where it keeps what does not outlive a boot: a sandbox is there from its start until it is
/// removed, and from its end on has a file "stopped", here or in the directory that outlives a boot. Podman
/// shares the directory, so it is CRI-O's only where CRI-O is. Source: cri-o internal/lib/sandbox SetStopped(),
/// server/sandbox_run_linux.go; containers-storage.conf(5) runroot.
constexpr const char* kCrio = "/run/crio";
constexpr const char* kRunRoot = "/run/containers/storage";
constexpr const char* kGraphRoot = "/var/lib/containers/storage";

constexpr std::array<const char*, 4> kCrictl = {"/usr/local/bin/crictl", "/usr/bin/crictl",
                                                "/opt/bin/crictl", "/opt/cni/bin/crictl"};
constexpr Milliseconds kCrictlDeadline{10'000};
constexpr Milliseconds kListDeadline{3'000};
constexpr std::size_t kMostOfList = 16U << 20U;

constexpr const char* kOwnList = "the kubelet's own list";

/// Collects what each place shows; a class because all of them add to one answer.
class PodSearch {
 public:
  PodSearch(ports::Ports& ports, const PodPlaces& places) : ports_(ports), places_(places) {}

  PodsSeen run(bool live) {
    static_pods();
    if (!live) return std::move(seen_);
    containerd();
    crio();
    kubelet_list();
    if (!seen_.whole) crictl();
    return std::move(seen_);
  }

 private:
  void static_pods();
  void static_pod(const std::string& path);
  void containerd();
  void crio();
  bool has_stopped(const std::string& container);
  void sandbox(const std::string& directory, const std::string& runtime);
  void kubelet_list();
  void crictl();
  void inspect(const std::string& program, const std::string& id, TimePoint until);

  void unreadable(std::string why) {
    if (seen_.unreadable++ == 0) seen_.unreadable_why = std::move(why);
  }

  /// True for a directory that is there; one that cannot be seen is noted as not inspected.
  bool has_directory(const std::string& path, std::string_view whose) {
    const auto entry = ports_.files.stat(path);
    if (!entry) {
      refused_ = true;
      seen_.not_inspected.push_back(fmt::format("{}: {}", whose, entry.error().message));
    }
    return entry && *entry && (*entry)->kind == ports::EntryKind::kDirectory;
  }

  std::vector<ports::DirEntry> entries_of(const std::string& directory) {
    auto entries = ports_.files.list(directory);
    if (entries) return std::move(*entries);
    refused_ = true;
    seen_.not_inspected.push_back(fmt::format("'{}': {}", directory, entries.error().message));
    return {};
  }

  void add(PodSpec spec, const std::string& where);
  [[nodiscard]] bool is_same(const PodSpec& seen, const PodSpec& spec) const;

  ports::Ports& ports_;
  const PodPlaces& places_;
  PodsSeen seen_;
  bool refused_ = false;  // the machine refused a directory of this runtime
};

/// The kubelet gives a static pod the name of its node as a suffix. Source: pkg/kubelet/config/common.go
/// generatePodName().
bool PodSearch::is_same(const PodSpec& seen, const PodSpec& spec) const {
  if (seen.pod_namespace != spec.pod_namespace) return false;
  if (seen.name == spec.name) return true;
  return !places_.node_name.empty() && seen.name + "-" + places_.node_name == spec.name;
}

/// The kubelet's own list says what a pod asks for, and stands for what a runtime made of it.
void PodSearch::add(PodSpec spec, const std::string& where) {
  const auto known = std::find_if(seen_.pods.begin(), seen_.pods.end(),
                                  [&](const SeenPod& pod) { return is_same(pod.spec, spec); });
  if (known != seen_.pods.end()) {
    if (where == kOwnList) *known = {.spec = std::move(spec), .where = where};
    return;
  }
  if (!spec.sysctls.empty()) seen_.pods.push_back({.spec = std::move(spec), .where = where});
}

/// Every file of the directory but hidden ones; directories in it are not entered, and the path may name one
/// file. Source: pkg/kubelet/config/file.go extractFromDir().
void PodSearch::static_pods() {
  if (places_.static_pods.empty()) return;
  const auto target = ports::target_of(ports_.files, places_.static_pods);
  if (!target) return unreadable(target.error().message);
  if (!target->entry) return;
  if (target->entry->kind != ports::EntryKind::kDirectory) return static_pod(places_.static_pods);
  const auto entries = ports_.files.list(places_.static_pods);
  if (!entries) return unreadable(entries.error().message);
  for (const ports::DirEntry& entry : *entries) {
    if (!entry.name.starts_with('.')) static_pod(ports::joined(places_.static_pods, entry.name));
  }
}

void PodSearch::static_pod(const std::string& path) {
  const auto file = ports_.files.read(path);
  if (!file) return unreadable(file.error().message);
  if (!file->exists()) return;
  std::vector<std::string> skipped;
  auto pods = parse_manifests(*file, skipped);
  if (!pods) return unreadable(fmt::format("'{}': {}", path, pods.error().message));
  for (PodSpec& pod : *pods) {
    if (pod.kind == "Pod") add(std::move(pod), path);
  }
}

void PodSearch::containerd() {
  bool found = false;
  refused_ = false;
  for (const std::string state : kContainerdStates) {
    for (const std::string tasks : kTasks) {
      const std::string directory = fmt::format("{}/{}", state, tasks);
      if (!has_directory(directory, "containerd")) continue;
      found = true;
      for (const ports::DirEntry& entry : entries_of(directory)) {
        const bool task =
            entry.kind == ports::EntryKind::kDirectory && !entry.name.starts_with('.');
        if (task) sandbox(ports::joined(directory, entry.name), "containerd");
      }
    }
  }
  if (found && !refused_) seen_.whole = true;
  if (!found && !refused_) seen_.not_inspected.emplace_back("containerd has no pods here");
}

bool PodSearch::has_stopped(const std::string& container) {
  for (const std::string root : {kRunRoot, kGraphRoot}) {
    const auto file = ports_.files.stat(fmt::format("{}/{}/userdata/stopped", root, container));
    if (file && *file) return true;
  }
  return false;
}

void PodSearch::crio() {
  refused_ = false;
  if (!has_directory(kCrio, "CRI-O")) {
    if (!refused_) seen_.not_inspected.emplace_back("CRI-O does not run");
    return;
  }
  for (const ports::DirEntry& driver : entries_of(kRunRoot)) {
    if (!driver.name.ends_with("-containers")) continue;
    for (const ports::DirEntry& entry : entries_of(ports::joined(kRunRoot, driver.name))) {
      const std::string container = fmt::format("{}/{}", driver.name, entry.name);
      const bool alive = entry.kind == ports::EntryKind::kDirectory && !has_stopped(container);
      if (alive) sandbox(fmt::format("{}/{}/userdata", kRunRoot, container), "CRI-O");
    }
  }
  if (!refused_) seen_.whole = true;
}

void PodSearch::sandbox(const std::string& directory, const std::string& runtime) {
  const std::string path = ports::joined(directory, "config.json");
  const auto file = ports_.files.read(path);
  if (!file) return unreadable(file.error().message);
  if (!file->exists()) {
    // It may have ended meanwhile. A runtime with machines of its own may have no such file at all.
    const auto still = ports_.files.stat(directory);
    if (still && *still) unreadable(fmt::format("there is no '{}'", path));
    return;
  }
  auto pod = parse_sandbox(*file);
  if (!pod) return unreadable(fmt::format("'{}': {}", path, pod.error().message));
  if (*pod) add(std::move(**pod), runtime);
}

void PodSearch::kubelet_list() {
  if (places_.read_only_port == 0) {
    seen_.not_inspected.emplace_back("the kubelet's read-only port is off");
    return;
  }
  const auto answer = ports_.health.get_whole(places_.read_only_address, places_.read_only_port,
                                              "/pods", kMostOfList, kListDeadline);
  constexpr int kOk = 200;
  if (!answer || answer->status != kOk) {
    seen_.not_inspected.push_back(
        fmt::format("the kubelet's read-only port: {}",
                    answer ? fmt::format("http {}", answer->status) : answer.error().message));
    return;
  }
  SourceFile file;
  file.path = kOwnList;
  file.kind = FileKind::kRegular;
  file.bytes = answer->body;
  auto pods = parse_pod_list(file);
  if (!pods) {
    seen_.not_inspected.push_back(
        fmt::format("the kubelet's read-only port: {}", pods.error().message));
    return;
  }
  seen_.whole = true;
  for (PodSpec& pod : *pods) {
    pod.line = 0;  // of an answer that nobody kept
    add(std::move(pod), kOwnList);
  }
}

void PodSearch::crictl() {
  std::string program;
  for (const char* path : kCrictl) {
    const auto target = ports::target_of(ports_.files, path);
    if (!target || !target->entry || target->entry->kind != ports::EntryKind::kFile) continue;
    program = path;
    break;
  }
  if (program.empty()) {
    seen_.not_inspected.emplace_back("there is no crictl");
    return;
  }
  const TimePoint until = ports_.clock.now() + kCrictlDeadline;
  const auto ids =
      ports_.programs.output_of(program, {"pods", "--state", "Ready", "-q"}, kCrictlDeadline);
  if (!ids) {
    seen_.not_inspected.push_back(ids.error().message);
    return;
  }
  seen_.whole = true;
  for (std::size_t at = 0; at < ids->size();) {
    const std::size_t end = std::min(ids->find('\n', at), ids->size());
    const std::string id = ids->substr(at, end - at);
    at = end + 1;
    if (!id.empty()) inspect(program, id, until);
  }
}

void PodSearch::inspect(const std::string& program, const std::string& id, TimePoint until) {
  const auto left = std::chrono::duration_cast<Milliseconds>(until - ports_.clock.now());
  if (left <= Milliseconds{0}) return unreadable("crictl took too long");
  auto printed = ports_.programs.output_of(program, {"inspectp", "-o", "json", id}, left);
  if (!printed) return unreadable(printed.error().message);
  SourceFile file;
  file.path = program;
  file.kind = FileKind::kRegular;
  file.bytes = std::move(*printed);
  auto pod = parse_inspected_sandbox(file);
  if (!pod) return unreadable(pod.error().message);
  if (*pod) add(std::move(**pod), "the runtime, by crictl");
}

/// The list that the kubelet admits pods with now.
EntryList list_in_force(const model::NodeModel& model, const planning::Plan& plan) {
  return model.running && model.running->entries ? EntryList(*model.running->entries) : plan.before;
}

}  // namespace

PodsSeen find_pods(ports::Ports& ports, const PodPlaces& places, bool live) {
  return PodSearch(ports, places).run(live);
}

Status check_rejected_pods(ports::Ports& ports, const nodes::NodeSnapshot& snapshot,
                           const model::NodeModel& model, const RejectedPodOptions& options,
                           planning::Plan& plan) {
  const EntryList before = list_in_force(model, plan);
  if (!narrows(before, plan.after)) return {};
  const bool live = snapshot.live;
  const PodsSeen seen = find_pods(ports, pod_places_of(snapshot, model), live);
  // The kernel of a tree of files is not this one.
  const auto kernel = live ? sysctl::parse_kernel_version(ports.kernel.release()) : std::nullopt;
  const auto rejected =
      rejected_pods(seen.pods, before, plan.after, snapshot.kubelet_version, kernel);
  auto found = rejected_pod_findings(rejected, seen, plan, live, options);
  if (!found) return std::move(found).error();
  plan.findings.insert(plan.findings.end(), std::make_move_iterator(found->begin()),
                       std::make_move_iterator(found->end()));
  return {};
}

}  // namespace kubelet_sysctl::pods
