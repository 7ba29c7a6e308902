// SPDX-License-Identifier: Apache-2.0
// Metrics: the text format to the letter, and no number for what is not known.

#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/report/metrics.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The series of one metric, each as its line without the name.
std::vector<std::string> series_of(const std::string& name, const std::string& text) {
  std::vector<std::string> found;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    const char next = line.size() > name.size() ? line[name.size()] : '\n';
    if (next == ' ' || next == '{') found.push_back(line.substr(name.size()));
  }
  return found;
}

/// A live node with these entries in its list, configured and running.
struct Node {
  nodes::NodeSnapshot snapshot;
  model::NodeModel model;
  std::vector<transaction::Transaction> records;

  explicit Node(const std::vector<std::string>& list) {
    snapshot.live = true;
    snapshot.unit.name = "kubelet.service";
    model::Layer layer;
    layer.kind = model::LayerKind::kFlag;
    layer.at.path = "/etc/sysconfig/kubelet";
    layer.wins = true;
    for (const std::string& text : list) add_entry(layer, text, {});
    model.layers.push_back(std::move(layer));
    model.running.emplace();
    model.running->process.started_at_ms = 1'763'679'446'007;
    model.running->entries = list;
    model.running->evidence = model::RunningList::Evidence::kArgv;
  }

  [[nodiscard]] std::string text() const {
    return report::metrics_text({.tool_version = "9.8.7",
                                 .moment = {.now_ms = 1'763'679'500'250, .boot_id = "b"},
                                 .snapshot = &snapshot,
                                 .model = &model,
                                 .records = &records});
  }
  [[nodiscard]] std::vector<std::string> series(const std::string& name) const {
    return series_of("kubelet_sysctl_" + name, text());
  }
};

// Source: prometheus.io/docs/instrumenting/exposition_formats, "Text format details".
TEST(Metrics, EscapeBackslashQuoteAndLineEndOfALabelAndControlCharacters) {
  const Node node({"a\\b", "c\"d", "e\nf", "g{h},='\t"});
  EXPECT_THAT(node.series("entry"),
              AllOf(Contains("{entry=\"a\\\\b\",state=\"configured\"} 1"),
                    Contains("{entry=\"c\\\"d\",state=\"configured\"} 1"),
                    Contains("{entry=\"e\\nf\",state=\"configured\"} 1"),
                    Contains("{entry=\"g{h},='\\\\x09\",state=\"running\"} 1")));
}

TEST(Metrics, EscapeCharactersThatChangeHowOthersAreRead) {
  const Node node({"a\u202Eb\u200Bc"});
  EXPECT_THAT(
      node.series("entry"),
      Contains("{entry=\"a\\\\xe2\\\\x80\\\\xaeb\\\\xe2\\\\x80\\\\x8bc\",state=\"running\"} 1"));
}

TEST(Metrics, AreUtf8WhateverBytesAnEntryHolds) {
  const Node node({"a\xff\xc3(", "\xc3\xa9"});
  EXPECT_THAT(node.series("entry"),
              AllOf(Contains("{entry=\"a\xEF\xBF\xBD\xEF\xBF\xBD(\",state=\"running\"} 1"),
                    Contains("{entry=\"\xc3\xa9\",state=\"running\"} 1")));
  EXPECT_TRUE(is_utf8(node.text()));
}

// A collector throws a file away that holds one series twice.
TEST(Metrics, TellAnEntryThatStandsTwiceOnceAndCountItTwice) {
  const Node node({"kernel.sem", "kernel.sem", "a\xff", "a\xfe"});
  EXPECT_EQ(node.series("entry").size(), 4u);
  EXPECT_THAT(node.series("configured_entries"), ElementsAre(" 4"));
}

TEST(Metrics, HaveHelpAndTypeBeforeTheFirstSeriesOfAMetricAndNowhereElse) {
  EXPECT_THAT(Node({"kernel.sem"}).text(),
              HasSubstr("# HELP kubelet_sysctl_drift 1 if the running list is not the configured "
                        "one.\n# TYPE kubelet_sysctl_drift gauge\nkubelet_sysctl_drift 0\n"));
  EXPECT_THAT(Node({}).text(), Not(HasSubstr("kubelet_sysctl_entry")));
}

TEST(Metrics, GiveTimesInSeconds) {
  const Node node({});
  EXPECT_THAT(node.series("last_run_timestamp_seconds"), ElementsAre(" 1763679500.250"));
  EXPECT_THAT(node.series("kubelet_start_time_seconds"), ElementsAre(" 1763679446.007"));
}

TEST(Metrics, ClaimNoDriftWhereTheRunningListIsNotKnown) {
  Node node({"kernel.sem"});
  node.model.running->entries.reset();
  EXPECT_THAT(node.series("drift"), IsEmpty());
  EXPECT_THAT(node.series("running_entries"), IsEmpty());
  EXPECT_THAT(node.series("running_known"), ElementsAre(" 0"));
  EXPECT_THAT(node.series("kubelet_running"), ElementsAre(" 1"));
  EXPECT_THAT(node.series("kubelet_healthy"), IsEmpty());
  node.snapshot.health = nodes::HealthSeen{.ok = false, .detail = "http 500"};
  EXPECT_THAT(node.series("kubelet_healthy"), ElementsAre(" 0"));
}

TEST(Metrics, OfFilesAloneSayNothingOfAProcess) {
  Node node({"kernel.sem"});
  node.snapshot.live = false;
  node.model.running.reset();
  EXPECT_THAT(node.text(), Not(HasSubstr("kubelet_sysctl_kubelet_running")));
  EXPECT_THAT(node.text(), Not(HasSubstr("running_known")));
}

TEST(Metrics, CountFindingsOfEverySeverityAlsoWhereThereAreNone) {
  Node node({});
  Finding finding;
  finding.id = "bad-value";
  finding.severity = Severity::kWarning;
  node.model.findings = {finding, finding};
  EXPECT_THAT(
      node.series("findings"),
      ElementsAre("{severity=\"note\"} 0", "{severity=\"warning\"} 2", "{severity=\"error\"} 0"));
  EXPECT_THAT(node.series("finding"), ElementsAre("{id=\"bad-value\",severity=\"warning\"} 2"));
}

TEST(Metrics, TellTheNewestChangeByOneStateAndTheTimeOfThatState) {
  Node node({});
  EXPECT_THAT(node.series("last_change_state"), IsEmpty());
  EXPECT_THAT(node.series("unfinished_changes"), ElementsAre(" 0"));
  transaction::Transaction old;
  old.state = transaction::TransactionState::kStranded;
  transaction::Transaction last;
  last.at_ms = 1000;
  last.state = transaction::TransactionState::kRolledBack;
  last.reached = {{.state = transaction::TransactionState::kPlanned, .at_ms = 1000},
                  {.state = transaction::TransactionState::kRolledBack, .at_ms = 61'500}};
  node.records = {old, last};
  const auto states = node.series("last_change_state");
  EXPECT_EQ(states.size(), transaction::all_transaction_states().size());
  EXPECT_THAT(states, Contains("{state=\"rolled-back\"} 1"));
  EXPECT_EQ(std::count_if(states.begin(), states.end(),
                          [](const auto& line) { return line.ends_with(" 1"); }),
            1);
  EXPECT_THAT(node.series("last_change_timestamp_seconds"), ElementsAre(" 61.500"));
  EXPECT_THAT(node.series("unfinished_changes"), ElementsAre(" 1"));  // the stranded one
}

TEST(Metrics, OfARunThatFailedSaySoAndWhatTheRecordsTell) {
  Node node({"kernel.sem"});
  const std::string text = report::metrics_text({.tool_version = "9.8.7",
                                                 .moment = {.now_ms = 1000, .boot_id = "b"},
                                                 .snapshot = &node.snapshot,
                                                 .records = &node.records});
  EXPECT_THAT(series_of("kubelet_sysctl_up", text), ElementsAre(" 0"));
  EXPECT_THAT(series_of("kubelet_sysctl_unfinished_changes", text), ElementsAre(" 0"));
  EXPECT_THAT(text, Not(HasSubstr("configured_entries")));
  const std::string nothing = report::metrics_text({.tool_version = "9.8.7", .moment = {}});
  EXPECT_THAT(series_of("kubelet_sysctl_records_known", nothing), ElementsAre(" 0"));
  EXPECT_THAT(nothing, Not(HasSubstr("timestamp")));
}

}  // namespace
}  // namespace kubelet_sysctl
