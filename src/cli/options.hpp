// SPDX-License-Identifier: Apache-2.0
// What a command line asks for, and the table of options that it is read by.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/kubelet/configz.hpp"
#include "kubelet_sysctl/planning/plan.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::cli {

enum class Colour { kAuto, kAlways, kNever };

/// Values of all options; a command accepts some of them and the others keep their default.
struct Options {
  std::vector<std::string> arguments;  ///< entries, or the id for `undo`, `keep` and `history`
  planning::Via via = planning::Via::kAuto;
  std::string file;
  std::string unit = {};   ///< --unit; empty: the program finds it
  std::string root = "/";  ///< absolute, without a slash at the end
  bool dry_run = false;
  bool diff = false;
  bool restart = true;
  bool rollback = true;
  std::optional<Milliseconds> trial;
  std::string end_trial;  ///< id of the trial that the timer ends
  Milliseconds timeout{120'000};
  Milliseconds window{10'000};
  Milliseconds lock_timeout{30'000};
  std::string reason;
  std::string from_file;  ///< "-" is standard input; empty when not given
  bool host = false;
  std::optional<SourceFile> file_of_container;  ///< that of from_file, read before --host left it
  bool json = false;
  bool metrics = false;  ///< -o prometheus
  kubelet::ConfigzQuestion configz;
  Colour colour = Colour::kAuto;
  bool quiet = false;
  bool verbose = false;
  bool unchanged_is_77 = false;
  bool exact = false;
  bool empty = false;  ///< --empty: `set` may empty the list
  bool force = false;
  bool evict_pods = false;
  bool allow_wide = false;
  bool fix = false;
  bool drop_expired = false;
  bool before_start = false;  ///< the kubelet's start waits for this run
  bool persist = false;
  bool exit_code = false;
  std::optional<int> purge;  ///< records that are older than so many days
  std::optional<int> systemd_version;
  std::optional<sysctl::KubeletVersion>
      kubelet_version;  ///< instead of the answer of the unit's program

  /// False for a tree of files: then no manager and no process is asked.
  [[nodiscard]] bool is_live() const { return root == "/"; }
  /// True where a program reads standard output: then a warning has its place there, or none.
  [[nodiscard]] bool is_for_programs() const { return json || metrics; }
};

/// The commands, as bits: an option says which take it.
enum CommandBit : std::uint32_t {
  kShow = 1U << 0U,
  kExplain = 1U << 1U,
  kCheck = 1U << 2U,
  kDoctor = 1U << 3U,
  kAdd = 1U << 4U,
  kRemove = 1U << 5U,
  kSet = 1U << 6U,
  kSync = 1U << 7U,
  kHistory = 1U << 8U,
  kUndo = 1U << 9U,
  kRecover = 1U << 10U,
  kKeep = 1U << 11U,
};
inline constexpr std::uint32_t kReaders = kShow | kExplain | kCheck | kDoctor;
inline constexpr std::uint32_t kEdits = kAdd | kRemove | kSet | kSync;
inline constexpr std::uint32_t kWriters = kEdits | kUndo | kDoctor;  ///< doctor with --fix
/// Those that inspect the running kubelet or wait for it.
inline constexpr std::uint32_t kWatchers = kWriters | kRecover | kShow;
inline constexpr std::uint32_t kEvery = ~0U;

/// Where an option is in the help: `--help` has the first group and the last, `--help-all` every one.
enum class OptionGroup { kCommon, kList, kPlace, kTiming, kConfigz, kOutput };

/// One option: all that the program knows of it.
struct OptionRow {
  std::string_view short_name = {};  ///< "-o"; may be empty
  std::string_view name;             ///< "--output"; two rows may share it, for different commands
  std::string_view value = {};       ///< "FILE", "text|json"; empty for a switch
  std::string_view help;             ///< one text; the help breaks it into lines
  OptionGroup group = OptionGroup::kCommon;
  std::uint32_t commands;       ///< CommandBit of each that takes it
  std::string_view needs = {};  ///< the option without which this one means nothing
  /// Puts the value into its field. Errors: kUsage.
  Status (*take)(Options& options, const OptionRow& row, const std::string& value) = nullptr;
};

/// All options, in help order.
const std::vector<OptionRow>& all_options();
/// The option of one of these commands with that name, long or short; else nullptr.
const OptionRow* find_option(std::uint32_t commands, std::string_view name);
/// "text|json" as its words; none for another kind of value.
std::vector<std::string> choices_of(const OptionRow& row);
/// That the options `given` to a command exclude none and need none of the others. Errors: kUsage.
Status check_together(std::uint32_t command, const Options& options,
                      const std::set<std::string_view>& given);

}  // namespace kubelet_sysctl::cli
