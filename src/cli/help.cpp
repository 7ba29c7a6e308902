// SPDX-License-Identifier: Apache-2.0
// The help texts, made from the tables of commands and options.
#include "help.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "commands.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/wrap.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"

namespace kubelet_sysctl::cli {
namespace {

constexpr std::size_t kColumns = 80;  ///< the width of a terminal that says none

struct HelpGroup {
  OptionGroup group;
  std::string_view title;
};
constexpr std::array<HelpGroup, 6> kHelpGroups = {{
    {OptionGroup::kCommon, "options"},
    {OptionGroup::kList, "rules for the list"},
    {OptionGroup::kPlace, "where"},
    {OptionGroup::kTiming, "restart, waiting and rollback"},
    {OptionGroup::kConfigz, "the live kubelet's own answer"},
    {OptionGroup::kOutput, "output"},
}};

/// "-o, --output text|json"
std::string option_head(const OptionRow& option) {
  std::string head = option.short_name.empty() ? "    " : fmt::format("{}, ", option.short_name);
  head += option.name;
  if (!option.value.empty()) head += fmt::format(" {}", option.value);
  return head;
}

/// `head` with `text` beside it from column `width` on, below it where the head is too long.
std::string beside(const std::string& head, std::string_view text, std::size_t width) {
  std::string out;
  bool first = head.size() + 2 < width;
  if (!first) out += fmt::format("  {}\n", head);
  for (const std::string& line : filled(text, kColumns - width)) {
    out += fmt::format("  {:<{}}{}\n", first ? head : "", width - 2, line);
    first = false;
  }
  return out;
}

bool is_often_used(OptionGroup group) {
  return group == OptionGroup::kCommon || group == OptionGroup::kOutput;
}

std::string options_help(const Command& command, bool all) {
  constexpr std::size_t kWidth = 28;
  std::string out;
  std::size_t hidden = 0;
  for (const HelpGroup& group : kHelpGroups) {
    std::string rows;
    for (const OptionRow& option : all_options()) {
      if (option.group != group.group || !takes(command, option)) continue;
      if (all || is_often_used(group.group)) {
        rows += beside(option_head(option), option.help, kWidth);
      } else {
        ++hidden;
      }
    }
    if (!rows.empty()) out += fmt::format("\n{}:\n{}", group.title, rows);
  }
  if (hidden > 0) {
    out += fmt::format("\n'kubelet-sysctl {} --help-all' has {} more.\n", command.name, hidden);
  }
  return out;
}

std::string commands_help() {
  constexpr std::size_t kWidth = 19;
  std::string out = "commands:\n";
  for (const Command* command : all_commands()) {
    out += beside(fmt::format("{} {}", command->name, command->arguments), command->title, kWidth);
  }
  return out;
}

constexpr std::string_view kUsage =
    "kubelet-sysctl - show and change which unsafe sysctls pods on this node may set\n"
    "\n"
    "usage: kubelet-sysctl COMMAND [OPTION...]\n"
    "\n"
    "  kubelet-sysctl show\n"
    "  kubelet-sysctl check -f pod.yaml\n"
    "  kubelet-sysctl add net.core.somaxconn 'kernel.msg*' --reason 'ticket 1412'\n"
    "  kubelet-sysctl undo\n"
    "\n";

}  // namespace

std::string overview() {
  return std::string(kUsage) + commands_help() +
         "\n'kubelet-sysctl --help' and 'kubelet-sysctl COMMAND --help' say more.\n";
}

std::string program_help() {
  constexpr std::size_t kWidth = 20;
  std::string out = std::string(kUsage) + commands_help();
  out +=
      "\n"
      "An ENTRY is the name of a sysctl, or a prefix that ends in '*' (quote it: a\nshell expands "
      "'*').\n"
      "\n"
      "exit codes:\n";
  for (const transaction::ExitCode& row : transaction::exit_codes()) {
    out += beside(fmt::format("{:>2}  {}", row.code, row.name), row.meaning, kWidth);
  }
  out +=
      "\n"
      "'kubelet-sysctl COMMAND --help' has the options of a command, '--version' the\n"
      "version.\n";
  return out;
}

std::string command_help(const Command& command, bool all) {
  std::string out;
  const std::string title = fmt::format("kubelet-sysctl {} - {}", command.name, command.title);
  for (const std::string& line : filled(title, kColumns)) out += line + '\n';
  out += fmt::format("\nusage: kubelet-sysctl {} [OPTION...]{}{}\n\n", command.name,
                     command.arguments.empty() ? "" : " ", command.arguments);
  out += indented(command.examples, "  ") + '\n';
  for (const std::string& line : filled(command.about, kColumns)) out += line + '\n';
  out += options_help(command, all);
  const auto& rows = all_options();
  if (std::any_of(rows.begin(), rows.end(), [&](const OptionRow& row) {
        return takes(command, row) && row.value == "DURATION" && (all || is_often_used(row.group));
      })) {
    out += "\nA DURATION is a number with its unit: 500ms, 10s, 2m, 1h30m.\n";
  }
  return out;
}

}  // namespace kubelet_sysctl::cli
