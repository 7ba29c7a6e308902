// SPDX-License-Identifier: Apache-2.0
// What an operator and a script read: places, carets, lists, evidence, and nothing unknown.

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

const TextStyle kPlain{};

// ---- errors ------------------------------------------------------------------------------------

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The example of the house style, section 5.
TEST(ErrorText, PutsThePlaceFirstThenTheLineWithItsCaretThenTheHint) {
  const Error error{.kind = ErrorKind::kUnsupported,
                    .message = "will not edit this list: part of it comes from '${EXTRA}'",
                    .path = "/etc/systemd/system/kubelet.service",
                    .line = 9,
                    .column = 55,
                    .excerpt = "ExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=a,${EXTRA}",
                    .hint = "set EXTRA in '/etc/default/kubelet'"};
  EXPECT_EQ(report::error_text(error, kPlain),
            "kubelet-sysctl: error: /etc/systemd/system/kubelet.service:9:55: will not edit this "
            "list: part of it comes from '${EXTRA}'\n"
            "  ExecStart=/usr/bin/kubelet --allowed-unsafe-sysctls=a,${EXTRA}\n"
            "                                                        ^\n"
            "hint: set EXTRA in '/etc/default/kubelet'\n");
}

TEST(ErrorText, WithoutAPlaceOrAHintIsOneLine) {
  EXPECT_EQ(report::error_text(Error{.message = "no systemd here"}, kPlain),
            "kubelet-sysctl: error: no systemd here\n");
}

TEST(ErrorText, TheCaretStandsUnderThePlaceAlsoAfterTabsAndWideCharacters) {
  const std::string before = "\té=";  // four bytes, three columns
  const Error error{.message = "m",
                    .path = "/f",
                    .line = 1,
                    .column = before.size() + 1,
                    .excerpt = before + "XY z",
                    .width = 2};
  const auto lines = lines_of(report::error_text(error, kPlain));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1], "   é=XY z");
  EXPECT_EQ(lines[2], "     ^~");
}

TEST(ErrorText, ALongLineIsShownInAWindowAroundThePlace) {
  const std::string secret = "--token=abcdef";
  std::string line = secret + std::string(2000, ' ') + "HERE" + std::string(2000, 'y');
  const std::size_t at = line.find("HERE");
  const Error error{.message = "m", .path = "/f", .line = 1, .column = at + 1, .excerpt = line};
  const auto lines = lines_of(report::error_text(error, kPlain));
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_THAT(lines[1], Not(HasSubstr(secret)));
  EXPECT_THAT(lines[1], StartsWith("  …"));
  EXPECT_LE(lines[1].size(), 110u);  // two marks of three bytes each
  const std::size_t mark_bytes = std::string("…").size() - 1;
  EXPECT_EQ(lines[1].substr(lines[2].find('^') + mark_bytes, 4), "HERE");
}

TEST(ErrorText, ShowsTextThatChangesHowOtherTextIsReadAsBytes) {
  const std::string shown =
      report::error_text({.message = "\u202Ea\u2066b\u200Bc\u2028d\uFEFF \u00E9"}, kPlain);
  EXPECT_THAT(shown, HasSubstr("\\xe2\\x80\\xaea\\xe2\\x81\\xa6b\\xe2\\x80\\x8bc"
                               "\\xe2\\x80\\xa8d\\xef\\xbb\\xbf \u00E9"));
}

TEST(ErrorText, LetsNoEscapeSequenceOfAFileReachTheTerminal) {
  const Error error{.message = "bad \x1b[2J here",
                    .path = "/f\n",
                    .line = 1,
                    .column = 1,
                    .excerpt = "a\x1b[2Jb\xff"};
  const std::string text = report::error_text(error, kPlain);
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, HasSubstr("bad \\x1b[2J here"));
  EXPECT_EQ(lines_of(text).size(), 3u);
}

TEST(ErrorText, HasColourOnlyWhenAsked) {
  TextStyle colour;
  colour.colour = true;
  EXPECT_THAT(report::error_text(Error{.message = "m"}, colour), HasSubstr("\x1b["));
  EXPECT_THAT(report::error_text(Error{.message = "m"}, kPlain), Not(HasSubstr("\x1b")));
}

TEST(FindingText, SaysItsSeverityPlaceAndId) {
  Finding finding;
  finding.id = "shadowed-list";
  finding.severity = Severity::kWarning;
  finding.message = "2 entries here are not in force";
  finding.path = "/etc/config.yaml";
  finding.line = 7;
  finding.hint = "do this";
  EXPECT_EQ(report::finding_text(finding, kPlain),
            "kubelet-sysctl: warning: /etc/config.yaml:7: 2 entries here are not in force "
            "[shadowed-list]\nhint: do this\n");
}

// ---- show and explain --------------------------------------------------------------------------

Origin origin(const std::string& path, std::size_t line, const std::string& variable = {}) {
  Origin made;
  made.path = path;
  made.line = line;
  made.variable = variable;
  return made;
}

struct Node {
  nodes::NodeSnapshot snapshot;
  model::NodeModel model;
};

/// A running node whose flag shadows a list in the configuration file.
Node running_node() {
  Node node;
  node.snapshot.live = true;
  node.snapshot.unit.name = "kubelet.service";
  Process process;
  process.pid = 27340;
  process.started_at_ms = 1795215446000;  // 2026-11-20T22:57:26Z by date(1)
  node.snapshot.process = process;
  node.snapshot.health = nodes::HealthSeen{true, "ok"};
  model::Layer config;
  config.at = origin("/var/lib/kubelet/config.yaml", 31);
  config.entries = {{"net.ipv4.tcp_rmem", origin("/var/lib/kubelet/config.yaml", 32)}};
  model::Layer flag;
  flag.kind = model::LayerKind::kFlag;
  flag.at = origin("/etc/sysconfig/kubelet", 1, "DAEMON_ARGS");
  flag.entries = {{"kernel.msg*", flag.at}, {"net.core.somaxconn", flag.at}};
  flag.wins = true;
  node.model.layers = {config, flag};
  node.model.configured = flag.entries;
  model::RunningList running;
  running.process = process;
  running.evidence = model::RunningList::Evidence::kArgv;
  running.entries = {{"kernel.msg*", "net.core.somaxconn"}};
  node.model.running = running;
  return node;
}

TEST(ShowText, SaysWhoSetsTheListWhatIsShadowedAndHowTheRunningListIsKnown) {
  const Node node = running_node();
  EXPECT_EQ(report::show_text(node.snapshot, node.model, kPlain),
            "kubelet.service  -  running, pid 27340, started 2026-11-20T22:57:26Z, healthy\n"
            "\n"
            "configured  2 entries, set by the flag on the command line\n"
            "  kernel.msg*         /etc/sysconfig/kubelet:1  $DAEMON_ARGS\n"
            "  net.core.somaxconn  /etc/sysconfig/kubelet:1  $DAEMON_ARGS\n"
            "\n"
            "shadowed    1 entry in the configuration file at /var/lib/kubelet/config.yaml:31: NOT "
            "in force\n"
            "  net.ipv4.tcp_rmem  /var/lib/kubelet/config.yaml:32\n"
            "\n"
            "running     2 entries, read from the arguments of the process\n"
            "  kernel.msg*\n"
            "  net.core.somaxconn\n"
            "\n"
            "drift       no: the process runs with the configured list\n");
}

TEST(ShowText, DriftNamesTheDifferenceAndTheCommandThatMendsIt) {
  Node node = running_node();
  node.model.drift = true;
  node.model.running->entries = {{"kernel.msg*", "kernel.sem"}};
  ports::UnitState state;
  state.needs_reload = true;
  node.snapshot.state = state;
  EXPECT_THAT(report::show_text(node.snapshot, node.model, kPlain),
              HasSubstr("drift       yes: the process lacks 'net.core.somaxconn' and still allows "
                        "'kernel.sem'; run: systemctl daemon-reload && systemctl restart "
                        "kubelet.service\n"));
}

TEST(ShowText, ClaimsNothingAboutAListThatCannotBeTold) {
  Node node = running_node();
  node.model.running->evidence = model::RunningList::Evidence::kNone;
  node.model.running->entries.reset();
  const std::string text = report::show_text(node.snapshot, node.model, kPlain);
  EXPECT_THAT(text, HasSubstr("running     cannot be told"));
  EXPECT_THAT(text, HasSubstr("drift       cannot be told"));
}

TEST(ShowText, AnEmptyListIsSaidToBeNone) {
  Node node;
  node.snapshot.live = true;
  ports::UnitState state;
  state.active_state = "inactive";
  state.sub_state = "dead";
  node.snapshot.state = state;
  const std::string text = report::show_text(node.snapshot, node.model, kPlain);
  EXPECT_THAT(text, HasSubstr("not running (inactive/dead)"));
  EXPECT_THAT(text, HasSubstr("configured  (none)\n"));
  EXPECT_THAT(text, HasSubstr("running     -\n"));
}

systemd::CommandLine short_command() {
  systemd::CommandLine command;
  const auto add = [&](const std::string& text, Origin from) {
    systemd::Word word;
    word.text.text = text;
    command.words.push_back(word);
    command.origins.push_back(std::move(from));
  };
  add("/usr/local/bin/kubelet", origin("/usr/lib/systemd/system/kubelet.service", 8));
  add("--v=2", origin("/etc/sysconfig/kubelet", 1, "DAEMON_ARGS"));
  add("", origin("/etc/sysconfig/kubelet", 1, "DAEMON_ARGS"));
  command.unset = {"KUBELET_EXTRA_ARGS"};
  return command;
}

TEST(ExplainText, GivesEachWordItsPlaceAndVariableAndListsTheUnsetOnes) {
  EXPECT_EQ(report::explain_text(nodes::NodeSnapshot{}, short_command(), kPlain),
            "/usr/lib/systemd/system/kubelet.service:8                /usr/local/bin/kubelet\n"
            "/etc/sysconfig/kubelet:1                   $DAEMON_ARGS  --v=2\n"
            "/etc/sysconfig/kubelet:1                   $DAEMON_ARGS  ''\n"
            "\n"
            "unset  nothing sets these variables of the command: $KUBELET_EXTRA_ARGS\n");
}

// ---- outcomes ----------------------------------------------------------------------------------

planning::FileEdit edit_of(const std::string& path, const std::string& before,
                           std::vector<Splice> splices, const std::string& route) {
  planning::FileEdit edit;
  edit.before.path = edit.before.real_path = path;
  edit.before.kind = FileKind::kRegular;
  edit.before.bytes = before;
  auto after = apply_splices(before, splices);
  EXPECT_TRUE(after);
  edit.after = *after;
  edit.splices = std::move(splices);
  edit.route = route;
  return edit;
}

planning::FileEdit argument_edit() {
  const std::string before =
      "DAEMON_ARGS=\"--token=geheim --allowed-unsafe-sysctls=kernel.msg*\"\n";
  const std::size_t end = before.rfind('"');
  return edit_of("/etc/sysconfig/kubelet", before, {{{end, end}, ",net.core.somaxconn"}}, "args");
}

transaction::Outcome applied() {
  transaction::Outcome outcome;
  outcome.kind = transaction::OutcomeKind::kApplied;
  outcome.changed = true;
  outcome.before = {"kernel.msg*", "kernel.sem"};
  outcome.after = {"kernel.msg*", "net.core.somaxconn"};
  outcome.edits = {argument_edit()};
  outcome.restart = "restart";
  outcome.transaction = "20261120T225726Z-1";
  transaction::Evidence evidence;
  evidence.pid = 27340;
  evidence.started_at_ms = 1795215446000;
  evidence.argv = true;
  evidence.health = "ok";
  evidence.window_ms = 10000;
  outcome.evidence = evidence;
  outcome.steps = {{"restart kubelet.service", 41, std::nullopt}};
  return outcome;
}

TEST(OutcomeText, AppliedSaysInOneLineWhatWasDoneAndSeen) {
  EXPECT_EQ(report::outcome_text(applied(), kPlain),
            "applied: 1 entry added and 1 entry removed, seen in the running kubelet (pid 27340), "
            "healthy for 10.0 s\n"
            "    kernel.msg*\n"
            "  - kernel.sem\n"
            "  + net.core.somaxconn\n"
            "  edited /etc/sysconfig/kubelet\n"
            "  process: pid 27340, started 2026-11-20T22:57:26Z\n"
            "  list: stands in the arguments of the process\n"
            "  health: ok\n"
            "  transaction 20261120T225726Z-1\n");
}

TEST(OutcomeText, ARestartForTheListThatTheFilesHadIsSaidToBeOne) {
  transaction::Outcome outcome = applied();
  outcome.before = outcome.after;
  outcome.edits.clear();
  EXPECT_EQ(lines_of(report::outcome_text(outcome, kPlain))[0],
            "applied: the files said so already, the kubelet was restarted, seen in the running "
            "kubelet (pid 27340), healthy for 10.0 s");
}

TEST(OutcomeText, ClaimsNoHealthAndNoSightThatTheEvidenceLacks) {
  transaction::Outcome outcome = applied();
  outcome.evidence->argv.reset();
  outcome.evidence->health = "off";
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, Not(HasSubstr("seen in")));
  EXPECT_THAT(text, Not(HasSubstr("healthy")));
  outcome.evidence.reset();
  EXPECT_THAT(report::outcome_text(outcome, kPlain), Not(HasSubstr("pid")));
}

TEST(OutcomeText, PlannedAndPendingSayThatNothingRunsWithItYet) {
  transaction::Outcome outcome = applied();
  outcome.kind = transaction::OutcomeKind::kPlanned;
  outcome.evidence.reset();
  std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, StartsWith("planned: 1 entry would be added and 1 entry would be removed, the "
                               "kubelet would be restarted; nothing was written\n"));
  EXPECT_THAT(text, HasSubstr("  would edit /etc/sysconfig/kubelet\n"));
  outcome.kind = transaction::OutcomeKind::kPending;
  text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, HasSubstr("takes effect at the next start of the kubelet"));
}

transaction::Outcome failed(transaction::OutcomeKind kind) {
  transaction::Outcome outcome = applied();
  outcome.kind = kind;
  outcome.evidence->argv.reset();
  outcome.cause = Error{.kind = ErrorKind::kTimeout,
                        .message = "the kubelet ended 3 times",
                        .hint = "take the entry out of the wish"};
  outcome.last_words = {"the sysctls \"kernel.shm_\" are not known to be namespaced"};
  outcome.recognised = "an entry outside the namespaced groups";
  return outcome;
}

TEST(OutcomeText, RolledBackGivesTheCauseTheLastWordsAndTheMend) {
  const std::string text =
      report::outcome_text(failed(transaction::OutcomeKind::kRolledBack), kPlain);
  EXPECT_THAT(text, StartsWith("rolled back: the change did not hold, the files are as before, the "
                               "kubelet runs as pid 27340, healthy for 10.0 s\n"));
  EXPECT_THAT(text, HasSubstr("  what was tried\n"));
  EXPECT_THAT(text, HasSubstr("  as before: /etc/sysconfig/kubelet\n"));
  EXPECT_THAT(text, HasSubstr("  cause: the kubelet ended 3 times\n"));
  EXPECT_THAT(text, HasSubstr("  recognised: an entry outside the namespaced groups\n"));
  EXPECT_THAT(text, HasSubstr("    | the sysctls \"kernel.shm_\" are not known"));
  EXPECT_THAT(text, HasSubstr("hint: take the entry out of the wish\n"));
}

TEST(OutcomeText, AKubeletThatWasNotHealthyBeforeIsNeverSaidToBeRestored) {
  transaction::Outcome outcome = failed(transaction::OutcomeKind::kRolledBack);
  outcome.was_down = true;
  outcome.evidence.reset();
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, HasSubstr("the kubelet was not healthy before this run either"));
  EXPECT_THAT(lines_of(text)[0], HasSubstr("no healthy one was restored"));
  EXPECT_THAT(lines_of(text)[0], Not(HasSubstr("seen in the running kubelet")));
}

TEST(OutcomeText, StrandedSaysTheWordAndEndsInTheCommandsToType) {
  transaction::Outcome outcome = failed(transaction::OutcomeKind::kStranded);
  outcome.commands = {"systemctl daemon-reload", "systemctl restart kubelet.service"};
  outcome.on_disk = {{.path = "/etc/sysconfig/kubelet", .holds = "new"}};
  const std::string text = report::outcome_text(outcome, kPlain);
  EXPECT_THAT(text, StartsWith("STRANDED: "));
  EXPECT_THAT(text, HasSubstr("  holds the new bytes: /etc/sysconfig/kubelet\n"));
  EXPECT_THAT(text, ::testing::EndsWith("type these:\n  systemctl daemon-reload\n"
                                        "  systemctl restart kubelet.service\n"));
}

TEST(StepText, GivesTheTimeAndTheFailure) {
  EXPECT_EQ(report::step_text({"restart kubelet.service", 41, std::nullopt}, kPlain),
            "  restart kubelet.service  41 ms\n");
  EXPECT_EQ(report::step_text({"reload", 2300, Error{.message = "it timed out"}}, kPlain),
            "  reload  2.3 s  failed: it timed out\n");
}

// ---- JSON --------------------------------------------------------------------------------------

std::vector<std::string> keys_of(const Json& json) {
  std::vector<std::string> keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  return keys;
}

TEST(Json, StatusHasTheKeysOfItsDescriptionInOrder) {
  const Node node = running_node();
  const std::string text = report::status_json(node.snapshot, node.model);
  EXPECT_THAT(text, StartsWith("{\"apiVersion\":\"kubelet-sysctl/v1\",\"kind\":\"Status\","));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  const Json json = Json::parse(text);
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"apiVersion", "kind", "node", "configured",
                                                     "layers", "running", "drift", "inProgress",
                                                     "unfinished", "trial", "findings"}));
  EXPECT_EQ(json["node"]["kubeletVersion"], nullptr);
  EXPECT_EQ(json["configured"]["layer"], "flag");
  EXPECT_EQ(json["configured"]["entries"][0]["entry"], "kernel.msg*");
  EXPECT_EQ(json["configured"]["entries"][0]["line"], 1);
  EXPECT_EQ(json["layers"][0]["wins"], false);
  EXPECT_EQ(json["layers"][1]["entries"], (Json{"kernel.msg*", "net.core.somaxconn"}));
  EXPECT_EQ(json["running"]["evidence"], "argv");
  EXPECT_EQ(json["running"]["startedAt"], "2026-11-20T22:57:26Z");
}

TEST(Json, AbsentFactsAreNullAndListsNever) {
  const Json json = Json::parse(report::status_json(nodes::NodeSnapshot{}, model::NodeModel{}));
  EXPECT_EQ(json["running"], nullptr);
  EXPECT_EQ(json["configured"]["layer"], "none");
  EXPECT_EQ(json["configured"]["entries"], Json::array());
  EXPECT_EQ(json["findings"], Json::array());
  EXPECT_EQ(json["unfinished"], Json::array());
  EXPECT_EQ(json["trial"], nullptr);
  transaction::Outcome outcome;
  const Json unchanged = Json::parse(report::outcome_json(outcome));
  EXPECT_EQ(unchanged["changed"], false);
  EXPECT_EQ(unchanged["transaction"], nullptr);
  EXPECT_EQ(unchanged["evidence"], nullptr);
  for (const char* list : {"before", "after", "edits", "steps", "findings"}) {
    EXPECT_EQ(unchanged[list], Json::array()) << list;
  }
}

TEST(Json, CommandLineGivesEachWordItsPlace) {
  const Json json = Json::parse(report::command_line_json(nodes::NodeSnapshot{}, short_command()));
  EXPECT_EQ(json["kind"], "CommandLine");
  EXPECT_EQ(json["words"][0]["variable"], nullptr);
  EXPECT_EQ(json["words"][1], (Json{{"text", "--v=2"},
                                    {"file", "/etc/sysconfig/kubelet"},
                                    {"line", 1},
                                    {"variable", "DAEMON_ARGS"}}));
  EXPECT_EQ(json["unresolved"], (Json{"KUBELET_EXTRA_ARGS"}));
}

TEST(Json, OutcomeCarriesTheEvidenceAndNoOtherWordsOfTheFile) {
  const std::string text = report::outcome_json(applied());
  EXPECT_THAT(text, Not(HasSubstr("geheim")));
  const Json json = Json::parse(text);
  EXPECT_EQ(json["outcome"], "applied");
  EXPECT_EQ(json["edits"][0]["route"], "args");
  EXPECT_EQ(json["evidence"]["windowMs"], 10000);
  EXPECT_EQ(json["evidence"]["argv"], true);
  EXPECT_EQ(json["evidence"]["configFile"], nullptr);
  EXPECT_EQ(json["steps"][0]["milliseconds"], 41);
  EXPECT_EQ(json["steps"][0]["error"], nullptr);
}

TEST(Json, ErrorHasItsKindPlaceAndExitCode) {
  const Error error{.kind = ErrorKind::kMalformed, .message = "m", .path = "/f", .line = 9};
  const Json json = Json::parse(report::error_json(error));
  EXPECT_EQ(keys_of(json), (std::vector<std::string>{"apiVersion", "kind", "error", "exit"}));
  EXPECT_EQ(json["error"]["kind"], "malformed");
  EXPECT_EQ(json["error"]["file"], "/f");
  EXPECT_EQ(json["error"]["line"], 9);
  EXPECT_EQ(json["error"]["hint"], nullptr);
  EXPECT_EQ(json["exit"], 1);
}

TEST(Json, BytesThatAreNotUtf8DoNotEndTheProgram) {
  const Json json = Json::parse(report::error_json(Error{.message = "a\xff"
                                                                    "b"}));
  EXPECT_EQ(json["error"]["message"],
            "a\xEF\xBF\xBD"
            "b");
}

TEST(Rfc3339, IsUtcToTheSecond) {
  EXPECT_EQ(rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(951782400999), "2000-02-29T00:00:00Z");  // date -u -d 2000-02-29 +%s
}

}  // namespace
}  // namespace kubelet_sysctl
