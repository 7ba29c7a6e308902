// SPDX-License-Identifier: Apache-2.0
// The words that fit where the user is typing, from the tables of commands and options.
#include "completion.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "cli.hpp"
#include "commands.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/journal.hpp"
#include "kubelet_sysctl/transaction/record.hpp"
#include "options.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// What is before the word that is being typed.
struct Line {
  const Command* command = nullptr;
  std::vector<std::string> arguments;
  std::set<std::string_view> given;  ///< names of options
  const OptionRow* open = nullptr;   ///< the option whose value is being typed
  bool only_arguments = false;       ///< after "--"
  Options options;                   ///< as far as they are given before it
  std::string current;
};

/// One line of the answer.
struct Offer {
  std::string text;
  std::string meaning = {};
};

using Offers = std::vector<Offer>;

/// A value that is none, or the option of another node, changes nothing here.
void take_value(Options& options, const OptionRow& row, const std::string& value) {
  if (row.take != nullptr) static_cast<void>(row.take(options, row, value));
}

Line read_line(const std::vector<std::string>& words) {
  Line line;
  if (words.empty()) return line;
  line.current = words.back();
  if (words.size() > 1) line.command = find_command(words.front());
  if (line.command == nullptr) return line;
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (line.open != nullptr) {
      take_value(line.options, *std::exchange(line.open, nullptr), word);
    } else if (line.only_arguments || word.size() < 2 || word.front() != '-') {
      line.arguments.push_back(word);
    } else if (word == "--") {
      line.only_arguments = true;
    } else {
      const std::size_t end = std::min(word.find('='), word.size());
      const OptionRow* row = find_option(line.command->bit, word.substr(0, end));
      if (row == nullptr) continue;
      line.given.insert(row->name);
      if (row->value.empty()) continue;
      if (end < word.size()) {
        take_value(line.options, *row, word.substr(end + 1));
      } else {
        line.open = row;
      }
    }
  }
  return line;
}

/// A help text as one line: its first sentence, without what is in brackets at its end.
std::string short_help(std::string_view text) {
  text = text.substr(0, std::min(text.find(" (default"), text.find("\n(default")));
  text = text.substr(0, text.find(". "));
  std::string line(text);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

Offers commands_offered() {
  Offers offers;
  for (const Command* one : all_commands()) {
    offers.push_back({std::string(one->name), std::string(one->title)});
  }
  return offers;
}

Offers first_words(const std::string& current) {
  Offers offers = commands_offered();
  offers.push_back({"help", "print the commands, or what one of them does"});
  if (!current.starts_with('-')) return offers;
  return {{"--help", "print the commands"}, {"--version", "print the version"}};
}

Offers options_offered(const Line& line) {
  Offers offers;
  for (const OptionRow& row : all_options()) {
    if (!takes(*line.command, row) || line.given.contains(row.name)) continue;
    offers.push_back({std::string(row.name), short_help(row.help)});
  }
  return offers;
}

Offers services_of(ports::FileSystem& files) {
  // Source: systemd.unit(5), "Unit File Load Path"; the last one where /usr is not merged.
  constexpr std::array<const char*, 5> kDirectories = {
      "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
      "/usr/lib/systemd/system", "/lib/systemd/system"};
  std::set<std::string> names;
  for (const char* directory : kDirectories) {
    auto entries = files.list(directory);
    if (!entries) continue;
    for (const ports::DirEntry& entry : *entries) {
      if (entry.name.ends_with(".service")) names.insert(entry.name);
    }
  }
  Offers offers;
  for (const std::string& name : names) offers.push_back({name});
  return offers;
}

/// "add net.core.somaxconn kernel.msg*"
std::string meaning_of(const transaction::Transaction& one) {
  std::string text = planning::name_of(one.verb);
  const ListChange change = change_between(one.before, one.after);
  for (const std::string_view entry : change.added) text += fmt::format(" +{}", entry);
  for (const std::string_view entry : change.removed) text += fmt::format(" -{}", entry);
  return fmt::format("{}, {}", text, transaction::name_of(one.state));
}

/// The records, newest first: all for `history`; for the others those that they can do something to.
Offers changes_offered(const Command& command, ports::Ports& ports) {
  Offers offers;
  const auto records = transaction::read_records(ports);
  if (!records) return offers;
  const std::vector<transaction::Transaction>* all = &records->transactions;
  for (auto one = all->rbegin(); one != all->rend(); ++one) {
    if (command.name == "keep" && one->state != transaction::TransactionState::kTrial) continue;
    const bool is_over = one->state == transaction::TransactionState::kRolledBack ||
                         transaction::undone_by(*all, one->id) != nullptr;
    if (command.name == "undo" && is_over) continue;
    offers.push_back({one->id, meaning_of(*one)});
  }
  return offers;
}

/// The configured list: what `remove` can take away.
Offers list_offered(const Options& options, ports::Ports& ports) {
  discover::DiscoverOptions wanted = discover_options(options);
  wanted.version_from = discover::VersionFrom::kNowhere;
  Offers offers;
  auto snapshot = discover::discover(ports, wanted);
  if (!snapshot) return offers;
  auto model = model::resolve(*snapshot);
  if (!model) return offers;
  for (const std::string_view entry : model::configured_texts(*model)) {
    offers.push_back({std::string(entry)});
  }
  return offers;
}

Offers values_offered(const Line& line, CliEnvironment& host) {
  const OptionRow& row = *line.open;
  Offers offers;
  const auto add_all = [&offers](auto... texts) { (offers.push_back({texts}), ...); };
  if (row.value == "FILE" || row.value == "PATH") {
    add_all(":files");
  } else if (row.value == "DIR") {
    add_all(":directories");
  } else if (row.name == "--trial") {
    add_all("5m", "10m", "30m", "1h");
  } else if (row.value == "DURATION") {
    add_all("10s", "30s", "1m", "2m", "5m");
  } else if (row.name == "--unit") {
    ports::Ports ports = host.open(line.options.root);
    offers = services_of(ports.files);
  } else if (row.value == "ID") {
    ports::Ports ports = host.open(line.options.root);
    offers = changes_offered(*line.command, ports);
  }
  for (std::string& one : choices_of(row)) offers.push_back({std::move(one)});
  return offers;
}

Offers arguments_offered(const Line& line, CliEnvironment& host) {
  const Command& command = *line.command;
  Offers offers;
  if (command.arguments.find("ID") != std::string_view::npos) {
    if (!line.arguments.empty()) return offers;
    ports::Ports ports = host.open(line.options.root);
    return changes_offered(command, ports);
  }
  if (command.arguments.find("FILE") != std::string_view::npos) return {{":files"}};
  if (command.arguments.find("ENTRY") == std::string_view::npos) return offers;
  if (command.name == "remove") {
    ports::Ports ports = host.open(line.options.root);
    offers = list_offered(line.options, ports);
  } else {
    // The kernel that runs here is the best guess for a tree of files too: that has no /proc.
    ports::Ports ports = host.open("/");
    for (auto& name : kernel_names(ports.files, line.current)) offers.push_back({std::move(name)});
  }
  const auto& given = line.arguments;
  std::erase_if(offers, [&given](const Offer& one) {
    return std::find(given.begin(), given.end(), one.text) != given.end();
  });
  return offers;
}

Offers offers_for(const std::vector<std::string>& words, Line& line, CliEnvironment& host) {
  if (words.size() <= 1) return first_words(line.current);
  if (line.command == nullptr) {
    return words.front() == "help" && words.size() == 2 ? commands_offered() : Offers();
  }
  if (line.open != nullptr) return values_offered(line, host);
  const bool is_option = !line.only_arguments && line.current.starts_with('-');
  const std::size_t equals = line.current.find('=');
  if (is_option && equals != std::string::npos) {
    // "--output=j": the shell sees one word, so each offer is one as well.
    line.open = find_option(line.command->bit, line.current.substr(0, equals));
    if (line.open == nullptr || line.open->value.empty()) return {};
    Offers offers = values_offered(line, host);
    for (Offer& one : offers) {
      if (!one.text.starts_with(':')) one.text.insert(0, line.current, 0, equals + 1);
    }
    return offers;
  }
  if (is_option) return options_offered(line);
  if (line.command->arguments.empty())
    return line.only_arguments ? Offers() : options_offered(line);
  return arguments_offered(line, host);
}

/// A list may hold what a user wrote by hand; a line of ours is one offer.
bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char byte) {
    return static_cast<unsigned char>(byte) < ' ' || byte == '\x7f';
  });
}

}  // namespace

int complete(const std::vector<std::string>& words, CliEnvironment& host) {
  Line line = read_line(words);
  std::string answer;
  for (const Offer& one : offers_for(words, line, host)) {
    if (has_control(one.text) || has_control(one.meaning)) continue;
    if (!one.text.starts_with(':') && !one.text.starts_with(line.current)) continue;
    answer += one.text;
    if (!one.meaning.empty()) answer += '\t' + one.meaning;
    answer += '\n';
  }
  host.out(answer);
  return 0;
}

}  // namespace kubelet_sysctl::cli
