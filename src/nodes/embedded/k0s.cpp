// SPDX-License-Identifier: Apache-2.0
// The kubelet that k0s starts as a child: flags of k0s's own and those of --kubelet-extra-args.
// Source: k0sproject/k0s pkg/component/worker/kubelet.go, internal/pkg/flags/flags.go, pkg/install/systemd_linux.go.
#include "embedded/k0s.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr std::string_view kExtraArgs = "--kubelet-extra-args";
constexpr std::string_view kDataDir = "--data-dir";
constexpr std::string_view kFlag = "--allowed-unsafe-sysctls";
/// From v1.32.1 on; before, a file of the data directory.
constexpr const char* kConfig = "/run/k0s/kubelet/config.yaml";
constexpr const char* kOldConfig = "kubelet-config.yaml";
/// How k0s's own template writes a blank inside an argument.
constexpr std::string_view kBlank = "\\x20";

bool is_blank(char byte) {
  return std::string_view(" \t\n\r\v\f").find(byte) != std::string_view::npos;
}

/// Where the last value of an option of k0s is.
struct Option {
  std::size_t word = 0;   // index into the unit's words
  std::size_t begin = 0;  // offset of the value in its text
};

std::optional<Option> option(const systemd::CommandLine& unit, std::string_view name) {
  std::optional<Option> found;
  for (std::size_t i = 1; i < unit.words.size(); ++i) {
    const std::string& text = unit.words[i].text.text;
    if (text == "--") break;
    if (text == name && i + 1 < unit.words.size()) {
      found = Option{.word = ++i, .begin = 0};
    } else if (text.starts_with(name) && text.substr(name.size()).starts_with('=')) {
      found = Option{.word = i, .begin = name.size() + 1};
    }
  }
  return found;
}

bool has_switch(const systemd::CommandLine& unit, std::string_view name) {
  return std::any_of(unit.words.begin(), unit.words.end(), [&](const systemd::Word& word) {
    return word.text.text == name || word.text.text == fmt::format("{}=true", name);
  });
}

bool is_controller(const systemd::CommandLine& unit) {
  return unit.words.size() > 1 && unit.words[1].text.text == "controller";
}

std::string old_config(const systemd::CommandLine& unit) {
  const auto at = option(unit, kDataDir);
  const std::string directory =
      at ? unit.words[at->word].text.text.substr(at->begin) : std::string("/var/lib/k0s");
  return fmt::format("{}/{}", directory, kOldConfig);
}

std::vector<HostPath> paths(const NodeSnapshot&, const systemd::CommandLine& unit) {
  return {{kConfig}, {old_config(unit)}};
}

bool exists(const NodeSnapshot& snapshot, const std::string& path) {
  const SourceFile* file = find_file(snapshot, path);
  return file != nullptr && file->exists();
}

/// The piece of `word` from `begin` to `end` as a word of its own: "name=value", also where k0s adds the '='.
systemd::Word pair_of(const systemd::Word& word, std::size_t begin, std::size_t end) {
  systemd::Word pair;
  pair.text = word.text.sub(begin, end);
  pair.variable = word.variable;
  pair.inner = word.inner;
  pair.raw = pair.text.at.front();
  for (const CharOrigin& from : pair.text.at) {
    pair.raw.begin = std::min(pair.raw.begin, from.begin);
    pair.raw.end = std::max(pair.raw.end, from.end);
  }
  if (pair.text.text.find('=') == std::string::npos) pair.text.push('=', pair.text.at.back());
  return pair;
}

/// The extra arguments, by name: the last of a name counts.
std::map<std::string, systemd::Word> extra_args(const systemd::CommandLine& unit) {
  std::map<std::string, systemd::Word> pairs;
  const auto at = option(unit, kExtraArgs);
  if (!at) return pairs;
  const systemd::Word& word = unit.words[at->word];
  const std::string& text = word.text.text;
  for (std::size_t begin = at->begin; begin < text.size();) {
    if (is_blank(text[begin])) {
      ++begin;
      continue;
    }
    std::size_t end = begin;
    while (end < text.size() && !is_blank(text[end])) ++end;
    systemd::Word pair = pair_of(word, begin, end);
    std::string name = pair.text.text.substr(0, pair.text.text.find('='));
    pairs.insert_or_assign(std::move(name), std::move(pair));
    begin = end;
  }
  return pairs;
}

Result<std::vector<systemd::Word>> words(const NodeSnapshot& snapshot,
                                         const systemd::CommandLine& unit) {
  if (is_controller(unit) && !has_switch(unit, "--enable-worker") &&
      !has_switch(unit, "--single")) {
    return Error{.kind = ErrorKind::kNotFound,
                 .message =
                     "this controller of k0s runs no kubelet: it has neither '--enable-worker' "
                     "nor '--single'",
                 .path = snapshot.unit.fragment_path,
                 .hint = "run this on a worker"};
  }
  std::map<std::string, systemd::Word> pairs;
  const std::string old = old_config(unit);
  for (const std::string& path : {std::string(kConfig), old}) {
    if (!exists(snapshot, path)) continue;
    systemd::Word config;
    config.text.append(fmt::format("--config={}", path), CharOrigin{});
    pairs.emplace("--config", std::move(config));
  }
  for (auto& [name, pair] : extra_args(unit)) pairs.insert_or_assign(name, pair);
  std::vector<systemd::Word> made(1);
  made.front().text.append("kubelet", CharOrigin{});
  for (auto& [name, pair] : pairs) made.push_back(std::move(pair));
  return made;
}

/// A word of the unit's own command, where an escape may be written.
bool is_in_command(const systemd::CommandLine& unit, const systemd::Word& word) {
  return word.variable.empty() && word.inner.empty() && word.raw.source == unit.exec_source;
}

/// At the end of the extra arguments; where there are none, as one more argument of k0s.
std::vector<LauncherEdit> insertions(const NodeSnapshot& snapshot, const systemd::CommandLine& unit,
                                     const std::string& list) {
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(unit.exec_source)];
  if (systemd::is_vendor_path(file.path)) return {};
  const std::string flag = fmt::format("{}={}", kFlag, list);
  const auto at = option(unit, kExtraArgs);
  if (!at) {
    const std::size_t end = unit.exec_setting.value.at.back().end;
    return {{file.path, {.at = {end, end}, .text = fmt::format(" {}={}", kExtraArgs, flag)}}};
  }
  const systemd::Word& word = unit.words[at->word];
  if (!is_in_command(unit, word) || word.text.at.empty()) return {};
  const std::size_t end = word.text.at.back().end;
  const bool first = at->begin == word.text.text.size();
  return {{file.path, {.at = {end, end}, .text = fmt::format("{}{}", first ? "" : kBlank, flag)}}};
}

/// The pair with what sets it apart from its neighbours; the option of k0s too where it was all it had.
Splice unit_removal(const SourceFile& file, Span word) {
  const std::string_view bytes = file.bytes;
  const std::string_view before = bytes.substr(0, word.begin);
  const std::string_view after = bytes.substr(word.end);
  const std::string option = fmt::format(" {}=", kExtraArgs);
  const bool ends = after.empty() || after.front() == ' ' || after.front() == '\n';
  if (before.ends_with(option) && ends) {
    return {.at = {word.begin - option.size(), word.end}, .text = {}};
  }
  for (const std::string_view blank : {kBlank, std::string_view(" ")}) {
    if (before.ends_with(blank)) return {.at = {word.begin - blank.size(), word.end}, .text = {}};
  }
  // A plain blank behind it may as well set the next argument of k0s apart.
  if (after.starts_with(kBlank)) return {.at = {word.begin, word.end + kBlank.size()}, .text = {}};
  return {.at = word, .text = {}};
}

std::string restarts_too(const NodeSnapshot&, const systemd::CommandLine& unit) {
  return is_controller(unit) ? "the control plane that this controller runs" : std::string();
}

}  // namespace

const KubeletLauncher kK0sHost = {.place = KubeletPlace::kChild,
                                  .paths = paths,
                                  .words = words,
                                  .insertions = insertions,
                                  .version_argument = "version",
                                  .unit_removal = unit_removal,
                                  .restarts_too = restarts_too,
                                  .writes_config = true,
                                  .pid_file = "/run/k0s/kubelet.pid"};

}  // namespace kubelet_sysctl::nodes
