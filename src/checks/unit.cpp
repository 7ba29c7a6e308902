// SPDX-License-Identifier: Apache-2.0
// Checks of the command itself: what ends the kubelet, and flags that make a change harder to see.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/finding.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/checks/parts.hpp"
#include "kubelet_sysctl/checks/swallowed.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"

namespace kubelet_sysctl::checks {
namespace {

/// The first release without --dynamic-config-dir. Source: kubernetes PR 106932.
constexpr sysctl::KubeletVersion kNoDynamicConfig{.major = 1, .minor = 24, .patch = 0};

std::string_view name_of_word(std::string_view word) { return word.substr(0, word.find('=')); }

/// The last word that is this flag, in either spelling of its separators; argv.size() when none is.
std::size_t word_of_flag(const model::NodeModel& model, std::string_view flag) {
  for (std::size_t i = model.argv.size(); i > model.flags.first; --i) {
    std::string name(name_of_word(model.argv[i - 1]));
    std::replace(name.begin(), name.end(), '_', '-');
    if (name == flag) return i - 1;
  }
  return model.argv.size();
}

}  // namespace

void flag_fatal(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                const Check& check, std::vector<Finding>& found) {
  if (!model.flags.fatal) return;
  // The cause is reported where a value swallowed a flag.
  const auto swallowed = swallowed_flags(snapshot, model);
  if (std::any_of(swallowed.begin(), swallowed.end(), [&](const Swallowed& one) {
        return one.of_list && one.word == model.flags.fatal_word;
      })) {
    return;
  }
  if (is_misspelt_flag(model, model.flags.fatal_word) || is_torn_list(model)) return;
  found.push_back(
      at_origin(finding_of(check,
                           fmt::format("the kubelet exits at once because of its command line: {}",
                                       *model.flags.fatal),
                           "'kubelet-sysctl explain' shows every word with its place"),
                origin_of_word(model, model.flags.fatal_word)));
}

void program_missing(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                     const Check& check, std::vector<Finding>& found) {
  const auto program = snapshot.programs.find(model.command.program);
  if (program == snapshot.programs.end() || program->second) return;
  Finding finding = finding_of(
      check, fmt::format("there is no program '{}' that could be started", model.command.program),
      model.wrapped ? fmt::format("install '{}', or correct ExecStart=", model.command.program)
                    : "install the kubelet, or correct ExecStart=");
  if (model.command.exec_source != kNoSource) {
    finding = at_span(std::move(finding),
                      snapshot.files[static_cast<std::size_t>(model.command.exec_source)],
                      model.command.exec_setting.line_at);
  }
  found.push_back(std::move(finding));
}

// Source: kubernetes enhancements 281. While it is active the configuration of the API replaces the file.
void dynamic_config(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                    const Check& check, std::vector<Finding>& found) {
  if (model.flags.dynamic_config_dir.value_or("").empty()) return;
  // A release without the flag exits, which is said there.
  if (snapshot.kubelet_version && *snapshot.kubelet_version >= kNoDynamicConfig) return;
  found.push_back(at_origin(
      finding_of(check,
                 "with '--dynamic-config-dir' the API server may hand the kubelet another list "
                 "than its file",
                 "remove the flag, or compare with the kubelet's /configz; 1.24 does not start "
                 "with it"),
      origin_of_word(model, word_of_flag(model, "--dynamic-config-dir"))));
}

// Source: cmd/kubelet/app/server_linux.go: inotify for IN_OPEN and IN_DELETE_SELF on the file.
void lock_file(const nodes::NodeSnapshot&, const model::NodeModel& model, const Check& check,
               std::vector<Finding>& found) {
  const std::string file = model.flags.lock_file.value_or("");
  const std::size_t word = word_of_flag(model, "--exit-on-lock-contention");
  if (file.empty() || word == model.argv.size()) return;
  if (model.argv[word].ends_with("=false")) return;
  found.push_back(at_origin(
      finding_of(
          check,
          fmt::format("any process that opens '{}' ends the kubelet, to read it or to back it up; "
                      "this program never does",
                      file),
          "remove '--exit-on-lock-contention' unless a self-hosted kubelet needs it"),
      origin_of_word(model, word)));
}

// A new release may read a unit or judge an entry otherwise. What was measured is in docs/adding.md.
void newer_release(const nodes::NodeSnapshot& snapshot, const model::NodeModel&, const Check& check,
                   std::vector<Finding>& found) {
  constexpr std::string_view kHint = "see whether a newer kubelet-sysctl knows it";
  const sysctl::KubeletVersion newest = sysctl::newest_known_kubelet();
  if (snapshot.kubelet_version &&
      std::pair(snapshot.kubelet_version->major, snapshot.kubelet_version->minor) >
          std::pair(newest.major, newest.minor)) {
    found.push_back(finding_of(
        check,
        fmt::format(
            "kubelet {} is newer than {}.{}, the newest that is known: entries, safe names, flags "
            "and fields of the configuration are judged by the rules of {}.{}",
            sysctl::text_of(*snapshot.kubelet_version), newest.major, newest.minor, newest.major,
            newest.minor),
        std::string(kHint)));
  }
  if (snapshot.systemd_version_known && snapshot.systemd_version > systemd::kNewestMeasured) {
    found.push_back(finding_of(
        check,
        fmt::format(
            "systemd {} is newer than {}, the newest that was measured: its units are read as "
            "by {}, but for the forms that releases read differently, which are refused",
            snapshot.systemd_version, systemd::kNewestMeasured, systemd::kNewestMeasured),
        std::string(kHint)));
  }
}

}  // namespace kubelet_sysctl::checks
