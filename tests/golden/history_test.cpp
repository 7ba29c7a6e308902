// SPDX-License-Identifier: Apache-2.0
// What is reported the records of changes: by history, and by show where one is not at its end.
#include <algorithm>
#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden/golden_node.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::golden {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kFirst = "20261120T225726Z-1";
constexpr const char* kSecond = "20261120T225726Z-2";
constexpr const char* kThird = "20261120T225726Z-3";

std::string record_path(const std::string& id) {
  return "/var/lib/kubelet-sysctl/transactions/" + id + "/journal.json";
}

/// A record of 2026-11-20T22:57:26Z, the time of every test here, as a run leaves it behind.
json record(const std::string& id, const std::string& state) {
  return {{"apiVersion", "kubelet-sysctl/journal-v1"},
          {"id", id},
          {"state", state},
          {"reached", {{{"state", "planned"}, {"at", 1795215446000}}}},
          {"verb", "add"},
          {"unit", "kubelet.service"},
          {"at", 1795215446000},
          {"uid", 0},
          {"loginUid", nullptr},
          {"sudoUser", "alice"},
          {"reason", ""},
          {"toolVersion", "0.1.0"},
          {"systemdVersion", 252},
          {"bootId", ""},
          {"undoes", ""},
          {"restart", true},
          {"rollback", true},
          {"wasDown", false},
          {"trial", nullptr},
          {"cause", ""},
          {"before", {"kernel.sem"}},
          {"after", {"kernel.sem", "net.core.somaxconn"}},
          {"files", json::array()}};
}

/// On trial until `until`, in milliseconds since the epoch.
json trial_record(const std::string& id, std::int64_t until) {
  json made = record(id, "trial");
  made["trial"] = {
      {"until", until}, {"timer", "kubelet-sysctl-trial-" + id}, {"madeBootUnit", false}};
  return made;
}

void keep(const GoldenNode& node, const json& made) {
  node.tree().write(record_path(made.at("id")), made.dump());
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string told(const GoldenNode& node, std::vector<std::string> words) {
  words.insert(words.end(), {"--root", "ROOT"});
  const Said said = node.run(words);
  EXPECT_EQ(said.exit, 0) << said.err;
  return said.out;
}

TEST(History, OfANodeThatWasNeverChangedSaysSo) {
  const GoldenNode node("kops");
  EXPECT_EQ(told(node, {"history"}), "no change was made yet\n");
  EXPECT_EQ(node.ask({"history"}).at("transactions"), json::array());
}

TEST(History, ListsTheNewestLastWithItsEntriesItsEndAndItsReason) {
  const GoldenNode node("kops");
  told(node, {"add", "kernel.sem", "--reason", "ticket 1412"});
  told(node, {"set", "net.core.somaxconn", "kernel.sem"});
  told(node, {"undo"});
  const auto lines = lines_of(told(node, {"history"}));
  ASSERT_EQ(lines.size(), 4U);
  const std::string time = "  2026-11-20T22:57:26Z  root  ";
  EXPECT_THAT(lines[1], AllOf(HasSubstr(kFirst + time + "add "), HasSubstr(" +kernel.sem "),
                              HasSubstr(" pending "), HasSubstr("  ticket 1412")));
  // The list of this node is net.core.somaxconn and net.ipv4.tcp_tw_reuse.
  EXPECT_THAT(lines[2],
              AllOf(HasSubstr(kSecond + time + "set "), HasSubstr("-net.ipv4.tcp_tw_reuse"),
                    HasSubstr(std::string(" undone by ") + kThird)));
  EXPECT_THAT(lines[3], AllOf(HasSubstr(kThird + time + "undo"),
                              HasSubstr("+net.ipv4.tcp_tw_reuse"), HasSubstr(" pending")));
  const json all = node.ask({"history"}).at("transactions");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].at("reason"), "ticket 1412");
  EXPECT_EQ(all[1].at("undoneBy"), kThird);
  EXPECT_EQ(all[2].at("undoes"), kSecond);
  EXPECT_EQ(all[0].at("files")[0].at("diff"), nullptr);
}

TEST(History, OfOneChangeSaysWhoRanItAndWhoTheyWereBeforeSudo) {
  const GoldenNode node("kops");
  json made = record(kFirst, "rolled-back");
  made["loginUid"] = 1000;
  made["cause"] = "the kubelet ended 3 times";
  keep(node, made);
  made = record(kSecond, "confirmed");
  made["uid"] = 1001;
  made["sudoUser"] = "";
  keep(node, made);
  const std::string first = told(node, {"history", kFirst});
  EXPECT_THAT(first, HasSubstr("root (alice), login uid 1000\n"));
  EXPECT_THAT(first, HasSubstr("the kubelet ended 3 times\n"));
  EXPECT_THAT(first, HasSubstr("kubelet-sysctl 0.1.0, systemd 252\n"));
  EXPECT_THAT(first, HasSubstr("  2026-11-20T22:57:26Z  planned\n"));
  EXPECT_THAT(first, HasSubstr("    kernel.sem\n  + net.core.somaxconn\n"));
  const std::string second = told(node, {"history", kSecond});
  EXPECT_THAT(second, HasSubstr("uid 1001\n"));
  EXPECT_THAT(second, Not(HasSubstr("login")));
  const json user = node.ask({"history", kFirst}).at("transactions")[0].at("user");
  EXPECT_EQ(user, (json{{"uid", 0}, {"loginUid", 1000}, {"sudoUser", "alice"}}));
}

TEST(History, OfOneChangeShowsTheChangedWordsOfALineOfArgumentsAndNoOther) {
  const GoldenNode node("kops");
  node.tree().write("/etc/sysconfig/kubelet",
                    "DAEMON_ARGS=\"--token=geheim --allowed-unsafe-sysctls=kernel.msg* "
                    "--config=/var/lib/kubelet/kubelet.conf\"\nPASSWORD=hunter2\n");
  told(node, {"add", "kernel.sem"});
  const json one = node.ask({"history", kFirst}).at("transactions")[0];
  for (const std::string& text : {told(node, {"history", kFirst}), one.dump()}) {
    EXPECT_THAT(text, HasSubstr("+ --allowed-unsafe-sysctls=kernel.msg*,kernel.sem"));
    EXPECT_THAT(text, Not(HasSubstr("geheim")));
    EXPECT_THAT(text, Not(HasSubstr("hunter2")));
  }
  ASSERT_EQ(one.at("files").size(), 1U);
  EXPECT_EQ(one.at("files")[0].at("file"), "/etc/sysconfig/kubelet");
  EXPECT_EQ(one.at("files")[0].at("route"), "args");
}

TEST(History, OfAChangeThatIsNotThereNamesTheNearestAndTheList) {
  const GoldenNode node("kops");
  told(node, {"add", "kernel.sem"});
  const Said near = node.run({"history", "20261120T225726Z", "--root", "ROOT"});
  EXPECT_EQ(near.exit, 1);
  EXPECT_EQ(near.out, "");
  EXPECT_EQ(near.err,
            "kubelet-sysctl: error: there is no change '20261120T225726Z'\n"
            "hint: did you mean '20261120T225726Z-1'? 'kubelet-sysctl history' lists them\n");
  const Said far = node.run({"history", "../x", "--root", "ROOT"});
  EXPECT_EQ(far.exit, 1);
  EXPECT_THAT(far.err, HasSubstr("hint: 'kubelet-sysctl history' lists them\n"));
  const Said both = node.run({"history", "a", "b", "--root", "ROOT"});
  EXPECT_EQ(both.exit, 2);
}

/// The second of three records is no JSON, or the last one.
void break_record(const GoldenNode& node, const std::string& id) {
  node.tree().write(record_path(id), "{\"id\": ");
}

TEST(BrokenRecord, IsSaidByEveryCommandThatOnlyReadsAndTheRestIsTold) {
  for (const char* broken : {kSecond, kThird}) {
    const GoldenNode node("kops");
    for (const char* id : {kFirst, kSecond, kThird}) keep(node, record(id, "confirmed"));
    break_record(node, broken);
    const Said history = node.run({"history", "--root", "ROOT"});
    EXPECT_EQ(history.exit, 0) << history.err;
    EXPECT_THAT(history.out, AllOf(HasSubstr(kFirst), Not(HasSubstr(broken))));
    EXPECT_THAT(history.err, HasSubstr("kubelet-sysctl: warning: " + record_path(broken)));
    EXPECT_THAT(history.err,
                HasSubstr(std::string("mv ROOT/var/lib/kubelet-sysctl/transactions/") + broken));
    const Said listed = node.run({"history", "-o", "json", "--root", "ROOT"});
    EXPECT_EQ(json::parse(listed.out).at("transactions").size(), 2U);
    for (const char* command : {"show", "explain", "doctor"}) {
      const Said said = node.run({command, "--root", "ROOT"});
      EXPECT_NE(said.exit, 1) << command;
      EXPECT_NE(said.exit, 3) << command;
      if (std::string(command) == "explain") continue;
      EXPECT_THAT(said.out + said.err, HasSubstr(record_path(broken))) << command;
    }
    EXPECT_EQ(node.run({"check", "kernel.sem", "--root", "ROOT"}).exit,
              GoldenNode("kops").run({"check", "kernel.sem", "--root", "ROOT"}).exit);
    const json findings = node.ask({"show"}).at("findings");
    const auto found = std::find_if(findings.begin(), findings.end(), [](const json& one) {
      return one.at("id") == "broken-record";
    });
    ASSERT_NE(found, findings.end());
    EXPECT_EQ(found->at("file"), record_path(broken));
  }
}

TEST(BrokenRecord, WithALaterOneBehindItHoldsNoChangeUp) {
  const GoldenNode node("kops");
  for (const char* id : {kFirst, kSecond}) keep(node, record(id, "confirmed"));
  break_record(node, kFirst);
  const Said added = node.run({"add", "kernel.sem", "--root", "ROOT"});
  EXPECT_EQ(added.exit, 0) << added.err;
  EXPECT_THAT(added.err, HasSubstr("kubelet-sysctl: warning: " + record_path(kFirst)));
  EXPECT_EQ(node.run({"undo", "--root", "ROOT"}).exit, 0);
  EXPECT_EQ(node.run({"recover", "--root", "ROOT"}).exit, 0);
}

TEST(BrokenRecord, ThatMayBeOfAnUnfinishedChangeRefusesAnother) {
  const GoldenNode node("kops");
  for (const char* id : {kFirst, kSecond}) keep(node, record(id, "confirmed"));
  break_record(node, kSecond);
  const auto before = node.things();
  const std::vector<std::vector<std::string>> commands = {{"add", "kernel.sem"},
                                                          {"add", "kernel.sem", "--dry-run"},
                                                          {"remove", "net.core.somaxconn"},
                                                          {"undo"},
                                                          {"recover"}};
  for (std::vector<std::string> words : commands) {
    words.insert(words.end(), {"--root", "ROOT"});
    const Said said = node.run(words);
    EXPECT_EQ(said.exit, 3) << words.front();
    EXPECT_THAT(said.err,
                AllOf(HasSubstr(record_path(kSecond)),
                      HasSubstr("the newest change may not be finished"), HasSubstr("/root/")))
        << words.front();
  }
  EXPECT_EQ(node.things(), before);
}

constexpr const char* kUnfinishedLines =
    "kubelet-sysctl: warning: the change 20261120T225726Z-1 (add, by alice) was not finished: it "
    "is written\n"
    "hint: run 'kubelet-sysctl recover --root ROOT', or see 'kubelet-sysctl recover --dry-run "
    "--root ROOT'\n";

TEST(Unfinished, IsSaidOnStandardErrorByEveryCommandThatOnlyReads) {
  const GoldenNode node("kops");
  const std::string show = told(node, {"show"});
  keep(node, record(kFirst, "written"));
  for (const char* command : {"show", "explain", "history"}) {
    const Said said = node.run({command, "--root", "ROOT"});
    EXPECT_EQ(said.exit, 0);
    EXPECT_EQ(said.err, kUnfinishedLines) << command;
  }
  EXPECT_EQ(told(node, {"show"}), show);
  EXPECT_EQ(node.ask({"show"}).at("unfinished"),
            (json{{{"transaction", kFirst}, {"state", "written"}, {"verb", "add"}}}));
}

TEST(Unfinished, IsNoChangeThatCameToItsEnd) {
  for (const char* state : {"confirmed", "pending", "rolled-back", "overtaken"}) {
    const GoldenNode node("kops");
    keep(node, record(kFirst, state));
    EXPECT_EQ(node.run({"show", "--root", "ROOT"}).err, "") << state;
    EXPECT_EQ(node.ask({"show"}).at("unfinished"), json::array()) << state;
    EXPECT_THAT(lines_of(told(node, {"history"})).back(), HasSubstr(state));
  }
}

TEST(TrialReport, ShowSaysWhatEndsWhenAndHowToKeepIt) {
  const GoldenNode node("kops");
  const std::string before = told(node, {"show"});
  EXPECT_EQ(node.ask({"show"}).at("trial"), nullptr);
  keep(node, trial_record(kFirst, 1795219046000));  // an hour later
  const Said said = node.run({"show", "--root", "ROOT"});
  EXPECT_EQ(said.err, "");
  EXPECT_THAT(said.out, StartsWith("ON TRIAL until 2026-11-20T23:57:26Z (in 60 min): adds "
                                   "'net.core.somaxconn'; to keep it, run: kubelet-sysctl keep "
                                   "20261120T225726Z-1\n"));
  const json status = node.ask({"show"});
  EXPECT_EQ(status.at("unfinished"), json::array());
  EXPECT_EQ(status.at("trial"), (json{{"transaction", kFirst},
                                      {"verb", "add"},
                                      {"until", "2026-11-20T23:57:26Z"},
                                      {"entries", {"net.core.somaxconn"}}}));
  EXPECT_THAT(told(node, {"history"}), HasSubstr("trial until 2026-11-20T23:57:26Z"));
}

TEST(TrialReport, OneWhoseTimeIsOverOrThatABootEndedIsAnUnfinishedChange) {
  json booted = trial_record(kFirst, 1795219046000);
  booted["bootId"] = "an earlier boot";
  for (const json& made : {trial_record(kFirst, 1795215446000), booted}) {
    const GoldenNode node("kops");
    keep(node, made);
    const Said said = node.run({"show", "--root", "ROOT"});
    EXPECT_THAT(said.err, HasSubstr("kubelet-sysctl: warning: the trial 20261120T225726Z-1"));
    EXPECT_THAT(said.out, Not(HasSubstr("\ntrial ")));
    const json status = node.ask({"show"});
    EXPECT_EQ(status.at("trial"), nullptr);
    EXPECT_EQ(status.at("unfinished").size(), 1U);
  }
}

TEST(Schema, KnowsEveryStateOfATransaction) {
  const json schema = json::parse(bytes_of(nodes_directory() / "../../docs/json-schema.json"));
  json states = json::array();
  for (const transaction::TransactionState state : transaction::all_transaction_states())
    states.push_back(transaction::name_of(state));
  EXPECT_EQ(schema.at("$defs").at("state").at("enum"), states);
}

TEST(HistoryPurge, RemovesOldRecordsWithTheFilesThatTheyKeep) {
  const GoldenNode node("kops");
  json old = record("20260101T000000Z-1", "rolled-back");
  old["at"] = 1767225600000;
  keep(node, old);
  const std::string file = "/var/lib/kubelet-sysctl/transactions/20260101T000000Z-1/original-0";
  node.tree().write(file, "password=secret");
  keep(node, record(kFirst, "rolled-back"));
  keep(node, record(kSecond, "confirmed"));

  EXPECT_THAT(told(node, {"history", "--purge", "30", "--dry-run"}),
              AllOf(HasSubstr("20260101T000000Z-1"), Not(HasSubstr(kFirst)),
                    testing::EndsWith("would remove 1 record\n")));
  EXPECT_TRUE(node.tree().exists(file));
  EXPECT_THAT(told(node, {"history", "--purge", "30"}), testing::EndsWith("removed 1 record\n"));
  EXPECT_FALSE(node.tree().exists(file));
  EXPECT_EQ(told(node, {"history", "--purge", "30"}), "nothing to remove\n");
  const json left = node.ask({"history"}).at("transactions");
  ASSERT_EQ(left.size(), 2U);
  EXPECT_EQ(left[0].at("id"), kFirst);
}

TEST(HistoryPurge, NeverTakesWhatUndoNeeds) {
  const GoldenNode node("kops");
  told(node, {"add", "kernel.sem"});
  EXPECT_EQ(told(node, {"history", "--purge", "0"}), "nothing to remove\n");
  told(node, {"undo"});
}

TEST(HistoryPurge, TakesAnAgeAndNoId) {
  const GoldenNode node("kops");
  EXPECT_EQ(node.run({"history", "--purge", "30", kFirst, "--root", "ROOT"}).exit, 2);
  EXPECT_EQ(node.run({"history", "--dry-run", "--root", "ROOT"}).exit, 2);
  EXPECT_EQ(node.run({"history", "--purge", "30d", "--root", "ROOT"}).exit, 2);
}

}  // namespace
}  // namespace kubelet_sysctl::golden
