// SPDX-License-Identifier: Apache-2.0
// The kubelet's words on nodes where another program starts it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl::embedded {

inline nodes::NodeSnapshot node(const std::string& unit, const std::string& command,
                                const std::string& more = {}) {
  nodes::NodeSnapshot snapshot =
      built::node_with_unit("[Service]\n" + more + "ExecStart=" + command + "\n");
  snapshot.unit.name = snapshot.unit.id = unit;
  return snapshot;
}

inline Result<systemd::CommandLine> command_of(const nodes::NodeSnapshot& snapshot) {
  auto unit = model::resolve_command(snapshot);
  if (!unit) return std::move(unit).error();
  return model::kubelet_command(snapshot, std::move(*unit));
}

using Texts = std::vector<std::string>;

/// The words behind the kubelet's name; one that says why where they is unknown.
inline Texts words_of(const nodes::NodeSnapshot& snapshot) {
  const auto command = command_of(snapshot);
  if (!command) return {command.error().message};
  Texts texts;
  for (const systemd::Word& word : command->words) texts.push_back(word.text.text);
  EXPECT_FALSE(texts.empty());
  if (!texts.empty()) texts.erase(texts.begin());
  return texts;
}

}  // namespace kubelet_sysctl::embedded
