// SPDX-License-Identifier: Apache-2.0
// The table of options: each with its help, the commands that take it and the field that it fills.
#include "options.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/nearest.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/kubelet/configz.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/newer_forms.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {
namespace {

using kubelet::ConfigzQuestion;

/// The field that one or two member pointers lead to.
template <auto Member>
auto& field(Options& options) {
  return options.*Member;
}
template <auto Outer, auto Inner>
auto& field(Options& options) {
  return options.*Outer.*Inner;
}

template <typename T, typename From>
Status put(T& into, Result<From> value) {
  if (!value) return std::move(value).error();
  into = static_cast<T>(std::move(*value));
  return {};
}

template <auto... Path>
Status switch_on(Options& options, const OptionRow&, const std::string&) {
  field<Path...>(options) = true;
  return {};
}

template <auto... Path>
Status switch_off(Options& options, const OptionRow&, const std::string&) {
  field<Path...>(options) = false;
  return {};
}

template <auto... Path>
Status text(Options& options, const OptionRow& row, const std::string& value) {
  if (value.empty())
    return usage_error(fmt::format("'{}' takes {}, not ''", row.name, row.value), {});
  field<Path...>(options) = value;
  return {};
}

template <auto... Path>
Status duration(Options& options, const OptionRow& row, const std::string& value) {
  return put(field<Path...>(options), parse_duration(row.name, value));
}

template <auto... Path>
Status path(Options& options, const OptionRow& row, const std::string& value) {
  return put(field<Path...>(options), parse_path(row.name, value));
}

template <auto... Path>
Status node_path(Options& options, const OptionRow& row, const std::string& value) {
  if (!value.starts_with('/')) {
    return usage_error(fmt::format("'{}' takes an absolute path, not '{}'", row.name, value),
                       "the path as the node names it, without the directory of '--root'");
  }
  field<Path...>(options) = value;
  return {};
}

/// The index of the value among the choices of its option. Errors: kUsage.
Result<std::size_t> chosen(const OptionRow& row, const std::string& value) {
  const std::vector<std::string> choices = choices_of(row);
  const auto found = std::find(choices.begin(), choices.end(), value);
  if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
  const auto meant = nearest(value, choices);
  return usage_error(fmt::format("'{}' takes {}, not '{}'", row.name, row.value, value),
                     meant ? fmt::format("did you mean '{}'?", *meant) : std::string());
}

/// An enumeration whose values are in the order of the choices.
template <auto... Path>
Status choice(Options& options, const OptionRow& row, const std::string& value) {
  return put(field<Path...>(options), chosen(row, value));
}

Status output(Options& options, const OptionRow& row, const std::string& value) {
  const auto format = chosen(row, value);
  if (!format) return format.error();
  options.json = *format == 1;
  options.metrics = *format == 2;
  return {};
}

Status before_start(Options& options, const OptionRow&, const std::string&) {
  options.before_start = true;
  options.restart = false;
  return {};
}

Status timeout(Options& options, const OptionRow& row, const std::string& value) {
  if (auto status = duration<&Options::timeout>(options, row, value); !status) return status;
  if (options.timeout > Milliseconds{0}) return {};
  return usage_error("'--timeout' takes a duration above zero",
                     "to leave the restart to the caller use '--no-restart'");
}

Status trial(Options& options, const OptionRow& row, const std::string& value) {
  auto length = parse_duration(row.name, value);
  if (!length) return std::move(length).error();
  if (*length < std::chrono::seconds{1}) {
    return usage_error(fmt::format("'--trial' takes a duration of at least 1s, not '{}'", value),
                       "it counts from before the first write: '10m' leaves time to look");
  }
  options.trial = *length;
  return {};
}

Status purge(Options& options, const OptionRow& row, const std::string& value) {
  constexpr int kMost = 36500;
  if (value == "0") {
    options.purge = 0;
    return {};
  }
  return put(options.purge, parse_number(row.name, value, kMost));
}

Status unit(Options& options, const OptionRow&, const std::string& value) {
  return put(options.unit, unit_name_given(value));
}

Status root(Options& options, const OptionRow&, const std::string& value) {
  return put(options.root, parse_root(value));
}

Status systemd_version(Options& options, const OptionRow& row, const std::string& value) {
  constexpr int kMost = 9999;
  auto status = put(options.systemd_version, parse_number(row.name, value, kMost));
  if (!status || *options.systemd_version <= systemd::kNewestMeasured) return status;
  return usage_error(
      fmt::format("'{}' takes a release up to {}, the newest that was measured, not '{}'", row.name,
                  systemd::kNewestMeasured, value),
      fmt::format("'{} {}' reads all as the newest does; what a later one reads otherwise is not "
                  "known here",
                  row.name, systemd::kNewestMeasured));
}

Status kubelet_version(Options& options, const OptionRow& row, const std::string& value) {
  options.kubelet_version = sysctl::parse_kubelet_version(value);
  if (options.kubelet_version && options.kubelet_version->major == 1) return {};
  return usage_error(fmt::format("'{}' takes a release, not '{}'", row.name, value),
                     "a release is written '1.29' or '1.29.6'");
}

/// Two options that do not go together.
struct Conflict {
  std::string_view one;
  std::string_view other;
  std::string_view why;  ///< the hint; may be empty
};

constexpr auto kConflicts = std::to_array<Conflict>({
    {"--quiet", "--verbose", ""},
    {"--trial", "--no-restart", "a trial begins when the kubelet was seen with the new list"},
    {"--trial", "--before-start", "a trial begins when the kubelet was seen with the new list"},
    {"--trial", "--no-rollback", "a trial is a change that is put back"},
    {"--trial", "--root", "a timer of the running node's systemd ends a trial"},
    {"--configz", "--root", "a tree of files has no kubelet that could be asked"},
    {"--kubeconfig", "--client-certificate",
     "the one asks through the API server, the other the kubelet itself"},
    {"--host", "--root", "'--root' works on a tree of files, '--host' on the node that runs"},
});

/// An option that others need, and what is said where they are given without it: {} is their name.
struct Needed {
  std::string_view name;
  std::string_view message;
  std::string_view why;
};

constexpr auto kNeeded = std::to_array<Needed>({
    {"--fix", "'{}' has no meaning for 'doctor' without '--fix'",
     "without '--fix' nothing is changed"},
    {"--configz", "credentials have no meaning without '--configz'",
     "they are for the question to the live kubelet"},
});

}  // namespace

const std::vector<OptionRow>& all_options() {
  static const std::vector<OptionRow> options = {
      {.short_name = "-f",
       .name = "--from-file",
       .value = "FILE",
       .help = "read entries from FILE, one a line, '#' begins a comment; for 'check' pods, from "
               "a manifest; for 'sync' the desired list. '-' is standard input",
       .commands = kCheck | kEdits,
       .take = text<&Options::from_file>},
      {.name = "--via",
       .value = "auto|config|args",
       .help = "where to write: auto is where the list in force is (default: auto)",
       .commands = kEdits,
       .take = choice<&Options::via>},
      {.name = "--file",
       .value = "PATH",
       .help = "edit this file of the node and no other",
       .group = OptionGroup::kPlace,
       .commands = kEdits,
       .take = node_path<&Options::file>},
      {.name = "--exact",
       .help = "add an entry even where a pattern of the list covers it",
       .group = OptionGroup::kList,
       .commands = kAdd,
       .take = switch_on<&Options::exact>},
      {.name = "--empty",
       .help = "make the list empty; 'set' without entries is an error",
       .commands = kSet,
       .take = switch_on<&Options::empty>},
      {.name = "--force",
       .help = "write entries that some kubelets do not start with",
       .group = OptionGroup::kList,
       .commands = kAdd | kSet | kSync,
       .take = switch_on<&Options::force>},
      {.name = "--allow-wide",
       .help = "write 'net.*', which allows everything below net",
       .group = OptionGroup::kList,
       .commands = kAdd | kSet | kSync,
       .take = switch_on<&Options::allow_wide>},
      {.name = "--evict-pods",
       .help = "go on although the kubelet then ends pods that run here and set what the list no "
               "longer allows",
       .commands = kRemove | kSet | kSync | kUndo,
       .take = switch_on<&Options::evict_pods>},
      {.name = "--persist",
       .help = "persist the change: print what to change where the settings of this node come "
               "from, and write the part of it that is on this node",
       .commands = kEdits,
       .take = switch_on<&Options::persist>},
      {.name = "--drop-expired",
       .help = "remove expired entries from the list",
       .group = OptionGroup::kList,
       .commands = kSync,
       .take = switch_on<&Options::drop_expired>},
      {.name = "--before-start",
       .help = "for the unit that runs before the kubelet: restart nothing, do not wait, and do "
               "nothing while another run holds the lock",
       .group = OptionGroup::kTiming,
       .commands = kSync,
       .take = before_start},
      {.name = "--fix",
       .help = "fix what needs no decision: a misspelt key, blanks, quotes and empty items, "
               "entries that occur twice or are covered",
       .commands = kDoctor,
       .take = switch_on<&Options::fix>},
      {.name = "--exit-code",
       .help = "exit with 6 on drift, or when a warning or an error is found",
       .commands = kShow,
       .take = switch_on<&Options::exit_code>},
      {.name = "--purge",
       .value = "DAYS",
       .help = "remove the records of changes older than so many days, and the old files that they "
               "keep; not of what is open, on trial, or what 'undo' would take back",
       .commands = kHistory,
       .take = purge},
      {.name = "--dry-run",
       .help = "say what would be done, and do none of it",
       .commands = kWriters | kRecover | kHistory,
       .needs = "--fix",
       .take = switch_on<&Options::dry_run>},
      {.name = "--diff",
       .help = "print how each file changes, then go on; with --dry-run stop there",
       .commands = kWriters,
       .needs = "--fix",
       .take = switch_on<&Options::diff>},
      {.name = "--no-restart",
       .help = "write, and leave the restart to the caller",
       .group = OptionGroup::kTiming,
       .commands = kWriters,
       .needs = "--fix",
       .take = switch_off<&Options::restart>},
      {.name = "--timeout",
       .value = "DURATION",
       .help = "from the restart to the first healthy answer (default: 2m)",
       .group = OptionGroup::kTiming,
       .commands = kWriters | kRecover,
       .needs = "--fix",
       .take = timeout},
      {.name = "--window",
       .value = "DURATION",
       .help = "how long the same process must then stay healthy (default: 10s)",
       .group = OptionGroup::kTiming,
       .commands = kWriters | kRecover,
       .needs = "--fix",
       .take = duration<&Options::window>},
      {.name = "--no-rollback",
       .help = "leave a change in place that could not be confirmed",
       .group = OptionGroup::kTiming,
       .commands = kWriters,
       .needs = "--fix",
       .take = switch_off<&Options::rollback>},
      {.name = "--trial",
       .value = "DURATION",
       .help = "undo the change by itself after this, even without this session, unless 'keep' "
               "makes it final before",
       .commands = kEdits,
       .take = trial},
      {.name = "--end-trial",
       .value = "ID",
       .help = "end this trial now; the timer of a trial runs this",
       .group = OptionGroup::kTiming,
       .commands = kRecover,
       .take = text<&Options::end_trial>},
      {.name = "--reason",
       .value = "TEXT",
       .help = "why; kept in the record of the change",
       .commands = kWriters,
       .needs = "--fix",
       .take = text<&Options::reason>},
      {.name = "--lock-timeout",
       .value = "DURATION",
       .help = "how long to wait for another run to end (default: 30s)",
       .group = OptionGroup::kTiming,
       .commands = kWriters | kRecover | kKeep,
       .needs = "--fix",
       .take = duration<&Options::lock_timeout>},
      {.name = "--unchanged-exit-77",
       .help = "exit with 77 when there was nothing to do",
       .group = OptionGroup::kOutput,
       .commands = kEdits,
       .take = switch_on<&Options::unchanged_is_77>},
      {.name = "--configz",
       .help = "also ask the live kubelet itself for its list (/configz), with the credentials "
               "below, or with those found on this node",
       .group = OptionGroup::kConfigz,
       .commands = kWatchers,
       .take = switch_on<&Options::configz, &ConfigzQuestion::wanted>},
      {.name = "--kubeconfig",
       .value = "FILE",
       .help = "for --configz: through the API server, by kubectl",
       .group = OptionGroup::kConfigz,
       .commands = kWatchers,
       .needs = "--configz",
       .take = path<&Options::configz, &ConfigzQuestion::kubeconfig>},
      {.name = "--client-certificate",
       .value = "FILE",
       .help = "for --configz: at the kubelet's own port, by curl",
       .group = OptionGroup::kConfigz,
       .commands = kWatchers,
       .needs = "--configz",
       .take = path<&Options::configz, &ConfigzQuestion::certificate>},
      {.name = "--client-key",
       .value = "FILE",
       .help = "the key of that certificate",
       .group = OptionGroup::kConfigz,
       .commands = kWatchers,
       .needs = "--configz",
       .take = path<&Options::configz, &ConfigzQuestion::key>},
      {.name = "--unit",
       .value = "NAME",
       .help = "the unit that runs the kubelet (default: kubelet.service, or the one that a "
               "distribution has in its place)",
       .group = OptionGroup::kPlace,
       .commands = kReaders | kEdits,
       .take = unit},
      {.name = "--host",
       .help = "from a container, enter its node first; it must be privileged and see the node's "
               "processes (in a pod: hostPID: true)",
       .group = OptionGroup::kPlace,
       .commands = kEvery,
       .take = switch_on<&Options::host>},
      {.name = "--root",
       .value = "DIR",
       .help = "the node's files are below DIR: an image, a backup. Nothing is restarted, no "
               "process asked",
       .group = OptionGroup::kPlace,
       .commands = kEvery,
       .take = root},
      {.name = "--systemd-version",
       .value = "N",
       .help = "read units as this release does (default: the release that runs; 252 with --root)",
       .group = OptionGroup::kPlace,
       .commands = kEvery,
       .take = systemd_version},
      {.name = "--kubelet-version",
       .value = "X.Y[.Z]",
       .help = "judge by the rules of this release of the kubelet (default: the unit's program is"
               " asked; unknown with --root)",
       .group = OptionGroup::kPlace,
       .commands = kShow | kCheck | kDoctor | kEdits,
       .take = kubelet_version},
      {.short_name = "-o",
       .name = "--output",
       .value = "text|json",
       .help = "text for people, json for scripts (default: text)",
       .group = OptionGroup::kOutput,
       .commands = kEvery & ~kShow,
       .take = output},
      {.short_name = "-o",
       .name = "--output",
       .value = "text|json|prometheus",
       .help = "text for people, json for scripts, prometheus for a node exporter's textfile "
               "collector (default: text)",
       .group = OptionGroup::kOutput,
       .commands = kShow,
       .take = output},
      {.name = "--color",
       .value = "auto|always|never",
       .help = "auto: on a terminal, unless NO_COLOR is set (default: auto)",
       .group = OptionGroup::kOutput,
       .commands = kEvery,
       .take = choice<&Options::colour>},
      {.short_name = "-q",
       .name = "--quiet",
       .help = "print nothing unless something goes wrong",
       .group = OptionGroup::kOutput,
       .commands = kCheck | kWriters | kRecover | kKeep,
       .take = switch_on<&Options::quiet>},
      {.short_name = "-q",
       .name = "--quiet",
       .help = "one word: ok, drift, unknown, broken, down, or files with --root",
       .group = OptionGroup::kOutput,
       .commands = kShow,
       .take = switch_on<&Options::quiet>},
      {.short_name = "-v",
       .name = "--verbose",
       .help = "say more",
       .group = OptionGroup::kOutput,
       .commands = kEvery,
       .take = switch_on<&Options::verbose>},
      {.short_name = "-h",
       .name = "--help",
       .help = "print the options that are used most",
       .group = OptionGroup::kOutput,
       .commands = kEvery},
      {.name = "--help-all",
       .help = "print all options",
       .group = OptionGroup::kOutput,
       .commands = kEvery},
  };
  return options;
}

const OptionRow* find_option(std::uint32_t commands, std::string_view name) {
  const auto& rows = all_options();
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const OptionRow& row) {
    return (row.commands & commands) != 0 &&
           (row.name == name || (!name.empty() && row.short_name == name));
  });
  return found == rows.end() ? nullptr : &*found;
}

std::vector<std::string> choices_of(const OptionRow& row) {
  std::vector<std::string> choices;
  if (row.value.find('|') == std::string_view::npos) return choices;
  for (std::string_view rest = row.value; !rest.empty();) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    choices.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return choices;
}

Status check_together(std::uint32_t command, const Options& options,
                      const std::set<std::string_view>& given) {
  // '--root /' is the node that runs.
  const auto has = [&](std::string_view name) {
    return given.contains(name) && (name != "--root" || !options.is_live());
  };
  for (const Conflict& pair : kConflicts) {
    if (!has(pair.one) || !has(pair.other)) continue;
    return usage_error(fmt::format("'{}' and '{}' do not go together", pair.one, pair.other),
                       std::string(pair.why));
  }
  for (const Needed& needed : kNeeded) {
    if (find_option(command, needed.name) == nullptr || has(needed.name)) continue;
    for (const OptionRow& row : all_options()) {
      if (row.needs != needed.name || !has(row.name)) continue;
      return usage_error(fmt::format(fmt::runtime(needed.message), row.name),
                         std::string(needed.why));
    }
  }
  if (has("--client-certificate") != has("--client-key")) {
    return usage_error("'--client-certificate' and '--client-key' need each other", {});
  }
  return {};
}

}  // namespace kubelet_sysctl::cli
