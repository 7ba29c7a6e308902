// SPDX-License-Identifier: Apache-2.0
// The nodes whose fault is in what runs there.
#include "kubelet_sysctl/base/time.hpp"
#include "support/doctor_nodes.hpp"

namespace kubelet_sysctl::doctor_nodes {
namespace {

const std::string kListed = "ARGS=\"--v=2 --allowed-unsafe-sysctls=kernel.sem\"\n";

Node runs() {
  return [] { return running(); };
}

/// A node that runs with `before`, and `path` then holds `after`.
Node changed(const Files& before, const std::string& path, const std::string& after) {
  return [before, path, after] {
    auto lab = running(before);
    lab->services().write(path, after);
    return lab;
  };
}

/// The kubelet falls right after each start, with these last words.
Node falling(std::vector<std::string> words) {
  return [words] {
    auto lab = node();
    Misbehaviour how;
    how.dies_after = Milliseconds(200);
    how.last_words = words;
    lab->services().misbehave(how);
    lab->services().boot();
    return lab;
  };
}

Node unhealthy() {
  return [] {
    auto lab = node();
    Misbehaviour how;
    how.never_healthy = true;
    lab->services().misbehave(how);
    lab->services().boot();
    return lab;
  };
}

Node stopped() {
  return [] {
    auto lab = running();
    lab->services().stop();
    return lab;
  };
}

/// The main process stays a wrapper that no process of a kubelet is seen behind.
Node wrapped() {
  return [] {
    auto lab = node({{kUnit, unit("/opt/start-kubelet --v=2")}});
    Misbehaviour how;
    how.argv = std::vector<std::string>{"/opt/start-kubelet", "--v=2"};
    lab->services().misbehave(how);
    lab->services().boot();
    return lab;
  };
}

Node unread_by_the_manager() {
  return [] {
    auto lab = running();
    lab->services().says_needs_reload = true;
    return lab;
  };
}

}  // namespace

std::vector<Pair> pairs_of_process() {
  const std::string more = "ARGS=\"--v=4 --allowed-unsafe-sysctls=kernel.sem\"\n";
  const std::string other = "ARGS=\"--v=2 --allowed-unsafe-sysctls=kernel.msgmax\"\n";
  return {
      {"kubelet-stopped", stopped(), runs()},
      {"restart-loop",
       falling({"\"command failed\" err=\"the sysctls \\\"vm.swappiness\\\" are not known to be "
                "namespaced\""}),
       runs()},
      {"not-reloaded", unread_by_the_manager(), runs()},
      {"drift", changed({{kArguments, kListed}}, kArguments, other),
       changed({{kArguments, kListed}}, kArguments, more)},
      {"newer-file", changed({}, kConfig, config("allowedUnsafeSysctls: [kernel.sem]\n")),
       changed({{kArguments, kListed}}, kConfig, config("maxPods: 50\n"))},
      {"other-arguments", changed({{kArguments, kListed}}, kArguments, more),
       changed({{kArguments, kListed}}, kArguments, other)},
      {"list-unknown", wrapped(), runs()},
      {"not-healthy", unhealthy(), runs()},
  };
}

}  // namespace kubelet_sysctl::doctor_nodes
