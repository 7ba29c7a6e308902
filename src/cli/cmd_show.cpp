// SPDX-License-Identifier: Apache-2.0
// show: the configured and the running list, each entry with its place.
#include <utility>

#include "cli/commands.hpp"
#include "cli/session.hpp"
#include "kubelet_sysctl/model.hpp"

namespace kubelet_sysctl {
namespace {

int run_show(Session& session) {
  Ports ports = session.host.open(session.options.root);
  DiscoverOptions wanted = discover_options(session.options);
  wanted.probe_health = wanted.live;
  const auto snapshot = discover(ports, wanted);
  if (!snapshot) return fail(session, snapshot.error());
  const auto model = resolve(*snapshot);
  if (!model) return fail(session, model.error());
  print(session, session.options.json ? status_json(*snapshot, *model)
                                      : show_text(*snapshot, *model, session.out));
  return 0;
}

}  // namespace

constexpr Command kShowCommand = {
    .name = "show",
    .title = "the list in force, who sets it, and whether the kubelet agrees",
    .arguments = "",
    .options = kEverywhere | kTakesUnit,
    .about =
        "Prints the configured list (what the next start will use) with the file and line of each\n"
        "entry, lists that another one hides, the list of the running process, and whether the\n"
        "two differ.",
    .examples =
        "kubelet-sysctl show\n"
        "kubelet-sysctl show -o json\n"
        "kubelet-sysctl show --root /mnt/image",
    .run = run_show};

}  // namespace kubelet_sysctl
