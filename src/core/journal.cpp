// SPDX-License-Identifier: Apache-2.0
// The record of a transaction as JSON, and what can be told from records alone.
#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "kubelet_sysctl/transaction.hpp"

namespace kubelet_sysctl {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVersion = "kubelet-sysctl/journal-v1";

constexpr std::array<std::pair<TransactionState, const char*>, 7> kStates = {{
    {TransactionState::kPlanned, "planned"},
    {TransactionState::kWritten, "written"},
    {TransactionState::kRestarted, "restarted"},
    {TransactionState::kConfirmed, "confirmed"},
    {TransactionState::kPending, "pending"},
    {TransactionState::kRolledBack, "rolled-back"},
    {TransactionState::kStranded, "stranded"},
}};

constexpr std::array<Verb, 4> kVerbs = {Verb::kAdd, Verb::kRemove, Verb::kSet, Verb::kUndo};

/// A whole number that fits its place: nlohmann's get() would cut one that does not, and a fraction.
template <typename Number>
Number number_at(const Json& json, const char* key) {
  const Json& value = json.at(key);
  if (value.is_number_unsigned()) {
    const auto number = value.get<std::uint64_t>();
    if (std::in_range<Number>(number)) return static_cast<Number>(number);
  } else if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    if (std::in_range<Number>(number)) return static_cast<Number>(number);
  }
  throw Json::other_error::create(501, std::string("no number that fits: ") + key, &json);
}

Json json_of(const JournalFile& file) {
  Json splices = Json::array();
  for (const Splice& splice : file.splices) {
    splices.push_back({{"begin", splice.at.begin}, {"end", splice.at.end}, {"text", splice.text}});
  }
  return {{"path", file.path},       {"realPath", file.real_path},
          {"existed", file.existed}, {"uid", file.meta.uid},
          {"gid", file.meta.gid},    {"mode", file.meta.mode},
          {"route", file.route},     {"daemonReload", file.daemon_reload},
          {"removed", file.removed}, {"splices", std::move(splices)}};
}

JournalFile file_from(const Json& json) {
  JournalFile file;
  file.path = json.at("path").get<std::string>();
  file.real_path = json.at("realPath").get<std::string>();
  file.existed = json.at("existed").get<bool>();
  file.meta.uid = number_at<std::uint32_t>(json, "uid");
  file.meta.gid = number_at<std::uint32_t>(json, "gid");
  file.meta.mode = number_at<std::uint32_t>(json, "mode");
  file.route = json.at("route").get<std::string>();
  file.daemon_reload = json.at("daemonReload").get<bool>();
  file.removed = json.at("removed").get<bool>();
  for (const Json& splice : json.at("splices")) {
    file.splices.push_back(
        {.at = {number_at<std::size_t>(splice, "begin"), number_at<std::size_t>(splice, "end")},
         .text = splice.at("text").get<std::string>()});
  }
  return file;
}

Transaction transaction_from(const Json& json) {
  Transaction transaction;
  transaction.id = json.at("id").get<std::string>();
  const std::string state = json.at("state").get<std::string>();
  const auto known = std::find_if(kStates.begin(), kStates.end(),
                                  [&](const auto& row) { return state == row.second; });
  if (known == kStates.end()) throw Json::other_error::create(501, "unknown state", &json);
  transaction.state = known->first;
  const std::string verb = json.at("verb").get<std::string>();
  const auto meant =
      std::find_if(kVerbs.begin(), kVerbs.end(), [&](Verb one) { return verb == name_of(one); });
  if (meant == kVerbs.end()) throw Json::other_error::create(501, "unknown verb", &json);
  transaction.verb = *meant;
  transaction.unit = json.at("unit").get<std::string>();
  transaction.at_ms = number_at<std::int64_t>(json, "at");
  transaction.uid = number_at<std::int64_t>(json, "uid");
  transaction.sudo_user = json.at("sudoUser").get<std::string>();
  transaction.reason = json.at("reason").get<std::string>();
  transaction.tool_version = json.at("toolVersion").get<std::string>();
  transaction.undoes = json.at("undoes").get<std::string>();
  transaction.before = json.at("before").get<std::vector<std::string>>();
  transaction.after = json.at("after").get<std::vector<std::string>>();
  for (const Json& file : json.at("files")) transaction.files.push_back(file_from(file));
  return transaction;
}

}  // namespace

const char* name_of(TransactionState state) {
  for (const auto& [one, name] : kStates) {
    if (one == state) return name;
  }
  bug("a transaction state without a name");
}

std::string journal_text(const Transaction& transaction) {
  Json files = Json::array();
  for (const JournalFile& file : transaction.files) files.push_back(json_of(file));
  const Json json = {{"apiVersion", kVersion},
                     {"id", transaction.id},
                     {"state", name_of(transaction.state)},
                     {"verb", name_of(transaction.verb)},
                     {"unit", transaction.unit},
                     {"at", transaction.at_ms},
                     {"uid", transaction.uid},
                     {"sudoUser", transaction.sudo_user},
                     {"reason", transaction.reason},
                     {"toolVersion", transaction.tool_version},
                     {"undoes", transaction.undoes},
                     {"before", transaction.before},
                     {"after", transaction.after},
                     {"files", std::move(files)}};
  // A reason or an entry may hold bytes that are not UTF-8; the record must be written all the same.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Transaction> parse_journal(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("apiVersion").get<std::string>() != kVersion) {
      return Error{.kind = ErrorKind::kMalformed,
                   .message = "the record is of another release of kubelet-sysctl"};
    }
    return transaction_from(json);
  } catch (const Json::exception& fault) {
    return Error{
        .kind = ErrorKind::kMalformed,
        .message = std::string("the record of a transaction cannot be read: ") + fault.what()};
  }
}

Result<std::string> written_bytes(const JournalFile& file) {
  return apply_splices(file.original, file.splices);
}

std::optional<std::string> newest_undoable(const std::vector<Transaction>& transactions) {
  const auto stands = [](const Transaction& one) {
    return one.state == TransactionState::kConfirmed || one.state == TransactionState::kPending;
  };
  const auto undone = [&](const Transaction& other) {
    return std::any_of(transactions.begin(), transactions.end(), [&](const Transaction& one) {
      return stands(one) && one.undoes == other.id;
    });
  };
  const auto newest = std::find_if(
      transactions.rbegin(), transactions.rend(),
      [&](const Transaction& one) { return stands(one) && one.undoes.empty() && !undone(one); });
  if (newest == transactions.rend()) return std::nullopt;
  return newest->id;
}

}  // namespace kubelet_sysctl
