// SPDX-License-Identifier: Apache-2.0
// The record of a transaction as JSON, and what is known from records alone.
#include "kubelet_sysctl/transaction/record.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::transaction {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kVersion = "kubelet-sysctl/journal-v1";

constexpr std::array<std::pair<TransactionState, const char*>, 9> kStates = {{
    {TransactionState::kPlanned, "planned"},
    {TransactionState::kWritten, "written"},
    {TransactionState::kRestarted, "restarted"},
    {TransactionState::kConfirmed, "confirmed"},
    {TransactionState::kTrial, "trial"},
    {TransactionState::kPending, "pending"},
    {TransactionState::kRolledBack, "rolled-back"},
    {TransactionState::kStranded, "stranded"},
    {TransactionState::kOvertaken, "overtaken"},
}};

constexpr std::array<planning::Verb, 6> kVerbs = {planning::Verb::kAdd, planning::Verb::kRemove,
                                                  planning::Verb::kSet, planning::Verb::kUndo,
                                                  planning::Verb::kFix, planning::Verb::kSync};

/// The member, or `otherwise` in a record of a release that did not know it.
template <typename T>
T member_or(const Json& json, const char* key, T otherwise) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? otherwise : found->get<T>();
}

/// Bytes that JSON cannot hold as text stand as hexadecimal digits under another key.
void put_bytes(Json& json, const char* key, const char* hex_key, const std::string& bytes) {
  if (is_utf8(bytes)) {
    json[key] = bytes;
    return;
  }
  std::string digits;
  for (const char byte : bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  json[hex_key] = digits;
}

/// A reason or an entry may hold bytes that are not UTF-8; the record must be written all the same.
std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

/// The record with its lists, which are empty in `record`: thousands of entries are never there as JSON.
std::string with_lists(std::string_view record, const EntryList& before, const EntryList& after) {
  constexpr std::size_t kMarks = 6;  // of an entry on a line of its own
  constexpr std::size_t kEnds = 8;   // of both lists; a byte too little would double the text
  std::size_t size = record.size() + kEnds;
  for (const EntryList* list : {&before, &after}) {
    for (const std::string_view entry : *list) size += entry.size() + kMarks;
  }
  std::string out;
  out.reserve(size);
  for (const auto& [key, list] : {std::pair("before", &before), std::pair("after", &after)}) {
    const std::string head = fmt::format("\n \"{}\": [", key);
    const std::size_t end = record.find(head + ']') + head.size();
    out += record.substr(0, end);
    record.remove_prefix(end);
    for (std::size_t i = 0; i < list->size(); ++i) {
      out += i == 0 ? "\n  " : ",\n  ";
      out += dumped(Json((*list)[i]), -1);
    }
    if (!list->empty()) out += "\n ";
  }
  out += record;
  return out;
}

/// Takes the entries of a list out of a record while it is parsed, likewise.
class Lists {
 public:
  bool operator()(int depth, Json::parse_event_t event, const Json& parsed) {
    constexpr int kMember = 1;
    if (event == Json::parse_event_t::key && depth == kMember) key_ = parsed.get<std::string>();
    const bool is_item = event == Json::parse_event_t::value && depth == kMember + 1;
    if (!is_item || !parsed.is_string() || (key_ != "before" && key_ != "after")) return true;
    (key_ == "before" ? before : after).push_back(parsed.get_ref<const std::string&>());
    return false;
  }
  EntryList before;
  EntryList after;

 private:
  std::string key_;
};

/// What is left under the key of a list that was taken out. Errors: an exception.
void check_taken(const Json& json, const char* key) {
  if (json.at(key).is_array() && json.at(key).empty()) return;
  throw Json::other_error::create(501, std::string("no list of entries: ") + key, &json);
}

std::string bytes_at(const Json& json, const char* key, const char* hex_key) {
  if (json.contains(key)) return json.at(key).get<std::string>();
  const auto digits = json.at(hex_key).get<std::string>();
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned value = 0;
    const char* end = digits.data() + std::min(i + 2, digits.size());
    const auto [stopped, fault] = std::from_chars(digits.data() + i, end, value, 16);
    if (fault != std::errc{} || stopped != end || end - (digits.data() + i) != 2) {
      throw Json::other_error::create(501, std::string("no hexadecimal digits: ") + hex_key, &json);
    }
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

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
    Json one = {{"begin", splice.at.begin}, {"end", splice.at.end}};
    put_bytes(one, "text", "textHex", splice.text);
    splices.push_back(std::move(one));
  }
  Json attributes = Json::array();
  for (const ExtendedAttribute& attribute : file.meta.attributes) {
    Json one = {{"name", attribute.name}};
    put_bytes(one, "value", "valueHex", attribute.value);
    attributes.push_back(std::move(one));
  }
  Json json = Json::object();
  // Linux takes any bytes for a name.
  put_bytes(json, "path", "pathHex", file.path);
  put_bytes(json, "realPath", "realPathHex", file.real_path);
  json.update({{"existed", file.existed},
               {"uid", file.meta.uid},
               {"gid", file.meta.gid},
               {"mode", file.meta.mode},
               {"route", name_of(file.route)},
               {"daemonReload", file.daemon_reload},
               {"removed", file.removed},
               {"inPlace", file.in_place},
               {"madeDirectories", file.made_directories},
               {"attributes", std::move(attributes)},
               {"splices", std::move(splices)}});
  return json;
}

JournalFile file_from(const Json& json) {
  JournalFile file;
  file.path = bytes_at(json, "path", "pathHex");
  file.real_path = bytes_at(json, "realPath", "realPathHex");
  file.existed = json.at("existed").get<bool>();
  file.meta.uid = number_at<std::uint32_t>(json, "uid");
  file.meta.gid = number_at<std::uint32_t>(json, "gid");
  file.meta.mode = number_at<std::uint32_t>(json, "mode");
  const auto route = nodes::route_named(json.at("route").get<std::string>());
  if (!route) throw Json::other_error::create(501, "unknown route", &json);
  file.route = *route;
  file.daemon_reload = json.at("daemonReload").get<bool>();
  file.removed = json.at("removed").get<bool>();
  for (const Json& splice : json.at("splices")) {
    file.splices.push_back(
        {.at = {number_at<std::size_t>(splice, "begin"), number_at<std::size_t>(splice, "end")},
         .text = bytes_at(splice, "text", "textHex")});
  }
  file.in_place = member_or(json, "inPlace", false);
  if (json.contains("madeDirectories")) {
    file.made_directories = number_at<std::size_t>(json, "madeDirectories");
  }
  const Json none = Json::array();
  for (const Json& one : json.contains("attributes") ? json.at("attributes") : none) {
    file.meta.attributes.push_back(
        {.name = one.at("name").get<std::string>(), .value = bytes_at(one, "value", "valueHex")});
  }
  return file;
}

TransactionState state_from(const Json& json) {
  const auto state = json.at("state").get<std::string>();
  const auto known = std::find_if(kStates.begin(), kStates.end(),
                                  [&](const auto& row) { return state == row.second; });
  if (known == kStates.end()) throw Json::other_error::create(501, "unknown state", &json);
  return known->first;
}

std::optional<Trial> trial_from(const Json& json) {
  const auto found = json.find("trial");
  if (found == json.end() || found->is_null()) return std::nullopt;
  return Trial{.until_ms = number_at<std::int64_t>(*found, "until")};
}

/// What records have had since trials and recovery are there.
void take_later_members(const Json& json, Transaction& transaction) {
  const Json none = Json::array();
  for (const Json& one : json.contains("reached") ? json.at("reached") : none) {
    transaction.reached.push_back(
        {.state = state_from(one), .at_ms = number_at<std::int64_t>(one, "at")});
  }
  if (json.contains("loginUid") && !json.at("loginUid").is_null()) {
    transaction.login_uid = number_at<std::uint32_t>(json, "loginUid");
  }
  if (json.contains("systemdVersion")) {
    transaction.systemd_version = number_at<int>(json, "systemdVersion");
  }
  transaction.boot_id = member_or(json, "bootId", std::string());
  transaction.restart = member_or(json, "restart", true);
  transaction.rollback = member_or(json, "rollback", true);
  transaction.was_down = member_or(json, "wasDown", false);
  transaction.cause = member_or(json, "cause", std::string());
  transaction.trial = trial_from(json);
}

Transaction transaction_from(const Json& json) {
  Transaction transaction;
  transaction.id = json.at("id").get<std::string>();
  transaction.state = state_from(json);
  const std::string verb = json.at("verb").get<std::string>();
  const auto meant = std::find_if(kVerbs.begin(), kVerbs.end(), [&](planning::Verb one) {
    return verb == planning::name_of(one);
  });
  if (meant == kVerbs.end()) throw Json::other_error::create(501, "unknown verb", &json);
  transaction.verb = *meant;
  transaction.unit = json.at("unit").get<std::string>();
  transaction.at_ms = number_at<std::int64_t>(json, "at");
  transaction.uid = number_at<std::int64_t>(json, "uid");
  transaction.sudo_user = json.at("sudoUser").get<std::string>();
  transaction.reason = json.at("reason").get<std::string>();
  transaction.tool_version = json.at("toolVersion").get<std::string>();
  transaction.undoes = json.at("undoes").get<std::string>();
  check_taken(json, "before");
  check_taken(json, "after");
  for (const Json& file : json.at("files")) transaction.files.push_back(file_from(file));
  take_later_members(json, transaction);
  return transaction;
}

}  // namespace

const std::vector<TransactionState>& all_transaction_states() {
  static const std::vector<TransactionState> states = [] {
    std::vector<TransactionState> all;
    for (const auto& row : kStates) all.push_back(row.first);
    return all;
  }();
  return states;
}

const char* name_of(TransactionState state) {
  for (const auto& [one, name] : kStates) {
    if (one == state) return name;
  }
  bug("a transaction state without a name");
}

std::string journal_text(const Transaction& transaction) {
  Json files = Json::array();
  for (const JournalFile& file : transaction.files) files.push_back(json_of(file));
  Json reached = Json::array();
  for (const StateReached& one : transaction.reached) {
    reached.push_back({{"state", name_of(one.state)}, {"at", one.at_ms}});
  }
  Json trial;
  if (transaction.trial) trial = {{"until", transaction.trial->until_ms}};
  Json login_uid;
  if (transaction.login_uid) login_uid = *transaction.login_uid;
  const Json json = {{"apiVersion", kVersion},
                     {"id", transaction.id},
                     {"state", name_of(transaction.state)},
                     {"reached", std::move(reached)},
                     {"verb", planning::name_of(transaction.verb)},
                     {"unit", transaction.unit},
                     {"at", transaction.at_ms},
                     {"uid", transaction.uid},
                     {"loginUid", std::move(login_uid)},
                     {"sudoUser", transaction.sudo_user},
                     {"reason", transaction.reason},
                     {"toolVersion", transaction.tool_version},
                     {"systemdVersion", transaction.systemd_version},
                     {"bootId", transaction.boot_id},
                     {"undoes", transaction.undoes},
                     {"restart", transaction.restart},
                     {"rollback", transaction.rollback},
                     {"wasDown", transaction.was_down},
                     {"trial", std::move(trial)},
                     {"cause", transaction.cause},
                     {"before", Json::array()},
                     {"after", Json::array()},
                     {"files", std::move(files)}};
  return with_lists(dumped(json, 1) + "\n", transaction.before, transaction.after);
}

Result<Transaction> parse_journal(std::string_view text) {
  try {
    Lists lists;
    const Json json =
        Json::parse(text, [&](int depth, Json::parse_event_t event, const Json& parsed) {
          return lists(depth, event, parsed);
        });
    if (json.at("apiVersion").get<std::string>() != kVersion) {
      return Error{.kind = ErrorKind::kMalformed,
                   .message = "the record is of another release of kubelet-sysctl"};
    }
    Transaction transaction = transaction_from(json);
    transaction.before = std::move(lists.before);
    transaction.after = std::move(lists.after);
    return transaction;
  } catch (const Json::exception& fault) {
    return Error{
        .kind = ErrorKind::kMalformed,
        .message = std::string("the record of a transaction cannot be read: ") + fault.what()};
  }
}

Result<std::string> written_bytes(const JournalFile& file) {
  return apply_splices(file.original, file.splices);
}

bool stands(const Transaction& transaction) {
  return transaction.state == TransactionState::kConfirmed ||
         transaction.state == TransactionState::kTrial ||
         transaction.state == TransactionState::kPending;
}

bool is_unfinished(const Transaction& transaction) {
  switch (transaction.state) {
    case TransactionState::kPlanned:
    case TransactionState::kWritten:
    case TransactionState::kRestarted:
      return true;
    case TransactionState::kStranded:
      return transaction.rollback;
    case TransactionState::kConfirmed:
    case TransactionState::kTrial:
    case TransactionState::kPending:
    case TransactionState::kRolledBack:
    case TransactionState::kOvertaken:
      return false;
  }
  bug("a transaction state that is neither open nor closed");
}

bool is_over(const Transaction& transaction, std::int64_t now_ms, const std::string& boot_id) {
  if (!transaction.trial) return false;
  return now_ms >= transaction.trial->until_ms || boot_id != transaction.boot_id;
}

const Transaction* undone_by(const std::vector<Transaction>& transactions, const std::string& id) {
  const auto found =
      std::find_if(transactions.begin(), transactions.end(),
                   [&id](const Transaction& one) { return one.undoes == id && stands(one); });
  return found == transactions.end() ? nullptr : &*found;
}

std::optional<std::string> newest_undoable(const std::vector<Transaction>& transactions) {
  const auto newest =
      std::find_if(transactions.rbegin(), transactions.rend(), [&](const Transaction& one) {
        return stands(one) && one.undoes.empty() && undone_by(transactions, one.id) == nullptr;
      });
  if (newest == transactions.rend()) return std::nullopt;
  return newest->id;
}

Result<planning::FileEdit> edit_of(const JournalFile& file) {
  planning::FileEdit edit;
  edit.before.path = file.path;
  edit.before.real_path = file.real_path;
  edit.before.kind = file.existed ? FileKind::kRegular : FileKind::kAbsent;
  edit.before.bytes = file.original;
  edit.before.meta = file.meta;
  edit.splices = file.splices;
  edit.route = file.route;
  edit.removes = file.removed;
  edit.daemon_reload = file.daemon_reload;
  if (file.removed) return edit;
  auto after = written_bytes(file);
  if (!after) return std::move(after).error();
  edit.after = std::move(*after);
  return edit;
}

}  // namespace kubelet_sysctl::transaction
