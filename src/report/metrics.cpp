// SPDX-License-Identifier: Apache-2.0
// What `show` knows as metrics: one family after the other, each with its help, type and series.
#include "kubelet_sysctl/report/metrics.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/checks/unknown_list.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/transaction/open_changes.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::report {
namespace {

/// A list far beyond any real one is counted whole, and named entry by entry only so far.
constexpr std::size_t kMostEntries = 1000;

struct Label {
  std::string_view name;
  std::string value;
};

/// Bytes of the UTF-8 character at the start of `text`; 0 where there is none.
std::size_t utf8_length(std::string_view text) {
  constexpr std::size_t kLongest = 4;
  for (std::size_t length = 1; length <= std::min(kLongest, text.size()); ++length) {
    if (is_utf8(text.substr(0, length))) return length;
  }
  return 0;
}

/// A label's value as it is between the quotes.
std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view one = text.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0) {
      out += "\xEF\xBF\xBD";  // U+FFFD
    } else if (one == "\n") {
      out += "\\n";
    } else if (const std::string shown = printable(one); shown != one) {
      for (const char byte : shown)
        out += byte == '\\' ? std::string("\\\\") : std::string(1, byte);
    } else {
      if (one == "\\" || one == "\"") out += '\\';
      out += one;
    }
    text.remove_prefix(one.size());
  }
  return out;
}

std::string seconds_text(std::int64_t milliseconds) {
  constexpr std::int64_t kThousand = 1000;
  return fmt::format("{}.{:03}", milliseconds / kThousand, milliseconds % kThousand);
}

/// Writes families. One that got no series leaves nothing, not even its help.
class Exposition {
 public:
  void family(std::string_view name, std::string_view help) {
    head_ =
        fmt::format("# HELP kubelet_sysctl_{0} {1}\n# TYPE kubelet_sysctl_{0} gauge\n", name, help);
    name_ = name;
    seen_.clear();
  }

  void value(const std::string& number, const std::vector<Label>& labels = {}) {
    std::string inside;
    for (const Label& label : labels) {
      inside +=
          fmt::format("{}{}=\"{}\"", inside.empty() ? "" : ",", label.name, escaped(label.value));
    }
    // A second series with the same labels makes a collector throw the whole file away.
    if (!seen_.insert(inside).second) return;
    text_ += std::exchange(head_, {});
    text_ += fmt::format("kubelet_sysctl_{}{} {}\n", name_,
                         inside.empty() ? inside : fmt::format("{{{}}}", inside), number);
  }
  void value(std::size_t number, const std::vector<Label>& labels = {}) {
    value(std::to_string(number), labels);
  }
  void truth(bool is_true, const std::vector<Label>& labels = {}) {
    value(std::string(is_true ? "1" : "0"), labels);
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  std::string text_;
  std::string head_;
  std::string name_;
  std::set<std::string> seen_;
};

void write_run(const Measured& measured, Exposition& out) {
  out.family("up", "1 if the node's list could be read, 0 if 'kubelet-sysctl show' failed.");
  out.truth(measured.model != nullptr);
  out.family("build_info", "The kubelet-sysctl that wrote these metrics.");
  out.truth(true, {{"version", measured.tool_version}});
  if (measured.moment.now_ms == 0) return;
  out.family("last_run_timestamp_seconds", "When these metrics were taken.");
  out.value(seconds_text(measured.moment.now_ms));
}

void write_node(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                Exposition& out) {
  const auto& version = snapshot.kubelet_version;
  out.family("node_info", "The kind of node, the unit and the release of its kubelet.");
  out.truth(true, {{"kind", std::string(model.kind == nullptr ? "unknown" : model.kind->id)},
                   {"unit", snapshot.unit.name},
                   {"kubelet_version", version ? sysctl::text_of(*version) : std::string()}});
}

void write_configured(const model::NodeModel& model, Exposition& out) {
  // Behind a wrapper that does not run nobody knows what the kubelet will be given.
  if (checks::is_list_unknown(model)) return;
  out.family("configured_entries", "Entries of the list that the next start of the kubelet uses.");
  out.value(model::configured_entries(model).size());
  out.family("layer_entries",
             "Entries in each place that sets the list; only the one with wins=\"true\" counts.");
  for (const model::Layer& layer : model.layers) {
    if (!layer.sets) continue;
    out.value(layer.entries.size(), {{"layer", model::name_of(layer.kind)},
                                     {"file", layer.at.path},
                                     {"wins", layer.wins ? "true" : "false"}});
  }
}

void write_running(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                   Exposition& out) {
  if (!snapshot.live) return;
  out.family("kubelet_running", "1 if the unit has a kubelet process.");
  out.truth(model.running.has_value());
  const bool known = model.running && model.running->entries;
  out.family("running_known", "1 if the list of the running kubelet is known.");
  out.truth(known);
  if (known) {
    out.family("running_entries", "Entries of the list that the running kubelet uses.");
    out.value(model.running->entries->size());
    out.family("drift", "1 if the running list is not the configured one.");
    out.truth(model.drift);
  }
  if (snapshot.health) {
    out.family("kubelet_healthy", "1 if the kubelet's health endpoint says ok.");
    out.truth(snapshot.health->ok);
  }
  if (model.running && model.running->process.started_at_ms > 0) {
    out.family("kubelet_start_time_seconds", "When the running kubelet was started.");
    out.value(seconds_text(model.running->process.started_at_ms));
  }
}

void write_entries(const model::NodeModel& model, Exposition& out) {
  out.family("entry", "An entry of the configured or of the running list.");
  const auto write = [&out](const EntryList& entries, const char* state) {
    for (std::size_t i = 0; i < std::min(entries.size(), kMostEntries); ++i) {
      out.truth(true, {{"entry", std::string(entries[i])}, {"state", state}});
    }
  };
  write(model::configured_texts(model), "configured");
  if (model.running && model.running->entries) write(*model.running->entries, "running");
}

void write_findings(const model::NodeModel& model, Exposition& out) {
  constexpr std::array kSeverities = {Severity::kNote, Severity::kWarning, Severity::kError};
  std::map<std::pair<std::string, Severity>, std::size_t> by_id;
  for (const Finding& finding : model.findings) ++by_id[{finding.id, finding.severity}];
  out.family("findings", "Findings of 'kubelet-sysctl show' by severity.");
  for (const Severity severity : kSeverities) {
    const auto count = std::count_if(model.findings.begin(), model.findings.end(),
                                     [&](const auto& one) { return one.severity == severity; });
    out.value(static_cast<std::size_t>(count), {{"severity", name_of(severity)}});
  }
  out.family("finding", "Findings of 'kubelet-sysctl show' by id; see docs/checks.md.");
  for (const auto& [key, count] : by_id) {
    out.value(count, {{"id", key.first}, {"severity", name_of(key.second)}});
  }
}

/// Of the desired list, if there is one.
void write_desired(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                   Exposition& out) {
  if (!model.desired_list && !model.desired_fault) return;
  out.family("desired_list_known", "1 if the desired list of 'kubelet-sysctl sync' could be read.");
  out.truth(model.desired_list.has_value());
  if (!model.desired_list) return;
  const auto entries = desired::effective_entries(*model.desired_list);
  out.family("desired_entries", "Entries that the desired list names.");
  out.value(entries.size());
  out.family("expired_entries", "Expired entries of the desired list.");
  out.value(desired::expired_entries(*model.desired_list, snapshot.read_at_ms).size());
  out.family("desired_expiry_timestamp_seconds", "When a desired entry expires.");
  for (std::size_t i = 0; i < std::min(entries.size(), kMostEntries); ++i) {
    if (!entries[i]->expires_at_ms) continue;
    out.value(seconds_text(*entries[i]->expires_at_ms), {{"entry", entries[i]->entry}});
  }
}

void write_records(const Measured& measured, Exposition& out) {
  out.family("records_known", "1 if the records of changes could be read.");
  out.truth(measured.records != nullptr);
  if (measured.records == nullptr) return;
  const transaction::OpenChanges open =
      transaction::open_changes(*measured.records, measured.moment);
  out.family("unfinished_changes", "Changes that were not finished; see 'recover'.");
  out.value(open.unfinished.size());
  out.family("change_in_progress", "1 while a run of this program changes the node.");
  out.truth(!open.in_progress.empty());
  if (!open.trials.empty() && open.trials.back().trial) {
    out.family("trial_end_timestamp_seconds", "When the trial that runs is undone by itself.");
    out.value(seconds_text(open.trials.back().trial->until_ms));
  }
  if (measured.records->empty()) return;
  const transaction::Transaction& last = measured.records->back();
  out.family("last_change_timestamp_seconds", "When the newest change came to its present state.");
  out.value(seconds_text(last.reached.empty() ? last.at_ms : last.reached.back().at_ms));
  out.family("last_change_state", "1 for the state of the newest change.");
  for (const transaction::TransactionState state : transaction::all_transaction_states()) {
    out.truth(state == last.state, {{"state", transaction::name_of(state)}});
  }
}

}  // namespace

std::string metrics_text(const Measured& measured) {
  Exposition out;
  write_run(measured, out);
  if (measured.snapshot != nullptr && measured.model != nullptr) {
    write_node(*measured.snapshot, *measured.model, out);
    write_configured(*measured.model, out);
    write_running(*measured.snapshot, *measured.model, out);
    write_entries(*measured.model, out);
    write_findings(*measured.model, out);
    write_desired(*measured.snapshot, *measured.model, out);
  }
  write_records(measured, out);
  return out.take();
}

}  // namespace kubelet_sysctl::report
