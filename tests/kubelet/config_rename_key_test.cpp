// SPDX-License-Identifier: Apache-2.0
// A misspelt key gets its name in place, every other byte stays, and what is not clear is refused.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"

namespace kubelet_sysctl {
namespace {

using testing::HasSubstr;

const std::string kHead = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

std::string renamed(const std::string& bytes,
                    kubelet::ConfigRole role = kubelet::ConfigRole::kMain) {
  const auto splices = kubelet::rename_list_key(bytes, role);
  if (!splices) return "error: " + splices.error().message;
  auto made = apply_splices(bytes, *splices);
  return made ? *made : "error: " + made.error().message;
}

ErrorKind refused_as(const std::string& bytes) {
  const auto splices = kubelet::rename_list_key(bytes, kubelet::ConfigRole::kMain);
  EXPECT_FALSE(splices) << bytes;
  return splices ? ErrorKind::kIo : splices.error().kind;
}

TEST(RenameKey, TouchesTheNameAloneWhateverSpellingItHad) {
  for (const char* key : {"allowed-unsafe-sysctls", "allowed_unsafe_sysctls",
                          "AllowedUnsafeSysctls", "allowedunsafesysctls", "allowedUnsafeSysctl"}) {
    const std::string rest =
        ":   # theirs\n- kernel.msg*   # why\n\n- net.core.somaxconn\nmaxPods: 50";
    EXPECT_EQ(renamed(kHead + key + rest), kHead + "allowedUnsafeSysctls" + rest);
  }
}

TEST(RenameKey, KeepsQuotesLineEndsAndAByteOrderMark) {
  const std::string before =
      "\xEF\xBB\xBF\"apiVersion\": kubelet.config.k8s.io/v1beta1\r\nkind: KubeletConfiguration\r\n"
      "'allowed-unsafe-sysctls': [ a.b, net.core.x ]\r\n";
  std::string after = before;
  after.replace(after.find("allowed-unsafe-sysctls"), 22, "allowedUnsafeSysctls");
  EXPECT_EQ(renamed(before), after);
}

TEST(RenameKey, RenamesInJsonToo) {
  const std::string head =
      "{\"kind\": \"KubeletConfiguration\", \"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",\n  ";
  EXPECT_EQ(renamed(head + "\"allowed-unsafe-sysctls\" : [\"kernel.sem\"], \"maxPods\": 5}"),
            head + "\"allowedUnsafeSysctls\" : [\"kernel.sem\"], \"maxPods\": 5}");
  EXPECT_EQ(renamed(head + "\"allowed-unsafe-sysctls\": \"kernel.sem,kernel.msg*\"}"),
            head + "\"allowedUnsafeSysctls\": [\"kernel.sem\", \"kernel.msg*\"]}");
}

TEST(RenameKey, MakesAListOfEntriesInOneText) {
  EXPECT_EQ(renamed(kHead + "allowed-unsafe-sysctls: kernel.msg*,kernel.sem # both\nmaxPods: 5\n"),
            kHead + "allowedUnsafeSysctls: [kernel.msg*, kernel.sem] # both\nmaxPods: 5\n");
  EXPECT_EQ(renamed(kHead + "allowed-unsafe-sysctls: 'kernel.msg*, kernel.sem'\n"),
            kHead + "allowedUnsafeSysctls: [kernel.msg*, kernel.sem]\n");
}

TEST(RenameKey, IsNothingWhereNoKeyIsMisspelt) {
  const auto splices =
      kubelet::rename_list_key(kHead + "allowedUnsafeSysctls: []\n", kubelet::ConfigRole::kMain);
  ASSERT_TRUE(splices);
  EXPECT_TRUE(splices->empty());
}

TEST(RenameKey, RefusesASecondListInTheFile) {
  const std::string misspelt = "allowed-unsafe-sysctls: [kernel.sem]\n";
  EXPECT_EQ(refused_as(kHead + misspelt + "allowedUnsafeSysctls: [kernel.msgmax]\n"),
            ErrorKind::kRefused);
  EXPECT_EQ(refused_as(kHead + misspelt + "allowedUnsafeSysctls:\n"), ErrorKind::kRefused);
  EXPECT_EQ(refused_as(kHead + misspelt + "allowed_unsafe_sysctls: []\n"), ErrorKind::kRefused);
  const auto error = kubelet::rename_list_key(kHead + misspelt + "allowedUnsafeSysctls: []\n",
                                              kubelet::ConfigRole::kMain)
                         .error();
  EXPECT_EQ(error.line, 3u);
  EXPECT_THAT(error.message, HasSubstr("'allowedUnsafeSysctls' is in this file too"));
}

TEST(RenameKey, RefusesAValueThatWouldEndTheKubeletUnderTheRightName) {
  for (const char* value : {" {a: b}\n", " [5]\n", " [[a.b]]\n", " |\n  kernel.sem\n", " true\n"}) {
    EXPECT_EQ(refused_as(kHead + "allowed-unsafe-sysctls:" + value), ErrorKind::kUnsupported)
        << value;
  }
}

TEST(RenameKey, RefusesAKeyBehindAMergeAndKeepsAnAlias) {
  EXPECT_EQ(refused_as(kHead + "x: &x\n  allowed-unsafe-sysctls: [kernel.sem]\n<<: *x\n"),
            ErrorKind::kUnsupported);
  EXPECT_EQ(renamed(kHead + "x: &x [kernel.sem]\nallowed-unsafe-sysctls: *x\n"),
            kHead + "x: &x [kernel.sem]\nallowedUnsafeSysctls: *x\n");
}

}  // namespace
}  // namespace kubelet_sysctl
