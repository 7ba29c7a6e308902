// SPDX-License-Identifier: Apache-2.0
// What the facts of a node mean: its command line, the layers that set the list, and who wins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/entry_list.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/procfs.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/desired/desired_list.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/pod_defaults.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_settings.hpp"

namespace kubelet_sysctl::model {

/// The file of our own in a drop-in directory, the unit's or the kubelet's.
inline constexpr const char* kOwnDropIn = "90-kubelet-sysctl.conf";

enum class LayerKind { kConfig, kConfigDir, kFlag };

/// The word JSON uses: "config", "config-dir", "flag".
const char* name_of(LayerKind kind);

/// One entry of a layer with the bytes that hold it. A list may have thousands, so what they have in
/// common is in the layer; origin_of() gives the whole.
struct Entry {
  std::string_view text;    ///< as long as the list lives
  Span span = {};           ///< bytes of the file that it occupies, quotes included
  std::uint32_t line = 0;   ///< from 1; 0 when no file holds it
  std::uint32_t place = 0;  ///< index of Layer::places
};

/// The entries of a layer. It keeps texts and places apart: plans and reports share the texts.
class Entries {
 public:
  using value_type = Entry;
  using const_iterator = ItemIterator<Entries, Entry>;
  using iterator = const_iterator;
  [[nodiscard]] std::size_t size() const { return places_.size(); }
  [[nodiscard]] bool empty() const { return places_.empty(); }
  [[nodiscard]] Entry operator[](std::size_t index) const;
  [[nodiscard]] const_iterator begin() const { return {*this, 0}; }
  [[nodiscard]] const_iterator end() const { return {*this, size()}; }
  [[nodiscard]] const EntryList& texts() const { return texts_; }
  /// Takes the texts of all entries that push_back() will give, which is what a file that was read has already.
  void share(const EntryList& texts) {
    texts_ = texts;
    places_.reserve(texts.size());
  }
  void push_back(const Entry& entry);

 private:
  struct Place {
    std::uint32_t begin;
    std::uint32_t end;
    std::uint32_t line;
    std::uint32_t place;
  };
  EntryList texts_;
  std::vector<Place> places_;
};

/// One place that may set the list, lowest first in NodeModel::layers: the config file always when one
/// is in force, drop-ins and the flag when they set it. A flag on several words is one layer, placed at
/// its last occurrence.
struct Layer {
  LayerKind kind = LayerKind::kConfig;
  Origin at;                        ///< the key, or the flag's word; the file alone when !sets
  std::vector<Origin> places = {};  ///< the files of the entries, without line and span
  Entries entries = {};
  bool sets = true;  ///< false for a config file without the key
  bool wins = false;
};

/// The answer of the live kubelet itself, /configz, against the other evidence.
enum class Configz : std::uint8_t {
  kNotAsked,
  kOk,       ///< they agree, or it is all there is
  kDiffers,  ///< it says another list
  kUnknown,  ///< it did not answer
};
/// The word of JSON: "ok", "differs", "unknown"; empty when it was not asked.
std::string_view name_of(Configz configz);

/// The list of the live process.
struct RunningList {
  enum class Evidence {
    kArgv,        ///< the arguments of the process
    kConfigFile,  ///< every file that decides is older than the process
    kLog,         ///< the arguments that its launcher logged when it started it
    kConfigz,     ///< its own answer, which the others did not give
    kNone,
  };
  Process process;
  Evidence evidence = Evidence::kNone;
  std::optional<std::vector<std::string>> entries;  ///< nothing when it is unknown
  Configz configz = Configz::kNotAsked;
};

const char* name_of(RunningList::Evidence evidence);

/// One file of the kubelet's configuration, parsed once. Its lists are in the layers: the settings here have no
/// entries.
struct ConfigFile {
  std::int32_t source = kNoSource;
  kubelet::ConfigRole role = kubelet::ConfigRole::kMain;
  kubelet::ConfigReading reading;
};

struct NodeModel {
  const nodes::NodeKind* kind = nullptr;
  systemd::ParsedUnit unit;            ///< the files of the unit and those that it reads
  systemd::CommandLine command;        ///< the kubelet's: kubelet_command()
  std::vector<std::string> unit_argv;  ///< what the unit itself runs
  std::vector<std::string> argv;       ///< texts of command.words
  kubelet::KubeletFlags flags;
  bool wrapped = false;     ///< a shell or unknown wrapper runs the kubelet
  std::string config_path;  ///< --config in force, absolute; empty when none
  std::string config_dir;   ///< --config-dir in force; empty when none
  std::vector<Layer> layers;
  std::vector<ConfigFile> config_files;  ///< in the order of reading; to the first that is broken
  PodDefaults pod_defaults;
  std::optional<Error> config_doubt;  ///< a file with which some release may not start
  std::optional<RunningList> running;
  bool drift = false;
  bool loaded_alike = false;   ///< systemd runs what the files give, whatever it says of a reload
  std::string health_address;  ///< empty when the endpoint is off
  int health_port = 0;
  std::vector<Finding> findings;
  std::optional<Error> stopped;  ///< what resolve_partly() could not get past; never of resolve()
  std::optional<desired::DesiredList>
      desired_list;  ///< what NodeSnapshot::desired_files hold; expired by read_at_ms
  std::optional<Error> desired_fault;  ///< why they could not be read as one; then no desired_list
};

/// The files of the kubelet's configuration, in the order of reading: those of the model, and of one that stopped
/// before it came to them, parsed now. Without those that do not parse.
std::vector<ConfigFile> config_files_of(const nodes::NodeSnapshot& snapshot,
                                        const NodeModel& model);

/// The layer that wins, or nullptr when nothing sets the list.
const Layer* winner_of(const NodeModel& model);

/// The winner's entries: what the next start of the kubelet uses. None when nothing sets the list.
const Entries& configured_entries(const NodeModel& model);

/// Appends an entry that is at `at`.
void add_entry(Layer& layer, std::string_view text, const Origin& at);

/// Where an entry of this layer is.
Origin origin_of(const Layer& layer, const Entry& entry);

/// The same for an entry of configured_entries().
Origin origin_of(const NodeModel& model, const Entry& entry);

/// Texts of configured_entries().
EntryList configured_texts(const NodeModel& model);

/// True when configured_texts() is this list.
bool is_configured(const NodeModel& model, const EntryList& list);

/// The command line alone: what `explain` shows. Errors as resolve(), without the kubelet's files.
Result<systemd::CommandLine> resolve_command(const nodes::NodeSnapshot& snapshot);
/// The same again, of a unit that was parsed; environment files that were not are added to it.
Result<systemd::CommandLine> resolve_command(const nodes::NodeSnapshot& snapshot,
                                             systemd::ParsedUnit& unit);

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

/// What is known of a node on which resolve() may fail: that error in `stopped`, and in the model what was
/// found before it. No layer then, since one that is missing would change the winner. Without findings.
NodeModel resolve_partly(const nodes::NodeSnapshot& snapshot);

/// The list a process with these words runs with, if the words alone tell: nothing without the flag.
std::optional<std::vector<std::string>> list_in_argv(const std::vector<std::string>& argv);

}  // namespace kubelet_sysctl::model
