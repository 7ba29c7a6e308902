// SPDX-License-Identifier: Apache-2.0
// What a script reads: keys in their order, evidence, and nothing unknown.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "support/reported.hpp"

namespace kubelet_sysctl {
namespace {

using reported::applied;
using reported::running_node;
using reported::short_command;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using Json = nlohmann::ordered_json;

std::vector<std::string> keys_of(const Json& json) {
  std::vector<std::string> keys;
  for (const auto& item : json.items()) keys.push_back(item.key());
  return keys;
}

TEST(Json, StatusHasTheKeysOfItsDescriptionInOrder) {
  const reported::Node node = running_node();
  const std::string text = reported::status_json(node.snapshot, node.model);
  EXPECT_THAT(text, StartsWith("{\"apiVersion\":\"kubelet-sysctl/v1\",\"kind\":\"Status\","));
  EXPECT_EQ(text.find('\n'), text.size() - 1);
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
  const Json json = Json::parse(reported::status_json(nodes::NodeSnapshot{}, model::NodeModel{}));
  EXPECT_EQ(json["running"], nullptr);
  EXPECT_EQ(json["configured"]["layer"], "none");
  EXPECT_EQ(json["configured"]["entries"], Json::array());
  EXPECT_EQ(json["findings"], Json::array());
  EXPECT_EQ(json["unfinished"], Json::array());
  EXPECT_EQ(json["trial"], nullptr);
  transaction::Outcome outcome;
  const Json unchanged = Json::parse(reported::outcome_json(outcome));
  EXPECT_EQ(unchanged["changed"], false);
  EXPECT_EQ(unchanged["transaction"], nullptr);
  EXPECT_EQ(unchanged["evidence"], nullptr);
  for (const char* list : {"before", "after", "edits", "steps", "findings"}) {
    EXPECT_EQ(unchanged[list], Json::array()) << list;
  }
}

TEST(Json, CommandLineGivesEachWordItsPlace) {
  const Json json = Json::parse(report::command_line_json(short_command()));
  EXPECT_EQ(json["kind"], "CommandLine");
  EXPECT_EQ(json["words"][0]["variable"], nullptr);
  EXPECT_EQ(json["words"][1], (Json{{"text", "--v=2"},
                                    {"file", "/etc/sysconfig/kubelet"},
                                    {"line", 1},
                                    {"variable", "DAEMON_ARGS"}}));
  EXPECT_EQ(json["unresolved"], (Json{"KUBELET_EXTRA_ARGS"}));
}

TEST(Json, OutcomeCarriesTheEvidenceAndNoOtherWordsOfTheFile) {
  const std::string text = reported::outcome_json(applied());
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

}  // namespace
}  // namespace kubelet_sysctl
