// SPDX-License-Identifier: Apache-2.0
// Lists in docs/ against the tables they describe.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl {
namespace {

std::string read_document(const std::string& name) {
  std::ifstream file(std::string(KUBELET_SYSCTL_TEST_DIR) + "/../docs/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The rows of the table whose head is `head`, as they are written.
std::vector<std::string> rows_below(const std::string& text, const std::string& head) {
  std::vector<std::string> rows;
  std::istringstream lines(text);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == head) {
      inside = true;
    } else if (inside && !line.starts_with('|')) {
      break;
    } else if (inside && !line.starts_with("| ---")) {
      rows.push_back(line);
    }
  }
  return rows;
}

TEST(Docs, ExitCodesAreThoseOfTheTable) {
  std::vector<std::string> wanted;
  for (const transaction::ExitCode& row : transaction::exit_codes()) {
    wanted.push_back(fmt::format("| {} | {} | {} |", row.code, row.name, row.meaning));
  }
  EXPECT_EQ(rows_below(read_document("exit-codes.md"), "| code | name | meaning |"), wanted);
}

constexpr ErrorKind kLastErrorKind = ErrorKind::kInterrupted;

TEST(Docs, EveryKindOfErrorIsListedWithItsExitCode) {
  std::vector<std::string> wanted;
  for (int kind = 0; kind <= static_cast<int>(kLastErrorKind); ++kind) {
    const Error error{.kind = static_cast<ErrorKind>(kind)};
    wanted.push_back(
        fmt::format("| {} | {} |", name_of(error.kind), transaction::exit_code_of(error)));
  }
  EXPECT_EQ(rows_below(read_document("exit-codes.md"), "| kind | code |"), wanted);
}

TEST(Docs, TheSchemaKnowsEveryKindOfErrorAndEveryOutcome) {
  const auto schema = nlohmann::json::parse(read_document("json-schema.json"), nullptr, false);
  ASSERT_FALSE(schema.is_discarded());
  const auto& definitions = schema.at("$defs");
  nlohmann::json kinds = nlohmann::json::array();
  for (int kind = 0; kind <= static_cast<int>(kLastErrorKind); ++kind) {
    kinds.push_back(name_of(static_cast<ErrorKind>(kind)));
  }
  EXPECT_EQ(definitions.at("failure").at("properties").at("kind").at("enum"), kinds);
  const auto& outcomes = definitions.at("outcome").at("properties").at("outcome").at("enum");
  for (const transaction::OutcomeKind kind :
       {transaction::OutcomeKind::kUnchanged, transaction::OutcomeKind::kPlanned,
        transaction::OutcomeKind::kApplied, transaction::OutcomeKind::kPending,
        transaction::OutcomeKind::kRolledBack, transaction::OutcomeKind::kStranded}) {
    EXPECT_NE(std::find(outcomes.begin(), outcomes.end(), name_of(kind)), outcomes.end())
        << transaction::name_of(kind);
  }
}

}  // namespace
}  // namespace kubelet_sysctl
