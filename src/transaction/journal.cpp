// SPDX-License-Identifier: Apache-2.0
// The journal on disk: originals first, then the record, then its states; and the way back.
#include "kubelet_sysctl/transaction/journal.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <limits>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/ports/trust.hpp"
#include "kubelet_sysctl/transaction/purge.hpp"
#include "kubelet_sysctl/transaction/record.hpp"

namespace kubelet_sysctl::transaction {
namespace {

constexpr const char* kRecord = "journal.json";
constexpr std::uint32_t kPrivateDirectory = 0700;
constexpr std::uint32_t kPrivateFile = 0600;

std::string transactions_directory() { return fmt::format("{}/transactions", kStateDirectory); }
std::string directory_of(const std::string& id) {
  return fmt::format("{}/{}", transactions_directory(), id);
}

/// A file of a record, which only this user and root can have written. Errors: kRefused.
Result<SourceFile> read_own(ports::Ports& ports, const std::string& path) {
  if (auto trusted = ports::check_trusted(ports.files, path); !trusted)
    return std::move(trusted).error();
  return ports.files.read(path);
}

/// The folder of a transaction, as a path that was checked. Errors: kRefused.
Status check_folder(ports::Ports& ports, const std::string& id) {
  return ports::check_trusted(ports.files, directory_of(id));
}

/// Makes `path` hold `bytes`; what stood there before is read first, so that nothing foreign is
/// lost.
Status put(ports::Ports& ports, const std::string& path, const SharedText& bytes) {
  auto before = ports.files.read(path);
  if (!before) return std::move(before).error();
  if (!before->exists()) before->meta.mode = kPrivateFile;
  // Not replace(): on a full disk it may write into the file itself, and a record must never be torn.
  auto staged = ports.files.stage(*before, bytes);
  if (!staged) return std::move(staged).error();
  auto done = (*staged)->commit();
  if (!done) return std::move(done).error();
  return {};
}

/// "20261120T225726Z-1": the first number of this second that is not taken.
Result<std::string> free_id(ports::Ports& ports) {
  auto taken = ports.files.list(transactions_directory());
  if (!taken) return std::move(taken).error();
  const auto seconds = static_cast<std::time_t>(ports.clock.wall_ms() / 1000);
  const std::string stem = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
  for (int number = 1;; ++number) {
    std::string id = fmt::format("{}-{}", stem, number);
    const auto same = std::find_if(taken->begin(), taken->end(),
                                   [&](const ports::DirEntry& entry) { return entry.name == id; });
    if (same == taken->end()) return id;
  }
}

/// Ids sort by time and then by their number, which may have two digits.
bool is_earlier(const std::string& a, const std::string& b) {
  const std::size_t dash_a = a.rfind('-');
  const std::size_t dash_b = b.rfind('-');
  const std::string stem_a = a.substr(0, dash_a);
  const std::string stem_b = b.substr(0, dash_b);
  if (stem_a != stem_b) return stem_a < stem_b;
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

/// A run that was killed in the middle of a write to its record leaves a temporary file there.
Status sweep_folder(ports::Ports& ports, const std::string& id,
                    const std::vector<ports::DirEntry>& files) {
  for (const ports::DirEntry& file : files) {
    const std::size_t end = file.name.rfind(".kubelet-sysctl~");
    if (!file.name.starts_with('.') || end == std::string::npos) continue;
    const std::string path = fmt::format("{}/{}", directory_of(id), file.name.substr(1, end - 1));
    if (auto swept = ports.files.sweep(path); !swept) return swept;
  }
  return {};
}

}  // namespace

std::string original_path(const Transaction& transaction, std::size_t index) {
  return fmt::format("{}/original-{}", directory_of(transaction.id), index);
}

Status begin_transaction(ports::Ports& ports, Transaction& transaction) {
  if (auto made = ports.files.make_directory(kStateDirectory, kPrivateDirectory); !made)
    return made;
  auto id = free_id(ports);
  if (!id) return std::move(id).error();
  transaction.id = std::move(*id);
  if (auto made = ports.files.make_directory(directory_of(transaction.id), kPrivateDirectory);
      !made) {
    return made;
  }
  for (std::size_t i = 0; i < transaction.files.size(); ++i) {
    const JournalFile& file = transaction.files[i];
    if (!file.existed) continue;
    if (auto kept = put(ports, original_path(transaction, i), file.original); !kept) return kept;
  }
  return mark_transaction(ports, transaction, TransactionState::kPlanned);
}

Status mark_transaction(ports::Ports& ports, Transaction& transaction, TransactionState state) {
  if (transaction.reached.empty() || transaction.reached.back().state != state) {
    transaction.reached.push_back({.state = state, .at_ms = ports.clock.wall_ms()});
  }
  transaction.state = state;
  return put(ports, fmt::format("{}/{}", directory_of(transaction.id), kRecord),
             journal_text(transaction));
}

Result<Records> read_records(ports::Ports& ports) {
  auto names = ports.files.list(transactions_directory());
  if (!names) return std::move(names).error();
  std::vector<std::string> ids;
  if (!names->empty()) {
    auto trusted = check_state_directory(ports.files);
    if (!trusted) return std::move(trusted).error();
  }
  for (const ports::DirEntry& entry : *names) {
    if (entry.kind == ports::EntryKind::kDirectory) ids.push_back(entry.name);
  }
  std::sort(ids.begin(), ids.end(), is_earlier);
  Records records;
  for (const std::string& id : ids) {
    const std::string path = fmt::format("{}/{}", directory_of(id), kRecord);
    if (auto trusted = check_folder(ports, id); !trusted) return std::move(trusted).error();
    auto file = read_own(ports, path);
    if (!file) return std::move(file).error();
    if (!file->exists()) continue;  // begun and never recorded: nothing was written under it
    auto parsed = parse_journal(file->bytes);
    if (!parsed) {
      Error error = std::move(parsed).error();
      error.path = path;
      error.hint =
          fmt::format("see what it holds; to go on without it: mv {} /root/", directory_of(id));
      records.broken.push_back({.id = id, .why = std::move(error), .may_be_open = true});
      continue;
    }
    for (BrokenRecord& earlier : records.broken) earlier.may_be_open = false;
    records.transactions.push_back(std::move(*parsed));
  }
  return records;
}

Result<std::vector<Transaction>> usable(Records records) {
  for (BrokenRecord& one : records.broken) {
    if (!one.may_be_open) continue;
    one.why.kind = ErrorKind::kRefused;
    one.why.message = fmt::format(
        "will not change this node: the newest change may not be finished: {}", one.why.message);
    return std::move(one.why);
  }
  return std::move(records.transactions);
}

Result<std::vector<Transaction>> list_transactions(ports::Ports& ports) {
  auto records = read_records(ports);
  if (!records) return std::move(records).error();
  return usable(std::move(*records));
}

Result<Transaction> load_transaction(ports::Ports& ports, const std::string& id) {
  const bool odd = id.empty() || id.find('/') != std::string::npos || id.front() == '.';
  const std::string path = fmt::format("{}/{}", directory_of(id), kRecord);
  auto file = odd ? Result<SourceFile>(SourceFile{}) : read_own(ports, path);
  if (!file) return std::move(file).error();
  if (!file->exists()) {
    return Error{.kind = ErrorKind::kNotFound,
                 .message = fmt::format("there is no transaction '{}'", id)};
  }
  auto parsed = parse_journal(file->bytes);
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.path = path;
    return error;
  }
  for (std::size_t i = 0; i < parsed->files.size(); ++i) {
    if (!parsed->files[i].existed) continue;
    auto original = read_own(ports, original_path(*parsed, i));
    if (!original) return std::move(original).error();
    parsed->files[i].original = std::move(original->bytes);
  }
  return parsed;
}

Status prune_transactions(ports::Ports& ports) {
  constexpr std::size_t kKept = 50;
  auto names = ports.files.list(transactions_directory());
  if (!names) return std::move(names).error();
  std::size_t left = names->size();
  for (const ports::DirEntry& entry : *names) {
    auto files = ports.files.list(directory_of(entry.name));
    if (!files) return std::move(files).error();
    if (auto swept = sweep_folder(ports, entry.name, *files); !swept) return swept;
    const bool recorded =
        std::any_of(files->begin(), files->end(),
                    [](const ports::DirEntry& file) { return file.name == kRecord; });
    if (recorded || entry.kind != ports::EntryKind::kDirectory) continue;
    if (auto status = ports.files.remove_folder(directory_of(entry.name)); !status) return status;
    --left;
  }
  if (left <= kKept) return {};
  auto records = list_transactions(ports);
  if (!records) return std::move(records).error();
  std::vector<Transaction> go = purgeable(*records, std::numeric_limits<std::int64_t>::max());
  const std::size_t over = records->size() > kKept ? records->size() - kKept : 0;
  if (go.size() > over) go.erase(go.begin() + static_cast<std::ptrdiff_t>(over), go.end());
  return purge(ports, go);
}

Status check_state_directory(ports::FileSystem& files) {
  for (const char* below : {"", "/transactions", "/lock"}) {
    auto trusted = ports::check_trusted(files, fmt::format("{}{}", kStateDirectory, below));
    if (!trusted) return trusted;
  }
  return {};
}

}  // namespace kubelet_sysctl::transaction
