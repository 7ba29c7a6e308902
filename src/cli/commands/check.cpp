// SPDX-License-Identifier: Apache-2.0
// check: would this node take these entries, or these pods, and would its kernel?
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "commands.hpp"
#include "entries.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/pods/manifest.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/verdicts.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "options.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// What is asked about.
struct Questions {
  std::vector<std::string> entries;
  std::vector<pods::PodSpec> pods;
  std::vector<std::string> skipped;
};

Result<Questions> questions_of(const Session& session) {
  const Options& options = session.options;
  if (options.arguments.empty() && options.from_file.empty()) {
    return usage_error(
        "'check' needs an entry or a manifest",
        "write 'kubelet-sysctl check net.core.somaxconn' or 'kubelet-sysctl check -f "
        "pod.yaml'");
  }
  Questions asked;
  for (const std::string& argument : options.arguments) {
    if (argument.ends_with(".yaml") || argument.ends_with(".yml") || argument.ends_with(".json")) {
      return usage_error(
          fmt::format("'{}' is a file, not an entry", argument),
          fmt::format("to check its pods, run: kubelet-sysctl check -f {}", shell_word(argument)));
    }
  }
  asked.entries = options.arguments;
  if (options.from_file.empty()) return asked;
  const auto file = named_file(options, session.host);
  if (!file) return file.error();
  auto pods = pods::parse_manifests(*file, asked.skipped);
  if (!pods) return without_contents(std::move(pods).error(), options);
  asked.pods = std::move(*pods);
  return asked;
}

/// Entries can be judged where no kubelet runs: on a laptop, in a pipeline. A unit that a user
/// names must be there.
bool is_answer_without_list(const Error& error, const Options& options) {
  const bool named = options.unit != Options{}.unit;
  return error.kind == ErrorKind::kNoSystemd || (error.kind == ErrorKind::kNotFound && !named);
}

/// The kernel was asked before the node's defaults were read; no node has many, and most have none.
void ask_about_defaults(const model::NodeModel& model, ports::Ports& ports, const Options& options,
                        const Questions& asked, pods::VerdictContext& context) {
  context.defaults = model.pod_defaults;
  if (asked.pods.empty() || !options.is_live()) return;
  std::vector<std::string> names = pods::kernel_questions(asked.entries, asked.pods);
  const std::size_t before = names.size();
  for (const model::PodDefault& one : context.defaults.sysctls) {
    if (sysctl::is_kernel_asked(one.name)) names.push_back(one.name);
  }
  if (names.size() > before) context.kernel = ports.kernel.ask(names);
}

void take_lists(const model::NodeModel& model, pods::VerdictContext& context) {
  if (checks::is_list_unknown(model)) {
    context.list_why = checks::unknown_list_text(model);
    return;
  }
  context.list = model::configured_texts(model);
  context.pod_list = context.list;
  if (!model.running || !model.running->entries) return;
  context.pod_list = model.running->entries;
  context.drift = model.drift;
}

/// Why 'add' would refuse here, so that no command is named that does not work.
std::string add_refusal(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const Questions& asked) {
  planning::Change change;
  change.verb = planning::Verb::kAdd;
  change.allow_wide = true;
  const auto take = [&change](const std::string& entry) {
    const auto pattern = sysctl::SysctlPattern::parse(entry);
    if (pattern && !sysctl::refusal_of(*pattern)) change.entries.push_back(entry);
  };
  for (const std::string& entry : asked.entries) take(entry.substr(0, entry.find('=')));
  for (const pods::PodSpec& pod : asked.pods) {
    for (const pods::PodSysctl& one : pod.sysctls) take(one.name);
  }
  if (change.entries.empty()) return {};
  const auto plan = planning::make_plan(snapshot, model, change);
  return plan ? std::string() : plan.error().message;
}

Result<pods::VerdictContext> context_for(const Session& session, ports::Ports& ports,
                                         const Questions& asked) {
  const Options& options = session.options;
  discover::DiscoverOptions wanted = discover_options(options);
  wanted.version_from = discover::VersionFrom::kFile;
  wanted.ask_journal = false;
  pods::VerdictContext context;
  if (wanted.live) {
    // The kernel answers while the manager does.
    ask_early(options, ports);
    context.kernel = ports.kernel.ask(pods::kernel_questions(asked.entries, asked.pods));
  } else {
    context.kernel.why = "a tree of files says nothing of the kernel that will run it";
  }
  const auto snapshot = discover::discover(ports, wanted);
  if (!snapshot && !is_answer_without_list(snapshot.error(), options)) return snapshot.error();
  if (!snapshot) {
    context.version = options.kubelet_version;
    context.version_why = context.list_why = snapshot.error().message;
    return context;
  }
  context.version = snapshot->kubelet_version;
  context.version_why = snapshot->kubelet_version_why;
  const auto model = model::resolve(*snapshot);
  if (!model && !is_answer_without_list(model.error(), options)) {
    return as_refusal(model.error());
  }
  if (model) {
    take_lists(*model, context);
    ask_about_defaults(*model, ports, options, asked, context);
    context.add_why = add_refusal(*snapshot, *model, asked);
  } else {
    context.list_why = model.error().message;
    if (!context.version) context.version_why = context.list_why;
  }
  return context;
}

int run_check(Session& session) {
  const auto asked = questions_of(session);
  if (!asked) return fail(session, asked.error());
  ports::Ports ports = session.host.open(session.options.root);
  const auto context = context_for(session, ports, *asked);
  if (!context) return fail(session, context.error());
  const pods::Verdicts verdicts =
      pods::verdicts_on(asked->entries, asked->pods, asked->skipped, *context);
  const bool verbose = session.options.verbose;
  if (!session.options.quiet) {
    print(session, session.options.json ? report::verdicts_json(verdicts, *context, verbose)
                                        : report::verdicts_text(verdicts, *context, session.out));
  }
  return pods::is_anything_found(verdicts) ? kFound : 0;
}

}  // namespace

constexpr Command kCheckCommand = {
    .bit = kCheck,
    .name = "check",
    .title = "would this node and its kernel accept these entries or pods",
    .arguments = "ENTRY...",
    .about =
        "For each entry: whether the kubelet of this node and the newest known one start with it, "
        "whether\nit is in the list, and whether the running kernel lets a pod set it. Of "
        "NAME=VALUE, a setting of\na pod, only the name is checked. With -f, for each pod in a "
        "manifest: whether this node admits\nit, and if not, the message that refuses it. Nothing "
        "is changed. Ends with 6 when an entry or a\npod would be refused or have no effect, or "
        "when that is unknown. Works without a kubelet too:\nthen the list is unknown.",
    .examples =
        "kubelet-sysctl check net.core.somaxconn 'kernel.shm_*'\n"
        "kubelet-sysctl check net.core.somaxconn=1024 --kubelet-version 1.29\n"
        "kubelet-sysctl check -f deployment.yaml -o json",
    .run = run_check};

}  // namespace kubelet_sysctl::cli
