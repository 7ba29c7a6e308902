// SPDX-License-Identifier: Apache-2.0
// Programs that a unit runs and that make the kubelet's command line themselves: k3s and its like.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {

struct NodeSnapshot;

/// Where the kubelet's process is, seen from the unit.
enum class KubeletPlace {
  kMain,       ///< the unit's main process
  kChild,      ///< another process of the unit's control group, with arguments of its own
  kInside,     ///< a part of the main process: no arguments of a kubelet can be seen
  kContainer,  ///< in a container that the unit starts, in a control group of its own
};

/// A path that decides what the launcher gives its kubelet.
struct HostPath {
  std::string path;
  bool is_directory = false;  ///< the names in it are wanted: NodeSnapshot::listings
};

/// One way to write a flag that is not there yet. A file that does not exist is made with the text.
struct LauncherEdit {
  std::string path;
  Splice splice;
};

/// One such program. The kubelet's words that it makes are read like those of a unit: "kubelet" first,
/// flags with their dashes, every byte with the file it came from, or from no file where the program itself
/// adds it.
struct KubeletLauncher {
  KubeletPlace place = KubeletPlace::kMain;
  /// What else must be read; asked again after each reading, until it names nothing new.
  /// `unit` is the command that the unit runs.
  std::vector<HostPath> (*paths)(const NodeSnapshot& snapshot,
                                 const systemd::CommandLine& unit) = nullptr;
  /// The kubelet's words. Errors: kMalformed with the place where the program would not start; kUnsupported
  /// where what it would do is not known.
  Result<std::vector<systemd::Word>> (*words)(const NodeSnapshot& snapshot,
                                              const systemd::CommandLine& unit) = nullptr;
  /// Places for `--allowed-unsafe-sysctls=LIST` where there is no such flag, best first; `list` is "a,b".
  std::vector<LauncherEdit> (*insertions)(const NodeSnapshot& snapshot,
                                          const systemd::CommandLine& unit,
                                          const std::string& list) = nullptr;
  /// Takes the word at `word` out of `file`, one of the launcher's own, with what sets it apart. nullptr: blanks, as
  /// in a command. What is in the unit's files goes as in a command always.
  Splice (*removal)(const SourceFile& file, Span word) = nullptr;
  /// The word at `word` of `file`, one of the launcher's own, written again with `list` as its value, for where the
  /// smallest change would not be read as meant. nullptr: there is no other way to write it.
  Splice (*rewrite)(const SourceFile& file, Span word, const std::string& list) = nullptr;
  /// Why the list is not changed here although it can be shown; nothing where it can be changed.
  std::optional<Error> (*refusal)(const NodeSnapshot& snapshot,
                                  const systemd::CommandLine& unit) = nullptr;
  /// Entries that a part of the launcher itself needs: pods of its own are refused without them.
  std::vector<std::string> (*needs)(const NodeSnapshot& snapshot,
                                    const systemd::CommandLine& unit) = nullptr;
  /// An option of the unit's program that gives the kubelet one more flag: "--kubelet-arg=". Empty: none.
  std::string_view unit_option = {};
  /// What makes the unit's program print its release, which holds the kubelet's: "--version". Empty: it
  /// cannot be asked.
  std::string_view version_argument = {};
  /// What is before the kubelet's flags in the line of the unit's journal that says them, once for each
  /// start: "Running kubelet ". Empty: there is no such line.
  std::string_view log_mark = {};
  /// The file the kubelet logs to. nullptr: the unit's journal.
  std::string (*log_file)(const NodeSnapshot& snapshot, const systemd::CommandLine& unit) = nullptr;
  /// Takes the word at `word` out of one of the unit's files, where it is inside an argument of the unit's
  /// program. nullptr: it is a word of the command, set apart by blanks.
  Splice (*unit_removal)(const SourceFile& file, Span word) = nullptr;
  /// What a restart of the unit restarts along with the kubelet; empty for nothing of weight.
  std::string (*restarts_too)(const NodeSnapshot& snapshot,
                              const systemd::CommandLine& unit) = nullptr;
  /// The program, of several threads, that a script of the unit becomes once it has written and read its files:
  /// "kubelite". Empty: the unit starts the program itself.
  std::string_view becomes = {};
  /// The file of --config is written again at every start: no edit of it is ever read.
  bool writes_config = false;
  /// Where the launcher writes the kubelet's number right after it started it, and before the kubelet has read anything.
  /// Empty: nowhere.
  std::string_view pid_file = {};
};

}  // namespace kubelet_sysctl::nodes
