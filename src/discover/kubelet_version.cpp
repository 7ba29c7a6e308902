// SPDX-License-Identifier: Apache-2.0
// The release of the kubelet that the unit starts: what its file holds, or its own answer to --version,
// kept for the next run.
#include "kubelet_sysctl/discover/kubelet_version.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "elf_release.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/paths.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::discover {
namespace {

constexpr Milliseconds kVersionDeadline{5000};
constexpr std::uint32_t kExecutableBits = 0111;
constexpr std::uint32_t kForRootAlone = 0600;
constexpr const char* kCacheDirectory = "/run/kubelet-sysctl";
constexpr const char* kCacheFile = "/run/kubelet-sysctl/kubelet-version";
constexpr std::string_view kCacheHead = "kubelet-sysctl kubelet-version 1";

/// The kubelet itself among these words, by its whole path: behind a wrapper it is the wrapper's
/// argument.
std::optional<std::string> program_in(const std::vector<std::string>& words) {
  const auto start = kubelet::kubelet_arguments_start(words);
  if (!start || !words[*start - 1].starts_with('/')) return std::nullopt;
  return words[*start - 1];
}

/// The program of the process; behind a shell or a script it alone shows what runs.
std::optional<std::string> program_of_process(ports::Ports& ports,
                                              const nodes::NodeSnapshot& snapshot) {
  if (!snapshot.process || !kubelet::kubelet_arguments_start(snapshot.process->argv))
    return std::nullopt;
  const auto link = ports.files.stat(fmt::format("/proc/{}/exe", snapshot.process->pid));
  // A program that was replaced while it runs shows as "/usr/bin/kubelet (deleted)": proc(5).
  if (!link || !*link || (*link)->target.find(' ') != std::string::npos) return std::nullopt;
  const bool is_kubelet = kubelet::kubelet_arguments_start({(*link)->target}).has_value();
  return is_kubelet ? std::optional<std::string>((*link)->target) : std::nullopt;
}

/// The program that the next start runs; behind a shell or where it is a script, what the process of now is.
/// A launcher of the kubelet is asked itself.
std::optional<std::string> program_of(ports::Ports& ports, const nodes::NodeSnapshot& snapshot) {
  if (const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot)) {
    const auto command = model::resolve_command(snapshot);
    const bool can_ask = command && !launcher->version_argument.empty();
    if (!can_ask || !command->program.starts_with('/')) return std::nullopt;
    return command->program;
  }
  std::optional<std::string> program;
  if (const auto command = model::resolve_command(snapshot)) {
    // With '@' before the path the first word is not what is run.
    std::vector<std::string> words = {command->program};
    for (std::size_t i = 1; i < command->words.size(); ++i) {
      words.push_back(command->words[i].text.text);
    }
    program = program_in(words);
  }
  if (program && is_elf_program(ports.files, *program)) return program;
  if (auto running = program_of_process(ports, snapshot)) return running;
  return program;
}

/// What distinguishes this very program from any other, its contents too: one line, without its end.
std::optional<std::string> identity_of(ports::Ports& ports, const std::string& program) {
  const auto target = ports::target_of(ports.files, program);
  if (!target || !target->entry) return std::nullopt;
  const ports::DirEntry& file = *target->entry;
  if (file.kind != ports::EntryKind::kFile || (file.mode & kExecutableBits) == 0)
    return std::nullopt;
  return fmt::format("{} {} {} {} {} {}", file.device, file.inode, file.size, file.mtime_ns,
                     file.ctime_ns, program);
}

std::optional<sysctl::KubeletVersion> kept_version(const SourceFile& cache,
                                                   const std::string& identity) {
  const std::string head = fmt::format("{}\n{}\n", kCacheHead, identity);
  if (!cache.bytes.starts_with(head)) return std::nullopt;
  return sysctl::parse_kubelet_version(std::string_view(cache.bytes).substr(head.size()));
}

/// A run that may not write, or finds no room, asks again the next time.
void keep(ports::Ports& ports, SourceFile cache, const std::string& identity,
          const sysctl::KubeletVersion& version) {
  if (!ports.files.make_directory(kCacheDirectory, 0700)) return;
  if (!cache.exists()) cache.meta.mode = kForRootAlone;
  const std::string text =
      fmt::format("{}\n{}\n{}\n", kCacheHead, identity, sysctl::text_of(version));
  static_cast<void>(ports.files.replace(cache, text));
}

/// The release in what a program prints of itself: all of it, or the first word of a launcher's that is one.
/// Source: k3s and RKE2 print "k3s version v1.33.5+k3s1 (hash)".
std::optional<sysctl::KubeletVersion> version_in(std::string_view said, bool is_host) {
  if (!is_host) return sysctl::parse_kubelet_version(said);
  for (said = said.substr(0, said.find('\n')); !said.empty();) {
    const std::size_t end = std::min(said.find(' '), said.size());
    const std::string_view word = said.substr(0, end);
    if (word.starts_with('v')) {
      if (auto version = sysctl::parse_kubelet_version(word)) return version;
    }
    said.remove_prefix(std::min(end + 1, said.size()));
  }
  return std::nullopt;
}

/// What is in a message of what a program printed.
std::string shown(std::string text) {
  constexpr std::size_t kMost = 60;
  text = text.substr(0, text.find('\n'));
  if (text.size() > kMost) text = text.substr(0, kMost) + "...";
  return text;
}

/// From the bytes of the program first. Only a change runs it: what a script of that name starts, nobody knows.
void learn_from(ports::Ports& ports, VersionFrom from, const std::string& program,
                nodes::NodeSnapshot& snapshot) {
  std::string& why = snapshot.kubelet_version_why;
  if (!can_read_program(ports.files, program)) {
    why = fmt::format("the program '{}' is empty, or cannot be read", program);
    return;
  }
  if (!is_elf_program(ports.files, program)) {
    why = fmt::format("'{}' is a script or another wrapper, which is not run to ask for a release",
                      program);
    return;
  }
  snapshot.kubelet_version = only_release(releases_in_program(ports.files, program));
  if (snapshot.kubelet_version) return;
  if (from != VersionFrom::kProgram) {
    why =
        fmt::format("the file '{}' does not show it, and this command starts no program", program);
    return;
  }
  const nodes::KubeletLauncher* launcher = model::launcher_of(snapshot);
  const std::string argument(launcher == nullptr ? "--version" : launcher->version_argument);
  const auto said = ports.programs.output_of(program, {argument}, kVersionDeadline);
  if (!said) {
    why = said.error().message;
    return;
  }
  snapshot.kubelet_version = version_in(*said, launcher != nullptr);
  if (snapshot.kubelet_version) return;
  why = fmt::format("'{} {}' says '{}', which is no release", program, argument, shown(*said));
}

}  // namespace

void learn_kubelet_version(ports::Ports& ports, const DiscoverOptions& options,
                           nodes::NodeSnapshot& snapshot) {
  snapshot.kubelet_version = options.kubelet_version;
  snapshot.kubelet_version_why.clear();
  const bool may_learn = snapshot.live && options.version_from != VersionFrom::kNowhere;
  if (may_learn) snapshot.kernel.release = ports.kernel.release();
  if (snapshot.kubelet_version || options.version_from == VersionFrom::kNowhere) return;
  std::string& why = snapshot.kubelet_version_why;
  const auto program = program_of(ports, snapshot);
  const auto identity = program ? identity_of(ports, *program) : std::nullopt;
  if (!snapshot.live) {
    // Nothing of a tree is run, and nothing is kept in it.
    if (identity)
      snapshot.kubelet_version = only_release(releases_in_program(ports.files, *program));
    if (!snapshot.kubelet_version) why = "no program of a tree of files is run";
    return;
  }
  if (!program) {
    why = "the unit does not say which program its kubelet is";
    return;
  }
  if (!identity) {
    why = fmt::format("there is no program '{}' that could be asked", *program);
    return;
  }
  auto cache = ports.files.read(kCacheFile);
  if (cache) snapshot.kubelet_version = kept_version(*cache, *identity);
  if (snapshot.kubelet_version) return;
  if (options.version_from == VersionFrom::kCache) {
    why = fmt::format("'{}' was not asked yet", *program);
    return;
  }
  learn_from(ports, options.version_from, *program, snapshot);
  if (!snapshot.kubelet_version) return;
  // Replaced while it was asked: which of the two has answered, nobody knows.
  if (cache && identity_of(ports, *program) == identity) {
    keep(ports, std::move(*cache), *identity, *snapshot.kubelet_version);
  }
}

}  // namespace kubelet_sysctl::discover
