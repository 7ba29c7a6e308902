// SPDX-License-Identifier: Apache-2.0
// A pod as its container runtime shows it: the OCI configuration of its sandbox; and the kubelet's list.
#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/pods.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

namespace kubelet_sysctl::pods {
namespace {

using yaml::Event;
using yaml::EventKind;
using yaml::Events;
using yaml::kNone;
using yaml::node_end;

/// How a runtime marks the configuration of a sandbox. Both keep these for the shims that read them.
struct Marks {
  std::string_view type;  ///< "sandbox" for a sandbox
  std::string_view name;
  std::string_view pod_namespace;
};
constexpr std::array<Marks, 2> kMarks = {
    Marks{"io.kubernetes.cri.container-type", "io.kubernetes.cri.sandbox-name",
          "io.kubernetes.cri.sandbox-namespace"},
    Marks{"io.kubernetes.cri-o.ContainerType", "io.kubernetes.cri-o.KubeName",
          "io.kubernetes.cri-o.Namespace"}};

// Labels of the pod, which CRI-O repeats as annotations. Source: pkg/kubelet/types/labels.go.
constexpr std::string_view kNameLabel = "io.kubernetes.pod.name";
constexpr std::string_view kNamespaceLabel = "io.kubernetes.pod.namespace";
// containerd up to 1.5 names the pod in this path alone.
constexpr std::string_view kLogDirectory = "io.kubernetes.cri.sandbox-log-directory";
constexpr std::string_view kHostNetwork = "io.kubernetes.cri-o.HostNetwork";

/// A JSON document whose fields can be asked for; its file outlives it.
class JsonDocument {
 public:
  static Result<JsonDocument> parse(const SourceFile& file, std::string_view what) {
    if (!is_utf8(file.bytes)) return fault(file, fmt::format("{} is not UTF-8", what));
    auto tree = yaml::json_tree(file.bytes);
    if (!tree) {
      const std::size_t line = tree.error().line;
      return fault(file, fmt::format("{} is no JSON: see line {}", what, line));
    }
    JsonDocument document;
    document.events_ = std::move(tree->events);
    document.decoded_ = std::move(tree->decoded);
    return document;
  }

  static Error fault(const SourceFile& file, std::string message) {
    return {.kind = ErrorKind::kMalformed, .message = std::move(message), .path = file.path};
  }

  /// The value of a field; kNone where there is none, or `map` is no mapping. The last of a repeated one,
  /// as Go takes it.
  [[nodiscard]] std::size_t field(std::size_t map, std::string_view key) const {
    std::size_t found = yaml::kNone;
    for_each_member(map, [&](std::string_view name, std::size_t value) {
      if (name == key) found = value;
    });
    return found;
  }

  [[nodiscard]] std::string text(std::size_t map, std::string_view key) const {
    const std::size_t value = field(map, key);
    return value == yaml::kNone || events_[value].kind != EventKind::kScalar
               ? std::string()
               : std::string(events_[value].text);
  }

  template <typename Each>
  void for_each_member(std::size_t map, const Each& each) const {
    if (map == yaml::kNone || events_[map].kind != EventKind::kMapStart) return;
    for (std::size_t at = map + 1; events_[at].kind != EventKind::kMapEnd;
         at = yaml::node_end(events_, at + 1)) {
      each(events_[at].text, at + 1);
    }
  }

  [[nodiscard]] std::vector<std::size_t> items(std::size_t list) const {
    std::vector<std::size_t> found;
    if (list == yaml::kNone || events_[list].kind != EventKind::kSequenceStart) return found;
    for (std::size_t at = list + 1; events_[at].kind != EventKind::kSequenceEnd;
         at = yaml::node_end(events_, at)) {
      found.push_back(at);
    }
    return found;
  }

 private:
  Events events_;
  std::deque<std::string> decoded_;
};

/// "kube-system" and "web" from ".../kube-system_web_UID". Source: pkg/kubelet/kuberuntime/helpers.go
/// BuildPodLogsDirectory(); neither name may hold an underscore.
void name_from_log_directory(const std::string& path, PodSpec& pod) {
  const std::string last(base_name(path));
  const std::size_t first = last.find('_');
  const std::size_t second = first == std::string::npos ? first : last.find('_', first + 1);
  if (second == std::string::npos) return;
  if (pod.pod_namespace.empty()) pod.pod_namespace = last.substr(0, first);
  if (pod.name.empty()) pod.name = last.substr(first + 1, second - first - 1);
}

/// A sandbox without a namespace of that type in its configuration, or with that of process 1, has the
/// node's. Source: runtime-spec config-linux.md, Namespaces.
bool shares(const JsonDocument& document, std::size_t linux_part, std::string_view type) {
  for (const std::size_t item : document.items(document.field(linux_part, "namespaces"))) {
    if (document.text(item, "type") != type) continue;
    return document.text(item, "path").starts_with("/proc/1/ns/");
  }
  return true;
}

std::optional<PodSpec> sandbox_at(const JsonDocument& document, std::size_t spec) {
  const std::size_t annotations = document.field(spec, "annotations");
  const auto* marks = std::find_if(kMarks.begin(), kMarks.end(), [&](const Marks& one) {
    return document.text(annotations, one.type) == "sandbox";
  });
  if (marks == kMarks.end()) return std::nullopt;
  PodSpec pod;
  pod.kind = "Pod";
  pod.name = document.text(annotations, marks->name);
  pod.pod_namespace = document.text(annotations, marks->pod_namespace);
  if (pod.name.empty()) pod.name = document.text(annotations, kNameLabel);
  if (pod.pod_namespace.empty()) pod.pod_namespace = document.text(annotations, kNamespaceLabel);
  name_from_log_directory(document.text(annotations, kLogDirectory), pod);
  if (pod.name.empty()) pod.name = "(no name)";
  if (pod.pod_namespace.empty()) pod.pod_namespace = "(no namespace)";
  const std::size_t linux_part = document.field(spec, "linux");
  pod.host_network =
      shares(document, linux_part, "network") || document.text(annotations, kHostNetwork) == "true";
  pod.host_ipc = shares(document, linux_part, "ipc");
  document.for_each_member(document.field(linux_part, "sysctl"),
                           [&](std::string_view name, std::size_t) {
                             pod.sysctls.push_back({.name = std::string(name), .value = {}});
                           });
  return pod;
}

}  // namespace

Result<std::optional<PodSpec>> parse_sandbox(const SourceFile& config) {
  // Every container has such a file, ten times as large as its sandbox's and without a sysctl: those need
  // no reading. Go, in which both runtimes are written, escapes no letters.
  if (config.bytes.find("\"sysctl\"") == std::string::npos) return std::optional<PodSpec>();
  const auto document = JsonDocument::parse(config, "this configuration");
  if (!document) return document.error();
  return sandbox_at(*document, 0);
}

Result<std::optional<PodSpec>> parse_inspected_sandbox(const SourceFile& answer) {
  const auto document = JsonDocument::parse(answer, "what crictl prints");
  if (!document) return document.error();
  const std::size_t spec = document->field(document->field(0, "info"), "runtimeSpec");
  if (spec == yaml::kNone) {
    return JsonDocument::fault(answer, "the runtime does not show what it set for this pod");
  }
  return sandbox_at(*document, spec);
}

Result<std::vector<PodSpec>> parse_pod_list(const SourceFile& answer) {
  const auto document = JsonDocument::parse(answer, "the kubelet's list");
  if (!document) return document.error();
  if (document->text(0, "kind") != "PodList") {
    return JsonDocument::fault(answer, "the kubelet's list is no list of pods");
  }
  const std::vector<std::size_t> items = document->items(document->field(0, "items"));
  if (items.empty()) return std::vector<PodSpec>();
  std::vector<std::string> skipped;
  auto pods = parse_manifests(answer, skipped);
  if (!pods) return std::move(pods).error();
  if (pods->size() != items.size()) {
    return JsonDocument::fault(answer, "the kubelet's list holds more than pods");
  }
  std::vector<PodSpec> alive;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const std::string phase = document->text(document->field(items[i], "status"), "phase");
    if (phase != "Succeeded" && phase != "Failed") alive.push_back(std::move((*pods)[i]));
  }
  return alive;
}

}  // namespace kubelet_sysctl::pods
