// SPDX-License-Identifier: Apache-2.0
// What a list with blanks, quotes, capitals and doubles means, and the command that corrects it.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/checks/corrected_list.hpp"

namespace kubelet_sysctl {
namespace {

using Entries = std::vector<std::string>;

TEST(CorrectedList, EntriesAreTakenApartAtCommasAndBlanksWithoutTheirQuotes) {
  EXPECT_EQ(
      checks::names_in({"net.core.somaxconn, kernel.sem", "'kernel.msg*'", "\"Kernel.ShmMax\""}),
      (Entries{"net.core.somaxconn", "kernel.sem", "kernel.msg*", "kernel.shmmax"}));
}

TEST(CorrectedList, WhatIsNoNameInSmallLettersEitherStaysAsItIs) {
  EXPECT_EQ(checks::names_in({"Net..Core"}), Entries{"Net..Core"});
  EXPECT_FALSE(checks::is_correctable("Net..Core"));
  EXPECT_TRUE(checks::is_correctable("Net.Core.Somaxconn "));
  EXPECT_FALSE(checks::is_correctable("vm.swappiness kernel.sem"));
}

TEST(CorrectedList, APatternTakesTheDoublesAndWhatItCovers) {
  EXPECT_EQ(checks::without_doubles({"kernel.msgmax", "kernel.msg*", "net/core/somaxconn",
                                     "net.core.somaxconn", "kernel.sem"}),
            (Entries{"kernel.msg*", "net/core/somaxconn", "kernel.sem"}));
}

TEST(CorrectedList, OfWhatCanBeCorrectedDoctorFixIsTheCommandAndSetWhereARestGoes) {
  EXPECT_EQ(checks::command_for_malformed({"net.core.somaxconn"}), "");
  EXPECT_EQ(checks::command_for_malformed({"net.core.somaxconn kernel.sem"}),
            "kubelet-sysctl doctor --fix");
  EXPECT_EQ(checks::command_for_malformed({"kernel.sem ", "vm.x", "a b"}),
            "kubelet-sysctl set kernel.sem");
  EXPECT_EQ(checks::command_for_malformed({"kernel.sem", "vm.x", "vm.y"}),
            "kubelet-sysctl remove vm.x vm.y");
}

}  // namespace
}  // namespace kubelet_sysctl
