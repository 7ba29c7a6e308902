// SPDX-License-Identifier: Apache-2.0
// The rules of the desired list's form, one text for each; moments come from date(1).

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"

namespace kubelet_sysctl {
namespace {

using std::string_view_literals::operator""sv;

SourceFile file_of(std::string_view text, std::string path = desired::kDesiredFile) {
  SourceFile file;
  file.path = file.real_path = std::move(path);
  file.kind = FileKind::kRegular;
  file.bytes = std::string(text);
  return file;
}

Result<desired::DesiredList> parsed(std::string_view text,
                                    const std::string& path = desired::kDesiredFile) {
  const SourceFile file = file_of(text, path);
  return desired::parse_desired_list({&file});
}

/// "2:5+3 message" of the error, or what was read.
std::string fault_of(std::string_view text, const std::string& path = desired::kDesiredFile) {
  const auto list = parsed(text, path);
  if (list) return fmt::format("{} entries", list->entries.size());
  const Error& error = list.error();
  EXPECT_EQ(error.path, path);
  EXPECT_FALSE(error.hint.empty()) << error.message;
  return fmt::format("{}:{}+{} {}", error.line, error.column, error.width, error.message);
}

std::vector<std::string> entries_of(const desired::DesiredList& list) {
  std::vector<std::string> entries;
  for (const desired::DesiredEntry& one : list.entries) entries.push_back(one.entry);
  return entries;
}

std::vector<std::string> expired_at(const desired::DesiredList& list, std::int64_t now_ms) {
  std::vector<std::string> entries;
  for (const desired::DesiredEntry* one : desired::expired_entries(list, now_ms))
    entries.push_back(one->entry);
  return entries;
}

using Texts = std::vector<std::string>;

TEST(DesiredList, ReadsAnEntryWithItsFactsInAnyOrder) {
  const auto list = parsed(
      "# who wishes what\n"
      "\n"
      "  net.core.somaxconn\treason=\"ticket 1412: nginx \\\"backlog\\\" \\\\o/\" owner=team-web "
      "expires=2027-03-01 # until the move\n"
      "kernel.msg*\n");
  ASSERT_TRUE(list) << list.error().message;
  ASSERT_EQ(entries_of(*list), (Texts{"net.core.somaxconn", "kernel.msg*"}));
  const desired::DesiredEntry& first = list->entries[0];
  EXPECT_EQ(first.owner, "team-web");
  EXPECT_EQ(first.reason, "ticket 1412: nginx \"backlog\" \\o/");
  EXPECT_EQ(first.expires, "2027-03-01");
  EXPECT_EQ(first.path, desired::kDesiredFile);
  EXPECT_EQ(first.line, 3U);
  EXPECT_EQ(first.at, (Span{21, 39}));
  const desired::DesiredEntry& second = list->entries[1];
  EXPECT_EQ(second.owner + second.reason + second.expires, "");
  EXPECT_FALSE(second.expires_at_ms);
  EXPECT_EQ(list->mode, desired::SyncMode::kAdditive);
  EXPECT_FALSE(list->drop_expired);
}

TEST(DesiredList, ReadsSettingsWithAndWithoutBlanks) {
  const auto list = parsed("mode=exact\nexpired = drop # always\nkernel.sem");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->mode, desired::SyncMode::kExact);
  EXPECT_TRUE(list->drop_expired);
  EXPECT_EQ(entries_of(*list), Texts{"kernel.sem"});
}

TEST(DesiredList, AcceptsAByteOrderMarkAndLineEndsOfWindows) {
  const auto list =
      parsed("\xef\xbb\xbfmode = exact\r\nkernel.sem owner=db\r\n\r\nkernel.msgmax\r");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->mode, desired::SyncMode::kExact);
  EXPECT_EQ(entries_of(*list), (Texts{"kernel.sem", "kernel.msgmax"}));
  EXPECT_EQ(list->entries[0].owner, "db");
  EXPECT_EQ(list->entries[1].line, 4U);
}

TEST(DesiredList, IsEmptyWithoutEntries) {
  for (const auto text : {""sv, "\n"sv, "# nothing yet\n"sv, "\xef\xbb\xbf"sv, "\r\n"sv}) {
    EXPECT_EQ(fault_of(text), "0 entries") << text;
  }
}

TEST(DesiredList, TakesAHashOnlyAtTheStartOrBehindABlankAsAComment) {
  const auto list = parsed("kernel.sem owner=a#b reason=\"a # b\" #c\n");
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->entries[0].owner, "a#b");
  EXPECT_EQ(list->entries[0].reason, "a # b");
}

TEST(DesiredList, NamesThePlaceOfWhatHasNoMeaning) {
  EXPECT_EQ(fault_of("kernel.sem\nkernel.sem owner=a\n"),
            "2:1+10 'kernel.sem' is already in line 1");
  EXPECT_EQ(fault_of("kernel.sem\nkernel/sem\n"), "2:1+10 'kernel/sem' is already in line 1");
  EXPECT_EQ(fault_of("kernel.sem ownr=a\n"), "1:12+4 there is no field 'ownr'");
  EXPECT_EQ(fault_of("kernel.sem owner=a owner=b\n"), "1:20+5 'owner' is given twice");
  EXPECT_EQ(fault_of("kernel.sem kernel.msgmax\n"),
            "1:12+13 'kernel.msgmax' is no field of an entry");
  EXPECT_EQ(fault_of("kernel.sem owner = a\n"), "1:12+5 'owner' is no field of an entry");
  EXPECT_EQ(fault_of("kernel.sem reason=two words\n"), "1:23+5 'words' is no field of an entry");
  EXPECT_EQ(fault_of("kernel.sem =a\n"),
            "1:1+10 'kernel.sem' is given a value: this list holds names alone");
  EXPECT_EQ(fault_of("net.core.somaxconn = 1024\n"),
            "1:1+18 'net.core.somaxconn' is given a value: this list holds names alone");
  EXPECT_EQ(fault_of("colour = blue\n"), "1:1+6 there is no setting 'colour'");
  EXPECT_EQ(fault_of("mode = additive\nmode = exact\n"), "2:1+4 'mode' is set twice");
  EXPECT_EQ(fault_of("mode = strict\n"), "1:8+6 'mode' is 'additive' or 'exact', not 'strict'");
  EXPECT_EQ(fault_of("expired = later\n"), "1:11+5 'expired' is 'keep' or 'drop', not 'later'");
  EXPECT_EQ(fault_of("mode = exact please\n"), "1:14+6 there is text after the value");
  EXPECT_EQ(fault_of("mode =\n"), "1:7+1 a value is missing");
}

TEST(DesiredList, RefusesQuotesThatDoNotCloseOrAreNone) {
  EXPECT_EQ(fault_of("kernel.sem reason=\"open\n"), "1:19+5 the quote is not closed");
  EXPECT_EQ(fault_of("kernel.sem reason=\"a\"b\n"), "1:22+1 no blank after the closing quote");
  EXPECT_EQ(fault_of("kernel.sem reason=a\"b\"\n"),
            "1:20+1 a quote inside of a value without quotes");
  EXPECT_EQ(fault_of("kernel.sem reason='a b'\n"), "1:19+2 these are not quotes here");
  EXPECT_EQ(fault_of("kernel.sem reason=\u201ca\u201d\n"), "1:19+7 these are not quotes here");
  EXPECT_EQ(fault_of("kernel.sem reason=\"a\\n\"\n"),
            "1:21+2 a backslash before neither '\"' nor '\\'");
  EXPECT_EQ(fault_of("kernel.sem reason=\"\"\n"), "1:19+2 the value is empty");
  EXPECT_EQ(fault_of("kernel.sem owner= reason=a\n"), "1:18+1 a value is missing");
}

TEST(DesiredList, RefusesBytesThatAnEditorWouldHide) {
  EXPECT_EQ(fault_of("kernel.sem owner=a\0b\n"sv), "1:19+1 a control character, 0x00");
  EXPECT_EQ(fault_of("# a\nkernel.sem\rkernel.msgmax\n"), "2:11+1 a control character, 0x0d");
  EXPECT_EQ(fault_of("kernel.sem owner=\x1b[2J\n"), "1:18+1 a control character, 0x1b");
  EXPECT_EQ(fault_of("kernel.sem\x7f\n"), "1:11+1 a control character, 0x7f");
  EXPECT_EQ(fault_of("kernel.msgmax\nkernel.sem owner=\xff\n"), "2:1+18 bytes that are not UTF-8");
}

TEST(DesiredList, RefusesWhatIsSpeltUnlikeAnEntryWithItsPlace) {
  const auto list = parsed("kernel.msgmax\n  net..core owner=a\n");
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().kind, ErrorKind::kBadEntry);
  EXPECT_EQ(list.error().line, 2U);
  EXPECT_EQ(list.error().column, 3U);
  EXPECT_EQ(list.error().width, 9U);
  EXPECT_EQ(list.error().excerpt, "  net..core owner=a");
  EXPECT_FALSE(parsed("[entries]\nkernel.sem\n"));
}

TEST(DesiredList, TakesSettingsOnlyFromTheFileThatIsForAll) {
  const std::string part = std::string(desired::kDesiredDirectory) + "/50-web.conf";
  EXPECT_EQ(fault_of("kernel.sem\nmode = exact\n", part), "2:1+4 'mode' cannot be set here");
  EXPECT_EQ(fault_of("mode = exact\n", "/srv/desired.conf"), "0 entries");
}

TEST(DesiredList, RefusesAPathThatIsNoFile) {
  SourceFile directory = file_of("");
  directory.kind = FileKind::kDirectory;
  const auto list = desired::parse_desired_list({&directory});
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().path, desired::kDesiredFile);
}

TEST(DesiredList, KeepsEveryWishOfTwoFilesAndExpiresWithTheLastOfThem) {
  const SourceFile main = file_of("net.core.somaxconn owner=a expires=2027-01-01\nkernel.sem\n");
  const SourceFile web = file_of("net/core/somaxconn owner=b expires=2027-06-01\n",
                                 "/etc/kubelet-sysctl.conf.d/w.conf");
  const auto list = desired::parse_desired_list({&main, &web});
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->entries.size(), 3U);
  EXPECT_EQ(list->files, (Texts{main.path, web.path}));
  const auto lasting = desired::effective_entries(*list);
  ASSERT_EQ(lasting.size(), 2U);
  EXPECT_EQ(lasting[0]->owner, "b");
  EXPECT_EQ(lasting[1]->entry, "kernel.sem");
  const std::int64_t between = *desired::expiry_of("2027-03-01");
  EXPECT_EQ(expired_at(*list, between), Texts{});
  EXPECT_EQ(expired_at(*list, *desired::expiry_of("2027-06-01")), Texts{"net/core/somaxconn"});
}

// date -u -d 2027-03-02 +%s
TEST(DesiredList, AnEntryHasExpiredFromTheEndOfItsDayOn) {
  const auto list = parsed("kernel.sem expires=2027-03-01\n");
  ASSERT_TRUE(list);
  EXPECT_EQ(expired_at(*list, 1803945599999), Texts{});
  EXPECT_EQ(expired_at(*list, 1803945600000), Texts{"kernel.sem"});
}

}  // namespace
}  // namespace kubelet_sysctl
