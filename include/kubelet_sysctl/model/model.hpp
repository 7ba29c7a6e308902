// SPDX-License-Identifier: Apache-2.0
// What the facts of a node mean: its command line, the layers that set the list, and who wins.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::model {

/// The file of our own in a drop-in directory, the unit's or the kubelet's.
inline constexpr const char* kOwnDropIn = "90-kubelet-sysctl.conf";

enum class LayerKind { kConfig, kConfigDir, kFlag };

/// The word JSON uses: "config", "config-dir", "flag".
const char* name_of(LayerKind kind);

/// One entry of a layer with the bytes that hold it.
struct Entry {
  std::string text;
  Origin origin;
};

/// One place that may set the list, lowest first in NodeModel::layers: the config file always when one
/// is in force, drop-ins and the flag when they set it. A flag on several words is one layer, placed at
/// its last occurrence.
struct Layer {
  LayerKind kind = LayerKind::kConfig;
  Origin at;  ///< the key, or the flag's word; the file alone when !sets
  std::vector<Entry> entries;
  bool sets = true;  ///< false for a config file without the key
  bool wins = false;
};

/// The list of the live process.
struct RunningList {
  enum class Evidence {
    kArgv,        ///< the arguments of the process
    kConfigFile,  ///< every file that decides is older than the process
    kLog,         ///< the arguments that its host logged when it started it
    kConfigz,     ///< its own answer, which the others did not give
    kNone,
  };
  Process process;
  Evidence evidence = Evidence::kNone;
  std::optional<std::vector<std::string>> entries;  ///< nothing when it cannot be told
  /// The process's own answer against the other evidence: "ok" where they agree or it is all there is,
  /// "differs", "unknown" where it did not answer; empty when it was not asked.
  std::string configz;
};

const char* name_of(RunningList::Evidence evidence);

struct NodeModel {
  const nodes::NodeKind* kind = nullptr;
  systemd::CommandLine command;        ///< the kubelet's: kubelet_command()
  std::vector<std::string> unit_argv;  ///< what the unit itself runs
  std::vector<std::string> argv;       ///< texts of command.words
  kubelet::KubeletFlags flags;
  bool wrapped = false;     ///< a shell or unknown wrapper runs the kubelet
  std::string config_path;  ///< --config in force, absolute; empty when none
  std::string config_dir;   ///< --config-dir in force; empty when none
  std::vector<Layer> layers;
  std::optional<Error> config_doubt;  ///< a file with which some release may not start
  std::vector<Entry> configured;      ///< the winner's entries
  std::optional<RunningList> running;
  bool drift = false;
  bool loaded_alike = false;   ///< systemd runs what the files give, whatever it says of a reload
  std::string health_address;  ///< empty when the endpoint is off
  int health_port = 0;
  std::vector<Finding> findings;
  std::optional<Error> stopped;  ///< what resolve_partly() could not get past; never of resolve()
  std::optional<desired::WishList>
      wish_list;                    ///< what NodeSnapshot::wish_files hold; expired by read_at_ms
  std::optional<Error> wish_fault;  ///< why they could not be read as one; then no wish_list
};

/// The layer that wins, or nullptr when nothing sets the list.
const Layer* winner_of(const NodeModel& model);

/// Texts of the entries.
std::vector<std::string> texts_of(const std::vector<Entry>& entries);

/// The command line alone: what `explain` shows. Errors as resolve(), without the kubelet's files.
Result<systemd::CommandLine> resolve_command(const nodes::NodeSnapshot& snapshot);

/// True where nothing here runs a kubelet: neither the unit, nor another, nor a process outside of units.
bool is_not_installed(const nodes::NodeSnapshot& snapshot);

/// Whether systemd could start `command`: the program exists, nothing is too long to be passed.
/// Errors: kMalformed with what systemd would end with.
Status check_startable(const nodes::NodeSnapshot& snapshot, const systemd::CommandLine& command);

/// What the snapshot means. Errors: kNotFound (no unit, or a masked one), kMalformed (systemd would
/// not load or start it, or the kubelet would not read its file), kUnsupported (a form that this
/// release of systemd reads differently, a specifier unknown here).
/// `findings` stays empty: checks.hpp fills them.
Result<NodeModel> resolve(const nodes::NodeSnapshot& snapshot);

/// What can be told of a node on which resolve() may fail: that error in `stopped`, and in the model what was
/// found before it. No layer then, since one that is missing would change the winner. Without findings.
NodeModel resolve_partly(const nodes::NodeSnapshot& snapshot);

/// The list a process with these words runs with, if the words alone tell: nothing without the flag.
std::optional<std::vector<std::string>> list_in_argv(const std::vector<std::string>& argv);

}  // namespace kubelet_sysctl::model
