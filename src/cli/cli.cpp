// SPDX-License-Identifier: Apache-2.0
// From words to a command with its options: the one file that knows CLI11.
#include "cli.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "completion.hpp"
#include "enter_node.hpp"
#include "help.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/nearest.hpp"
#include "kubelet_sysctl/machine/log.hpp"
#include "kubelet_sysctl/sysctl/known_sysctls.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"
#include "options.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// The option that a word gives, of any command.
const OptionRow* option_in(std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  const bool is_short = !word.starts_with("--") && word.size() > 1;
  return find_option(kEvery, is_short ? word.substr(0, 2) : name);
}

std::string help_of(const Command& command) {
  return fmt::format("'kubelet-sysctl {} --help' lists its options", command.name);
}

Error unknown_option(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const OptionRow* other = option_in(word);
  if (other != nullptr) {
    return usage_error(fmt::format("'{}' has no meaning for '{}'", other->name, command.name),
                       help_of(command));
  }
  std::vector<std::string> names;
  for (const OptionRow& row : all_options()) {
    if (takes(command, row)) names.emplace_back(row.name);
  }
  const auto meant = nearest(name, names);
  return usage_error(fmt::format("there is no option '{}'", name),
                     meant ? fmt::format("did you mean '{}'?", *meant) : help_of(command));
}

/// What a command line gives: the fields of Options, and the names of the options that filled them.
struct Given {
  Options options;
  std::set<std::string_view> names;
};

/// The words of `arguments` as options of `command`. Errors: kUsage.
Result<Given> read_options(const Command& command, const std::vector<std::string>& arguments) {
  Given given;
  Status status;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  for (const OptionRow& row : all_options()) {
    if (!takes(command, row)) continue;
    const auto take = [&given, &status, &row](const std::string& value) {
      given.names.insert(row.name);
      if (status && row.take != nullptr) status = row.take(given.options, row, value);
    };
    const std::string names =
        fmt::format("{}{}{}", row.short_name, row.short_name.empty() ? "" : ",", row.name);
    if (row.value.empty()) {
      app.add_flag_function(names, [take](std::int64_t count) {
        if (count > 0) take({});
      });
    } else {
      // The last one wins, so that a wrapper's own options can be followed by a person's.
      app.add_option_function<std::string>(names, take)
          ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    }
  }
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);  // CLI11 takes a vector from its end
  } catch (const CLI::ArgumentMismatch& mismatch) {
    return usage_error(fmt::format("an option lacks its value: {}", mismatch.what()),
                       help_of(command));
  } catch (const CLI::Error& fault) {
    return usage_error(fault.what(), help_of(command));
  }
  bool only_arguments = false;
  for (std::string& word : app.remaining()) {
    if (word == "--" && !only_arguments) {
      only_arguments = true;
    } else if (!only_arguments && word.size() > 1 && word.front() == '-') {
      return unknown_option(command, word);
    } else {
      given.options.arguments.push_back(std::move(word));
    }
  }
  if (!status) return std::move(status).error();
  return given;
}

/// What does not go together. Errors: kUsage, kNotFound for the directory of --root.
Status check(const Command& command, const Given& given) {
  const Options& options = given.options;
  if (command.arguments.empty() && !options.arguments.empty()) {
    return usage_error(fmt::format("'{}' takes no arguments, and got '{}'", command.name,
                                   options.arguments.front()),
                       help_of(command));
  }
  if (auto status = check_together(command.bit, options, given.names); !status) return status;
  const bool tree_only = options.systemd_version && options.is_live() && command.bit != kExplain;
  if (tree_only) {
    return usage_error("'--systemd-version' has no meaning for the running node",
                       "the manager that runs says its own release; with '--root' none does");
  }
  std::error_code fault;
  if (!options.is_live() && !std::filesystem::is_directory(options.root, fault)) {
    return Error{.kind = ErrorKind::kNotFound,
                 .message = fmt::format("there is no directory '{}'", options.root),
                 .hint = "'--root' takes the directory that holds the node's /etc, /usr and /var"};
  }
  return {};
}

/// True when the words ask for JSON, whatever else is wrong with them: then an error is a document too.
bool asks_for_json(const std::vector<std::string>& arguments) {
  bool json = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view word = arguments[i];
    if (word == "--") break;
    std::string_view value;
    if (word == "-o" || word == "--output") {
      value = i + 1 < arguments.size() ? std::string_view(arguments[i + 1]) : std::string_view();
    } else if (word.starts_with("--output=")) {
      value = word.substr(word.find('=') + 1);
    } else if (word.starts_with("-o")) {
      value = word.substr(word.starts_with("-o=") ? 3 : 2);
    } else {
      continue;
    }
    json = value == "json";
  }
  return json;
}

int usage_failure(CliEnvironment& host, const std::vector<std::string>& arguments,
                  const Error& error) {
  Options options;
  options.json = asks_for_json(arguments);
  Session session = session_of(host, options);
  return fail(session, error);
}

/// What users of other tools type first, and what it is called here.
struct OtherWord {
  std::string_view typed;
  std::string_view meant;
};
constexpr auto kOtherWords = std::to_array<OtherWord>({
    {"get", "show"},
    {"list", "show"},
    {"ls", "show"},
    {"status", "show"},
    {"print", "show"},
    {"view", "show"},
    {"rm", "remove"},
    {"delete", "remove"},
    {"del", "remove"},
    {"drop", "remove"},
    {"revert", "undo"},
    {"rollback", "undo"},
    {"log", "history"},
    {"version", "--version"},
    {"-V", "--version"},
    {"-v", "--version"},
    {"--json", "show -o json"},
});

/// The entry that a word is or was meant to be: "net.core.somaxconn" for "somaxconn"; empty when it is none.
std::string entry_meant(const std::string& word) {
  auto entry = sysctl::SysctlPattern::parse(word);
  if (!entry) return {};
  return sysctl::is_known_sysctl(*entry) ? word : sysctl::meant_sysctl(*entry);
}

Error no_command(const std::vector<std::string>& arguments) {
  const std::string list = "'kubelet-sysctl --help' lists the commands";
  if (arguments.empty()) return usage_error("a command is missing", list);
  const std::string& word = arguments.front();
  const auto other = std::find_if(kOtherWords.begin(), kOtherWords.end(),
                                  [&](const OtherWord& one) { return one.typed == word; });
  const std::string meant = other == kOtherWords.end()
                                ? std::string()
                                : fmt::format("did you mean 'kubelet-sysctl {}'?", other->meant);
  if (word.starts_with('-')) {
    const auto command = std::find_if(arguments.begin(), arguments.end(),
                                      [](const auto& one) { return find_command(one) != nullptr; });
    if (option_in(word) != nullptr && command != arguments.end()) {
      return usage_error(fmt::format("'{}' is before the command", word),
                         fmt::format("write 'kubelet-sysctl {} {} ...'", *command, word));
    }
    return usage_error(fmt::format("there is no command before '{}'", word),
                       meant.empty() ? list : meant);
  }
  const std::string message = fmt::format("there is no command '{}'", word);
  if (!meant.empty()) return usage_error(message, meant);
  std::vector<std::string> names;
  for (const Command* command : all_commands()) names.emplace_back(command->name);
  if (const auto near = nearest(word, names)) {
    return usage_error(message, fmt::format("did you mean 'kubelet-sysctl {}'?", *near));
  }
  const std::string entry = entry_meant(word);
  if (entry.empty()) return usage_error(message, list);
  return usage_error(message,
                     fmt::format("'{0}' is a sysctl: 'kubelet-sysctl check {0}' says whether this "
                                 "node would allow it, 'kubelet-sysctl add {0}' allows it",
                                 entry));
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::any_of(arguments.begin(), end, [](const std::string& word) {
    return word == "-h" || word == "--help" || word == "--help-all";
  });
}

}  // namespace

std::string_view tool_version() { return KUBELET_SYSCTL_VERSION; }

int run_cli(const std::vector<std::string>& words, CliEnvironment& host) {
  const std::vector<std::string> arguments = host_after_command(words);
  const std::string first = arguments.empty() ? std::string() : arguments.front();
  if (first == "--version") {
    host.out(fmt::format("kubelet-sysctl {}\n", tool_version()));
    return 0;
  }
  if (words.empty()) {
    host.out(overview());
    return 0;
  }
  if (first == kCompleteCommand) return complete({arguments.begin() + 1, arguments.end()}, host);
  const Command* command = find_command(first);
  const bool help = first == "help" || asks_for_help(arguments);
  if (help && first == "help" && arguments.size() > 1) command = find_command(arguments[1]);
  if (help && (command != nullptr || first == "help" || first.starts_with('-'))) {
    const bool all = std::find(arguments.begin(), arguments.end(), "--help-all") != arguments.end();
    host.out(command == nullptr ? program_help() : command_help(*command, all));
    return 0;
  }
  if (command == nullptr) return usage_failure(host, arguments, no_command(arguments));

  auto given = read_options(*command, {arguments.begin() + 1, arguments.end()});
  if (!given) return usage_failure(host, arguments, given.error());
  Options& options = given->options;
  Session session = session_of(host, options);
  if (auto status = check(*command, *given); !status) return fail(session, status.error());
  machine::set_verbose(options.verbose);
  if (auto status = go_to_host(options, host); !status) return fail(session, status.error());
  return command->run(session);
}

}  // namespace kubelet_sysctl::cli
