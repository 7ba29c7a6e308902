// SPDX-License-Identifier: Apache-2.0
// The help texts, made from the tables of commands and options.
#include "help.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "commands.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// "-o, --output text|json"
std::string option_head(const OptionRow& option) {
  std::string head = option.short_name.empty() ? "    " : fmt::format("{}, ", option.short_name);
  head += option.name;
  if (!option.value.empty()) head += fmt::format(" {}", option.value);
  return head;
}

std::string options_help(std::uint64_t accepted) {
  constexpr std::size_t kWidth = 32;
  std::string out;
  for (const OptionRow& option : all_options()) {
    if ((accepted & option.bit) == 0) continue;
    std::string head = option_head(option);
    std::string_view help = option.help;
    bool first = true;
    if (head.size() >= kWidth) {
      out += fmt::format("  {}\n", head);
      first = false;
    }
    while (!help.empty()) {
      const std::size_t end = std::min(help.find('\n'), help.size());
      out += fmt::format("  {:<{}}{}\n", first ? head : "", kWidth, help.substr(0, end));
      help.remove_prefix(std::min(end + 1, help.size()));
      first = false;
    }
  }
  return out;
}

}  // namespace

std::string program_help() {
  std::string out =
      "kubelet-sysctl - which unsafe sysctls may pods on this node set, and who says so\n"
      "\n"
      "usage: kubelet-sysctl COMMAND [OPTION...]\n"
      "\n"
      "commands:\n";
  for (const Command* command : all_commands()) {
    const std::string head = fmt::format("{} {}", command->name, command->arguments);
    out += fmt::format("  {:<18}{}\n", head, command->title);
  }
  out +=
      "\n"
      "An ENTRY is the name of a sysctl, or a prefix that ends in '*' (in quotes: a shell has\n"
      "its own idea of '*').\n"
      "\n"
      "examples:\n"
      "  kubelet-sysctl show\n"
      "  kubelet-sysctl add net.core.somaxconn 'kernel.msg*' --diff --dry-run\n"
      "  kubelet-sysctl add net.core.somaxconn 'kernel.msg*' --reason 'ticket 1412'\n"
      "  kubelet-sysctl undo\n"
      "\n"
      "exit codes:\n";
  for (const transaction::ExitCode& row : transaction::exit_codes()) {
    out += fmt::format("  {:>2}  {:<13}{}\n", row.code, row.name, row.meaning);
  }
  out +=
      "\n"
      "'kubelet-sysctl COMMAND --help' tells the options of a command; '--version' the version.\n";
  return out;
}

std::string command_help(const Command& command) {
  std::string out = fmt::format(
      "kubelet-sysctl {} - {}\n\nusage: kubelet-sysctl {} [OPTION...]{}{}\n\n", command.name,
      command.title, command.name, command.arguments.empty() ? "" : " ", command.arguments);
  out += indented(command.about, "");
  out += "\nexamples:\n" + indented(command.examples, "  ");
  out += "\noptions:\n" + options_help(command.options);
  if ((command.options & (kTakesTimeout | kTakesLockTimeout | kTakesTrial)) != 0) {
    out += "\nA DURATION is a number with its unit: 500ms, 10s, 2m, 1h30m.\n";
  }
  return out;
}

}  // namespace kubelet_sysctl::cli
