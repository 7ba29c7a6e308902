// SPDX-License-Identifier: Apache-2.0
// What a program that runs the kubelet decides by: its files, and the line of its journal.
#include "kubelet_sysctl/discover/launcher_files.hpp"

#include <algorithm>
#include <utility>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::discover {
namespace {

/// A launcher that names ever new files has been misread: none needs more than a few rounds.
constexpr int kMostRounds = 8;

Status read_one(ports::FileSystem& files, const nodes::HostPath& wanted,
                nodes::NodeSnapshot& snapshot) {
  auto source = ports::add_file(files, wanted.path, snapshot.files);
  if (!source) return std::move(source).error();
  auto& known = snapshot.launcher_files;
  if (std::find(known.begin(), known.end(), *source) == known.end()) known.push_back(*source);
  if (!wanted.is_directory || snapshot.listings.contains(wanted.path)) return {};
  std::vector<std::string>& names = snapshot.listings[wanted.path];
  if (snapshot.files[static_cast<std::size_t>(*source)].kind != FileKind::kDirectory) return {};
  auto entries = files.list(wanted.path);
  if (!entries) return std::move(entries).error();
  for (const ports::DirEntry& entry : *entries) names.push_back(entry.name);
  return {};
}

}  // namespace

Status read_launcher_files(ports::FileSystem& files, const systemd::CommandLine& unit,
                           nodes::NodeSnapshot& snapshot) {
  for (int round = 0; round < kMostRounds; ++round) {
    const std::size_t known = snapshot.launcher_files.size();
    for (const nodes::HostPath& wanted : model::launcher_paths(snapshot, unit)) {
      if (auto status = read_one(files, wanted, snapshot); !status) return status;
    }
    if (snapshot.launcher_files.size() == known) return {};
  }
  return {};
}

Status read_logged_argv(ports::Ports& ports, nodes::NodeSnapshot& snapshot) {
  snapshot.logged_argv.reset();
  snapshot.logged_at_ms = 0;
  const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot);
  if (launcher == nullptr || launcher->log_mark.empty()) return {};
  if (!snapshot.process || !snapshot.state || snapshot.process->started_at_ms == 0) return {};
  const std::string mark(launcher->log_mark);
  auto line = ports.services.first_line_with(snapshot.unit.id, snapshot.state->invocation_id, mark,
                                             snapshot.process->started_at_ms);
  // Who may not read the journal learns less.
  if (!line || !*line) return {};
  snapshot.logged_argv = model::words_in_log((*line)->text, mark);
  if (snapshot.logged_argv) snapshot.logged_at_ms = (*line)->at_ms;
  return {};
}

std::uint64_t size_of_launcher_log(ports::FileSystem& files, const nodes::NodeSnapshot& snapshot) {
  const std::string path = model::launcher_log_file(snapshot);
  if (path.empty()) return 0;
  const auto target = ports::target_of(files, path);
  return target && target->entry ? target->entry->size : 0;
}

std::optional<std::vector<std::string>> last_words_in_file(ports::FileSystem& files,
                                                           const nodes::NodeSnapshot& snapshot,
                                                           std::uint64_t size, std::size_t lines) {
  constexpr std::uint64_t kMost = 64 * 1024;
  const std::string path = model::launcher_log_file(snapshot);
  if (path.empty()) return std::nullopt;
  const std::uint64_t now = size_of_launcher_log(files, snapshot);
  // A log that is shorter now was begun again.
  const std::uint64_t fresh = now >= size ? now - size : now;
  std::vector<std::string> words;
  if (fresh == 0) return words;
  const auto said = files.read_end(path, static_cast<std::size_t>(std::min(fresh, kMost)));
  if (!said) return words;
  for (const std::string_view line : lines_of(*said)) words.emplace_back(line);
  if (words.size() > lines)
    words.erase(words.begin(), words.end() - static_cast<std::ptrdiff_t>(lines));
  return words;
}

}  // namespace kubelet_sysctl::discover
