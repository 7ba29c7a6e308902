// SPDX-License-Identifier: Apache-2.0
// The configuration file and its drop-ins, each read once, and which of their lists a kubelet takes.
#include "kubelet_sysctl/model/config.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/lines.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/kubelet/config_merge.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"

namespace kubelet_sysctl::model {
namespace {

/// Set for the process of a kubelet of 1.28 and 1.29, or it does not start with --config-dir.
/// Source: kubernetes PR 119390; cmd/kubelet/app/server.go of 1.29.
constexpr const char* kAlphaVariable = "KUBELET_CONFIG_DROPIN_DIR_ALPHA";

/// An error that the kubelet would end with, put at its place in the file.
Error in_file(Error error, const SourceFile& file) {
  error.path = file.path;
  return error;
}

/// One setting with the file that has it.
struct Placed {
  const SourceFile* file = nullptr;
  kubelet::ConfigRole role = kubelet::ConfigRole::kMain;
  kubelet::ListSetting setting;
};

class Merger {
 public:
  Merger(const nodes::NodeSnapshot& snapshot, const NodeModel& model)
      : snapshot_(snapshot), model_(model), rule_(merge_rule_of(snapshot)) {}

  Result<ConfigLayers> run() {
    if (auto status = read_files(); !status) return std::move(status).error();
    choose();
    return std::move(made_);
  }

 private:
  Status read_files() {
    if (!model_.config_path.empty()) {
      const SourceFile* file = nodes::find_file(snapshot_, model_.config_path);
      if (file != nullptr && file->kind == FileKind::kDirectory) {
        return Error{.kind = ErrorKind::kMalformed,
                     .message = "the kubelet cannot read its configuration: this is a directory",
                     .path = model_.config_path};
      }
      if (file != nullptr && file->exists()) {
        if (auto status = read(*file, kubelet::ConfigRole::kMain); !status) return status;
      }
    }
    const auto walk = snapshot_.config_dirs.find(model_.config_dir);
    if (model_.config_dir.empty() || walk == snapshot_.config_dirs.end()) return {};
    for (const nodes::WalkEntry& entry : walk->second) {
      if (entry.source == kNoSource) continue;
      const SourceFile& file = snapshot_.files[static_cast<std::size_t>(entry.source)];
      // Source: server.go mergeKubeletConfigurations(): a name is read as a file, and its error is fatal.
      if (!file.exists() || file.kind == FileKind::kDirectory) {
        return Error{.kind = ErrorKind::kMalformed,
                     .message = fmt::format(
                         "a kubelet does not start with this link: failed to read drop-in kubelet "
                         "config file: {}",
                         file.exists() ? "is a directory" : "no such file or directory"),
                     .path = file.path,
                     .hint = "remove the link, or give it another name than '*.conf'"};
      }
      auto status = read(file, kubelet::ConfigRole::kDropIn);
      if (!status && !is_regenerated(file)) return status;
    }
    return {};
  }

  /// True for the defaults that a launcher writes at every start, before its kubelet reads them: what is there
  /// now is not what the next start reads, and no list.
  [[nodiscard]] bool is_regenerated(const SourceFile& file) const {
    return launcher_of(snapshot_) != nullptr && file.path.ends_with("-defaults.conf") &&
           model_.kind->rewritten.find(file.path) != std::string_view::npos;
  }

  Status read(const SourceFile& file, kubelet::ConfigRole role) {
    auto reading = kubelet::read_kubelet_config(file.bytes, role, snapshot_.kubelet_version);
    if (!reading) return in_file(std::move(reading).error(), file);
    if (reading->doubt && !made_.doubt && !is_regenerated(file)) {
      made_.doubt = in_file(std::move(*reading->doubt), file);
    }
    for (const kubelet::ListSetting& setting : reading->settings) {
      if (setting.form == kubelet::ListForm::kWrong) {
        return error_at(ErrorKind::kMalformed, file, setting.key_at,
                        "the kubelet does not start with this list: it is not a list of names");
      }
      for (const kubelet::ConfigEntry& entry : setting.entries) {
        if (entry.is_string) continue;
        return error_at(ErrorKind::kMalformed, file, entry.at,
                        "the kubelet does not start with this list: an item is not a string");
      }
    }
    if (role == kubelet::ConfigRole::kMain) {
      made_.healthz_port = reading->file.healthz_port;
      made_.healthz_address = reading->file.healthz_bind_address;
      if (reading->settings.empty()) reading->settings.emplace_back();
    } else {
      merge(reading->healthz_ports, ports_);
      merge(reading->healthz_addresses, addresses_);
    }
    for (kubelet::ListSetting& setting : reading->settings) {
      const bool ignored = role == kubelet::ConfigRole::kDropIn &&
                           rule_ == kubelet::MergeRule::kNonEmpty &&
                           setting.key != "allowedUnsafeSysctls";
      kubelet::ConfigEntries entries = std::exchange(setting.entries, {});
      if (ignored) continue;
      placed_.push_back({&file, role, setting});
      placed_.back().setting.entries = std::move(entries);
    }
    made_.files.push_back({.source = nodes::find_source(snapshot_, file.path),
                           .role = role,
                           .reading = std::move(*reading)});
    return {};
  }

  template <typename Value>
  static void merge(const std::map<std::string, Value>& from, std::map<std::string, Value>& to) {
    for (const auto& [key, value] : from) to[key] = value;
  }

  [[nodiscard]] std::optional<std::size_t> deciding(kubelet::MergeRule rule) const {
    std::vector<const kubelet::ListSetting*> settings;
    settings.reserve(placed_.size());
    for (const Placed& one : placed_) settings.push_back(&one.setting);
    const bool has_main = !placed_.empty() && placed_.front().role == kubelet::ConfigRole::kMain;
    return kubelet::deciding_setting(settings, has_main, rule);
  }

  void choose() {
    if (!ports_.empty()) {
      constexpr int kUsual = 10248;  // Source: pkg/kubelet/apis/config/v1beta1/defaults.go
      made_.healthz_port = kubelet::deciding_value(ports_, "healthzPort", rule_,
                                                   made_.healthz_port.value_or(kUsual));
    }
    if (!addresses_.empty()) {
      const std::string usual = made_.healthz_address.value_or("127.0.0.1");
      made_.healthz_address =
          kubelet::deciding_value(addresses_, "healthzBindAddress", rule_, usual);
    }
    const auto winner = deciding(rule_);
    doubt(winner);
    for (std::size_t i = 0; i < placed_.size(); ++i) {
      // A long list is there once: what was read of a file becomes its layer.
      made_.layers.push_back(layer_of(std::move(placed_[i])));
      if (!winner) made_.layers.back().sets = false;
    }
    if (!winner) return;
    const auto at = made_.layers.begin() + static_cast<std::ptrdiff_t>(*winner);
    std::rotate(at, at + 1, made_.layers.end());
  }

  [[nodiscard]] EntryList list_of(const std::optional<std::size_t>& index) const {
    return index ? placed_[*index].setting.entries.texts() : EntryList();
  }

  /// Where the release is not known, all that start with --config-dir alone must agree.
  void doubt(const std::optional<std::size_t>& winner) {
    if (snapshot_.kubelet_version) return;
    std::vector<kubelet::MergeRule> others = {kubelet::MergeRule::kGoNames};
    if (model_.command.environment.contains(kAlphaVariable)) {
      others.push_back(kubelet::MergeRule::kNonEmpty);
    }
    const auto other = std::find_if(others.begin(), others.end(), [&](kubelet::MergeRule rule) {
      return list_of(deciding(rule)) != list_of(winner);
    });
    if (other == others.end()) return;
    const auto odd = std::find_if(placed_.rbegin(), placed_.rend(), [](const Placed& one) {
      return one.role == kubelet::ConfigRole::kDropIn &&
             (one.setting.entries.empty() || one.setting.key != "allowedUnsafeSysctls");
    });
    const Placed& at = odd == placed_.rend() ? placed_.back() : *odd;
    made_.depends_on_release = error_at(
        ErrorKind::kUnsupported, *at.file, at.setting.key_at,
        "which list is in force depends on the kubelet's release, which is not known here: one "
        "from 1.32 on reads this key otherwise than an older one",
        "name the release with '--kubelet-version'");
  }

  [[nodiscard]] Layer layer_of(Placed one) const {
    const bool main = one.role == kubelet::ConfigRole::kMain;
    Layer layer;
    layer.kind = main ? LayerKind::kConfig : LayerKind::kConfigDir;
    layer.sets = one.setting.form != kubelet::ListForm::kAbsent;
    if (main && one.setting.form == kubelet::ListForm::kUnset) layer.sets = false;
    const std::int32_t source = nodes::find_source(snapshot_, one.file->path);
    LineCounter lines;
    const auto place = [&](Span span) {
      return Origin{.kind = main ? OriginKind::kConfig : OriginKind::kConfigDir,
                    .path = one.file->path,
                    .line = span.end == 0 ? 0 : lines.line_of(one.file->bytes, span.begin),
                    .span = span,
                    .source = source,
                    .variable = {}};
    };
    layer.at = place(one.setting.key_at);
    layer.entries.share(one.setting.entries.texts());
    for (const kubelet::ConfigEntry& entry : one.setting.entries) {
      add_entry(layer, entry.text, place(entry.at));
    }
    return layer;
  }

  const nodes::NodeSnapshot& snapshot_;
  const NodeModel& model_;
  kubelet::MergeRule rule_;
  std::vector<Placed> placed_;
  std::map<std::string, int> ports_;
  std::map<std::string, std::string> addresses_;
  ConfigLayers made_;
};

}  // namespace

kubelet::MergeRule merge_rule_of(const nodes::NodeSnapshot& snapshot) {
  return snapshot.kubelet_version ? kubelet::merge_rule_of(*snapshot.kubelet_version)
                                  : kubelet::MergeRule::kApiNames;
}

Result<ConfigLayers> config_layers(const nodes::NodeSnapshot& snapshot, const NodeModel& model) {
  return Merger(snapshot, model).run();
}

std::vector<ConfigFile> config_files_of(const nodes::NodeSnapshot& snapshot,
                                        const NodeModel& model) {
  std::vector<ConfigFile> files;
  const auto add = [&](std::int32_t source, kubelet::ConfigRole role) {
    if (source == kNoSource) return;
    const auto known =
        std::find_if(model.config_files.begin(), model.config_files.end(),
                     [source](const ConfigFile& one) { return one.source == source; });
    if (known != model.config_files.end()) return files.push_back(*known);
    const SourceFile& file = snapshot.files[static_cast<std::size_t>(source)];
    if (!file.exists()) return;
    auto reading = kubelet::read_kubelet_config(file.bytes, role);
    if (reading) files.push_back({.source = source, .role = role, .reading = std::move(*reading)});
  };
  if (!model.config_path.empty()) {
    add(nodes::find_source(snapshot, model.config_path), kubelet::ConfigRole::kMain);
  }
  const auto walk = snapshot.config_dirs.find(model.config_dir);
  if (model.config_dir.empty() || walk == snapshot.config_dirs.end()) return files;
  for (const nodes::WalkEntry& entry : walk->second) {
    add(entry.source, kubelet::ConfigRole::kDropIn);
  }
  return files;
}

}  // namespace kubelet_sysctl::model
