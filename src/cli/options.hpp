// SPDX-License-Identifier: Apache-2.0
// What a command line asks for, after it was read and checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
  int verbosity = 0;
  bool unchanged_is_77 = false;
  bool exact = false;
  bool empty = false;  ///< --empty: `set` may empty the list
  bool force = false;
  bool evict_pods = false;
  bool allow_wide = false;
  bool fix = false;
  bool drop_expired = false;
  bool before_start = false;  ///< the kubelet's start waits for this run
  bool lasting = false;
  bool exit_code = false;
  std::optional<int> systemd_version;
  std::optional<sysctl::KubeletVersion>
      kubelet_version;  ///< instead of the answer of the unit's program

  /// False for a tree of files: then no manager and no process is asked.
  [[nodiscard]] bool is_live() const { return root == "/"; }
  /// True where a program reads standard output: then a warning has its place there, or none.
  [[nodiscard]] bool is_for_programs() const { return json || metrics; }
};

/// What makes a trial impossible: it needs a kubelet that was seen, the way back, and a timer. Errors: kUsage.
Status check_trial(const Options& options);

/// Credentials without the question, half of them, two kinds of them; or nobody to ask. Errors: kUsage.
Status check_configz(const Options& options);

}  // namespace kubelet_sysctl::cli
