// SPDX-License-Identifier: Apache-2.0
// The documents that scripts read; docs/json-schema.json describes each of them.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/advice.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/kubelet/last_words.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/diff.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/sysctl/pod_defaults.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::report {
namespace {

using Json = nlohmann::ordered_json;  // apiVersion and kind come first, as they are written here

constexpr const char* kApiVersion = "kubelet-sysctl/v1";

Json document(const char* kind) {
  Json made = Json::object();
  made["apiVersion"] = kApiVersion;
  made["kind"] = kind;
  return made;
}

/// One line. Bytes that are not UTF-8 become U+FFFD: files have such bytes, and dump() would throw.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

/// A document that is written as it is made: a list is never there as a whole.
class Writer {
 public:
  Writer(const Sink& out, const char* kind) : out_(out) {
    begin({}, '{');
    member("apiVersion", kApiVersion);
    member("kind", kind);
  }
  void begin(std::string_view key, char bracket) {
    separate(key);
    piece_ += bracket;
    first_ = true;
  }
  void end(char bracket) {
    piece_ += bracket;
    first_ = false;
  }
  void member(std::string_view key, const Json& value) {
    separate(key);
    const std::string text = text_of(value);
    if (piece_.size() + text.size() < kPiece) {
      piece_ += text;
      return;
    }
    out_(piece_);
    out_(text);
    piece_.clear();
  }
  void item(const Json& value) { member({}, value); }
  template <typename Texts>
  void list(std::string_view key, const Texts& texts) {
    begin(key, '[');
    for (const std::string_view text : texts) item(text);
    end(']');
  }
  void finish() {
    end('}');
    out_(piece_ += '\n');
  }

 private:
  static constexpr std::size_t kPiece = 16384;

  void separate(std::string_view key) {
    if (!first_) piece_ += ',';
    first_ = false;
    if (!key.empty()) piece_ += text_of(key) + ':';
  }

  const Sink& out_;
  std::string piece_;
  bool first_ = true;
};

Json text_or_null(std::string_view text) { return text.empty() ? Json(nullptr) : Json(text); }

Json number_or_null(std::size_t number) { return number == 0 ? Json(nullptr) : Json(number); }

Json time_or_null(std::int64_t ms) { return ms == 0 ? Json(nullptr) : Json(rfc3339(ms)); }

Json findings_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    list.push_back({{"id", finding.id},
                    {"severity", name_of(finding.severity)},
                    {"message", finding.message},
                    {"file", text_or_null(finding.path)},
                    {"line", number_or_null(finding.line)},
                    {"hint", text_or_null(finding.hint)}});
  }
  return list;
}

Json node_json(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model) {
  const auto& version = snapshot.kubelet_version;
  return {{"kind", model.kind == nullptr ? "unknown" : model.kind->id},
          {"unit", snapshot.unit.name},
          {"kubeletVersion", version ? Json(sysctl::text_of(*version)) : Json(nullptr)},
          {"root", snapshot.root}};
}

Json entry_json(const model::Layer& layer, const model::Entry& entry) {
  const Origin& place = layer.places[entry.place];
  return {{"entry", entry.text},
          {"file", text_or_null(place.path)},
          {"line", number_or_null(entry.line)},
          {"variable", text_or_null(place.variable)}};
}

void write_layer(Writer& out, const model::Layer& layer) {
  out.begin({}, '{');
  out.member("layer", model::name_of(layer.kind));
  out.member("file", text_or_null(layer.at.path));
  out.member("line", number_or_null(layer.at.line));
  out.member("wins", layer.wins);
  out.list("entries", layer.entries.texts());
  out.end('}');
}

void write_running(Writer& out, const nodes::NodeSnapshot& snapshot,
                   const model::RunningList& running) {
  out.begin("running", '{');
  out.member("pid", running.process.pid);
  out.member("startedAt", time_or_null(running.process.started_at_ms));
  // Without evidence the list is not known, which is not the empty list.
  if (running.entries) {
    out.list("entries", *running.entries);
  } else {
    out.member("entries", nullptr);
  }
  out.member("evidence", model::name_of(running.evidence));
  out.member("configz", text_or_null(name_of(running.configz)));
  out.member("healthy", snapshot.health ? Json(snapshot.health->ok) : Json(nullptr));
  out.end('}');
}

void write_configured(Writer& out, const model::NodeModel& model) {
  const model::Layer* winner = model::winner_of(model);
  out.begin("configured", '{');
  if (checks::is_list_unknown(model)) {
    out.member("layer", "unknown");
    out.member("entries", nullptr);
  } else {
    out.member("layer", winner == nullptr ? "none" : model::name_of(winner->kind));
    out.begin("entries", '[');
    for (const model::Entry& entry : model::configured_entries(model)) {
      out.item(entry_json(*winner, entry));
    }
    out.end(']');
  }
  out.end('}');
}

/// Written where a file sets the field: no node has it yet.
void write_pod_defaults(Writer& out, const model::PodDefaults& defaults) {
  if (defaults.sysctls.empty()) return;
  const auto state = defaults.state;
  const bool unknown = state == sysctl::DefaultsState::kUnknown;
  out.begin(sysctl::kDefaultsKey, '{');
  out.member("inForce", unknown ? Json(nullptr) : Json(state == sysctl::DefaultsState::kInForce));
  out.member("reason", text_or_null(sysctl::why_of(state)));
  out.begin("sysctls", '[');
  for (const model::PodDefault& one : defaults.sysctls) {
    out.item({{"name", one.name},
              {"value", one.value},
              {"file", text_or_null(one.at.path)},
              {"line", number_or_null(one.at.line)}});
  }
  out.end(']');
  out.end('}');
}

Json advice_json(std::optional<Advice> advice) {
  if (!advice) return nullptr;
  Json json = {{"what", advice->what},
               {"object", nullptr},
               {"file", text_or_null(advice->file)},
               {"command", text_or_null(advice->command)}};
  // Not copied: it holds the whole list.
  if (!advice->object.empty()) json["object"] = std::move(advice->object.edit());
  return json;
}

Json error_object(const Error& error) {
  return {{"kind", name_of(error.kind)},
          {"message", error.message},
          {"file", text_or_null(error.path)},
          {"line", number_or_null(error.line)},
          {"column", number_or_null(error.column)},
          {"hint", text_or_null(error.hint)},
          {"detail", text_or_null(error.detail)},
          {"advice", advice_json(error.advice)}};
}

Json evidence_json(const std::optional<transaction::Evidence>& evidence) {
  if (!evidence) return nullptr;
  return {{"pid", evidence->pid == 0 ? Json(nullptr) : Json(evidence->pid)},
          {"startedAt", time_or_null(evidence->started_at_ms)},
          {"argv", evidence->argv ? Json(*evidence->argv) : Json(nullptr)},
          {"configFile", evidence->config_file ? Json(*evidence->config_file) : Json(nullptr)},
          {"health", text_or_null(evidence->health)},
          {"configz", text_or_null(name_of(evidence->configz))},
          {"restarts", evidence->restarts},
          {"windowMs", evidence->window_ms}};
}

Json edits_json(const std::vector<planning::FileEdit>& edits) {
  Json list = Json::array();
  for (const planning::FileEdit& edit : edits) {
    list.push_back({{"file", edit.before.path},
                    {"route", name_of(edit.route)},
                    {"diff", planning::diff_text(edit, TextStyle{})}});
  }
  return list;
}

Json steps_json(const std::vector<transaction::Step>& steps) {
  Json list = Json::array();
  for (const transaction::Step& step : steps) {
    list.push_back({{"what", step.what},
                    {"milliseconds", step.milliseconds},
                    {"error", step.error ? Json(step.error->message) : Json(nullptr)}});
  }
  return list;
}

/// Whose bytes each file of the change holds; none where nothing was written. Of a stranded one they were
/// inspected, of any other the run itself put them there.
Json on_disk_json(const transaction::Outcome& outcome) {
  Json list = Json::array();
  const auto push = [&list](const std::string& path, transaction::FileHolds holds) {
    const bool old = holds == transaction::FileHolds::kOld;
    list.push_back({{"file", path}, {"holds", old ? "restored" : name_of(holds)}});
  };
  for (const transaction::FileNow& file : outcome.on_disk) push(file.path, file.holds);
  const bool rolled_back = outcome.kind == transaction::OutcomeKind::kRolledBack;
  const bool written = outcome.kind == transaction::OutcomeKind::kApplied ||
                       outcome.kind == transaction::OutcomeKind::kPending;
  if (!rolled_back && !written) return list;
  for (const planning::FileEdit& edit : outcome.edits) {
    push(edit.before.path,
         rolled_back ? transaction::FileHolds::kOld : transaction::FileHolds::kNew);
  }
  return list;
}

/// What was seen of the kubelet at the end of the run: null where it was not asked.
Json healthy_json(const transaction::Outcome& outcome) {
  if (outcome.evidence && outcome.evidence->health == "ok") return true;
  if (outcome.kind == transaction::OutcomeKind::kStranded && outcome.restart) return false;
  return outcome.healthy ? Json(*outcome.healthy) : Json(nullptr);
}

Json unfinished_json(const std::vector<transaction::Transaction>& unfinished) {
  Json list = Json::array();
  for (const transaction::Transaction& one : unfinished) {
    list.push_back({{"transaction", one.id},
                    {"state", transaction::name_of(one.state)},
                    {"verb", planning::name_of(one.verb)}});
  }
  return list;
}

/// A trial that runs, with the entries that it brought and took.
Json trial_now_json(const transaction::Transaction& one) {
  const ListChange change = change_between(one.before, one.after);
  EntryList entries = change.added;
  for (const std::string_view entry : change.removed) entries.push_back(entry);
  return {{"transaction", one.id},
          {"verb", planning::name_of(one.verb)},
          {"until", time_or_null(one.trial ? one.trial->until_ms : 0)},
          {"entries", std::move(entries)}};
}

Json journal_files_json(const std::vector<transaction::JournalFile>& files, bool with_diffs) {
  Json list = Json::array();
  for (const transaction::JournalFile& file : files) {
    Json diff;
    if (with_diffs) {
      // A record whose bytes are lost or do not fit has no diff; the rest of it still counts.
      if (const auto edit = transaction::edit_of(file))
        diff = planning::diff_text(*edit, TextStyle{});
    }
    list.push_back({{"file", file.path},
                    {"route", name_of(file.route)},
                    {"created", !file.existed},
                    {"removed", file.removed},
                    {"diff", std::move(diff)}});
  }
  return list;
}

Json transaction_json(const transaction::Transaction& one,
                      const std::vector<transaction::Transaction>& all,
                      const transaction::OpenChanges& open, bool with_diffs) {
  const auto is_among = [&one](const std::vector<transaction::Transaction>& some) {
    return std::any_of(some.begin(), some.end(), [&one](const transaction::Transaction& other) {
      return other.id == one.id;
    });
  };
  const transaction::Transaction* by = transaction::undone_by(all, one.id);
  Json states = Json::array();
  for (const transaction::StateReached& reached : one.reached) {
    states.push_back(
        {{"state", transaction::name_of(reached.state)}, {"at", time_or_null(reached.at_ms)}});
  }
  Json trial;
  if (one.trial) {
    trial = {{"until", time_or_null(one.trial->until_ms)}, {"running", is_among(open.trials)}};
  }
  return {{"id", one.id},
          {"verb", planning::name_of(one.verb)},
          {"state", transaction::name_of(one.state)},
          {"unfinished", is_among(open.unfinished)},
          {"at", time_or_null(one.at_ms)},
          {"user",
           {{"uid", one.uid},
            {"loginUid", one.login_uid ? Json(*one.login_uid) : Json(nullptr)},
            {"sudoUser", text_or_null(one.sudo_user)}}},
          {"reason", text_or_null(one.reason)},
          {"unit", text_or_null(one.unit)},
          {"toolVersion", text_or_null(one.tool_version)},
          {"systemdVersion", one.systemd_version == 0 ? Json(nullptr) : Json(one.systemd_version)},
          {"states", std::move(states)},
          {"before", one.before},
          {"after", one.after},
          {"files", journal_files_json(one.files, with_diffs)},
          {"restart", one.restart},
          {"wasDown", one.was_down},
          {"trial", std::move(trial)},
          {"cause", text_or_null(one.cause)},
          {"undoes", text_or_null(one.undoes)},
          {"undoneBy", by == nullptr ? Json(nullptr) : Json(by->id)}};
}

}  // namespace

std::string doctor_json(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                        const std::vector<Finding>& findings,
                        const std::vector<std::string>& not_inspected,
                        const std::string& in_progress) {
  Json made = document("Findings");
  made["node"] = node_json(snapshot, model);
  made["findings"] = findings_json(findings);
  made["notInspected"] = not_inspected;
  made["inProgress"] = text_or_null(in_progress);
  return text_of(made);
}

void write_status_json(const Sink& out, const nodes::NodeSnapshot& snapshot,
                       const model::NodeModel& model, const transaction::OpenChanges& open) {
  Writer made(out, "Status");
  made.member("node", node_json(snapshot, model));
  write_configured(made, model);
  const bool unknown = checks::is_list_unknown(model);
  if (unknown) {
    made.member("layers", nullptr);
  } else {
    made.begin("layers", '[');
    for (const model::Layer& layer : model.layers) write_layer(made, layer);
    made.end(']');
  }
  write_pod_defaults(made, model.pod_defaults);
  if (model.running) {
    write_running(made, snapshot, *model.running);
  } else {
    made.member("running", nullptr);
  }
  // Where one of the two lists is not known, nobody knows whether they differ.
  const bool no_answer = unknown || (model.running && !model.running->entries);
  made.member("drift", no_answer ? Json(nullptr) : Json(model.drift));
  made.member("inProgress", text_or_null(open.in_progress));
  made.member("unfinished", unfinished_json(open.unfinished));
  // Of several the one that was begun last: it holds the list that the others began.
  made.member("trial", open.trials.empty() ? Json(nullptr) : trial_now_json(open.trials.back()));
  made.member("findings", findings_json(model.findings));
  made.finish();
}

std::string command_line_json(const systemd::CommandLine& command) {
  Json made = document("CommandLine");
  Json words = Json::array();
  for (std::size_t i = 0; i < command.words.size(); ++i) {
    const Origin origin = i < command.origins.size() ? command.origins[i] : Origin{};
    words.push_back({{"text", command.words[i].text.text},
                     {"file", text_or_null(origin.path)},
                     {"line", number_or_null(origin.line)},
                     {"variable", text_or_null(origin.variable)}});
  }
  made["words"] = std::move(words);
  made["unresolved"] = command.unset;
  return text_of(made);
}

void write_outcome_json(const Sink& out, const transaction::Outcome& outcome, int exit) {
  Writer made(out, "Outcome");
  made.member("changed", outcome.changed);
  made.member("outcome", transaction::name_of(outcome.kind));
  made.member("verb", planning::name_of(outcome.verb));
  made.list("before", outcome.before);
  made.list("after", outcome.after);
  made.member("edits", edits_json(outcome.edits));
  made.member("restart", outcome.restart ? "restart" : "none");
  made.member("transaction", text_or_null(outcome.transaction));
  made.member("evidence", evidence_json(outcome.evidence));
  made.member("steps", steps_json(outcome.steps));
  made.member("findings", findings_json(outcome.findings));
  made.member("cause", outcome.cause ? error_object(*outcome.cause) : Json(nullptr));
  made.member("lastWords", kubelet::reason_first(outcome.last_words));
  made.member("recognised", text_or_null(outcome.recognised));
  made.member("commands", outcome.commands);
  made.member("onDisk", on_disk_json(outcome));
  made.member("healthy", healthy_json(outcome));
  made.member("inProgress", text_or_null(outcome.in_progress));
  made.member("wasDown", outcome.was_down);
  made.member("trial", outcome.trial_until_ms == 0
                           ? Json(nullptr)
                           : Json{{"until", rfc3339(outcome.trial_until_ms)}});
  made.member("recovered", outcome.recovered);
  made.member("advice", outcome.advice ? advice_json(outcome.advice()) : Json(nullptr));
  made.member("exit", exit);
  made.finish();
}

std::string error_json(const Error& error) {
  Json made = document("Error");
  made["error"] = error_object(error);
  made["exit"] = transaction::exit_code_of(error);
  return text_of(made);
}

std::string history_json(const std::vector<transaction::Transaction>& shown,
                         const std::vector<transaction::Transaction>& all,
                         const transaction::Moment& moment, bool with_diffs) {
  const transaction::OpenChanges open = transaction::open_changes(all, moment);
  Json list = Json::array();
  for (const transaction::Transaction& one : shown) {
    list.push_back(transaction_json(one, all, open, with_diffs));
  }
  Json made = document("History");
  made["transactions"] = std::move(list);
  made["inProgress"] = text_or_null(open.in_progress);
  return text_of(made);
}

}  // namespace kubelet_sysctl::report
