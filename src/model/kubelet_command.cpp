// SPDX-License-Identifier: Apache-2.0
// The kubelet's command line where another program makes it.
#include "kubelet_sysctl/model/kubelet_command.hpp"

#include <algorithm>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/kinds.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "word_origins.hpp"

namespace kubelet_sysctl::model {
namespace {

/// The kind of file that a word of a launcher came from.
OriginKind kind_of_source(const nodes::NodeSnapshot& snapshot, std::int32_t source) {
  if (source == kNoSource) return OriginKind::kHost;
  if (source == snapshot.unit.fragment) return OriginKind::kUnit;
  const auto holds = [source](const std::vector<std::int32_t>& sources) {
    return std::find(sources.begin(), sources.end(), source) != sources.end();
  };
  if (holds(snapshot.unit.drop_ins)) return OriginKind::kDropIn;
  return holds(snapshot.launcher_files) ? OriginKind::kLauncherFile : OriginKind::kEnvironmentFile;
}

}  // namespace

const nodes::KubeletLauncher* launcher_of(const nodes::NodeSnapshot& snapshot) {
  return nodes::kind_of(snapshot).launcher;
}

nodes::KubeletPlace kubelet_place(const nodes::NodeSnapshot& snapshot) {
  const nodes::KubeletLauncher* launcher = launcher_of(snapshot);
  return launcher == nullptr ? nodes::KubeletPlace::kMain : launcher->place;
}

std::optional<Error> host_refusal(const nodes::NodeSnapshot& snapshot) {
  const nodes::KubeletLauncher* launcher = launcher_of(snapshot);
  if (launcher == nullptr || launcher->refusal == nullptr) return std::nullopt;
  const auto unit = resolve_command(snapshot);
  return unit ? launcher->refusal(snapshot, *unit) : std::optional<Error>(unit.error());
}

std::vector<std::string> launcher_needs(const nodes::NodeSnapshot& snapshot) {
  const nodes::KubeletLauncher* launcher = launcher_of(snapshot);
  if (launcher == nullptr || launcher->needs == nullptr) return {};
  const auto unit = resolve_command(snapshot);
  return unit ? launcher->needs(snapshot, *unit) : std::vector<std::string>();
}

std::string launcher_log_file(const nodes::NodeSnapshot& snapshot) {
  const nodes::KubeletLauncher* launcher = launcher_of(snapshot);
  if (launcher == nullptr || launcher->log_file == nullptr) return {};
  const auto unit = resolve_command(snapshot);
  return unit ? launcher->log_file(snapshot, *unit) : std::string();
}

// Source: k3s pkg/daemons/config ArgString joins with blanks; logrus quotes a message as Go's %q.
std::optional<std::vector<std::string>> words_in_log(std::string_view line, std::string_view mark) {
  const std::size_t found = line.find(mark);
  if (found == std::string_view::npos) return std::nullopt;
  const bool quoted = line.substr(0, found).ends_with('"');
  std::string text;
  bool closed = !quoted;
  for (std::size_t i = found + mark.size(); i < line.size(); ++i) {
    if (quoted && line[i] == '"') {
      closed = true;
      break;
    }
    if (quoted && line[i] == '\\') {
      if (i + 1 == line.size() || (line[i + 1] != '"' && line[i + 1] != '\\')) return std::nullopt;
      ++i;
    }
    text += line[i];
  }
  if (!closed) return std::nullopt;  // a line that was cut short
  std::vector<std::string> words = {"kubelet"};
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    // A word that is no flag is a piece of a value with blanks.
    if (!rest.substr(0, end).starts_with('-')) return std::nullopt;
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

std::vector<nodes::HostPath> launcher_paths(const nodes::NodeSnapshot& snapshot,
                                            const systemd::CommandLine& unit) {
  const nodes::KubeletLauncher* launcher = launcher_of(snapshot);
  if (launcher == nullptr || launcher->paths == nullptr) return {};
  return launcher->paths(snapshot, unit);
}

Result<systemd::CommandLine> kubelet_command(const nodes::NodeSnapshot& snapshot,
                                             systemd::CommandLine unit) {
  const nodes::KubeletLauncher* launcher = launcher_of(snapshot);
  if (launcher == nullptr) return unit;
  auto words = launcher->words(snapshot, unit);
  if (!words) return std::move(words).error();
  systemd::CommandLine made = std::move(unit);
  made.words = std::move(*words);
  made.origins = word_origins(snapshot, made.words, [&snapshot](const systemd::Word& word) {
    return kind_of_source(snapshot, word.raw.source);
  });
  return made;
}

}  // namespace kubelet_sysctl::model
