// SPDX-License-Identifier: Apache-2.0
// The command line itself: what is refused before any node is inspected, and how it is said.
#include <algorithm>
#include <regex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/cli.hpp"
#include "cli/commands.hpp"
#include "cli/values.hpp"
#include "golden/golden_node.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl::golden {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// Runs a command line that must end before it opens anything.
Said say(const std::vector<std::string>& words, std::int64_t uid = 0) {
  Said said;
  cli::CliEnvironment host;
  host.out = [&said](const std::string& text) { said.out += text; };
  host.err = [&said](const std::string& text) { said.err += text; };
  host.uid = uid;
  said.exit = cli::run_cli(words, host);
  return said;
}

void expect_usage_error(const std::vector<std::string>& words, const std::string& message,
                        const std::string& hint) {
  const Said said = say(words);
  EXPECT_EQ(said.exit, 2);
  EXPECT_EQ(said.out, "");
  EXPECT_THAT(said.err, StartsWith("kubelet-sysctl: error: " + message));
  EXPECT_THAT(said.err, HasSubstr(hint.empty() ? hint : "hint: " + hint));
}

TEST(Usage, NamesTheNearestCommandAndOption) {
  expect_usage_error({"shwo"}, "there is no command 'shwo'", "did you mean 'kubelet-sysctl show'?");
  expect_usage_error({"rm"}, "there is no command 'rm'", "");
  expect_usage_error({"add", "a.b", "--windwo", "1s"}, "there is no option '--windwo'",
                     "did you mean '--window'?");
  expect_usage_error({"add", "a.b", "--dry_run"}, "there is no option '--dry_run'",
                     "did you mean '--dry-run'?");
  expect_usage_error({"explain", "--output", "jsn"}, "'--output' takes text|json, not 'jsn'",
                     "did you mean 'json'?");
  expect_usage_error({"show", "-o", "promtheus"}, "'--output' takes text|json|prometheus",
                     "did you mean 'prometheus'?");
}

TEST(Usage, RefusesAnOptionThatMeansNothingToTheCommand) {
  expect_usage_error({"show", "--via", "args"}, "'--via' has no meaning for 'show'", "");
  expect_usage_error({"remove", "a.b", "--force"}, "'--force' has no meaning for 'remove'", "");
  expect_usage_error({"undo", "--unit", "a"}, "'--unit' has no meaning for 'undo'", "");
  expect_usage_error({"explain", "kubelet"}, "'explain' takes no arguments", "");
  expect_usage_error({"show", "--systemd-version", "249"},
                     "'--systemd-version' has no meaning for the running node", "");
  expect_usage_error({"explain", "--root", "/mnt", "--systemd-version", "263"},
                     "'--systemd-version' takes a release up to 262, the newest that was measured",
                     "'--systemd-version 262' reads all as the newest does");
}

TEST(Usage, NeedsACommandFirstAndAnEntryForAddAndRemove) {
  expect_usage_error({"--root", "/mnt", "show"}, "'--root' is before the command",
                     "write 'kubelet-sysctl show --root ...'");
  expect_usage_error({"add"}, "'add' needs an entry", "");
  expect_usage_error({"remove", "-q"}, "'remove' needs an entry", "");
  expect_usage_error({"undo", "a", "b"}, "'undo' takes one change at a time", "");
}

TEST(Usage, WithoutAWordPrintsAnOverviewThatFitsAScreen) {
  const Said said = say({});
  EXPECT_EQ(said.exit, 0);
  EXPECT_EQ(said.err, "");
  EXPECT_THAT(said.out, HasSubstr("\nusage: kubelet-sysctl COMMAND"));
  EXPECT_LE(std::count(said.out.begin(), said.out.end(), '\n'), 24);
}

TEST(Usage, WordsOfOtherToolsLeadToOurs) {
  const std::vector<std::pair<std::string, std::string>> words = {
      {"list", "show"},    {"status", "show"},         {"get", "show"},
      {"rm", "remove"},    {"delete", "remove"},       {"version", "--version"},
      {"-V", "--version"}, {"--json", "show -o json"}, {"shwo", "show"}};
  for (const auto& [typed, meant] : words) {
    const char* place = typed.front() == '-' ? "before '" : "'";
    expect_usage_error({typed}, "there is no command " + (place + typed) + "'",
                       "did you mean 'kubelet-sysctl " + meant + "'?");
  }
  expect_usage_error({"somaxconn"}, "there is no command 'somaxconn'",
                     "'net.core.somaxconn' is a sysctl: 'kubelet-sysctl check net.core.somaxconn'");
  expect_usage_error({"check", "pod.yaml"}, "'pod.yaml' is a file, not an entry",
                     "to check its pods, run: kubelet-sysctl check -f pod.yaml");
}

TEST(Usage, RefusesValuesThatAreNone) {
  expect_usage_error({"add", "a.b", "--window", "10"}, "'--window' takes a duration, not '10'",
                     "give the unit: '10s' or '10ms'");
  expect_usage_error({"add", "a.b", "--timeout", "0s"}, "'--timeout' takes a duration above zero",
                     "");
  expect_usage_error({"add", "a.b", "--file", "etc/x"}, "'--file' takes an absolute path", "");
  expect_usage_error({"show", "--unit=-x"}, "'-x' is no name of a unit", "");
  expect_usage_error({"show", "--unit", "/etc/x.service"}, "'/etc/x.service' is no name", "");
  expect_usage_error({"show", "--unit", "kubelet.timer"}, "'kubelet.timer' runs no kubelet", "");
  expect_usage_error({"show", "--root"}, "an option lacks its value", "");
  expect_usage_error({"add", "a.b", "-q", "-v"}, "'--quiet' and '--verbose'", "");
}

TEST(Usage, KnowsMetricsOfShowAlone) {
  for (const cli::Command* command : cli::all_commands()) {
    if (command->name == "show") continue;
    expect_usage_error({std::string(command->name), "-o", "prometheus"},
                       "'--output' takes text|json, not 'prometheus'", "");
  }
}

TEST(Usage, TakesCredentialsForTheQuestionToTheKubeletAndOnePairOfThem) {
  expect_usage_error({"show", "--kubeconfig", "/k"}, "credentials have no meaning without", "");
  expect_usage_error({"show", "--configz", "--kubeconfig="},
                     "an option lacks its value: --kubeconfig", "");
  expect_usage_error({"add", "a.b", "--configz", "--client-key", "/k"},
                     "'--client-certificate' and '--client-key' need each other", "");
  expect_usage_error({"show", "--configz", "--kubeconfig", "/k", "--client-certificate", "/c",
                      "--client-key", "/k"},
                     "'--kubeconfig' and '--client-certificate' do not go together", "");
  expect_usage_error({"show", "--configz", "--root", "/usr"},
                     "'--configz' and '--root' do not go together", "");
  expect_usage_error({"explain", "--configz"}, "'--configz' has no meaning for 'explain'", "");
}

TEST(Usage, SetWithoutEntriesIsNoWayToEmptyTheList) {
  expect_usage_error({"set"}, "'set' without entries would empty the list",
                     "if that is intended, run: kubelet-sysctl set --empty");
  expect_usage_error({"set", "--empty", "kernel.sem"}, "'--empty' and entries contradict", "");
  expect_usage_error({"set", "--empty", "-f", "/dev/null"}, "'--empty' and entries contradict", "");
  expect_usage_error({"add", "--empty"}, "'--empty' has no meaning for 'add'", "");
}

TEST(Usage, WhoeverWantsToReadIsNotSentToACommandThatWrites) {
  expect_usage_error({"get"}, "there is no command 'get'", "did you mean 'kubelet-sysctl show'?");
  expect_usage_error({"list"}, "there is no command 'list'", "did you mean 'kubelet-sysctl show'?");
}

TEST(Usage, RefusesATrialThatCouldNotEndByItself) {
  for (const char* length : {"0s", "999ms"}) {
    expect_usage_error({"add", "a.b", "--trial", length}, "'--trial' takes a duration of at least",
                       "");
  }
  expect_usage_error({"add", "a.b", "--trial=-5m"}, "'--trial' takes a duration, not '-5m'", "");
  expect_usage_error({"add", "a.b", "--trial", "5m", "--no-restart"},
                     "'--trial' and '--no-restart'", "");
  expect_usage_error({"set", "--trial", "5m", "--no-rollback"}, "'--trial' and '--no-rollback'",
                     "");
  expect_usage_error({"remove", "a.b", "--trial", "5m", "--root", "/mnt"}, "'--trial' and '--root'",
                     "");
  expect_usage_error({"sync", "--trial", "5m", "--before-start"}, "'--trial' and '--before-start'",
                     "");
  expect_usage_error({"undo", "--trial", "5m"}, "'--trial' has no meaning for 'undo'", "");
  expect_usage_error({"add", "a.b", "--end-trial", "x"}, "'--end-trial' has no meaning for 'add'",
                     "");
}

TEST(Usage, AnOptionOfAFixNeedsTheFix) {
  for (const char* option : {"--dry-run", "--diff", "--no-restart", "--no-rollback"}) {
    expect_usage_error({"doctor", option},
                       "'" + std::string(option) + "' has no meaning for 'doctor' without '--fix'",
                       "without '--fix' nothing is changed");
  }
  expect_usage_error({"doctor", "--timeout", "2m"}, "'--timeout' has no meaning for 'doctor'", "");
}

TEST(Usage, SaysItInOneDocumentWhereJsonWasAskedFor) {
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"shwo", "-o", "json"},
           {"add", "-ojson"},
           {"show", "--output=json", "--bogus"},
           {"add", "a.b", "--window", "10", "--output", "json"}}) {
    const Said said = say(words);
    EXPECT_EQ(said.exit, 2);
    EXPECT_EQ(said.err, "");
    const auto document = nlohmann::json::parse(said.out, nullptr, false);
    ASSERT_TRUE(document.is_object()) << said.out;
    EXPECT_EQ(document.at("kind"), "Error");
    EXPECT_EQ(document.at("exit"), 2);
    EXPECT_EQ(document.at("error").at("kind"), "usage");
  }
}

TEST(Usage, OnlyRootChangesTheRunningNode) {
  const Said said = say({"add", "kernel.sem"}, 1000);
  EXPECT_EQ(said.exit, 1);
  EXPECT_THAT(said.err, HasSubstr("only root"));
  EXPECT_THAT(said.err, HasSubstr("sudo"));
}

TEST(Usage, MissingRootDirectoryIsNamed) {
  const Said said = say({"show", "--root", "/nowhere/at/all/"});
  EXPECT_EQ(said.exit, 1);
  EXPECT_THAT(said.err, HasSubstr("there is no directory '/nowhere/at/all'"));
}

TEST(Help, OfEveryCommandNamesEachOptionItTakesAndNoOther) {
  for (const cli::Command* command : cli::all_commands()) {
    SCOPED_TRACE(command->name);
    for (const auto& words :
         {std::vector<std::string>{std::string(command->name), "--help-all"},
          std::vector<std::string>{"help", std::string(command->name), "--help-all"},
          std::vector<std::string>{std::string(command->name), "x", "--help-all"}}) {
      const Said said = say(words);
      EXPECT_EQ(said.exit, 0);
      EXPECT_EQ(said.err, "");
      for (const cli::OptionRow& row : cli::all_options()) {
        // A name may have two rows, with other values; a command takes one of them.
        const auto takes = [&](const cli::OptionRow& one) {
          return one.name == row.name && cli::takes(*command, one);
        };
        const bool taken = std::any_of(cli::all_options().begin(), cli::all_options().end(), takes);
        const bool named = said.out.find(std::string(row.name) + ' ') != std::string::npos;
        EXPECT_EQ(named, taken) << row.name;
      }
      EXPECT_THAT(said.out, HasSubstr("\n\n  kubelet-sysctl " + std::string(command->name)));
    }
  }
}

TEST(Help, OfTheProgramNamesEveryCommandAndExitCode) {
  const Said said = say({"--help"});
  EXPECT_EQ(said.exit, 0);
  for (const cli::Command* command : cli::all_commands()) {
    EXPECT_THAT(said.out, HasSubstr("\n  " + std::string(command->name) + ' '));
  }
  const std::string unbroken = std::regex_replace(said.out, std::regex("\n +"), " ");
  for (const transaction::ExitCode& row : transaction::exit_codes())
    EXPECT_THAT(unbroken, HasSubstr(std::string(row.meaning)));
  EXPECT_EQ(say({"help"}).out, said.out);
  EXPECT_EQ(say({"-h"}).out, said.out);
}

TEST(Help, LinesFitATerminal) {
  std::string all = say({"--help"}).out;
  for (const cli::Command* command : cli::all_commands()) {
    all += say({std::string(command->name), "--help-all"}).out;
    all += say({std::string(command->name), "--help"}).out;
  }
  constexpr std::size_t kColumns = 80;
  for (std::size_t at = 0; at < all.size();) {
    const std::size_t end = all.find('\n', at);
    EXPECT_LE(end - at, kColumns) << all.substr(at, end - at);
    at = end + 1;
  }
}

TEST(Version, IsOneLine) {
  EXPECT_EQ(say({"--version"}).out, "kubelet-sysctl " + std::string(cli::tool_version()) + "\n");
}

TEST(Duration, AddsItsParts) {
  EXPECT_EQ(*cli::parse_duration("--window", "500ms"), Milliseconds{500});
  EXPECT_EQ(*cli::parse_duration("--window", "10s"), Milliseconds{10'000});
  EXPECT_EQ(*cli::parse_duration("--window", "2m"), Milliseconds{120'000});
  EXPECT_EQ(*cli::parse_duration("--window", "1h30m"), Milliseconds{5'400'000});
  EXPECT_EQ(*cli::parse_duration("--window", "0s"), Milliseconds{0});
  EXPECT_EQ(*cli::parse_duration("--window", "24h"), Milliseconds{86'400'000});
}

TEST(Duration, WithoutAUnitOrTooLongIsNone) {
  for (const char* text : {"", "10", "s", "-1s", "1.5s", "1 s", "1d", "10sx", "25h", "24h1ms",
                           "99999999999999999999h"}) {
    EXPECT_FALSE(cli::parse_duration("--window", text)) << text;
  }
}

TEST(UnitName, IsCompletedAsSystemctlDoes) {
  EXPECT_EQ(*cli::unit_name_given("kubelet"), "kubelet.service");
  EXPECT_EQ(*cli::unit_name_given("snap.kubelet-eks.daemon"), "snap.kubelet-eks.daemon.service");
  EXPECT_EQ(*cli::unit_name_given("a@b.service"), "a@b.service");
}

TEST(Root, WithoutADirectoryOfItsOwnIsTheRunningNode) {
  EXPECT_EQ(*cli::parse_root("/"), "/");
  EXPECT_EQ(*cli::parse_root("//."), "/");
  EXPECT_EQ(*cli::parse_root("/mnt/image/"), "/mnt/image");
  // A link that reads as "/" may lead to the root of another mount namespace.
  EXPECT_EQ(*cli::parse_root("/proc/1/root"), "/proc/1/root");
}

}  // namespace
}  // namespace kubelet_sysctl::golden
