// SPDX-License-Identifier: Apache-2.0
// A node, a command line and an outcome that tests of reports put into words.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl::reported {

struct Node {
  nodes::NodeSnapshot snapshot;
  model::NodeModel model;
};

// What the reports write piece by piece, as a whole.
inline std::string show_text(const Node& node, const TextStyle& style,
                             const transaction::OpenChanges& open = {}) {
  std::string whole;
  report::write_show_text([&](std::string_view piece) { whole += piece; }, node.snapshot,
                          node.model, style, open);
  return whole;
}
inline std::string status_json(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  std::string whole;
  report::write_status_json([&](std::string_view piece) { whole += piece; }, snapshot, model, {});
  return whole;
}
inline std::string outcome_json(const transaction::Outcome& outcome, int exit = 0) {
  std::string whole;
  report::write_outcome_json([&](std::string_view piece) { whole += piece; }, outcome, exit);
  return whole;
}

inline Origin origin(const std::string& path, std::size_t line, const std::string& variable = {}) {
  Origin made;
  made.path = path;
  made.line = line;
  made.variable = variable;
  return made;
}

/// A running node whose flag shadows a list in the configuration file.
inline Node running_node() {
  Node node;
  node.snapshot.live = true;
  node.snapshot.unit.name = "kubelet.service";
  Process process;
  process.pid = 27340;
  process.started_at_ms = 1795215446000;  // 2026-11-20T22:57:26Z by date(1)
  node.snapshot.process = process;
  node.snapshot.read_at_ms = process.started_at_ms + 12'000;
  node.snapshot.health = nodes::HealthSeen{true, "ok"};
  model::Layer config;
  config.at = origin("/var/lib/kubelet/config.yaml", 31);
  add_entry(config, "net.ipv4.tcp_rmem", origin("/var/lib/kubelet/config.yaml", 32));
  model::Layer flag;
  flag.kind = model::LayerKind::kFlag;
  flag.at = origin("/etc/sysconfig/kubelet", 1, "DAEMON_ARGS");
  add_entry(flag, "kernel.msg*", flag.at);
  add_entry(flag, "net.core.somaxconn", flag.at);
  flag.wins = true;
  node.model.layers = {config, flag};
  model::RunningList running;
  running.process = process;
  running.evidence = model::RunningList::Evidence::kArgv;
  running.entries = {{"kernel.msg*", "net.core.somaxconn"}};
  node.model.running = running;
  return node;
}

inline systemd::CommandLine short_command() {
  systemd::CommandLine command;
  const auto add = [&](const std::string& text, Origin from) {
    systemd::Word word;
    word.text.text = text;
    command.words.push_back(word);
    command.origins.push_back(std::move(from));
  };
  add("/usr/local/bin/kubelet", origin("/usr/lib/systemd/system/kubelet.service", 8));
  add("--v=2", origin("/etc/sysconfig/kubelet", 1, "DAEMON_ARGS"));
  add("", origin("/etc/sysconfig/kubelet", 1, "DAEMON_ARGS"));
  command.unset = {"KUBELET_EXTRA_ARGS"};
  return command;
}

inline planning::FileEdit edit_of(const std::string& path, const std::string& before,
                                  std::vector<Splice> splices, nodes::Route route) {
  planning::FileEdit edit;
  edit.before.path = edit.before.real_path = path;
  edit.before.kind = FileKind::kRegular;
  edit.before.bytes = before;
  auto after = apply_splices(before, splices);
  EXPECT_TRUE(after);
  edit.after = *after;
  edit.splices = std::move(splices);
  edit.route = route;
  return edit;
}

inline planning::FileEdit argument_edit() {
  const std::string before =
      "DAEMON_ARGS=\"--token=geheim --allowed-unsafe-sysctls=kernel.msg*\"\n";
  const std::size_t end = before.rfind('"');
  return edit_of("/etc/sysconfig/kubelet", before, {{{end, end}, ",net.core.somaxconn"}},
                 nodes::Route::kArgs);
}

inline transaction::Outcome applied() {
  transaction::Outcome outcome;
  outcome.kind = transaction::OutcomeKind::kApplied;
  outcome.changed = true;
  outcome.before = {"kernel.msg*", "kernel.sem"};
  outcome.after = {"kernel.msg*", "net.core.somaxconn"};
  outcome.edits = {argument_edit()};
  outcome.restart = true;
  outcome.transaction = "20261120T225726Z-1";
  transaction::Evidence evidence;
  evidence.pid = 27340;
  evidence.started_at_ms = 1795215446000;
  evidence.argv = true;
  evidence.health = "ok";
  evidence.window_ms = 10000;
  outcome.evidence = evidence;
  outcome.steps = {{"restart kubelet.service", 41, std::nullopt}};
  return outcome;
}

}  // namespace kubelet_sysctl::reported
