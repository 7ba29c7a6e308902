// SPDX-License-Identifier: Apache-2.0
// The journal on disk: originals first, then the record, then its states; and the way back.
#include "kubelet_sysctl/transaction.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

constexpr const char* kRecord = "journal.json";
constexpr std::uint32_t kPrivateDirectory = 0700;
constexpr std::uint32_t kPrivateFile = 0600;

std::string transactions_directory() { return fmt::format("{}/transactions", kStateDirectory); }
std::string directory_of(const std::string& id) {
  return fmt::format("{}/{}", transactions_directory(), id);
}

/// Makes `path` hold `bytes`; what stood there before is read first, so that nothing foreign is
/// lost.
Status put(Ports& ports, const std::string& path, const std::string& bytes) {
  auto before = ports.files.read(path);
  if (!before) return std::move(before).error();
  if (!before->exists()) before->meta.mode = kPrivateFile;
  auto done = ports.files.replace(*before, bytes);
  if (!done) return std::move(done).error();
  return {};
}

/// "20261120T225726Z-1": the first number of this second that is not taken.
Result<std::string> free_id(Ports& ports) {
  auto taken = ports.files.list(transactions_directory());
  if (!taken) return std::move(taken).error();
  const auto seconds = static_cast<std::time_t>(ports.clock.wall_ms() / 1000);
  const std::string stem = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(seconds));
  for (int number = 1;; ++number) {
    std::string id = fmt::format("{}-{}", stem, number);
    const auto same = std::find_if(taken->begin(), taken->end(),
                                   [&](const DirEntry& entry) { return entry.name == id; });
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

/// One file put back: nothing when it holds the original already.
Result<std::optional<FileEdit>> file_back(Ports& ports, const JournalFile& file) {
  auto now = ports.files.read(file.path);
  if (!now) return std::move(now).error();
  auto written = written_bytes(file);
  if (!written) return std::move(written).error();
  const bool is_gone = now->kind == FileKind::kAbsent;
  const bool is_original = file.existed ? now->exists() && now->bytes == file.original : is_gone;
  if (is_original) return std::optional<FileEdit>();
  const bool is_ours = file.removed ? is_gone : now->exists() && now->bytes == *written;
  if (!is_ours) {
    return Error{.kind = ErrorKind::kConflict,
                 .message = "will not undo: this file was changed by somebody else since",
                 .path = file.path,
                 .hint = "undo the wish instead, with 'kubelet-sysctl remove' or 'add'"};
  }
  FileEdit edit;
  edit.before = std::move(*now);
  if (file.removed) edit.before.meta = file.meta;
  edit.after = file.original;
  edit.route = file.route;
  edit.removes = !file.existed;
  edit.daemon_reload = file.daemon_reload;
  const std::string& from = edit.before.bytes;
  const std::string& to = edit.after;
  std::size_t head = 0;
  while (head < from.size() && head < to.size() && from[head] == to[head]) ++head;
  std::size_t tail = 0;
  while (tail < from.size() - head && tail < to.size() - head &&
         from[from.size() - 1 - tail] == to[to.size() - 1 - tail]) {
    ++tail;
  }
  edit.splices = {
      {.at = {head, from.size() - tail}, .text = to.substr(head, to.size() - head - tail)}};
  return std::optional<FileEdit>(std::move(edit));
}

}  // namespace

std::string original_path(const Transaction& transaction, std::size_t index) {
  return fmt::format("{}/original-{}", directory_of(transaction.id), index);
}

Status begin_transaction(Ports& ports, Transaction& transaction) {
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

Status mark_transaction(Ports& ports, Transaction& transaction, TransactionState state) {
  transaction.state = state;
  return put(ports, fmt::format("{}/{}", directory_of(transaction.id), kRecord),
             journal_text(transaction));
}

Result<std::vector<Transaction>> list_transactions(Ports& ports) {
  auto names = ports.files.list(transactions_directory());
  if (!names) return std::move(names).error();
  std::vector<std::string> ids;
  for (const DirEntry& entry : *names) {
    if (entry.kind == EntryKind::kDirectory) ids.push_back(entry.name);
  }
  std::sort(ids.begin(), ids.end(), is_earlier);
  std::vector<Transaction> transactions;
  for (const std::string& id : ids) {
    const std::string path = fmt::format("{}/{}", directory_of(id), kRecord);
    auto file = ports.files.read(path);
    if (!file) return std::move(file).error();
    if (!file->exists()) continue;  // begun and never recorded: nothing was written under it
    auto parsed = parse_journal(file->bytes);
    if (!parsed) {
      Error error = std::move(parsed).error();
      error.path = path;
      return error;
    }
    transactions.push_back(std::move(*parsed));
  }
  return transactions;
}

Result<Transaction> load_transaction(Ports& ports, const std::string& id) {
  const bool odd = id.empty() || id.find('/') != std::string::npos || id.front() == '.';
  const std::string path = fmt::format("{}/{}", directory_of(id), kRecord);
  auto file = odd ? Result<SourceFile>(SourceFile{}) : ports.files.read(path);
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
    auto original = ports.files.read(original_path(*parsed, i));
    if (!original) return std::move(original).error();
    parsed->files[i].original = std::move(original->bytes);
  }
  return parsed;
}

Result<Plan> make_undo_plan(Ports& ports, const NodeSnapshot& snapshot, const NodeModel& model,
                            const Transaction& transaction) {
  Plan plan;
  plan.verb = Verb::kUndo;
  plan.before = texts_of(model.configured);
  plan.after = plan.before;
  plan.expected_argv = model.argv;
  for (const JournalFile& file : transaction.files) {
    auto edit = file_back(ports, file);
    if (!edit) return std::move(edit).error();
    if (*edit) plan.edits.push_back(std::move(**edit));
  }
  auto after = model_after(snapshot, plan.edits);
  if (!after) return std::move(after).error();
  plan.after = texts_of(after->configured);
  plan.expected_argv = after->argv;
  decide_restart(snapshot, model, plan);
  return plan;
}

}  // namespace kubelet_sysctl
