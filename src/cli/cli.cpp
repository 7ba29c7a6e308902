// SPDX-License-Identifier: Apache-2.0
// From words to a command with its options: the one file that knows CLI11.
#include "cli.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
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
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/log.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "options.hpp"
#include "session.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// What CLI11 made of the words after the command: texts of options, counts of switches, and the rest.
struct Words {
  std::map<std::uint64_t, std::string> values;
  std::map<std::uint64_t, std::int64_t> counts;
  std::vector<std::string> rest;

  [[nodiscard]] bool has(std::uint64_t bit) const {
    return values.contains(bit) || (counts.contains(bit) && counts.at(bit) > 0);
  }
};

const OptionRow* find_option(std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  for (const OptionRow& row : all_options()) {
    const bool is_short =
        !row.short_name.empty() && !word.starts_with("--") && word.starts_with(row.short_name);
    if (row.name == name || is_short) return &row;
  }
  return nullptr;
}

std::string help_of(const Command& command) {
  return fmt::format("'kubelet-sysctl {} --help' lists its options", command.name);
}

Error unknown_option(const Command& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  const OptionRow* other = find_option(word);
  if (other != nullptr) {
    return usage_error(fmt::format("'{}' has no meaning for '{}'", other->name, command.name),
                       help_of(command));
  }
  std::vector<std::string> names;
  for (const OptionRow& row : all_options()) {
    if ((command.options & row.bit) != 0) names.emplace_back(row.name);
  }
  const auto meant = nearest(name, names);
  return usage_error(fmt::format("there is no option '{}'", name),
                     meant ? fmt::format("did you mean '{}'?", *meant) : help_of(command));
}

/// The words of `arguments` as options of `command`. Errors: kUsage.
Result<Words> split(const Command& command, const std::vector<std::string>& arguments) {
  Words words;
  std::map<std::uint64_t, std::string> values;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<std::pair<std::uint64_t, CLI::Option*>> with_value;
  for (const OptionRow& row : all_options()) {
    if ((command.options & row.bit) == 0) continue;
    const std::string names =
        fmt::format("{}{}{}", row.short_name, row.short_name.empty() ? "" : ",", row.name);
    if (row.value.empty()) {
      app.add_flag(names, words.counts[row.bit]);
    } else {
      auto* option = app.add_option(names, values[row.bit]);
      // The last one wins, so that a wrapper's own options can be followed by a person's.
      option->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
      with_value.emplace_back(row.bit, option);
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
  for (const auto& [bit, option] : with_value) {
    if (option->count() > 0) words.values[bit] = values[bit];
  }
  bool only_arguments = false;
  for (std::string& word : app.remaining()) {
    if (word == "--" && !only_arguments) {
      only_arguments = true;
    } else if (!only_arguments && word.size() > 1 && word.front() == '-') {
      return unknown_option(command, word);
    } else {
      words.rest.push_back(std::move(word));
    }
  }
  return words;
}

/// The index of the text among the choices "a|b|c" of its option. Errors: kUsage.
Result<std::size_t> choice(const OptionRow& row, const std::string& text) {
  std::vector<std::string> choices;
  for (std::string_view rest = row.value; !rest.empty();) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    choices.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  const auto found = std::find(choices.begin(), choices.end(), text);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  const auto meant = nearest(text, choices);
  return usage_error(fmt::format("'{}' takes {}, not '{}'", row.name, row.value, text),
                     meant ? fmt::format("did you mean '{}'?", *meant) : std::string());
}

/// Takes the values of options into Options, each checked; the first fault ends it.
class Reader {
 public:
  Reader(const Words& words, Options& options) : words_(words), options_(options) {}

  Status run() {
    for (const OptionRow& row : all_options()) {
      const auto value = words_.values.find(row.bit);
      if (value == words_.values.end()) continue;
      if (auto status = take(row, value->second); !status) return status;
    }
    options_.host = words_.has(kTakesHost);
    options_.exact = words_.has(kTakesExact);
    options_.empty = words_.has(kTakesEmpty);
    options_.force = words_.has(kTakesForce);
    options_.evict_pods = words_.has(kTakesEvictPods);
    options_.allow_wide = words_.has(kTakesAllowWide);
    options_.fix = words_.has(kTakesFix);
    options_.lasting = words_.has(kTakesLasting);
    options_.exit_code = words_.has(kTakesExitCode);
    options_.dry_run = words_.has(kTakesDryRun);
    options_.configz.wanted = words_.has(kTakesConfigz);
    options_.diff = words_.has(kTakesDiff);
    options_.drop_expired = words_.has(kTakesDropExpired);
    options_.before_start = words_.has(kTakesBeforeStart);
    options_.restart = !words_.has(kTakesNoRestart) && !options_.before_start;
    options_.rollback = !words_.has(kTakesNoRollback);
    options_.unchanged_is_77 = words_.has(kTakesUnchangedExit77);
    options_.quiet = words_.has(kTakesQuiet);
    const auto verbose = words_.counts.find(kTakesVerbose);
    options_.verbosity = verbose == words_.counts.end()
                             ? 0
                             : static_cast<int>(std::min<std::int64_t>(verbose->second, 2));
    options_.arguments = words_.rest;
    return {};
  }

 private:
  template <typename T, typename From>
  Status put(T& into, Result<From> value) {
    if (!value) return std::move(value).error();
    into = static_cast<T>(std::move(*value));
    return {};
  }

  Status duration(const OptionRow& row, const std::string& text, Milliseconds& into) {
    return put(into, parse_duration(row.name, text));
  }

  Status take(const OptionRow& row, const std::string& text) {
    constexpr int kMostVersion = 9999;
    switch (row.bit) {
      case kTakesVia:
        return put(options_.via, choice(row, text));
      case kTakesFile:
        return take_file(text);
      case kTakesFromFile:
        options_.from_file = text;
        break;
      case kTakesTimeout:
        return take_timeout(row, text);
      case kTakesWindow:
        return duration(row, text, options_.window);
      case kTakesLockTimeout:
        return duration(row, text, options_.lock_timeout);
      case kTakesTrial:
        return take_trial(row, text);
      case kTakesEndTrial:
        options_.end_trial = text;
        break;
      case kTakesReason:
        options_.reason = text;
        break;
      case kTakesKubeconfig:
        return put(options_.configz.kubeconfig, parse_path(row.name, text));
      case kTakesClientCertificate:
        return put(options_.configz.certificate, parse_path(row.name, text));
      case kTakesClientKey:
        return put(options_.configz.key, parse_path(row.name, text));
      case kTakesUnit:
        return put(options_.unit, unit_name_given(text));
      case kTakesRoot:
        return put(options_.root, parse_root(text));
      case kTakesSystemdVersion:
        return put(options_.systemd_version, parse_number(row.name, text, kMostVersion));
      case kTakesKubeletVersion:
        return take_kubelet_version(text);
      case kTakesOutput:
        return put(options_.json, choice(row, text));
      case kTakesMetrics:
        return take_output(row, text);
      case kTakesColor:
        return put(options_.colour, choice(row, text));
      default:
        bug("an option with a value that nothing takes");
    }
    if (!text.empty()) return {};
    return usage_error(fmt::format("'{}' takes {}, not ''", row.name, row.value), {});
  }

  Status take_output(const OptionRow& row, const std::string& text) {
    std::size_t format = 0;
    if (auto status = put(format, choice(row, text)); !status) return status;
    options_.json = format == 1;
    options_.metrics = format == 2;
    return {};
  }

  Status take_kubelet_version(const std::string& text) {
    options_.kubelet_version = sysctl::parse_kubelet_version(text);
    if (options_.kubelet_version && options_.kubelet_version->major == 1) return {};
    return usage_error(fmt::format("'--kubelet-version' takes a release, not '{}'", text),
                       "a release is written '1.29' or '1.29.6'");
  }

  Status take_timeout(const OptionRow& row, const std::string& text) {
    if (auto status = duration(row, text, options_.timeout); !status) return status;
    if (options_.timeout > Milliseconds{0}) return {};
    return usage_error("'--timeout' takes a duration above zero",
                       "to leave the restart to somebody else use '--no-restart'");
  }

  Status take_trial(const OptionRow& row, const std::string& text) {
    Milliseconds length{0};
    if (auto status = duration(row, text, length); !status) return status;
    if (length < std::chrono::seconds{1}) {
      return usage_error(fmt::format("'--trial' takes a duration of at least 1s, not '{}'", text),
                         "it counts from before the first write: '10m' leaves time to look");
    }
    options_.trial = length;
    return {};
  }

  Status take_file(const std::string& text) {
    if (!text.starts_with('/')) {
      return usage_error(fmt::format("'--file' takes an absolute path, not '{}'", text),
                         "the path as the node names it, without the directory of '--root'");
    }
    options_.file = text;
    return {};
  }

  const Words& words_;
  Options& options_;
};

/// What does not go together. Errors: kUsage, kNotFound for the directory of --root.
Status check(const Command& command, const Options& options) {
  if (command.arguments.empty() && !options.arguments.empty()) {
    return usage_error(fmt::format("'{}' takes no arguments, and got '{}'", command.name,
                                   options.arguments.front()),
                       help_of(command));
  }
  if (options.quiet && options.verbosity > 0) {
    return usage_error("'--quiet' and '--verbose' do not go together", {});
  }
  if (auto status = check_trial(options); !status) return status;
  if (auto status = check_configz(options); !status) return status;
  if (auto status = check_host(options); !status) return status;
  const bool tree_only = options.systemd_version && options.is_live() && command.name != "explain";
  if (tree_only) {
    return usage_error("'--systemd-version' has no meaning for the running node",
                       "the manager that runs tells its own release; with '--root' none does");
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

int usage_failure(CliHost& host, const std::vector<std::string>& arguments, const Error& error) {
  Options options;
  options.json = asks_for_json(arguments);
  Session session = session_of(host, options);
  return fail(session, error);
}

Error no_command(const std::vector<std::string>& arguments) {
  const std::string list = "'kubelet-sysctl --help' lists the commands";
  if (arguments.empty()) return usage_error("a command is missing", list);
  const std::string& word = arguments.front();
  if (word.starts_with('-')) {
    const auto command = std::find_if(arguments.begin(), arguments.end(),
                                      [](const auto& one) { return find_command(one) != nullptr; });
    if (find_option(word) != nullptr && command != arguments.end()) {
      return usage_error(fmt::format("'{}' stands before the command", word),
                         fmt::format("write 'kubelet-sysctl {} {} …'", *command, word));
    }
    return usage_error(fmt::format("there is no command before '{}'", word), list);
  }
  std::vector<std::string> names;
  for (const Command* command : all_commands()) names.emplace_back(command->name);
  // Who wants to read is not sent to a command that writes.
  constexpr std::string_view kReading[] = {"get", "list", "ls", "status", "print", "view"};
  const bool reads =
      std::find(std::begin(kReading), std::end(kReading), word) != std::end(kReading);
  const auto meant = reads ? std::optional<std::string>("show") : nearest(word, names);
  return usage_error(fmt::format("there is no command '{}'", word),
                     meant ? fmt::format("did you mean '{}'?", *meant) : list);
}

bool asks_for_help(const std::vector<std::string>& arguments) {
  const auto end = std::find(arguments.begin(), arguments.end(), "--");
  return std::any_of(arguments.begin(), end,
                     [](const std::string& word) { return word == "-h" || word == "--help"; });
}

}  // namespace

std::string_view tool_version() { return KUBELET_SYSCTL_VERSION; }

int run_cli(const std::vector<std::string>& given, CliHost& host) {
  const std::vector<std::string> arguments = host_after_command(given);
  const std::string first = arguments.empty() ? std::string() : arguments.front();
  if (first == "--version") {
    host.out(fmt::format("kubelet-sysctl {}\n", tool_version()));
    return 0;
  }
  if (first == kCompleteCommand) return complete({arguments.begin() + 1, arguments.end()}, host);
  const Command* command = find_command(first);
  const bool help = first == "help" || asks_for_help(arguments);
  if (help && first == "help" && arguments.size() > 1) command = find_command(arguments[1]);
  if (help && (command != nullptr || first == "help" || first.starts_with('-'))) {
    host.out(command == nullptr ? program_help() : command_help(*command));
    return 0;
  }
  if (command == nullptr) return usage_failure(host, arguments, no_command(arguments));

  auto words = split(*command, {arguments.begin() + 1, arguments.end()});
  if (!words) return usage_failure(host, arguments, words.error());
  Options options;
  if (auto status = Reader(*words, options).run(); !status) {
    return usage_failure(host, arguments, status.error());
  }
  Session session = session_of(host, options);
  if (auto status = check(*command, options); !status) return fail(session, status.error());
  machine::set_log_level(options.verbosity);
  if (auto status = go_to_host(options, host); !status) return fail(session, status.error());
  return command->run(session);
}

}  // namespace kubelet_sysctl::cli
