// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the resolver and of the planner's promise. The input is a unit, a drop-in and two
// environment files, separated by the byte 0x1e. No input crashes the resolver and every byte knows
// its place; where a plan comes out, the node read again has the desired list and nothing else is new.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"
#include "rules.hpp"

using kubelet_sysctl::fuzz::expect;
using kubelet_sysctl::model::NodeModel;
using kubelet_sysctl::nodes::NodeSnapshot;
using kubelet_sysctl::planning::FileEdit;
using kubelet_sysctl::planning::Plan;

namespace {

using Texts = std::vector<std::string>;

constexpr const char* kDropInPath = "/etc/systemd/system/kubelet.service.d/10-fuzz.conf";

std::int32_t add_file(kubelet_sysctl::nodes::NodeSnapshot& snapshot, const std::string& path,
                      std::string bytes) {
  kubelet_sysctl::SourceFile file;
  file.path = file.real_path = path;
  file.kind = kubelet_sysctl::FileKind::kRegular;
  file.bytes = std::move(bytes);
  snapshot.files.push_back(std::move(file));
  return static_cast<std::int32_t>(snapshot.files.size() - 1);
}

/// The input's parts; there are always four.
Texts parts_of(std::string_view text) {
  constexpr std::size_t kParts = 4;
  Texts parts;
  for (std::size_t at = 0; at <= text.size() && parts.size() < kParts;) {
    std::size_t end = std::min(text.find('\x1e', at), text.size());
    if (parts.size() + 1 == kParts) end = text.size();
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  parts.resize(kParts);
  return parts;
}

/// Puts the environment files where the EnvironmentFile= lines search for them.
void add_environment_files(kubelet_sysctl::nodes::NodeSnapshot& snapshot, const Texts& bytes) {
  kubelet_sysctl::systemd::ServiceSettings settings;
  for (std::int32_t source = 0; source < 2; ++source) {
    kubelet_sysctl::systemd::apply_settings(
        kubelet_sysctl::systemd::parse_unit_file(snapshot.files[static_cast<std::size_t>(source)],
                                                 source)
            .settings,
        settings);
  }
  std::size_t used = 0;
  for (const auto& setting : settings.environment_files) {
    std::vector<kubelet_sysctl::systemd::FormUse> unused;
    const auto line = kubelet_sysctl::systemd::parse_environment_file_line(
        setting.value, snapshot.specifiers, unused);
    if (!line || !*line || used == bytes.size()) continue;
    const std::string& path = (*line)->path;
    if (path.find_first_of("*?[") != std::string::npos) snapshot.globs[path] = {"/etc/glob.env"};
    const std::string& found = snapshot.globs.contains(path) ? "/etc/glob.env" : path;
    if (kubelet_sysctl::nodes::find_file(snapshot, found) == nullptr)
      add_file(snapshot, found, bytes[used++]);
  }
}

kubelet_sysctl::nodes::NodeSnapshot snapshot_of(const Texts& parts, const std::string& directory) {
  kubelet_sysctl::nodes::NodeSnapshot snapshot;
  snapshot.unit.load = kubelet_sysctl::systemd::UnitLoad::kLoaded;
  snapshot.unit.name = snapshot.unit.id = "kubelet.service";
  snapshot.unit.names = {"kubelet.service"};
  snapshot.unit.fragment_path = directory + "/kubelet.service";
  snapshot.unit.fragment = add_file(snapshot, snapshot.unit.fragment_path, parts[0]);
  snapshot.unit.drop_ins = {add_file(snapshot, kDropInPath, parts[1])};
  snapshot.specifiers = {{'n', "kubelet.service"}, {'E', "/etc"}, {'i', ""}};
  add_environment_files(snapshot, {parts[2], parts[3]});
  return snapshot;
}

void check_command(const kubelet_sysctl::nodes::NodeSnapshot& snapshot) {
  const auto command = kubelet_sysctl::model::resolve_command(snapshot);
  if (!command) return;
  std::vector<std::size_t> sizes;
  for (const kubelet_sysctl::SourceFile& file : snapshot.files) sizes.push_back(file.bytes.size());
  expect(command->origins.size() == command->words.size(), "every word has its origin");
  for (const auto& word : command->words) {
    kubelet_sysctl::fuzz::expect_origins(word.text, sizes);
    kubelet_sysctl::fuzz::expect_origin(word.raw, sizes);
  }
  for (const auto& [name, variable] : command->environment) {
    kubelet_sysctl::fuzz::expect_origins(variable.value, sizes);
  }
  expect(static_cast<bool>(kubelet_sysctl::model::check_startable(snapshot, *command)) ||
             snapshot.files[0].bytes.size() + snapshot.files[1].bytes.size() > 1024,
         "a small unit can be started");
}

/// The arguments without the list's flag.
Texts other_words(const kubelet_sysctl::model::NodeModel& model) {
  Texts words;
  for (std::size_t i = 0; i < model.argv.size(); ++i) {
    const bool of_list =
        std::any_of(model.flags.lists.begin(), model.flags.lists.end(),
                    [i](const auto& flag) { return flag.word == i || flag.value_word == i; });
    if (!of_list) words.push_back(model.argv[i]);
  }
  return words;
}

/// An edit touches one place, or the two ends of a value that gets quotes, or one place for each
/// occurrence of the flag.
void check_places(const kubelet_sysctl::planning::FileEdit& edit, std::size_t occurrences) {
  expect(kubelet_sysctl::only_spliced(edit.before.bytes, edit.after, edit.splices),
         "an edit changes nothing outside its places");
  const auto& splices = edit.splices;
  const bool quotes = splices.size() == 2 && splices[0].text == "\"" &&
                      splices[1].text.ends_with("\"") && splices[0].at.size() == 0 &&
                      splices[1].at.size() == 0;
  expect(splices.size() <= std::max<std::size_t>(1, occurrences) || quotes,
         "an edit touches as few places as it said");
}

bool holds_flag(const kubelet_sysctl::model::NodeModel& model, const std::string& variable) {
  return std::any_of(model.flags.lists.begin(), model.flags.lists.end(), [&](const auto& flag) {
    return model.command.words[flag.word].variable == variable;
  });
}

void check_plan(const kubelet_sysctl::nodes::NodeSnapshot& snapshot,
                const kubelet_sysctl::model::NodeModel& before,
                const kubelet_sysctl::planning::Plan& plan) {
  const auto after = kubelet_sysctl::planning::model_after(snapshot, plan.edits);
  expect(static_cast<bool>(after), "a planned node reads");
  expect(kubelet_sysctl::model::configured_texts(*after) == plan.after,
         "a planned node has the desired list");
  expect(after->argv == plan.expected_argv, "a planned node has the arguments that were foretold");
  expect(other_words(*after) == other_words(before), "a plan changes no other argument");
  for (const kubelet_sysctl::planning::FileEdit& edit : plan.edits) {
    if (!edit.removes) check_places(edit, before.flags.lists.size());
  }
  for (const auto& [name, variable] : before.command.environment) {
    const auto found = after->command.environment.find(name);
    // One that held the flag alone may go with it.
    const bool gone = found == after->command.environment.end();
    const std::string now = gone ? std::string() : found->second.value.text.str();
    const bool held_flag = holds_flag(before, name) || holds_flag(*after, name);
    expect((!gone && now == variable.value.text) || held_flag, "a plan changes no other variable");
  }
}

kubelet_sysctl::planning::Plan planned(const kubelet_sysctl::nodes::NodeSnapshot& snapshot,
                                       const kubelet_sysctl::model::NodeModel& model,
                                       const kubelet_sysctl::planning::Change& change) {
  auto plan = kubelet_sysctl::planning::make_plan(snapshot, model, change);
  if (!plan) return {};
  check_plan(snapshot, model, *plan);
  return std::move(*plan);
}

/// Adds through one file, or wherever it is best; then takes away again what was added.
void check_add(const kubelet_sysctl::nodes::NodeSnapshot& snapshot,
               const kubelet_sysctl::model::NodeModel& model, const std::string& file) {
  kubelet_sysctl::planning::Change change;
  change.via = kubelet_sysctl::planning::Via::kArgs;
  change.file = file;
  change.entries = {"net.core.somaxconn", "kernel.sem"};
  const Texts before = kubelet_sysctl::model::configured_texts(model);
  const kubelet_sysctl::planning::Plan added = planned(snapshot, model, change);
  if (added.edits.empty()) return;
  Texts wished = before;
  for (const std::string& entry : change.entries) {
    if (std::find(wished.begin(), wished.end(), entry) == wished.end()) wished.push_back(entry);
  }
  expect(added.after.size() <= wished.size() && added.after.size() > before.size(),
         "an addition adds");
  expect(std::equal(before.begin(), before.end(), added.after.begin()),
         "an addition keeps what there was");

  kubelet_sysctl::nodes::NodeSnapshot now = snapshot;
  for (const kubelet_sysctl::planning::FileEdit& edit : added.edits) {
    if (!edit.before.exists() || edit.removes) return;
    now.files[static_cast<std::size_t>(kubelet_sysctl::nodes::find_source(now, edit.before.path))]
        .bytes = edit.after;
  }
  const auto read_again = kubelet_sysctl::checks::resolve_and_check(now);
  expect(read_again && configured_texts(*read_again) == added.after,
         "the files alone, once written, say the same");
  change.verb = kubelet_sysctl::planning::Verb::kRemove;
  change.file.clear();
  planned(now, *read_again, change);
}

void check_node(const kubelet_sysctl::nodes::NodeSnapshot& snapshot, bool every_file) {
  const auto model = kubelet_sysctl::checks::resolve_and_check(snapshot);
  if (!model) return;
  check_add(snapshot, *model, {});
  if (!every_file) return;
  for (const kubelet_sysctl::SourceFile& file : snapshot.files)
    check_add(snapshot, *model, file.path);
  kubelet_sysctl::planning::Change change;
  change.via = kubelet_sysctl::planning::Via::kArgs;
  change.verb = kubelet_sysctl::planning::Verb::kSet;
  change.entries = {"net.ipv4.tcp_mem"};
  planned(snapshot, *model, change);
  change.entries.clear();
  planned(snapshot, *model, change);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Texts parts = parts_of({reinterpret_cast<const char*>(data), size});
  kubelet_sysctl::nodes::NodeSnapshot snapshot = snapshot_of(parts, "/etc/systemd/system");
  for (const int version : {219, 257}) {
    snapshot.systemd_version = version;
    check_command(snapshot);
  }
  snapshot.systemd_version = kubelet_sysctl::systemd::kReferenceSystemd;
  check_command(snapshot);
  check_node(snapshot, true);
  check_node(snapshot_of(parts, "/usr/lib/systemd/system"), false);
  return 0;
}
