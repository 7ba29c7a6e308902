// SPDX-License-Identifier: Apache-2.0
// sync: makes the list what the wished list of the node says.
#include <utility>

#include <fmt/format.h>

#include "cli/change.hpp"
#include "cli/commands.hpp"
#include "cli/entries.hpp"
#include "kubelet_sysctl/report.hpp"
#include "kubelet_sysctl/wish_list.hpp"

namespace kubelet_sysctl {
namespace {

Error no_wish_list() {
  return {.kind = ErrorKind::kNotFound,
          .message = fmt::format("there is no wished list: neither '{}' nor a file of '{}'",
                                 kWishFile, kWishDirectory),
          .hint =
              "write one, a line for each entry: net.core.somaxconn owner=team-web "
              "expires=2027-03-01 reason=\"ticket 1412\""};
}

/// What is wished: by the file of the options, or by those of the node.
Result<WishList> wish_list_of(const std::optional<SourceFile>& named, const NodeModel& model,
                              const Options& options) {
  if (named) {
    auto list = parse_wish_list({&*named});
    if (!list) return without_contents(std::move(list).error(), options);
    return list;
  }
  if (model.wish_fault) return *model.wish_fault;
  if (!model.wish_list) return no_wish_list();
  return *model.wish_list;
}

int run_sync(Session& session) {
  const Options& options = session.options;
  std::optional<SourceFile> named;
  if (!options.from_file.empty()) {
    auto file = named_file(options, session.host);
    if (!file) return fail(session, file.error());
    named = std::move(*file);
  }
  const SyncWish wish = {.drop_expired = options.drop_expired,
                         .force = options.force,
                         .allow_wide = options.allow_wide,
                         .lasting = options.lasting,
                         .via = options.via,
                         .file = options.file};
  WishList wished;
  const auto plan = [&](const NodeSnapshot& snapshot, const NodeModel& model) -> Result<Plan> {
    auto list = wish_list_of(named, model, options);
    if (!list) return std::move(list).error();
    wished = std::move(*list);
    return plan_sync(snapshot, model, wished, wish);
  };
  const auto look = [&](Ports& ports, NodeSnapshot& snapshot, const NodeModel& model) {
    // A refusal shows the line of the wish, wherever it stands.
    if (named) snapshot.files.push_back(*named);
    const auto list = wish_list_of(named, model, options);
    if (!list) return;
    std::vector<std::string> entries;
    for (const WishedEntry* one : lasting_wishes(*list)) entries.push_back(one->entry);
    ask_kernel(options, ports, new_entries(model, entries), snapshot);
  };
  const std::string note = "sync";
  return carry_out(session, note, [&](Ports&) -> Result<Wish> {
    return Wish{.note = note,
                .plan = plan,
                .look = look,
                .waits_for_install = Verb::kSync,
                .reason = [&wished](const Plan& made) { return reason_of(wished, made); }};
  });
}

}  // namespace

constexpr Command kSyncCommand = {
    .name = "sync",
    .title = "make the list what the wished list of this node says",
    .arguments = "",
    .options = kEverywhere | kForChanges | kTakesUnit | kTakesFromFile | kTakesVia | kTakesFile |
               kTakesTrial | kTakesUnchangedExit77 | kTakesKubeletVersion | kTakesForce |
               kTakesAllowWide | kTakesEvictPods | kTakesDropExpired | kTakesBeforeStart |
               kTakesLasting,
    .about =
        "Reads /etc/kubelet-sysctl.conf, then /etc/kubelet-sysctl.conf.d/*.conf, and changes the "
        "list as\n"
        "'add' does where it lacks an entry of them, or as 'set' where the file says 'mode = "
        "exact'. An\n"
        "entry whose time is over is told of, and stays wished unless it is to be dropped. Why "
        "and for\n"
        "whom an entry was added goes into the record of the change.\n"
        "\n"
        "  # /etc/kubelet-sysctl.conf\n"
        "  mode = additive\n"
        "  net.core.somaxconn  owner=team-web  expires=2027-03-01  reason=\"ticket 1412: nginx\"\n"
        "  kernel.msg*         owner=team-db",
    .examples =
        "kubelet-sysctl sync --dry-run --diff\n"
        "kubelet-sysctl sync\n"
        "kubelet-sysctl sync --drop-expired\n"
        "kubelet-sysctl sync -f wished.conf --root /mnt/image",
    .run = run_sync};

}  // namespace kubelet_sysctl
