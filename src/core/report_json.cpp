// SPDX-License-Identifier: Apache-2.0
// The documents that scripts read; docs/json-schema.json describes each of them.
#include <chrono>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/report.hpp"

namespace kubelet_sysctl {
namespace {

using Json = nlohmann::ordered_json;  // apiVersion and kind come first, as they are written here

Json document(const char* kind) {
  Json made = Json::object();
  made["apiVersion"] = "kubelet-sysctl/v1";
  made["kind"] = kind;
  return made;
}

/// One line. Bytes that are not UTF-8 become U+FFFD: files have such bytes, and dump() would throw.
std::string text_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

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

Json entry_json(const Entry& entry) {
  return {{"entry", entry.text},
          {"file", text_or_null(entry.origin.path)},
          {"line", number_or_null(entry.origin.line)},
          {"variable", text_or_null(entry.origin.variable)}};
}

Json layer_json(const Layer& layer) {
  return {{"layer", name_of(layer.kind)},
          {"file", text_or_null(layer.at.path)},
          {"line", number_or_null(layer.at.line)},
          {"wins", layer.wins},
          {"entries", texts_of(layer.entries)}};
}

Json running_json(const NodeSnapshot& snapshot, const RunningList& running) {
  const Json healthy = snapshot.health ? Json(snapshot.health->ok) : Json(nullptr);
  // Without evidence the list is not known: it stays an empty array, since lists are never null.
  return {{"pid", running.process.pid},
          {"startedAt", time_or_null(running.process.started_at_ms)},
          {"entries", running.entries.value_or(std::vector<std::string>{})},
          {"evidence", name_of(running.evidence)},
          {"healthy", healthy}};
}

Json error_object(const Error& error) {
  return {{"kind", name_of(error.kind)},
          {"message", error.message},
          {"file", text_or_null(error.path)},
          {"line", number_or_null(error.line)},
          {"column", number_or_null(error.column)},
          {"hint", text_or_null(error.hint)}};
}

Json evidence_json(const std::optional<Evidence>& evidence) {
  if (!evidence) return nullptr;
  return {{"pid", evidence->pid == 0 ? Json(nullptr) : Json(evidence->pid)},
          {"startedAt", time_or_null(evidence->started_at_ms)},
          {"argv", evidence->argv ? Json(*evidence->argv) : Json(nullptr)},
          {"configFile", evidence->config_file ? Json(*evidence->config_file) : Json(nullptr)},
          {"health", text_or_null(evidence->health)},
          {"restarts", evidence->restarts},
          {"windowMs", evidence->window_ms}};
}

Json edits_json(const std::vector<FileEdit>& edits) {
  Json list = Json::array();
  for (const FileEdit& edit : edits) {
    list.push_back({{"file", edit.before.path},
                    {"route", edit.route},
                    {"diff", diff_text(edit, TextStyle{})}});
  }
  return list;
}

Json steps_json(const std::vector<Step>& steps) {
  Json list = Json::array();
  for (const Step& step : steps) {
    list.push_back({{"what", step.what},
                    {"milliseconds", step.milliseconds},
                    {"error", step.error ? Json(step.error->message) : Json(nullptr)}});
  }
  return list;
}

}  // namespace

std::string status_json(const NodeSnapshot& snapshot, const NodeModel& model) {
  Json made = document("Status");
  made["node"] = {{"kind", model.kind == nullptr ? "unknown" : model.kind->id},
                  {"unit", snapshot.unit.name},
                  {"kubeletVersion", nullptr},
                  {"root", snapshot.root}};
  const Layer* winner = winner_of(model);
  Json entries = Json::array();
  for (const Entry& entry : model.configured) entries.push_back(entry_json(entry));
  made["configured"] = {{"layer", winner == nullptr ? "none" : name_of(winner->kind)},
                        {"entries", std::move(entries)}};
  Json layers = Json::array();
  for (const Layer& layer : model.layers) layers.push_back(layer_json(layer));
  made["layers"] = std::move(layers);
  made["running"] = model.running ? running_json(snapshot, *model.running) : Json(nullptr);
  made["drift"] = model.drift;
  made["findings"] = findings_json(model.findings);
  return text_of(made);
}

std::string command_line_json(const NodeSnapshot&, const CommandLine& command) {
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

std::string outcome_json(const Outcome& outcome) {
  Json made = document("Outcome");
  made["changed"] = outcome.changed;
  made["outcome"] = name_of(outcome.kind);
  made["verb"] = name_of(outcome.verb);
  made["before"] = outcome.before;
  made["after"] = outcome.after;
  made["edits"] = edits_json(outcome.edits);
  made["restart"] = outcome.restart;
  made["transaction"] = text_or_null(outcome.transaction);
  made["evidence"] = evidence_json(outcome.evidence);
  made["steps"] = steps_json(outcome.steps);
  made["findings"] = findings_json(outcome.findings);
  made["cause"] = outcome.cause ? error_object(*outcome.cause) : Json(nullptr);
  made["lastWords"] = outcome.last_words;
  made["recognised"] = text_or_null(outcome.recognised);
  made["commands"] = outcome.commands;
  made["wasDown"] = outcome.was_down;
  return text_of(made);
}

std::string error_json(const Error& error) {
  Json made = document("Error");
  made["error"] = error_object(error);
  made["exit"] = exit_code_of(error);
  return text_of(made);
}

std::string rfc3339(std::int64_t ms_since_epoch) {
  const std::chrono::sys_time<std::chrono::milliseconds> at{
      std::chrono::milliseconds{ms_since_epoch}};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count());
}

}  // namespace kubelet_sysctl
