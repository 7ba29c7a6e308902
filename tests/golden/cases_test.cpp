// SPDX-License-Identifier: Apache-2.0
// Every case of tests/nodes/KIND/cases and tests/cases/NAME/cases: whole command lines on a copy of the node, byte for byte.
//
//   cmd      command lines, run in order, one a line; ROOT is the node's directory, CASE the case's
//   stdout   what all of them print there     stderr   likewise
//   exit     the exit code of each, one a line
//   after/   the files that differ afterwards, as they must be; every other file must be as before
//   after-json/  likewise, where the values count and not the layout: the bytes are ours to choose
//   stdin    standard input, if there is any
//   kernel   what the running kernel is to say: its release, then "NAME STATE" in each line
//   programs what programs are to say: "PATH OUTPUT" in each line
//
// UPDATE_GOLDEN=1 writes stdout and stderr again, and nothing else: the files are given.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& path) {
  std::vector<std::string> lines;
  std::istringstream text(bytes_of(path));
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

/// Words as a shell splits them: blanks, and single quotes around what keeps them.
std::vector<std::string> words_of(const std::string& line) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char byte : line) {
    if (byte == '\'') {
      quoted = !quoted;
      if (!open) words.emplace_back();
      open = true;
    } else if (byte == ' ' && !quoted) {
      open = false;
    } else {
      if (!open) words.emplace_back();
      open = true;
      words.back() += byte;
    }
  }
  return words;
}

std::vector<std::string> all_cases() {
  std::vector<std::string> cases;
  for (const fs::path& all : {nodes_directory(), cases_directory()}) {
    for (const auto& kind : fs::directory_iterator(all)) {
      if (!fs::is_directory(kind.path() / "cases")) continue;
      for (const auto& one : fs::directory_iterator(kind.path() / "cases")) {
        cases.push_back(kind.path().filename().string() + "/" + one.path().filename().string());
      }
    }
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

/// What must be in the tree afterwards: as before, but for what after/ holds. A file keeps its mode;
/// a new one is readable to everybody and writable to its owner.
std::map<std::string, Thing> expected_things(std::map<std::string, Thing> things,
                                             const fs::path& after) {
  constexpr std::uint32_t kNewFile = 0100644;
  if (!fs::is_directory(after)) return things;
  for (const auto& entry : fs::recursive_directory_iterator(after)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = "/" + fs::relative(entry.path(), after).string();
    const auto [found, is_new] = things.try_emplace(path, Thing{.bytes = {}, .mode = kNewFile});
    found->second.bytes = bytes_of(entry.path());
  }
  return things;
}

/// Takes the files of after-json/ from both sides, once their values were found equal.
void compare_json(const fs::path& after, std::map<std::string, Thing>& expected,
                  std::map<std::string, Thing>& seen) {
  if (!fs::is_directory(after)) return;
  for (const auto& entry : fs::recursive_directory_iterator(after)) {
    if (!entry.is_regular_file()) continue;
    const std::string path = "/" + fs::relative(entry.path(), after).string();
    const auto found = seen.find(path);
    ASSERT_TRUE(found != seen.end()) << path << " is missing";
    EXPECT_EQ(nlohmann::json::parse(found->second.bytes, nullptr, false),
              nlohmann::json::parse(bytes_of(entry.path())))
        << path << ":\n"
        << found->second.bytes;
    expected.erase(path);
    seen.erase(found);
  }
}

/// Names what differs instead of printing two trees.
void expect_same(const std::map<std::string, Thing>& expected,
                 const std::map<std::string, Thing>& seen) {
  for (const auto& [path, thing] : expected) {
    const auto found = seen.find(path);
    if (found == seen.end()) {
      ADD_FAILURE() << path << " is missing";
      continue;
    }
    EXPECT_EQ(found->second.bytes, thing.bytes) << path;
    EXPECT_EQ(found->second.mode, thing.mode) << path;
  }
  for (const auto& [path, thing] : seen) {
    EXPECT_TRUE(expected.contains(path)) << path << " should not be there:\n" << thing.bytes;
  }
}

void expect_said(const fs::path& expected, const std::string& said) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(expected, std::ios::binary) << said;
    return;
  }
  ASSERT_TRUE(fs::exists(expected)) << expected << " is missing; it would hold:\n" << said;
  EXPECT_EQ(said, bytes_of(expected)) << expected.filename();
}

class Cases : public testing::TestWithParam<std::string> {};

TEST_P(Cases, SayAndDoAsGiven) {
  const std::string kind = GetParam().substr(0, GetParam().find('/'));
  const fs::path directory = node_directory(kind) / "cases" / GetParam().substr(kind.size() + 1);
  const GoldenNode node(kind);
  const auto before = node.things();
  const auto commands = lines_of(directory / "cmd");
  const auto exits = lines_of(directory / "exit");
  ASSERT_FALSE(commands.empty());
  ASSERT_EQ(commands.size(), exits.size()) << "one exit code for each command line";
  Said all;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Said said = node.run(words_of(commands[i]), directory.string());
    EXPECT_EQ(std::to_string(said.exit), exits[i]) << commands[i] << '\n' << said.out << said.err;
    all.out += said.out;
    all.err += said.err;
  }
  auto expected = expected_things(before, directory / "after");
  auto seen = node.things();
  compare_json(directory / "after-json", expected, seen);
  expect_same(expected, seen);
  expect_said(directory / "stdout", all.out);
  expect_said(directory / "stderr", all.err);
}

std::string name_of_case(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](unsigned char byte) { return std::isalnum(byte) == 0; }, '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Nodes, Cases, testing::ValuesIn(all_cases()), name_of_case);

}  // namespace
}  // namespace kubelet_sysctl::golden
