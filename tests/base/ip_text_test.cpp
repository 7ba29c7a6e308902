// SPDX-License-Identifier: Apache-2.0
// Addresses as inet_pton(3) reads them.
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/ip_text.hpp"

namespace kubelet_sysctl {
namespace {

TEST(IpText, IsReadAsThePortsOfTheMachineReadIt) {
  for (const char* text :
       {"127.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "fe80::1%eth0",
        "::ffff:10.0.0.5", "1:2:3:4:5:6:7:8", "2001:db8::a:0:b"}) {
    EXPECT_TRUE(parse_ip(text)) << text;
  }
  for (const char* text : {"", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4:5", ":",
                           ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::12345", "1:", "g::"}) {
    EXPECT_FALSE(parse_ip(text)) << text;
  }
  EXPECT_EQ(parse_ip("::1"), parse_ip("0:0:0:0:0:0:0:1"));
  EXPECT_EQ(parse_ip("::ffff:10.0.0.5")->bytes, parse_ip("10.0.0.5")->bytes);
  EXPECT_EQ(ip_text(*parse_ip("10.0.0.5")), "10.0.0.5");
  EXPECT_EQ(parse_ip(ip_text(*parse_ip("2001:db8::a:0:b"))), parse_ip("2001:db8::a:0:b"));
}

}  // namespace
}  // namespace kubelet_sysctl
