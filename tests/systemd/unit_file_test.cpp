// SPDX-License-Identifier: Apache-2.0
// The grammar of unit files, and the rules for where units and drop-ins are, one text for each.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl {
namespace {

using std::string_literals::operator""s;
using Pairs = std::vector<std::pair<std::string, std::string>>;
using Texts = std::vector<std::string>;

SourceFile file_with(std::string bytes) {
  SourceFile file;
  file.path = "/etc/systemd/system/kubelet.service";
  file.kind = FileKind::kRegular;
  file.bytes = std::move(bytes);
  return file;
}

systemd::UnitFile parsed(std::string bytes) {
  return systemd::parse_unit_file(file_with(std::move(bytes)), 0);
}

/// Keys and values of the settings.
Pairs pairs_of(std::string bytes) {
  const systemd::UnitFile unit = parsed(std::move(bytes));
  Pairs pairs;
  for (const systemd::UnitSetting& setting : unit.settings) {
    pairs.emplace_back(setting.key, setting.value.text);
  }
  return pairs;
}

std::string broken_of(std::string bytes) {
  const systemd::UnitFile unit = parsed(std::move(bytes));
  return unit.broken ? unit.broken->message : "";
}

Texts values_of(const std::vector<systemd::UnitSetting>& settings) {
  Texts values;
  for (const systemd::UnitSetting& setting : settings) values.push_back(setting.value.text);
  return values;
}

TEST(UnitFile, KeysAndValuesAreStrippedAndKeepTheirCase) {
  EXPECT_EQ(pairs_of("[Service]\n  Key \t=  a b \t\nkey=c=d\n"),
            (Pairs{{"Key", "a b"}, {"key", "c=d"}}));
}

TEST(UnitFile, CommentsBeginALineAndNowhereElse) {
  EXPECT_EQ(pairs_of("[Service]\n # a=1\n; b=2\nc=3 # note ; note\n"),
            (Pairs{{"c", "3 # note ; note"}}));
}

TEST(UnitFile, SettingsBeforeASectionOrInAnUnknownOneDoNotCount) {
  EXPECT_EQ(
      pairs_of("a=1\n[X-Mine]\nb=2\n[service]\nc=3\n[Service]\nd=4\n[Unit]\ne=5\n[Service]\nf=6\n"),
      (Pairs{{"d", "4"}, {"e", "5"}, {"f", "6"}}));
}

TEST(UnitFile, ALineWithoutAnEqualsSignIsIgnored) {
  EXPECT_EQ(pairs_of("[Service]\nnonsense\na=1\n"), (Pairs{{"a", "1"}}));
}

TEST(UnitFile, ABackslashAtTheLineEndBecomesOneBlankAndTheIndentationStays) {
  EXPECT_EQ(pairs_of("[Service]\na=x\\\n  y\n"), (Pairs{{"a", "x   y"}}));
}

TEST(UnitFile, AnEvenNumberOfBackslashesDoesNotContinue) {
  EXPECT_EQ(pairs_of("[Service]\na=x\\\\\nb=y\n"), (Pairs{{"a", "x\\\\"}, {"b", "y"}}));
  EXPECT_EQ(pairs_of("[Service]\na=x\\\\\\\nb=y\n"), (Pairs{{"a", "x\\\\ b=y"}}));
}

TEST(UnitFile, ABackslashBeforeABlankDoesNotContinue) {
  EXPECT_EQ(pairs_of("[Service]\na=x\\ \nb=y\n"), (Pairs{{"a", "x\\"}, {"b", "y"}}));
}

TEST(UnitFile, CommentsWithinAContinuationVanishAndItGoesOn) {
  EXPECT_EQ(pairs_of("[Service]\na=x\\\n# note \\\n;\ny\n"), (Pairs{{"a", "x y"}}));
}

TEST(UnitFile, ABlankLineEndsAContinuation) {
  EXPECT_EQ(pairs_of("[Service]\na=x\\\n\nb=y\n"), (Pairs{{"a", "x"}, {"b", "y"}}));
}

TEST(UnitFile, AContinuationIsStrongerThanAHeaderAndEndsWithTheFile) {
  EXPECT_EQ(pairs_of("[Service]\na=x\\\n[Install]\nb=y\\"),
            (Pairs{{"a", "x [Install]"}, {"b", "y"}}));
}

TEST(UnitFile, LinesEndAtLfCrAndNulAndOneRunOfDifferentOnes) {
  EXPECT_EQ(pairs_of("[Service]\r\na=1\rb=2\0c=3\n\rd=4\n"s),
            (Pairs{{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}}));
  // LF LF is an empty line, which ends the continuation; CRLF is one line end, which does not.
  EXPECT_EQ(pairs_of("[Service]\na=1\\\n\nb=2\n"), (Pairs{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(pairs_of("[Service]\r\na=1\\\r\nb=2\r\n"), (Pairs{{"a", "1 b=2"}}));
}

TEST(UnitFile, OneByteOrderMarkIsRemovedFromTheFirstLineThatHasIt) {
  EXPECT_EQ(pairs_of("# note\n\xef\xbb\xbf[Service]\na=1\n"), (Pairs{{"a", "1"}}));
  EXPECT_EQ(pairs_of("\xef\xbb\xbf[Service]\n\xef\xbb\xbf"
                     "a=1\n"),
            (Pairs{{"\xef\xbb\xbf"
                    "a",
                    "1"}}));
}

TEST(UnitFile, AHeaderThatDoesNotEndInABracketGivesTheFileUp) {
  const systemd::UnitFile unit = parsed("[Service]\na=1\n[Service] # main\nb=2\n");
  ASSERT_TRUE(unit.broken);
  EXPECT_EQ(unit.broken->kind, ErrorKind::kMalformed);
  EXPECT_EQ(unit.broken->line, 3u);
  EXPECT_EQ(unit.settings.size(), 1u);  // what came before counts in a drop-in
}

TEST(UnitFile, TextThatIsNotUtf8GivesTheFileUpButNotInAComment) {
  EXPECT_EQ(broken_of("# \xff\n[Service]\na=1\n"), "");
  EXPECT_NE(broken_of("[Service]\na=\xff\n"), "");
}

TEST(UnitFile, ALineOfOneMebibyteGivesTheFileUp) {
  const std::string longest(1024 * 1024 - 1 - 2, 'x');
  EXPECT_EQ(broken_of("[Service]\na=" + longest + "\n"), "");
  EXPECT_NE(broken_of("[Service]\na=" + longest + "x\n"), "");
}

// Source: src/shared/conf-parser.c config_parse(), "Continuation line too long".
TEST(UnitFile, AContinuedLineOfMoreThanOneMebibyteGivesTheFileUp) {
  const std::string half(std::size_t{512} * 1024, 'x');
  EXPECT_EQ(broken_of("[Service]\n" + half.substr(1) + "\\\n" + half + "\n"), "");
  EXPECT_NE(broken_of("[Service]\n" + half + "\\\n" + half + "\n"), "");
}

TEST(UnitFile, EachByteOfAValueKnowsItsPlaceAndTheBlankOfAContinuationItsLineEnd) {
  const std::string bytes = "[Service]\r\na=x\\\r\n\ty\r\n";
  const systemd::UnitFile unit = parsed(bytes);
  ASSERT_EQ(unit.settings.size(), 1u);
  const MappedText& value = unit.settings[0].value;
  ASSERT_EQ(value.text, "x \ty");
  Texts made_of;
  for (const CharOrigin& at : value.at)
    made_of.push_back(bytes.substr(at.begin, at.end - at.begin));
  EXPECT_EQ(made_of, (Texts{"x", "\\\r\n", "\t", "y"}));
  const Span line = unit.settings[0].line_at;
  EXPECT_EQ(bytes.substr(line.begin, line.size()), "a=x\\\r\n\ty");
}

TEST(UnitFile, FormsThatOldReleasesReadDifferentlyAreNoted) {
  const auto notes = [](std::string bytes, systemd::Form form) {
    const systemd::UnitFile unit = parsed(std::move(bytes));
    return std::any_of(unit.forms.begin(), unit.forms.end(),
                       [form](const systemd::FormUse& use) { return use.form == form; });
  };
  EXPECT_TRUE(notes("[Service]\na=x\\\n# note\ny\n", systemd::Form::kCommentInContinuation));
  EXPECT_TRUE(notes("[Service]\n# note \\\na=x\n", systemd::Form::kCommentInContinuation));
  EXPECT_TRUE(notes("[Service]\nnonsense\n", systemd::Form::kLineWithoutEquals));
  EXPECT_TRUE(notes("[Service]\na=x\\", systemd::Form::kUnfinishedContinuation));
  EXPECT_TRUE(notes("[Service]\ra=x\n", systemd::Form::kCarriageReturn));
  EXPECT_TRUE(notes("\xef\xbb\xbf[Service]\na=x\n", systemd::Form::kByteOrderMark));
  EXPECT_TRUE(parsed("# note\r\n[Service]\r\na=x\n").forms.empty());
}

TEST(UnitFile, AnEmptyValueDropsWhatAllFilesBeforeItSaid) {
  systemd::ServiceSettings settings;
  systemd::apply_settings(
      parsed("[Service]\nExecStart=/a\nEnvironment=A=1\nEnvironmentFile=/e\n").settings, settings);
  systemd::apply_settings(
      parsed("[Service]\nExecStart=  \nExecStart=/b\nEnvironment=B=2\n").settings, settings);
  EXPECT_EQ(values_of(settings.exec_start), (Texts{"/b"}));
  EXPECT_EQ(values_of(settings.environment), (Texts{"A=1", "B=2"}));
  EXPECT_EQ(values_of(settings.environment_files), (Texts{"/e"}));
}

TEST(UnitFile, OnlyTheServiceSectionSetsTheCommand) {
  systemd::ServiceSettings settings;
  systemd::apply_settings(parsed("[Unit]\nExecStart=/a\n[Install]\nType=oneshot\n").settings,
                          settings);
  EXPECT_TRUE(settings.exec_start.empty());
  EXPECT_NE(settings.type, "oneshot");
}

TEST(UnitFile, LibIsSearchedBefore255AndControlAboveEtc) {
  const auto old = systemd::unit_search_path(252);
  const auto now = systemd::unit_search_path(257);
  EXPECT_EQ(old.front(), "/etc/systemd/system.control");
  EXPECT_EQ(old.back(), "/run/systemd/generator.late");
  const auto has = [](const Texts& list, const char* path) {
    return std::find(list.begin(), list.end(), path) != list.end();
  };
  EXPECT_TRUE(has(old, "/lib/systemd/system"));
  EXPECT_FALSE(has(now, "/lib/systemd/system"));
  EXPECT_FALSE(has(systemd::unit_search_path(229), "/etc/systemd/system.control"));
}

TEST(UnitFile, DropInDirectoriesAreCutAfterEachDashFromTheRight) {
  EXPECT_EQ(systemd::drop_in_directories("kubelet.service"), (Texts{"kubelet.service.d"}));
  EXPECT_EQ(systemd::drop_in_directories("kubelet-node-gpu.service"),
            (Texts{"kubelet-node-gpu.service.d", "kubelet-node-.service.d", "kubelet-.service.d"}));
}

TEST(UnitFile, AnInstanceHasTheDropInsOfItsTemplateToo) {
  const Texts names = systemd::drop_in_directories("kubelet@a.service");
  EXPECT_EQ(names, (Texts{"kubelet@a.service.d", "kubelet@.service.d"}));
}

TEST(UnitFile, DropInsEndInConfAndAreNotHidden) {
  for (const char* name : {"10-a.conf", "a b.conf"})
    EXPECT_TRUE(systemd::is_drop_in_name(name)) << name;
  for (const char* name : {".conf", ".a.conf", "a.conf~", "a.conf.bak", "a.CONF", "conf"}) {
    EXPECT_FALSE(systemd::is_drop_in_name(name)) << name;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
