// SPDX-License-Identifier: Apache-2.0
// The change of a file as people see it: diff -u for configurations, single words for arguments.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/planning/diff.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/report/report.hpp"

namespace kubelet_sysctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

planning::FileEdit edit_of(const std::string& before, std::vector<Splice> splices,
                           nodes::Route route) {
  planning::FileEdit edit;
  edit.before.path = edit.before.real_path = "/f";
  edit.before.kind = FileKind::kRegular;
  edit.before.bytes = before;
  auto after = apply_splices(before, splices);
  EXPECT_TRUE(after);
  edit.after = *after;
  edit.splices = std::move(splices);
  edit.route = route;
  return edit;
}

/// `found` in place of `text`, the only one in `before`.
Splice in_place_of(const std::string& before, const std::string& text, const std::string& now) {
  const std::size_t at = before.find(text);
  EXPECT_NE(at, std::string::npos) << text;
  return {{at, at + text.size()}, now};
}

std::string diff_of(const planning::FileEdit& edit) {
  return planning::diff_text(edit, TextStyle{});
}

// The expected texts of configuration files are what `diff -u` of GNU diffutils 3.8 prints.

TEST(ConfigDiff, IsThatOfDiffU) {
  const std::string before = "a\nb\nc\nd\nlist:\n- one\n- two\nx\ny\nz\nzz\n";
  EXPECT_EQ(diff_of(edit_of(before, {in_place_of(before, "- two\n", "- two\n- three\n")},
                            nodes::Route::kConfig)),
            "--- /f\n+++ /f\n@@ -5,6 +5,7 @@\n list:\n - one\n - two\n+- three\n x\n y\n z\n");
}

TEST(ConfigDiff, PartsOfOneLineAreOneLine) {
  const std::string before = "a: 1\nlist: [one, two, three]\nb: 2\n";
  EXPECT_EQ(diff_of(edit_of(
                before, {in_place_of(before, "one, ", ""), in_place_of(before, "three", "four")},
                nodes::Route::kConfig)),
            "--- /f\n+++ /f\n@@ -1,3 +1,3 @@\n a: 1\n-list: [one, two, three]\n"
            "+list: [two, four]\n b: 2\n");
}

TEST(ConfigDiff, FarChangesAreTwoHunksWithTheirOwnNumbers) {
  const std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
  EXPECT_EQ(diff_of(edit_of(before, {{{0, 0}, "0\n"}, in_place_of(before, "12", "twelve")},
                            nodes::Route::kConfigDir)),
            "--- /f\n+++ /f\n@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n"
            "@@ -9,4 +10,4 @@\n 9\n 10\n 11\n-12\n+twelve\n");
}

TEST(ConfigDiff, AMissingLastNewlineIsMarked) {
  EXPECT_EQ(diff_of(edit_of("a: 1", {{{4, 4}, "\nb: 2"}}, nodes::Route::kConfig)),
            "--- /f\n+++ /f\n@@ -1 +1,2 @@\n-a: 1\n\\ No newline at end of file\n+a: 1\n+b: 2\n"
            "\\ No newline at end of file\n");
}

// patch(1) finds the lines of a file by their CR.
TEST(ConfigDiff, LinesKeepTheirCarriageReturn) {
  EXPECT_EQ(diff_of(edit_of("a: 1\r\n", {{{6, 6}, "b: 2\r\n"}}, nodes::Route::kConfig)),
            "--- /f\n+++ /f\n@@ -1 +1,2 @@\n a: 1\r\n+b: 2\r\n");
}

TEST(ConfigDiff, ANewFileComesFromNothingAndARemovedOneGoesThere) {
  planning::FileEdit made = edit_of("", {{{0, 0}, "a\nb\n"}}, nodes::Route::kConfigDir);
  made.before.kind = FileKind::kAbsent;
  EXPECT_EQ(diff_of(made), "--- /dev/null\n+++ /f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
  planning::FileEdit gone = edit_of("a\nb\n", {}, nodes::Route::kConfigDir);
  gone.removes = true;
  gone.after.clear();
  EXPECT_EQ(diff_of(gone), "--- /f\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-a\n-b\n");
}

TEST(ArgumentDiff, ShowsTheChangedWordItsPlaceAndItsVariableAlone) {
  const std::string before =
      "# comment\nDAEMON_ARGS=\"--token=geheim --allowed-unsafe-sysctls=kernel.msg* --v=2\"\n";
  EXPECT_EQ(diff_of(edit_of(before,
                            {in_place_of(before, "kernel.msg*", "kernel.msg*,net.core.somaxconn")},
                            nodes::Route::kArgs)),
            "/f:2  $DAEMON_ARGS\n- --allowed-unsafe-sysctls=kernel.msg*\n"
            "+ --allowed-unsafe-sysctls=kernel.msg*,net.core.somaxconn\n");
}

TEST(ArgumentDiff, ANewWordDoesNotShowItsNeighbours) {
  const std::string before = "KUBELET_EXTRA_ARGS=--token=geheim\n";
  const std::string flag = " --allowed-unsafe-sysctls=kernel.sem";
  EXPECT_EQ(diff_of(edit_of(before, {in_place_of(before, "\n", flag + "\n")}, nodes::Route::kArgs)),
            "/f:1  $KUBELET_EXTRA_ARGS\n+ --allowed-unsafe-sysctls=kernel.sem\n");
  const std::string quoted = "A=\"--token=geheim\"\n";
  EXPECT_EQ(diff_of(edit_of(quoted, {{{3, 3}, flag.substr(1) + " "}}, nodes::Route::kArgs)),
            "/f:1  $A\n+ --allowed-unsafe-sysctls=kernel.sem\n");
}

TEST(ArgumentDiff, ARemovedWordIsShownAsGone) {
  const std::string before = "A=\"--v=2 --allowed-unsafe-sysctls=kernel.sem --token=geheim\"\n";
  EXPECT_EQ(
      diff_of(edit_of(before, {in_place_of(before, " --allowed-unsafe-sysctls=kernel.sem", "")},
                      nodes::Route::kArgs)),
      "/f:1  $A\n- --allowed-unsafe-sysctls=kernel.sem\n");
}

TEST(ArgumentDiff, ASpliceOverTheWholeFileShowsNoSecretEither) {
  const std::string before =
      "A=\"--token=geheim --allowed-unsafe-sysctls a.b --pass=wort --v=2\"\n";
  const std::string after =
      "A=\"--token=geheim --allowed-unsafe-sysctls a.b,c.d --pass=wort --v=3\"\n";
  const std::string text =
      diff_of(edit_of(before, {{{0, before.size()}, after}}, nodes::Route::kArgs));
  EXPECT_THAT(text, Not(HasSubstr("geheim")));
  EXPECT_THAT(text, Not(HasSubstr("wort")));
}

// k0s install writes a blank inside an argument as \x20: k0sproject/k0s, units of kardianos/service.
TEST(ArgumentDiff, AnEscapedBlankOfAUnitIsNoPartOfTheWordBehindIt) {
  const std::string before = "ExecStart=/k0s worker --kubelet-extra-args=--v=2\n";
  const Splice splice{{before.size() - 1, before.size() - 1},
                      "\\x20--allowed-unsafe-sysctls=kernel.sem"};
  EXPECT_EQ(diff_of(edit_of(before, {splice}, nodes::Route::kUnit)),
            "/f:1\n+ --allowed-unsafe-sysctls=kernel.sem\n");
}

// k3s adds to a value with "+=". Source: k3s-io/k3s, docs of configuration files.
TEST(ArgumentDiff, ThePlusOfTheListIsAPartOfItsWord) {
  const std::string before =
      "kubelet-arg:\n  - \"allowed-unsafe-sysctls+=kernel.sem\"\n  - \"token+=geheim\"\n";
  EXPECT_EQ(
      diff_of(edit_of(before, {in_place_of(before, "kernel.sem", "kernel.sem,a.b")},
                      nodes::Route::kArgs)),
      "/f:2\n- allowed-unsafe-sysctls+=kernel.sem\n+ allowed-unsafe-sysctls+=kernel.sem,a.b\n");
}

TEST(ArgumentDiff, ANewUnitThatRepeatsTheCommandShowsOnlyTheList) {
  planning::FileEdit edit =
      edit_of("",
              {{{0, 0},
                "[Service]\nExecStart=\nExecStart=/usr/bin/kubelet --token=geheim "
                "--allowed-unsafe-sysctls=kernel.sem\n"}},
              nodes::Route::kUnit);
  edit.before.kind = FileKind::kAbsent;
  const std::string text = diff_of(edit);
  EXPECT_THAT(text, Not(HasSubstr("geheim")));
  EXPECT_THAT(text, HasSubstr("(new file)"));
  EXPECT_THAT(text, HasSubstr("--allowed-unsafe-sysctls=kernel.sem"));
}

TEST(ArgumentDiff, NamesTheVariableOfAnEnvironmentLineAndOfContinuedLines) {
  const std::string unit =
      "[Service]\nEnvironment='X=--labels=\"a=b\" --allowed-unsafe-sysctls kernel.sem'\n";
  EXPECT_EQ(diff_of(edit_of(unit, {in_place_of(unit, "kernel.sem", "kernel.sem,net.*")},
                            nodes::Route::kUnit)),
            "/f:2  $X\n- kernel.sem\n+ kernel.sem,net.*\n");
  const std::string file = "ARGS=\"--v=2 \\\n--allowed-unsafe-sysctls=kernel.sem \\\n\"\n";
  EXPECT_EQ(
      diff_of(edit_of(file, {in_place_of(file, "kernel.sem", "net.*")}, nodes::Route::kArgs)),
      "/f:2  $ARGS\n- --allowed-unsafe-sysctls=kernel.sem\n+ --allowed-unsafe-sysctls=net.*\n");
}

}  // namespace
}  // namespace kubelet_sysctl
