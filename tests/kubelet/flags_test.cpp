// SPDX-License-Identifier: Apache-2.0
// The list's flag as a kubelet 1.20.2 was seen to read it: spellings, repetition, CSV.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl {
namespace {

using Texts = std::vector<std::string>;

kubelet::KubeletFlags flags_of(Texts words) {
  words.insert(words.begin(), "/usr/bin/kubelet");
  return kubelet::parse_kubelet_flags(words, 1);
}

/// The list, or the words that the kubelet exits with.
Texts list_or_fate(const Texts& words) {
  const kubelet::KubeletFlags flags = flags_of(words);
  if (flags.fatal) return {"fatal", *flags.fatal};
  return kubelet::list_of(flags);
}

/// What a value of the flag gives.
Texts value(const std::string& text) { return list_or_fate({"--allowed-unsafe-sysctls=" + text}); }

Texts fatal(const std::string& text) { return {"fatal", text}; }

// --- Spellings -----------------------------------------------------------------------------------

TEST(KubeletFlags, TheValueFollowsAnEqualsSignOrIsTheNextWord) {
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls=a.b,c.d"}), (Texts{"a.b", "c.d"}));
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls", "a.b"}), (Texts{"a.b"}));
}

TEST(KubeletFlags, UnderscoresInTheNameAreHyphens) {
  EXPECT_EQ(list_or_fate({"--allowed_unsafe_sysctls=a_b"}), (Texts{"a_b"}));
  EXPECT_EQ(list_or_fate({"--allowed-unsafe_sysctls=a.b"}), (Texts{"a.b"}));
}

TEST(KubeletFlags, OtherLettersAbbreviationsAndBlanksInTheNameAreUnknownFlags) {
  EXPECT_EQ(list_or_fate({"--Allowed-unsafe-sysctls=a.b"}),
            fatal("unknown flag: --Allowed-unsafe-sysctls"));
  EXPECT_EQ(list_or_fate({"--ALLOWED_UNSAFE_SYSCTLS=a.b"}),
            fatal("unknown flag: --ALLOWED_UNSAFE_SYSCTLS"));
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctl=a.b"}),
            fatal("unknown flag: --allowed-unsafe-sysctl"));
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls = a.b"}),
            fatal("unknown flag: --allowed-unsafe-sysctls "));
}

TEST(KubeletFlags, OneDashOrThreeEndTheKubelet) {
  EXPECT_EQ(list_or_fate({"-allowed-unsafe-sysctls=a.b"}),
            fatal("unknown shorthand flag: 'a' in -allowed-unsafe-sysctls=a.b"));
  EXPECT_EQ(list_or_fate({"---allowed-unsafe-sysctls=a"}),
            fatal("bad flag syntax: ---allowed-unsafe-sysctls=a"));
}

TEST(KubeletFlags, WithoutAValueAtTheEndTheKubeletEnds) {
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls"}),
            fatal("flag needs an argument: --allowed-unsafe-sysctls"));
}

TEST(KubeletFlags, TheNextWordIsTakenWhateverItLooksLike) {
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls", "--v=2"}), (Texts{"--v=2"}));
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls", "--", "a.b"}), fatal("unknown command: a.b"));
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls", "=", "a.b"}), fatal("unknown command: a.b"));
}

// --- Repetition ----------------------------------------------------------------------------------

TEST(KubeletFlags, OccurrencesAppendAndDuplicatesStay) {
  EXPECT_EQ(
      list_or_fate({"--allowed-unsafe-sysctls=a.b", "--v=2", "--allowed-unsafe-sysctls=c.d,a.b"}),
      (Texts{"a.b", "c.d", "a.b"}));
}

TEST(KubeletFlags, AnEmptyOccurrenceAddsNothingAndClearsNothing) {
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls=", "--allowed-unsafe-sysctls=a.b"}),
            (Texts{"a.b"}));
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls=a.b", "--allowed-unsafe-sysctls="}),
            (Texts{"a.b"}));
}

TEST(KubeletFlags, ASingleEmptyOccurrenceIsAnEmptyListThatIsSet) {
  const kubelet::KubeletFlags flags = flags_of({"--allowed-unsafe-sysctls="});
  EXPECT_EQ(flags.lists.size(), 1u);
  EXPECT_TRUE(list_of(flags).empty());
  EXPECT_EQ(model::list_in_argv({"kubelet", "--allowed-unsafe-sysctls="}), Texts{});
  EXPECT_EQ(model::list_in_argv({"kubelet", "--v=2"}), std::nullopt);
}

// --- The value is one record of CSV ----------------------------------------------------------------

TEST(KubeletFlags, EmptyFieldsAndBlanksAreEntries) {
  EXPECT_EQ(value("a.b,"), (Texts{"a.b", ""}));
  EXPECT_EQ(value(",a.b"), (Texts{"", "a.b"}));
  EXPECT_EQ(value("a.b,,c.d"), (Texts{"a.b", "", "c.d"}));
  EXPECT_EQ(value(","), (Texts{"", ""}));
  EXPECT_EQ(value(" "), (Texts{" "}));
  EXPECT_EQ(value("a.b, c.d"), (Texts{"a.b", " c.d"}));
}

TEST(KubeletFlags, ABlankBehindACommaInAUnitFileMakesAStrayWord) {
  EXPECT_EQ(list_or_fate({"--allowed-unsafe-sysctls=a.b,", "c.d"}), fatal("unknown command: c.d"));
}

TEST(KubeletFlags, DoubleQuotesGroupAndSingleQuotesDoNot) {
  EXPECT_EQ(value("\"a.b,c.d\""), (Texts{"a.b,c.d"}));
  EXPECT_EQ(value("\"a.b\",c.d"), (Texts{"a.b", "c.d"}));
  EXPECT_EQ(value("'a.b,c.d'"), (Texts{"'a.b", "c.d'"}));
  EXPECT_EQ(value("\"a\"\"b\""), (Texts{"a\"b"}));
}

TEST(KubeletFlags, AQuoteInTheWrongPlaceEndsTheKubelet) {
  EXPECT_EQ(
      value("a\"b,c"),
      fatal("invalid argument \"a\\\"b,c\" for \"--allowed-unsafe-sysctls\" flag: parse error "
            "on line 1, column 2: bare \" in non-quoted-field"));
  for (const char* text : {"\"a.b", "\"a.b\"x"}) {
    const Texts fate = value(text);
    ASSERT_EQ(fate.front(), "fatal") << text;
    EXPECT_NE(fate[1].find("extraneous or missing \" in quoted-field"), std::string::npos) << text;
  }
}

TEST(KubeletFlags, OnlyTheFirstLineIsReadAndEmptyLinesBeforeItAreSkipped) {
  EXPECT_EQ(value("a.b\nc.d"), (Texts{"a.b"}));
  EXPECT_TRUE(flags_of({"--allowed-unsafe-sysctls=a.b\nc.d"}).lists[0].lost_lines);
  EXPECT_EQ(value("\na.b"), (Texts{"a.b"}));
  EXPECT_EQ(value("\n"),
            fatal("invalid argument \"\\n\" for \"--allowed-unsafe-sysctls\" flag: EOF"));
}

TEST(KubeletFlags, AStarIsAnOrdinaryCharacter) {
  EXPECT_EQ(value("kernel.msg*"), (Texts{"kernel.msg*"}));
}

// Source: encoding/csv readLine() turns "\r\n" into "\n" and drops a "\r" at the very end.
TEST(KubeletFlags, ACarriageReturnCountsOnlyBeforeALineFeedAndAtTheEnd) {
  EXPECT_EQ(value("a.b\r"), (Texts{"a.b"}));
  EXPECT_EQ(value("a.b\r,c"), (Texts{"a.b\r", "c"}));
  EXPECT_EQ(value("\"a\r\nb\""), (Texts{"a\nb"}));
}

TEST(KubeletFlags, ItemsKnowTheirPlaceInTheWord) {
  const std::string word = "--allowed-unsafe-sysctls=a.b,\"c,d\"";
  const kubelet::KubeletFlags flags = flags_of({word});
  ASSERT_EQ(flags.lists.size(), 1u);
  const kubelet::ListFlag& flag = flags.lists[0];
  EXPECT_EQ(word.substr(flag.value_begin), "a.b,\"c,d\"");
  ASSERT_EQ(flag.items.size(), 2u);
  const auto written = [&](std::size_t i) {
    return word.substr(flag.items[i].begin, flag.items[i].end - flag.items[i].begin);
  };
  EXPECT_EQ(written(0), "a.b");
  EXPECT_EQ(written(1), "c,d");  // without its quotes
  EXPECT_FALSE(flag.items[0].quoted);
  EXPECT_TRUE(flag.items[1].quoted);
}

// --- The rest of the command line ------------------------------------------------------------------

TEST(KubeletFlags, AnyStrayWordIsFatalEvenAnEmptyOne) {
  EXPECT_EQ(list_or_fate({"--v=2", ""}), fatal("unknown command: "));
  EXPECT_EQ(list_or_fate({"--enable-server", "false"}), fatal("unknown command: false"));
  EXPECT_EQ(list_or_fate({"--", "a"}), fatal("unknown command: a"));
  EXPECT_EQ(list_or_fate({"--v=2", "--"}), Texts{});
}

TEST(KubeletFlags, FlagsBehindAStrayWordAreReadAllTheSame) {
  const kubelet::KubeletFlags flags = flags_of({"a", "--config=/c", "b"});
  EXPECT_EQ(flags.config, "/c");
  EXPECT_EQ(flags.fatal, "unknown command: a");
  EXPECT_EQ(flags.fatal_word, 1u);
  EXPECT_EQ(list_or_fate({"a", "---"}), fatal("bad flag syntax: ---"));
}

TEST(KubeletFlags, TheLastOfAStringFlagWins) {
  const kubelet::KubeletFlags flags =
      flags_of({"--config=/a", "--config-dir", "/d", "--config", "/b"});
  EXPECT_EQ(flags.config, "/b");
  EXPECT_EQ(flags.config_dir, "/d");
  EXPECT_EQ(flags_of({"--config=/a", "--config="}).config, "");
}

TEST(KubeletFlags, ABooleanTakesNoWordAndAnyOtherFlagDoes) {
  EXPECT_EQ(flags_of({"--fail-swap-on", "--config=/a"}).config, "/a");
  EXPECT_EQ(flags_of({"--node-labels", "--config=/a"}).config, std::nullopt);
  EXPECT_EQ(flags_of({"-v", "--config=/a"}).config, std::nullopt);
  EXPECT_EQ(flags_of({"-v2", "--config=/a"}).config, "/a");
}

TEST(KubeletFlags, AFlagNobodyKnowsIsGuessedByItsNeighbourAndSaidToBeUncertain) {
  const kubelet::KubeletFlags before_flag = flags_of({"--brand-new", "--config=/a"});
  EXPECT_EQ(before_flag.config, "/a");
  EXPECT_EQ(before_flag.ambiguous_word, 1u);
  const kubelet::KubeletFlags before_word = flags_of({"--brand-new", "x", "--config=/a"});
  EXPECT_EQ(before_word.config, "/a");
  EXPECT_FALSE(before_word.fatal);
  EXPECT_FALSE(flags_of({"--brand-new=x", "--config=/a"}).ambiguous_word);
}

TEST(KubeletFlags, ArgumentsBeginBehindTheKubeletsName) {
  EXPECT_EQ(kubelet::kubelet_arguments_start({"/usr/bin/kubelet", "--v=2"}), 1u);
  EXPECT_EQ(kubelet::kubelet_arguments_start({"/usr/bin/kubensenter", "/usr/bin/kubelet", "--v=2"}),
            2u);
  EXPECT_EQ(kubelet::kubelet_arguments_start({"/hyperkube", "kubelet", "--v=2"}), 2u);
}

TEST(KubeletFlags, BehindAShellOrAnotherProgramTheArgumentsCannotBeTold) {
  EXPECT_EQ(kubelet::kubelet_arguments_start({"/bin/sh", "-c", "exec kubelet $ARGS"}),
            std::nullopt);
  EXPECT_EQ(kubelet::kubelet_arguments_start({"/usr/bin/env", "kubelet", "--v=2"}), std::nullopt);
  EXPECT_EQ(kubelet::kubelet_arguments_start({"/usr/bin/k3s", "agent"}), std::nullopt);
  EXPECT_EQ(kubelet::kubelet_arguments_start({"/usr/bin/wrap", "--of", "/usr/bin/kubelet"}),
            std::nullopt);
  for (const char* name :
       {"kubelet1.28", "kubelet-v1.30.4", "kubelet_1.31", "kubelet.real", ".kubelet-wrapped"}) {
    EXPECT_EQ(kubelet::kubelet_arguments_start({std::string("/usr/bin/") + name, "--v=2"}), 1u)
        << name;
  }
  for (const char* name :
       {"kubelet-wrapper", "kubelet-sysctl", "kubelet.sh", "kubeletd", "kubelet.conf"}) {
    EXPECT_EQ(kubelet::kubelet_arguments_start({std::string("/usr/bin/") + name, "--v=2"}),
              std::nullopt)
        << name;
  }
  EXPECT_EQ(kubelet::kubelet_arguments_start({}), std::nullopt);
}

}  // namespace
}  // namespace kubelet_sysctl
