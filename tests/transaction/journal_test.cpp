// SPDX-License-Identifier: Apache-2.0
// The journal on disk: its names, its owner, and the bytes that it keeps.
#include <sys/stat.h>
#include <string>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

Lab::NodeFiles flag_node() {
  return plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS",
                    "# kept\r\nKUBELET_EXTRA_ARGS='--allowed-unsafe-sysctls=net.core.somaxconn'");
}

std::uint32_t mode_of(Lab& lab, const std::string& path) {
  struct stat facts = {};
  EXPECT_EQ(::lstat(lab.tree().at(path).c_str(), &facts), 0);
  return facts.st_mode & 07777U;
}

TEST(Journal, TenthChangeOfASecondComesAfterTheSecond) {
  Lab lab(flag_node());
  ports::Ports ports = lab.ports();
  for (int i = 0; i < 11; ++i) {
    transaction::Transaction transaction;
    ASSERT_TRUE(transaction::begin_transaction(ports, transaction));
  }
  auto all = transaction::list_transactions(ports);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 11u);
  EXPECT_EQ(all->at(0).id, "20261120T225726Z-1");
  EXPECT_EQ(all->at(1).id, "20261120T225726Z-2");
  EXPECT_EQ(all->at(9).id, "20261120T225726Z-10");
  EXPECT_EQ(all->at(10).id, "20261120T225726Z-11");
}

TEST(Journal, IsForRootAlone) {
  Lab lab(flag_node());
  auto done = lab.change(add({"kernel.sem"}));
  ASSERT_TRUE(done);
  const std::string directory = "/var/lib/kubelet-sysctl/transactions/" + done->transaction;
  EXPECT_EQ(mode_of(lab, "/var/lib/kubelet-sysctl"), 0700U);
  EXPECT_EQ(mode_of(lab, directory), 0700U);
  EXPECT_EQ(mode_of(lab, directory + "/journal.json"), 0600U);
  EXPECT_EQ(mode_of(lab, directory + "/original-0"), 0600U);
}

TEST(Journal, BytesThatAreNoTextSurvive) {
  const std::string odd("KUBELET_EXTRA_ARGS=--v=2\n# caf\xe9\n", 33);
  Lab lab(plain_node("/usr/bin/kubelet $KUBELET_EXTRA_ARGS $A", ""));
  lab.tree().write("/etc/default/kubelet", odd);
  ports::Ports ports = lab.ports();
  transaction::Transaction transaction;
  transaction::JournalFile file;
  file.path = "/etc/default/kubelet";
  file.original = odd;
  transaction.files = {file};
  ASSERT_TRUE(transaction::begin_transaction(ports, transaction));
  auto loaded = transaction::load_transaction(ports, transaction.id);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->files.at(0).original, odd);
}

TEST(Journal, NamesThatLeadElsewhereAreNoTransactions) {
  Lab lab(flag_node());
  ports::Ports ports = lab.ports();
  for (const char* id : {"", "..", "../lock", "nothing"}) {
    auto loaded = transaction::load_transaction(ports, id);
    ASSERT_FALSE(loaded) << id;
    EXPECT_EQ(loaded.error().kind, ErrorKind::kNotFound) << id;
  }
}

}  // namespace
}  // namespace kubelet_sysctl
