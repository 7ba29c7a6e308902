// SPDX-License-Identifier: Apache-2.0
// The parts of the names of service units. Expected values from systemd.unit(5) and systemd-
// escape(1).
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "systemd/unit_name.hpp"

namespace kubelet_sysctl {
namespace {

using systemd::UnitNameType;

TEST(UnitNameParts, ArePrefixAndInstance) {
  const auto plain = systemd::parse_unit_name("kubelet.service");
  EXPECT_EQ(plain.type, UnitNameType::kPlain);
  EXPECT_EQ(plain.prefix, "kubelet");
  const auto instance = systemd::parse_unit_name("kubelet@a@b.service");
  EXPECT_EQ(instance.type, UnitNameType::kInstance);
  EXPECT_EQ(instance.prefix, "kubelet");
  EXPECT_EQ(instance.instance, "a@b");
  EXPECT_EQ(systemd::parse_unit_name("kubelet@.service").type, UnitNameType::kTemplate);
  EXPECT_EQ(systemd::template_of(instance), "kubelet@.service");
  EXPECT_EQ(systemd::with_instance(instance, "c"), "kubelet@c.service");
}

// Source: systemd.unit(5): letters, digits, ":", "-", "_", "." and "\"; at most 255 characters.
TEST(UnitNameParts, AreNoneForANameThatSystemdDoesNotTake) {
  for (const std::string& name :
       {std::string("kubelet"), std::string("kubelet.socket"), std::string(".service"),
        std::string("@a.service"), std::string("kube let.service"), std::string("a/b.service"),
        std::string(248, 'k') + ".service"}) {
    EXPECT_EQ(systemd::parse_unit_name(name).type, UnitNameType::kInvalid) << name;
  }
  EXPECT_EQ(systemd::parse_unit_name(std::string(247, 'k') + ".service").type,
            UnitNameType::kPlain);
}

// systemd-escape --unescape -- TEXT
TEST(UnitNameParts, AreUnescapedAsSystemdEscapeDoes) {
  EXPECT_EQ(systemd::unescape_unit_name("var-lib-kube\\x2dnode"), "var/lib/kube-node");
  EXPECT_EQ(systemd::unescape_unit_name("caf\\xc3\\xa9"), "café");
  for (const char* text : {"a\\x2", "a\\y2d", "a\\xzz", "a\\"}) {
    EXPECT_EQ(systemd::unescape_unit_name(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
