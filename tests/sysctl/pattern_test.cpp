// SPDX-License-Identifier: Apache-2.0
// Tests of the kubelet's rules for one entry. The rows are the forms that people write, judged by
// the tables of pkg/kubelet/sysctl and component-helpers; the messages are the kubelets' own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl {
namespace {

using testing::HasSubstr;

constexpr const char* kDots =
    R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";
constexpr const char* kSlashes =
    R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";

struct Row {
  std::vector<std::string> entries;
  bool up_to_122;
  bool up_to_128;
  bool from_129;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all_rows = {
      {{"net.*", "net.ipv4.*", "net.ipv4.tcp_*", "net.ipv4.tcp*", "net.core.rmem*"},
       true,
       true,
       true},
      {{"net.core.somaxconn", "net.does.not.exist"}, true, true, true},
      {{"kernel.msg*", "kernel.shm*", "kernel.sem", "kernel.sem*"}, true, true, true},
      {{"kernel.sem.*", "kernel.sem_next_id"}, false, false, false},
      {{"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced", "kernel.msg", "kernel.shm"},
       true,
       true,
       true},
      {{"kernel.shm_*", "kernel.shmm*", "kernel.msgm*", "kernel.shm.*"}, true, true, false},
      {{"kernel.msg_next_id", "kernel.shm_next_id", "kernel.shmx"}, true, true, false},
      {{"fs.mqueue.*", "fs.mqueue.msg_max"}, true, true, true},
      {{"fs.mqueue*", "fs.mqueue", "fs.*"}, false, false, false},
      {{"*", "kernel.*", "kernel*", "kernel.s*", "net*", "net"}, false, false, false},
      {{"vm.max_map_count", "vm.*", "fs.file-max", "fs.inotify.max_user_watches",
        "kernel.domainname", "user.max_user_namespaces"},
       false,
       false,
       false},
      {{"net.*.tcp", "net.ipv4.conf.*.rp_filter", "net.ipv4.**"}, false, false, false},
      {{"net/ipv4/tcp_rmem", "net/ipv4/*", "kernel/msg*", "fs/mqueue/*"}, false, true, true},
      {{"net/ipv4/conf/eno2.100/rp_filter"}, false, true, true},
      {{"net.ipv4/tcp_rmem", "net/ipv4.tcp_rmem"}, false, true, true},
      {{"Net.core.somaxconn", " net.core.somaxconn", "net.core.somaxconn ", ""},
       false,
       false,
       false},
      {{"net.core_.x", "net.-core", "net.core.", ".net", "net..core", "a=b", "a,b", "net.core_"},
       false,
       false,
       false},
  };
  return all_rows;
}

TEST(Sysctl, EachReleaseAcceptsAndRefusesWhatItsSourceDoes) {
  for (const Row& row : rows()) {
    for (const std::string& entry : row.entries) {
      EXPECT_EQ(!sysctl::rejection_by(sysctl::RuleSet::kUpTo122, entry), row.up_to_122) << entry;
      EXPECT_EQ(!sysctl::rejection_by(sysctl::RuleSet::kUpTo128, entry), row.up_to_128) << entry;
      EXPECT_EQ(!sysctl::rejection_by(sysctl::RuleSet::kFrom129, entry), row.from_129) << entry;
    }
  }
}

TEST(Sysctl, AnEntryMayHave253Bytes) {
  const std::string longest = "net." + std::string(249, 'a');
  EXPECT_FALSE(sysctl::rejection_by(sysctl::RuleSet::kFrom129, longest));
  EXPECT_TRUE(sysctl::rejection_by(sysctl::RuleSet::kFrom129, longest + "a"));
  EXPECT_FALSE(sysctl::SysctlPattern::parse(longest + "a"));
}

TEST(Sysctl, TheMessagesAreTheKubelets) {
  const std::string spelling = " must have at most 253 characters and match regex ";
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kUpTo122, "net/x"),
            "sysctl \"net/x\"" + spelling + kDots);
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kUpTo128, "a b"),
            "sysctl \"a b\"" + spelling + kSlashes);
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kFrom129, ""),
            "sysctl \"\"" + spelling + kSlashes);
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kFrom129, "a\"b\n"),
            "sysctl \"a\\\"b\\n\"" + spelling + kSlashes);
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kUpTo122, "vm.swappiness"),
            "the sysctl \"vm.swappiness\" are not known to be namespaced");
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kUpTo128, "vm/swap.iness"),
            "the sysctl \"vm.swap/iness\" are not known to be namespaced");
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kUpTo128, "kernel.*"),
            "the sysctls \"kernel.*\" are not known to be namespaced");
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kFrom129, "kernel.shm_*"),
            "the sysctls \"kernel.shm_\" are not known to be namespaced");
  EXPECT_EQ(sysctl::rejection_by(sysctl::RuleSet::kFrom129, "*"),
            "the sysctls \"\" are not known to be namespaced");
}

TEST(Sysctl, SlashesAndDotsChangePlacesWhenASlashComesFirst) {
  const auto slashes = sysctl::SysctlPattern::parse("net/ipv4/conf/eno2.100/rp_filter");
  ASSERT_TRUE(slashes);
  EXPECT_EQ(slashes->text(), "net/ipv4/conf/eno2.100/rp_filter");
  EXPECT_EQ(slashes->dotted(), "net.ipv4.conf.eno2/100.rp_filter");
  const auto dots = sysctl::SysctlPattern::parse("net.ipv4.conf.eno2/100.rp_filter");
  ASSERT_TRUE(dots);
  EXPECT_EQ(dots->dotted(), dots->text());
  EXPECT_EQ(*slashes, *dots);
}

TEST(Sysctl, ABadSpellingIsNamedWithAMendAndTheKubeletsWords) {
  struct Case {
    const char* entry;
    const char* says;
    const char* hint;
  };
  for (const Case& row : {
           Case{"Net.Core.somaxconn", "upper-case", "did you mean 'net.core.somaxconn'?"},
           Case{"net.core.somaxconn=1024", "an entry is a name, not a setting",
                "write 'net.core.somaxconn'"},
           Case{"net.core.somaxconn = 1", "an entry is a name, not a setting",
                "write 'net.core.somaxconn'"},
           Case{"a.b,c.d", "comma", "each entry as an argument of its own"},
           Case{" net.core.somaxconn", "blank", "without blanks"},
           Case{"'net.*'", "quote", "without quotes"},
           Case{"net.ipv4.", "ends in a separator", "'net.ipv4.*'"},
           Case{"net.ipv4.conf.*.rp_filter", "'*' is before the end", "'net.ipv4.conf.*'"},
           Case{"net..core", "segments", "'net.core.somaxconn'"},
           Case{"", "an entry is not empty", "'net.core.somaxconn'"},
       }) {
    const auto parsed = sysctl::SysctlPattern::parse(row.entry);
    ASSERT_FALSE(parsed) << row.entry;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kBadEntry);
    EXPECT_THAT(parsed.error().message, HasSubstr(row.says)) << row.entry;
    EXPECT_THAT(parsed.error().message,
                HasSubstr(*sysctl::rejection_by(sysctl::RuleSet::kFrom129, row.entry)));
    EXPECT_THAT(parsed.error().hint, HasSubstr(row.hint)) << row.entry;
  }
}

Error refusal(const char* entry) {
  const auto parsed = sysctl::SysctlPattern::parse(entry);
  if (!parsed) return parsed.error();
  return sysctl::refusal_of(*parsed).value_or(
      Error{.kind = ErrorKind::kIo, .message = "not refused"});
}

TEST(Sysctl, ARefusalSaysWhichKubeletsWouldDieInTheirWords) {
  const Error every = refusal("vm.max_map_count");
  EXPECT_EQ(every.kind, ErrorKind::kRefused);
  EXPECT_EQ(every.message,
            "'vm.max_map_count' would stop every kubelet: the sysctls \"vm.max_map_count\" are not "
            "known to be namespaced");
  EXPECT_THAT(refusal("kernel.shm_*").message, HasSubstr("would stop kubelet 1.29 and later: "));
  EXPECT_THAT(refusal("net/ipv4/*").message, HasSubstr("would stop kubelet 1.22 and earlier: "));
  EXPECT_THAT(refusal("kernel/shm_*").message,
              HasSubstr("would stop kubelet 1.22 and earlier, 1.29 and later: "));
}

TEST(Sysctl, WhatEveryKubeletTakesIsNotRefused) {
  for (const char* entry : {"net.*", "kernel.shm*", "kernel.msgmax", "fs.mqueue.*", "kernel.sem"}) {
    const auto parsed = sysctl::SysctlPattern::parse(entry);
    ASSERT_TRUE(parsed);
    EXPECT_FALSE(sysctl::refusal_of(*parsed)) << entry;
  }
}

TEST(Sysctl, ARefusalSaysWhereSuchASettingBelongs) {
  struct Case {
    const char* entry;
    const char* hint;
  };
  for (const Case& row : {
           Case{"vm.max_map_count",
                "'vm.max_map_count' belongs in the node's own sysctl "
                "configuration: a file in '/etc/sysctl.d'"},
           Case{"kernel.pid_max", "a file in '/etc/sysctl.d'"},
           Case{"fs.inotify.max_user_watches", "a file in '/etc/sysctl.d'"},
           Case{"*", "'net.*', 'fs.mqueue.*', 'kernel.shm*', 'kernel.msg*' or 'kernel.sem'"},
           Case{"kernel.*", "'kernel.shm*', 'kernel.msg*' or 'kernel.sem'"},
           Case{"net*", "use 'net.*'"},
           Case{"net", "use 'net.*'"},
           Case{"fs.mqueue*", "use 'fs.mqueue.*'"},
           Case{"fs.mqueue", "use 'fs.mqueue.*'"},
           Case{"kernel.shm_*", "'kernel.shm_rmid_forced' or 'kernel.shm*'"},
           Case{"kernel.msgm*",
                "'kernel.msgmax', 'kernel.msgmnb', 'kernel.msgmni' or 'kernel.msg*'"},
           Case{"kernel.shm_next_id", "container runtimes refuse it too"},
           Case{"net/ipv4/tcp_rmem", "write dots: 'net.ipv4.tcp_rmem'"},
           Case{"net.ipv4/tcp_rmem", "write dots: 'net.ipv4.tcp_rmem'"},
           Case{"net/ipv4/conf/eno2.100/rp_filter", "'net.ipv4.conf.eno2*' covers it"},
           Case{"ipv4.tcp_rmem", "did you mean 'net.ipv4.tcp_rmem'?"},
       }) {
    EXPECT_THAT(refusal(row.entry).hint, HasSubstr(row.hint)) << row.entry;
  }
}

TEST(Sysctl, APatternCoversWhateverBeginsWithIt) {
  const auto covers = [](std::string_view wide, std::string_view narrow) {
    return sysctl::SysctlPattern::parse(wide)->covers(*sysctl::SysctlPattern::parse(narrow));
  };
  EXPECT_TRUE(covers("net.*", "net.core.somaxconn"));
  EXPECT_TRUE(covers("net.*", "net.ipv4.*"));
  EXPECT_TRUE(covers("kernel.msg*", "kernel.msg"));
  EXPECT_TRUE(covers("net.core.somaxconn", "net/core/somaxconn"));
  EXPECT_FALSE(covers("net.ipv4.*", "net.*"));
  EXPECT_FALSE(covers("kernel.sem", "kernel.sem*"));
  EXPECT_FALSE(covers("net.core.somaxconn", "net.core.somaxconn2"));
}

}  // namespace
}  // namespace kubelet_sysctl
