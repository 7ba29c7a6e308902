// SPDX-License-Identifier: Apache-2.0
// Whether systemd has a unit to load, and whether it could start its command.
#include "unit_state.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"

namespace kubelet_sysctl::model {
namespace {

/// A string of argv or environ may take this many bytes with its NUL (MAX_ARG_STRLEN, execve(2)).
constexpr std::size_t kLongestString = 131072;

bool has_path(const nodes::NodeSnapshot& snapshot, const char* path) {
  const auto marker = snapshot.markers.find(path);
  return marker != snapshot.markers.end() && marker->second;
}

/// A script that starts a kubelet without systemd, and where its list is written then.
struct InitScript {
  const char* path;
  std::string_view what;
  std::string_view edit;
};

constexpr std::string_view kK3sEdit = "put kubelet-arg into /etc/rancher/k3s/config.yaml";
constexpr std::string_view kRke2Edit = "put kubelet-arg into /etc/rancher/rke2/config.yaml";
constexpr std::string_view kK0sEdit =
    "put '--kubelet-extra-args' into command_args of that script, or the list into a worker "
    "profile";
constexpr auto kInitScripts = std::to_array<InitScript>(
    {{"/etc/init.d/k3s", "k3s", kK3sEdit},
     {"/etc/init.d/k3s-agent", "k3s", kK3sEdit},
     {"/etc/init.d/rke2-server", "RKE2", kRke2Edit},
     {"/etc/init.d/rke2-agent", "RKE2", kRke2Edit},
     {"/etc/init.d/k0sworker", "k0s", kK0sEdit},
     {"/etc/init.d/k0scontroller", "k0s", kK0sEdit},
     {"/etc/init.d/kubelet", "the kubelet",
      "edit command_args in /etc/conf.d/kubelet or the file that '--config' names there"}});

std::string found_script(const nodes::NodeSnapshot& snapshot) {
  for (const InitScript& script : kInitScripts) {
    if (!has_path(snapshot, script.path)) continue;
    const std::string path = script.path;
    const std::string name(base_name(path));
    const auto openrc = snapshot.markers.find("openrc:" + path);
    if (openrc != snapshot.markers.end() && !openrc->second) {
      return fmt::format(
          "an init script runs {} here ({}), which this program does not manage: its arguments are "
          "in that script or in a file that it reads; then run: {} restart",
          script.what, path, path);
    }
    return fmt::format(
        "OpenRC runs {} here ({}), which this program does not manage: {}, then run: rc-service {} "
        "restart",
        script.what, path, script.edit, name);
  }
  return {};
}

/// The units that run a kubelet under another name, and how to name one. A template names none by itself.
std::string found_unit(const nodes::NodeSnapshot& snapshot) {
  std::vector<std::string> names;
  std::string first;
  for (const auto& [path, exists] : snapshot.markers) {
    if (!exists || !path.ends_with(".service")) continue;
    const std::string name(base_name(path));
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    names.push_back(name);
    if (first.empty()) first = path;
    if (name.find("openshift-node") != std::string::npos || name == "origin-node.service") {
      return fmt::format(
          "'{}' runs the kubelet of OpenShift 3: kubeletArguments (allowed-unsafe-sysctls) in "
          "/etc/origin/node/node-config.yaml, by way of the config maps of the project "
          "openshift-node",
          name);
    }
  }
  if (names.empty()) return {};
  const std::string& name = names.front();
  const std::size_t at = name.find("@.");
  if (names.size() == 1 && at != std::string::npos) {
    return fmt::format(
        "'{}' is a template whose instances run a kubelet: name one with '--unit {}'", first,
        name.substr(0, at) + "@NAME.service");
  }
  if (names.size() == 1) {
    return fmt::format("'{}' runs a kubelet: name it with '--unit {}'", first, name);
  }
  return fmt::format("{} run a kubelet: name the one that is meant with '--unit'", some_of(names));
}

/// What runs a kubelet here without the usual unit, and what to do there; empty where nothing does. '--unit' is
/// said of a unit alone that exists.
std::string found_without_unit(const nodes::NodeSnapshot& snapshot) {
  if (auto unit = found_unit(snapshot); !unit.empty()) return unit;
  if (auto script = found_script(snapshot); !script.empty()) return script;
  if (has_path(snapshot, "/etc/kubernetes/ssl/kubecfg-kube-node.yaml")) {
    return "this looks like RKE1, whose kubelet is a container of docker outside any unit: "
           "services.kubelet.extra_args in cluster.yml, then run: rke up";
  }
  return {};
}

std::string hint_without_unit(const nodes::NodeSnapshot& snapshot) {
  const std::string found = found_without_unit(snapshot);
  if (!snapshot.kubelet_elsewhere.empty()) {
    return fmt::format("a kubelet runs here outside of it: {}{}", snapshot.kubelet_elsewhere,
                       found.empty() ? "; what started it decides its arguments" : "; " + found);
  }
  if (!found.empty()) return found;
  const nodes::NodeKind& kind = nodes::kind_of(snapshot);
  if (kind.units.empty()) return "no unit here runs a kubelet: install it first";
  std::string units(kind.units);
  for (std::size_t at = units.find(' '); at != std::string::npos; at = units.find(' ', at + 6)) {
    units.replace(at, 1, "' or '");
  }
  return fmt::format("this looks like {}, whose service is '{}': install that", kind.title, units);
}

}  // namespace

bool is_not_installed(const nodes::NodeSnapshot& snapshot) {
  // A program without its unit is a node on which something is amiss.
  const bool has_program =
      std::any_of(snapshot.markers.begin(), snapshot.markers.end(), [](const auto& marker) {
        return marker.second && marker.first.ends_with("/kubelet") &&
               marker.first.find("/bin/") != std::string::npos;
      });
  return !has_program && snapshot.unit.load == systemd::UnitLoad::kNotFound &&
         snapshot.kubelet_elsewhere.empty() && found_without_unit(snapshot).empty();
}

Status check_unit(const nodes::NodeSnapshot& snapshot) {
  const systemd::UnitOnDisk& unit = snapshot.unit;
  const std::size_t at = unit.name.find("@.");
  if (at != std::string::npos && unit.load != systemd::UnitLoad::kNotFound) {
    return Error{.kind = ErrorKind::kNotFound,
                 .message = fmt::format("'{}' is a template: systemd starts instances of it alone",
                                        unit.name),
                 .hint = fmt::format("name the instance with '--unit {}@NAME.service'",
                                     unit.name.substr(0, at))};
  }
  switch (unit.load) {
    case systemd::UnitLoad::kLoaded:
      return {};
    case systemd::UnitLoad::kNotFound:
      return Error{.kind = ErrorKind::kNotFound,
                   .message = fmt::format("there is no unit '{}'", unit.name),
                   .hint = hint_without_unit(snapshot)};
    case systemd::UnitLoad::kMasked:
      return Error{
          .kind = ErrorKind::kNotFound,
          .message = fmt::format("the unit '{}' is masked", unit.name),
          .path = unit.fragment_path,
          .hint = fmt::format("systemd will not start it before 'systemctl unmask {}'", unit.name)};
    case systemd::UnitLoad::kBroken:
      break;
  }
  return Error{.kind = ErrorKind::kMalformed,
               .message = fmt::format("systemd does not load '{}'", unit.name),
               .path = unit.fragment_path};
}

Status check_startable(const nodes::NodeSnapshot& snapshot, const systemd::CommandLine& command) {
  const auto fail = [&snapshot](const std::string& why) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = fmt::format("systemd would not start '{}': {}", snapshot.unit.id, why)};
  };
  const auto program = snapshot.programs.find(command.program);
  if (program != snapshot.programs.end() && !program->second) {
    return fail(fmt::format("there is no program '{}' (status 203)", command.program));
  }
  if (command.words.empty()) return fail("the command has no word left, not even a name");
  for (const systemd::Word& word : command.words) {
    if (word.text.text.size() + 1 > kLongestString) {
      return fail("an argument is longer than the kernel's 128 KiB (status 203)");
    }
  }
  for (const auto& [name, variable] : command.environment) {
    if (name.size() + 1 + variable.value.text.size() + 1 > kLongestString) {
      return fail(
          fmt::format("the variable '{}' is longer than the kernel's 128 KiB (status 203)", name));
    }
  }
  return {};
}

}  // namespace kubelet_sysctl::model
