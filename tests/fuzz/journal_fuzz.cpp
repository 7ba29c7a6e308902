// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the records of transactions: no text crashes the reader, a record that reads is
// written and read again without a change, and its splices never reach outside a file.
#include <cstdint>
#include <string>
#include <string_view>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "rules.hpp"

using kubelet_sysctl::fuzz::expect;
using kubelet_sysctl::transaction::Transaction;
using kubelet_sysctl::transaction::TransactionState;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto transaction = kubelet_sysctl::transaction::parse_journal(text);
  if (!transaction) {
    expect(transaction.error().kind == kubelet_sysctl::ErrorKind::kMalformed,
           "a record that does not read is malformed");
    return 0;
  }
  const std::string written = kubelet_sysctl::transaction::journal_text(*transaction);
  const auto again = kubelet_sysctl::transaction::parse_journal(written);
  expect(static_cast<bool>(again), "a record that we wrote reads");
  expect(kubelet_sysctl::transaction::journal_text(*again) == written, "reading changes nothing");
  expect(again->files.size() == transaction->files.size(), "no file is lost");

  for (kubelet_sysctl::transaction::JournalFile& file : transaction->files) {
    file.original = "KUBELET_EXTRA_ARGS=--v=2\n";
    const auto bytes = kubelet_sysctl::transaction::written_bytes(file);
    if (!bytes) continue;
    expect(kubelet_sysctl::only_spliced(file.original, *bytes, file.splices),
           "what a transaction wrote is the original with its splices");
  }
  const auto undoable = kubelet_sysctl::transaction::newest_undoable({*transaction, *again});
  const bool stands =
      transaction->state == kubelet_sysctl::transaction::TransactionState::kConfirmed ||
      transaction->state == kubelet_sysctl::transaction::TransactionState::kPending;
  expect(!undoable || (stands && *undoable == transaction->id), "only what is can be undone");
  return 0;
}
