// SPDX-License-Identifier: Apache-2.0
// sync: makes the list what the desired list of the node says.
#include <utility>

#include <fmt/format.h>

#include "change.hpp"
#include "commands.hpp"
#include "entries.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "options.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {
namespace {

Error no_desired_list() {
  return {.kind = ErrorKind::kNotFound,
          .message = fmt::format("there is no desired list: neither '{}' nor a file of '{}'",
                                 desired::kDesiredFile, desired::kDesiredDirectory),
          .hint =
              "write one, a line for each entry: net.core.somaxconn owner=team-web "
              "expires=2027-03-01 reason=\"ticket 1412\""};
}

/// What is desired: by the file of the options, or by those of the node.
Result<desired::DesiredList> desired_list_of(const std::optional<SourceFile>& named,
                                             const model::NodeModel& model,
                                             const Options& options) {
  if (named) {
    auto list = desired::parse_desired_list({&*named});
    if (!list) return without_contents(std::move(list).error(), options);
    return list;
  }
  if (model.desired_fault) return *model.desired_fault;
  if (!model.desired_list) return no_desired_list();
  return *model.desired_list;
}

int run_sync(Session& session) {
  const Options& options = session.options;
  std::optional<SourceFile> named;
  if (!options.from_file.empty()) {
    auto file = named_file(options, session.host);
    if (!file) return fail(session, file.error());
    named = std::move(*file);
  }
  const planning::SyncRequest request = {.drop_expired = options.drop_expired,
                                         .force = options.force,
                                         .allow_wide = options.allow_wide,
                                         .persist = options.persist,
                                         .via = options.via,
                                         .file = options.file};
  desired::DesiredList desired_list;
  const auto plan = [&](const nodes::NodeSnapshot& snapshot,
                        const model::NodeModel& model) -> Result<planning::Plan> {
    auto list = desired_list_of(named, model, options);
    if (!list) return std::move(list).error();
    desired_list = std::move(*list);
    return planning::plan_sync(snapshot, model, desired_list, request);
  };
  const auto inspect = [&](ports::Ports& ports, nodes::NodeSnapshot& snapshot,
                           const model::NodeModel& model) {
    // A refusal shows the line of the entry, wherever it is.
    if (named) snapshot.files.push_back(*named);
    const auto list = desired_list_of(named, model, options);
    if (!list) return;
    std::vector<std::string> entries;
    for (const desired::DesiredEntry* one : desired::effective_entries(*list))
      entries.push_back(one->entry);
    ask_kernel(options, ports, planning::new_entries(model, entries), snapshot);
  };
  const std::string note = "sync";
  return carry_out(session, note, [&](ports::Ports&) -> Result<ChangeRequest> {
    return ChangeRequest{.note = note,
                         .plan = plan,
                         .inspect = inspect,
                         .waits_for_install = planning::Verb::kSync,
                         .reason = [&desired_list](const planning::Plan& made) {
                           return planning::reason_of(desired_list, made);
                         }};
  });
}

}  // namespace

constexpr Command kSyncCommand = {
    .bit = kSync,
    .name = "sync",
    .title = "make the list what the desired list of this node says",
    .arguments = "",
    .about =
        "Reads /etc/kubelet-sysctl.conf, then /etc/kubelet-sysctl.conf.d/*.conf, and changes the "
        "list as\n"
        "'add' does where it lacks an entry of them, or as 'set' where the file says 'mode = "
        "exact'. An\nexpired entry is reported, and stays in the list unless it is to be dropped. "
        "The reason and the\nowner of an added entry go into the record of the change.\n"
        "\n"
        "  # /etc/kubelet-sysctl.conf\n"
        "  mode = additive\n"
        "  net.core.somaxconn  owner=team-web  expires=2027-03-01  reason=\"ticket 1412: nginx\"\n"
        "  kernel.msg*         owner=team-db",
    .examples =
        "kubelet-sysctl sync --dry-run --diff\n"
        "kubelet-sysctl sync\n"
        "kubelet-sysctl sync --drop-expired\n"
        "kubelet-sysctl sync -f desired.conf --root /mnt/image",
    .run = run_sync};

}  // namespace kubelet_sysctl::cli
