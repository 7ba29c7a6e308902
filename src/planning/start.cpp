// SPDX-License-Identifier: Apache-2.0
// What must be put right before a list is changed, since no kubelet would start with it.
#include "start.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/config.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::planning {
namespace {

/// A value that is no CSV ends the kubelet, and what it was to say is not known: it can be replaced, but
/// nothing can be added to it or taken out of it.
std::optional<Error> broken_value(const model::NodeModel& model, const Change& change) {
  const bool replaces = change.verb == Verb::kSet || (change.verb == Verb::kSync && change.whole);
  if (!model.flags.fatal || model.wrapped || replaces) return std::nullopt;
  const std::size_t word = model.flags.fatal_word;
  const bool of_list = std::any_of(model.flags.lists.begin(), model.flags.lists.end(),
                                   [word](const kubelet::ListFlag& list) {
                                     return list.word == word || list.value_word == word;
                                   });
  if (!of_list) return std::nullopt;
  Error error = {.kind = ErrorKind::kRefused,
                 .message = fmt::format("will not change a list that cannot be read: the kubelet "
                                        "exits at once because of its command line: {}",
                                        *model.flags.fatal),
                 .hint = "rewrite the list with: kubelet-sysctl set ENTRY..."};
  const Origin at = checks::origin_of_word(model, word);
  error.path = at.path;
  error.line = at.line;
  return error;
}

/// A flag may be written before the file is there, when nothing is to be started with it yet.
std::optional<Error> missing_file(const nodes::NodeSnapshot& snapshot,
                                  const model::NodeModel& model, const Change& change) {
  if (model.kind->refuse) return std::nullopt;
  // Who installs the kubelet later writes its files too.
  const auto program = snapshot.programs.find(model.command.program);
  if (program != snapshot.programs.end() && !program->second) return std::nullopt;
  auto error = model::missing_config(snapshot, model);
  if (!error) return std::nullopt;
  const bool idle = !snapshot.live || !snapshot.state || snapshot.state->active_state == "inactive";
  const bool chosen = change.via == Via::kArgs || !change.file.empty();
  const bool usual = change.verb == Verb::kSync || change.verb == Verb::kUndo;
  if (idle && (chosen || usual)) return std::nullopt;
  // A directory can be made at once; a file that others write is waited for.
  const bool waits = error->path == model.config_path;
  if (idle && waits) error->hint += "; or write the list into the arguments now with '--via args'";
  return error;
}

}  // namespace

std::optional<Error> start_fault(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                                 const Change& change) {
  if (auto fault = checks::argument_fault(snapshot, model)) return fault;
  if (auto fault = broken_value(model, change)) return fault;
  auto defaults = model::pod_default_faults(model.pod_defaults);
  if (!defaults.empty() && defaults.front().kind == ErrorKind::kRefused) {
    return std::move(defaults.front());
  }
  return missing_file(snapshot, model, change);
}

}  // namespace kubelet_sysctl::planning
