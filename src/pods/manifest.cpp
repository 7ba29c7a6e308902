// SPDX-License-Identifier: Apache-2.0
// The pods in manifests: which field of which kind holds a pod, and what it says of sysctls.
#include "kubelet_sysctl/pods/manifest.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/yaml/events.hpp"
#include "manifest_tree.hpp"

namespace kubelet_sysctl::pods {
namespace {

using yaml::kNone;

constexpr std::size_t kMostPods = 10'000;
constexpr std::size_t kMostSysctls = 20'000;
constexpr std::size_t kMostOfAPod = 1000;
constexpr std::size_t kDeepestList = 4;

/// Where a kind holds a pod's spec. Source: k8s.io/api core/v1, apps/v1, batch/v1 types.go.
struct Holder {
  std::string_view kind;
  std::array<std::string_view, 5> fields;
};
constexpr std::array<Holder, 9> kHolders = {
    Holder{"Pod", {"spec"}},
    Holder{"PodTemplate", {"template", "spec"}},
    Holder{"Deployment", {"spec", "template", "spec"}},
    Holder{"DaemonSet", {"spec", "template", "spec"}},
    Holder{"StatefulSet", {"spec", "template", "spec"}},
    Holder{"ReplicaSet", {"spec", "template", "spec"}},
    Holder{"ReplicationController", {"spec", "template", "spec"}},
    Holder{"Job", {"spec", "template", "spec"}},
    Holder{"CronJob", {"spec", "jobTemplate", "spec", "template", "spec"}}};

Error too_much(const Document& document, std::size_t node, std::string_view what, std::size_t most,
               std::string_view of_what) {
  Error error = document.error(
      node, fmt::format("will not read this manifest: {} more than {} {}", what, most, of_what));
  error.kind = ErrorKind::kUnsupported;
  return error;
}

class Reader {
 public:
  Reader(const SourceFile& file, std::vector<std::string>& skipped)
      : file_(file), skipped_(skipped) {}

  Status read(Document& document) { return object(document, document.root(), {}, 0); }
  std::vector<PodSpec> take() { return std::move(pods_); }

 private:
  Status object(Document& document, std::size_t node, const std::string& implied,
                std::size_t depth) {
    if (!document.is_map(node)) {
      return document.error(node, "this is no manifest: an object of Kubernetes is a mapping",
                            "'-f' takes pods in YAML or JSON; entries are given as arguments");
    }
    auto kind = text_of(document, node, "kind");
    if (!kind) return std::move(kind).error();
    if (kind->empty()) *kind = implied;
    if (kind->empty()) {
      return document.error(node, "this is no manifest: the object has no 'kind'",
                            "'-f' takes pods in YAML or JSON; entries are given as arguments");
    }
    const auto items = document.field(node, "items");
    if (!items) return items.error();
    if (kind->ends_with("List") && *items != yaml::kNone) {
      return list(document, *items, kind->substr(0, kind->size() - 4), depth);
    }
    return pod_in(document, node, *kind);
  }

  /// The items of a PodList have no kind of their own.
  Status list(Document& document, std::size_t node, const std::string& kind, std::size_t depth) {
    if (depth == kDeepestList) {
      return document.error(node, "will not read this manifest: its lists are nested too deeply");
    }
    const auto items = document.items(node);
    if (!items) return items.error();
    for (const std::size_t item : *items) {
      if (auto status = object(document, item, kind, depth + 1); !status) return status;
    }
    return {};
  }

  Status pod_in(Document& document, std::size_t node, const std::string& kind) {
    PodSpec pod;
    pod.file = file_.path;
    pod.kind = kind;
    pod.line = document.line_of(node);
    if (auto status = name(document, node, pod); !status) return status;
    const auto* holder = std::find_if(kHolders.begin(), kHolders.end(),
                                      [&](const Holder& one) { return one.kind == kind; });
    if (holder == kHolders.end()) {
      skipped_.push_back(fmt::format("{} '{}'", kind, pod.name));
      return {};
    }
    std::size_t spec = node;
    for (const std::string_view field : holder->fields) {
      if (field.empty()) break;
      const auto inner = document.field(spec, field);
      if (!inner) return inner.error();
      if (*inner == yaml::kNone) {
        return document.error(
            spec, fmt::format("this is no manifest: {} '{}' lacks '{}'", kind, pod.name, field));
      }
      spec = *inner;
    }
    if (auto status = read_spec(document, spec, pod); !status) return status;
    if (pods_.size() == kMostPods) {
      return too_much(document, node, "it holds", kMostPods, "pods");
    }
    pods_.push_back(std::move(pod));
    return {};
  }

  static Status name(Document& document, std::size_t node, PodSpec& pod) {
    pod.name = "(no name)";
    pod.pod_namespace = "default";
    const auto metadata = document.field(node, "metadata");
    if (!metadata) return metadata.error();
    if (*metadata == yaml::kNone) return {};
    for (const auto& [key, into] : {std::pair{"name", &pod.name},
                                    {"generateName", &pod.name},
                                    {"namespace", &pod.pod_namespace}}) {
      const bool has_name = into == &pod.name && pod.name != "(no name)";
      auto text = text_of(document, *metadata, key);
      if (!text) return std::move(text).error();
      if (!text->empty() && !has_name) *into = std::move(*text);
    }
    return {};
  }

  Status read_spec(Document& document, std::size_t spec, PodSpec& pod) {
    for (const auto& [key, into] : {std::pair{"hostNetwork", &pod.host_network},
                                    {"hostIPC", &pod.host_ipc},
                                    {"hostUsers", &pod.host_users}}) {
      const auto node = document.field(spec, key);
      if (!node) return node.error();
      if (*node == yaml::kNone) continue;
      const auto value = document.boolean(*node, fmt::format("'{}'", key));
      if (!value) return value.error();
      *into = *value;
    }
    const auto context = document.field(spec, "securityContext");
    if (!context) return context.error();
    if (*context == yaml::kNone) return {};
    const auto sysctls = document.field(*context, "sysctls");
    if (!sysctls) return sysctls.error();
    if (*sysctls == yaml::kNone) return {};
    const auto items = document.items(*sysctls);
    if (!items) return items.error();
    for (const std::size_t item : *items) {
      if (auto status = read_sysctl(document, item, pod); !status) return status;
    }
    return {};
  }

  Status read_sysctl(Document& document, std::size_t node, PodSpec& pod) {
    if (pod.sysctls.size() == kMostOfAPod) {
      return too_much(document, node, "a pod has", kMostOfAPod, "sysctls");
    }
    if (sysctls_++ == kMostSysctls) {
      return too_much(document, node, "it holds", kMostSysctls, "sysctls");
    }
    PodSysctl sysctl;
    sysctl.line = document.line_of(node);
    auto name = text_of(document, node, "name");
    if (!name) return std::move(name).error();
    sysctl.name = std::move(*name);
    auto value = text_of(document, node, "value");
    if (!value) return std::move(value).error();
    sysctl.value = std::move(*value);
    pod.sysctls.push_back(std::move(sysctl));
    return {};
  }

  /// The text of a field; empty where there is none.
  static Result<std::string> text_of(Document& document, std::size_t map, const char* key) {
    const auto node = document.field(map, key);
    if (!node) return node.error();
    if (*node == yaml::kNone) return std::string();
    return document.text(*node, fmt::format("'{}'", key));
  }

  const SourceFile& file_;
  std::vector<std::string>& skipped_;
  std::vector<PodSpec> pods_;
  std::size_t sysctls_ = 0;
};

}  // namespace

Result<std::vector<PodSpec>> parse_manifests(const SourceFile& file,
                                             std::vector<std::string>& skipped) {
  if (!is_utf8(file.bytes)) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = "this is no manifest: it is not UTF-8",
                 .path = file.path};
  }
  Reader reader(file, skipped);
  const LineIndex lines(file.bytes);
  for (const Span bytes : documents_of(file.bytes)) {
    auto document = Document::parse(file, lines, bytes);
    if (!document) return std::move(document).error();
    if (document->is_empty()) continue;
    if (auto status = reader.read(*document); !status) return std::move(status).error();
  }
  return reader.take();
}

}  // namespace kubelet_sysctl::pods
