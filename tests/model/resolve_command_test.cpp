// SPDX-License-Identifier: Apache-2.0
// The command line of whole nodes: what wins over what, and which bytes of which file each word is.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_search.hpp"
#include "support/snapshot.hpp"

namespace kubelet_sysctl {
namespace {

using built::add_drop_in;
using built::add_file;
using built::kDropInPath;
using built::kEnvPath;
using built::kUnitPath;
using built::node_with_unit;
using Texts = std::vector<std::string>;

constexpr const char* kUnit =
    "[Service]\nEnvironmentFile=-/etc/default/kubelet\nExecStart=/usr/bin/kubelet $ARGS\n";

nodes::NodeSnapshot node_with_env_file(const std::string& bytes) {
  nodes::NodeSnapshot snapshot = node_with_unit(kUnit);
  add_file(snapshot, kEnvPath, bytes);
  return snapshot;
}

Texts argv_of(const nodes::NodeSnapshot& snapshot) {
  const auto command = model::resolve_command(snapshot);
  if (!command) return {"error", command.error().message};
  Texts argv;
  for (const systemd::Word& word : command->words) argv.push_back(word.text.text);
  return argv;
}

std::string text_at(const nodes::NodeSnapshot& snapshot, const CharOrigin& at) {
  if (at.source == kNoSource) return "(no file)";
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(at.source)];
  return file.bytes.substr(at.begin, at.end - at.begin);
}

/// The last word as its file spells it, byte for byte, "|" between: what made each byte.
std::string spelling_of_last_word(const nodes::NodeSnapshot& snapshot) {
  const auto command = model::resolve_command(snapshot);
  if (!command || command->words.empty()) return "no word";
  std::string spelling;
  for (const CharOrigin& at : command->words.back().text.at) {
    if (!spelling.empty()) spelling += "|";
    spelling += text_at(snapshot, at);
  }
  return spelling;
}

// --- Words that came through an environment file ---------------------------------------------------

TEST(ResolveCommand, AWordOfAnEnvironmentFileKnowsFileLineAndVariable) {
  const nodes::NodeSnapshot snapshot = node_with_env_file("# mine\nARGS=\"--x --y=1\"\n");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  ASSERT_EQ(command->words.size(), 3u);
  const Origin& origin = command->origins[2];
  EXPECT_EQ(origin.kind, OriginKind::kEnvironmentFile);
  EXPECT_EQ(origin.path, kEnvPath);
  EXPECT_EQ(origin.line, 2u);
  EXPECT_EQ(origin.variable, "ARGS");
  EXPECT_EQ(text_at(snapshot, command->words[2].raw), "--y=1");
}

TEST(ResolveCommand, BytesPointThroughQuotesOfTheFileAndQuotesOfTheSplit) {
  const nodes::NodeSnapshot snapshot = node_with_env_file("ARGS=\"--x --y='a b'\"\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/usr/bin/kubelet", "--x", "--y=a b"}));
  EXPECT_EQ(spelling_of_last_word(snapshot), "-|-|y|=|a| |b");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  EXPECT_EQ(text_at(snapshot, command->words.back().raw), "--y='a b'");
}

TEST(ResolveCommand, BytesPointThroughEscapesOfTheFileAndOfTheSplit) {
  // The file's reader makes `\ ` of `\\\ `, and the split makes a blank of that.
  const nodes::NodeSnapshot snapshot = node_with_env_file("ARGS=--y=a\\\\\\ b\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/usr/bin/kubelet", "--y=a b"}));
  EXPECT_EQ(spelling_of_last_word(snapshot), "-|-|y|=|a|\\\\\\ |b");
}

TEST(ResolveCommand, BytesPointOverAContinuedLine) {
  const nodes::NodeSnapshot snapshot = node_with_env_file("ARGS=\"--x --y=\\\na\"\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/usr/bin/kubelet", "--x", "--y=a"}));
  EXPECT_EQ(spelling_of_last_word(snapshot), "-|-|y|=|a");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  EXPECT_EQ(text_at(snapshot, command->words.back().raw), "--y=\\\na");
}

TEST(ResolveCommand, BytesPointBetweenTheLineEndsOfACrlfFile) {
  const nodes::NodeSnapshot snapshot = node_with_env_file("OTHER=1\r\nARGS=--x --y\r\n");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  ASSERT_EQ(command->words.size(), 3u);
  EXPECT_EQ(text_at(snapshot, command->words[2].raw), "--y");
  EXPECT_EQ(command->origins[2].line, 2u);
}

TEST(ResolveCommand, AQuotedCarriageReturnIsABlankOfTheSplit) {
  EXPECT_EQ(argv_of(node_with_env_file("ARGS=\"--x\r\n--y\"\r\n")),
            (Texts{"/usr/bin/kubelet", "--x", "--y"}));
}

// --- Words of the unit and its drop-ins --------------------------------------------------------------

TEST(ResolveCommand, AnAssignmentInADropInKeepsItsPlaceThroughQuotesAndSpecifiers) {
  nodes::NodeSnapshot snapshot = node_with_unit("[Service]\nExecStart=/usr/bin/kubelet $ARGS\n");
  add_drop_in(snapshot, "[Service]\nEnvironment='ARGS=--x --y=%E/k'\n");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  ASSERT_EQ(argv_of(snapshot), (Texts{"/usr/bin/kubelet", "--x", "--y=/etc/k"}));
  EXPECT_EQ(command->origins[2].kind, OriginKind::kDropIn);
  EXPECT_EQ(command->origins[2].path, kDropInPath);
  EXPECT_EQ(command->origins[2].line, 2u);
  EXPECT_EQ(text_at(snapshot, command->words[2].raw), "--y=%E/k");
  EXPECT_EQ(spelling_of_last_word(snapshot), "-|-|y|=|%E|%E|%E|%E|/|k");
  EXPECT_EQ(text_at(snapshot, command->environment.at("ARGS").raw), "'ARGS=--x --y=%E/k'");
}

TEST(ResolveCommand, AWordOfAContinuedCommandKnowsItsOwnLine) {
  const nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/usr/bin/kubelet \\\n  --x \\\n  \"--y=1\"\n");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  ASSERT_EQ(command->words.size(), 3u);
  EXPECT_EQ(command->origins[2].kind, OriginKind::kUnit);
  EXPECT_EQ(command->origins[2].path, kUnitPath);
  EXPECT_EQ(command->origins[2].line, 4u);
  EXPECT_EQ(text_at(snapshot, command->words[2].raw), "\"--y=1\"");
}

TEST(ResolveCommand, AWordPutTogetherFromTwoFilesKeepsTheOriginOfEachByte) {
  nodes::NodeSnapshot snapshot = node_with_unit(
      "[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/usr/bin/kubelet "
      "--x=a,${MORE}\n");
  const std::int32_t env = add_file(snapshot, kEnvPath, "MORE=b\n");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  const systemd::Word& word = command->words.back();
  EXPECT_EQ(word.text.text, "--x=a,b");
  EXPECT_EQ(text_at(snapshot, word.raw), "--x=a,${MORE}");
  EXPECT_EQ(word.text.at.back(), (CharOrigin{env, 5, 6}));
}

TEST(ResolveCommand, AnEmptyExecStartInADropInReplacesTheCommand) {
  nodes::NodeSnapshot snapshot = node_with_unit("[Service]\nExecStart=/usr/bin/kubelet --old\n");
  add_drop_in(snapshot, "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --new\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/usr/bin/kubelet", "--new"}));
}

TEST(ResolveCommand, ASecondExecStartOrNoneDoesNotLoad) {
  for (const char* drop_in : {"[Service]\nExecStart=/b\n", "[Service]\nExecStart=\n"}) {
    nodes::NodeSnapshot snapshot = node_with_unit("[Service]\nExecStart=/a\n");
    add_drop_in(snapshot, drop_in);
    const auto command = model::resolve_command(snapshot);
    ASSERT_FALSE(command) << drop_in;
    EXPECT_EQ(command.error().kind, ErrorKind::kMalformed);
  }
}

TEST(ResolveCommand, ABadExecStartIsFatalInTheUnitAndSkippedInADropIn) {
  nodes::NodeSnapshot bad =
      node_with_unit("[Service]\nExecStart=/a \"x\nExecStart=\nExecStart=/b\n");
  EXPECT_FALSE(model::resolve_command(bad));
  nodes::NodeSnapshot snapshot = node_with_unit("[Service]\nExecStart=/a\n");
  add_drop_in(snapshot, "[Service]\nExecStart=/b \"x\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/a"}));
}

// --- The environment: who wins -----------------------------------------------------------------------

TEST(ResolveCommand, AnEnvironmentFileBeatsEnvironmentEvenWithAnEmptyValue) {
  nodes::NodeSnapshot snapshot = node_with_env_file("ARGS=\n");
  add_drop_in(snapshot, "[Service]\nEnvironment=ARGS=--x\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/usr/bin/kubelet"}));
}

TEST(ResolveCommand, EnvironmentBeatsTheManagersAndALaterFileAnEarlierOne) {
  nodes::NodeSnapshot snapshot = node_with_unit(
      "[Service]\nEnvironment=A=unit\nEnvironmentFile=/e1\nEnvironmentFile=/e2\n"
      "ExecStart=/k ${A} ${B} ${C}\n");
  snapshot.manager_environment = {"A=manager", "C=manager"};
  add_file(snapshot, "/e1", "B=1\n");
  add_file(snapshot, "/e2", "B=2\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/k", "unit", "2", "manager"}));
}

TEST(ResolveCommand, UnsetEnvironmentTakesNamesAndExactAssignmentsAway) {
  const nodes::NodeSnapshot snapshot = node_with_unit(
      "[Service]\nEnvironment=A=1 B=2 C=3\nUnsetEnvironment=A B=2 C=4\nExecStart=/k ${A} ${B} "
      "${C}\n");
  EXPECT_EQ(argv_of(snapshot), (Texts{"/k", "", "", "3"}));
}

TEST(ResolveCommand, AnEnvironmentFileThatCannotBeReadIsFatalUnlessItIsOptional) {
  const nodes::NodeSnapshot optional = node_with_env_file("ARGS=--x\nB=\xff\n");
  EXPECT_EQ(argv_of(optional), (Texts{"/usr/bin/kubelet"}));
  nodes::NodeSnapshot strict =
      node_with_unit("[Service]\nEnvironmentFile=/etc/default/kubelet\nExecStart=/k\n");
  add_file(strict, kEnvPath, "B=\xff\n");
  const auto command = model::resolve_command(strict);
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kMalformed);
  EXPECT_EQ(command.error().path, kEnvPath);
}

TEST(ResolveCommand, NamesThatNothingSetsAreListed) {
  nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/k $ARGS --x=${HOST} $ARGS\n");
  const auto command = model::resolve_command(snapshot);
  ASSERT_TRUE(command);
  EXPECT_EQ(command->unset, (Texts{"ARGS", "HOST"}));
}

TEST(ResolveCommand, AFormThatAnOldReleaseReadsDifferentlyIsRefusedAtItsPlace) {
  nodes::NodeSnapshot snapshot =
      node_with_unit("[Service]\nExecStart=/usr/bin/kubelet --x=\"a b\"\n");
  EXPECT_TRUE(model::resolve_command(snapshot));
  snapshot.systemd_version = 219;
  const auto command = model::resolve_command(snapshot);
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(command.error().line, 2u);
}

TEST(ResolveCommand, AUnitThatIsMaskedOrAbsentIsNotFound) {
  for (const systemd::UnitLoad load : {systemd::UnitLoad::kMasked, systemd::UnitLoad::kNotFound}) {
    nodes::NodeSnapshot snapshot = node_with_unit("");
    snapshot.unit.load = load;
    const auto command = model::resolve_command(snapshot);
    ASSERT_FALSE(command);
    EXPECT_EQ(command.error().kind, ErrorKind::kNotFound);
  }
}

TEST(ResolveCommand, AStringOf128KibibytesCannotBePassed) {
  constexpr std::size_t kLongest = 131072;
  const std::string head = "[Service]\nExecStart=/k ";
  const nodes::NodeSnapshot fits = node_with_unit(head + std::string(kLongest - 1, 'x') + "\n");
  const nodes::NodeSnapshot too_long = node_with_unit(head + std::string(kLongest, 'x') + "\n");
  const auto short_command = model::resolve_command(fits);
  const auto long_command = model::resolve_command(too_long);
  ASSERT_TRUE(short_command);
  ASSERT_TRUE(long_command);
  EXPECT_TRUE(model::check_startable(fits, *short_command));
  EXPECT_FALSE(model::check_startable(too_long, *long_command));
}

}  // namespace
}  // namespace kubelet_sysctl
