// SPDX-License-Identifier: Apache-2.0
// The kubelet inside kubelite of MicroK8s: its words are a file that kubelite reads by rules of its own.
// Source: canonical/microk8s wrappers/run-kubelite-with-args, patches/v1.36.0/0000-Kubelite-integration.patch.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "embedded/bash_words.hpp"
#include "embedded/snaps.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr const char* kKubelite = "/var/snap/microk8s/current/args/kubelite";
constexpr const char* kKubelet = "/var/snap/microk8s/current/args/kubelet";
/// bufio.Scanner gives up over a longer line, and kubelite ends. Source: Go bufio.MaxScanTokenSize.
constexpr std::size_t kLongestLine = 64 * 1024 - 1;

/// The last value that kubelite's own arguments give a flag; nothing where they do not name it.
Result<std::optional<std::string>> kubelite_flag(const NodeSnapshot& snapshot,
                                                 std::string_view name) {
  std::optional<std::string> value;
  const std::int32_t source = find_source(snapshot, kKubelite);
  if (source == kNoSource) return value;
  const SourceFile& file = snapshot.files[static_cast<std::size_t>(source)];
  if (!file.exists()) return value;
  auto words = shell_words(file, source, snap_variables("microk8s"));
  if (!words) return std::move(words).error();
  for (std::size_t i = 0; i < words->size(); ++i) {
    const std::string& text = (*words)[i].text.text;
    if (text == name && i + 1 < words->size()) value = (*words)[i + 1].text.text;
    if (text.starts_with(name) && text.substr(name.size()).starts_with('=')) {
      value = text.substr(name.size() + 1);
    }
  }
  return value;
}

Result<std::string> kubelet_file(const NodeSnapshot& snapshot) {
  auto path = kubelite_flag(snapshot, "--kubelet-args-file");
  if (!path) return std::move(path).error();
  return path->value_or(kKubelet);
}

std::vector<HostPath> paths(const NodeSnapshot& snapshot, const systemd::CommandLine&) {
  std::vector<HostPath> wanted = {{kKubelite}};
  const auto path = kubelet_file(snapshot);
  if (path && path->starts_with('/')) wanted.push_back({*path});
  return wanted;
}

/// Reads the file as kubelite does: lines trimmed, comments and empty ones dropped, every quote taken out, cut
/// at each blank, variables of the environment put in.
class ArgsFile {
 public:
  ArgsFile(const SourceFile& file, std::int32_t source, const systemd::Environment& environment)
      : file_(file), source_(source), environment_(environment) {}

  Result<std::vector<systemd::Word>> run() {
    const std::string& bytes = file_.bytes;
    for (std::size_t begin = 0; begin < bytes.size();) {
      const std::size_t end = std::min(bytes.find('\n', begin), bytes.size());
      if (end - begin > kLongestLine) {
        return error_at(ErrorKind::kMalformed, file_, {begin, begin + 1},
                        "kubelite does not start: it reads no line longer than 64 KiB");
      }
      if (auto status = line(begin, end); !status) return std::move(status).error();
      begin = end + 1;
    }
    return std::move(words_);
  }

 private:
  static bool is_space(char byte) {
    return std::string_view(" \t\r\v\f").find(byte) != std::string_view::npos;
  }
  [[nodiscard]] CharOrigin from(std::size_t begin, std::size_t end) const {
    return {source_, static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)};
  }

  Status line(std::size_t begin, std::size_t end) {
    const std::string& bytes = file_.bytes;
    while (begin < end && is_space(bytes[begin])) ++begin;
    while (end > begin && is_space(bytes[end - 1])) --end;
    if (begin == end || bytes[begin] == '#') return {};
    for (std::size_t at = begin;;) {
      const std::size_t stop = std::min(bytes.find(' ', at), end);
      if (auto status = part(at, stop); !status) return status;
      if (stop == end) return {};
      at = stop + 1;
    }
  }

  Status part(std::size_t begin, std::size_t end) {
    const std::string& bytes = file_.bytes;
    systemd::Word word;
    word.raw = from(begin, end);
    for (std::size_t at = begin; at < end;) {
      if (bytes[at] == '$') {
        if (auto status = variable(word, at, end); !status) return status;
        continue;
      }
      if (bytes[at] != '"' && bytes[at] != '\'') word.text.push(bytes[at], from(at, at + 1));
      ++at;
    }
    words_.push_back(std::move(word));
    return {};
  }

  /// Go's os.ExpandEnv(): "$NAME" and "${NAME}"; the odd forms are not followed here.
  Status variable(systemd::Word& word, std::size_t& at, std::size_t end) {
    const std::string_view bytes = std::string_view(file_.bytes).substr(0, end);
    constexpr std::string_view kNameBytes =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    const bool braces = bytes.substr(at).starts_with("${");
    const std::size_t begin = at + (braces ? 2 : 1);
    const std::size_t stop = std::min(bytes.find_first_not_of(kNameBytes, begin), end);
    const std::string name(bytes.substr(begin, stop - begin));
    const bool closed = !braces || (stop < end && bytes[stop] == '}');
    const std::size_t after = braces && closed ? stop + 1 : stop;
    const auto known = variables_.find(name);
    const auto of_unit = environment_.find(name);
    if (!name.empty() && closed && known != variables_.end()) {
      word.text.append(known->second, from(at, after));
    } else if (!name.empty() && closed && of_unit != environment_.end()) {
      word.text.append(of_unit->second.value.text, from(at, after));
    } else if (!name.empty() && closed && begins_harmless_flag(word.text.text)) {
      word.text.append(bytes.substr(at, after - at), from(at, after));
      word.inner.push_back(name);
    } else {
      return error_at(ErrorKind::kUnsupported, file_, {at, std::max(after, at + 1)},
                      "cannot determine the kubelet's arguments: this variable is not known here",
                      "write the value out");
    }
    at = after;
    return {};
  }

  const SourceFile& file_;
  std::int32_t source_;
  const systemd::Environment& environment_;
  const KnownVariables variables_ = snap_variables("microk8s");
  std::vector<systemd::Word> words_;
};

Result<std::vector<systemd::Word>> words(const NodeSnapshot& snapshot,
                                         const systemd::CommandLine& unit) {
  auto path = kubelet_file(snapshot);
  if (!path) return std::move(path).error();
  const std::int32_t source = find_source(snapshot, *path);
  const SourceFile* file = find_file(snapshot, *path);
  if (file == nullptr || !file->exists()) {
    return Error{.kind = ErrorKind::kMalformed,
                 .message = "kubelite does not start: there is no file of the kubelet's arguments",
                 .path = *path};
  }
  auto made = ArgsFile(*file, source, unit.environment).run();
  if (!made) return made;
  systemd::Word name;
  name.text.append("kubelet", CharOrigin{});
  made->insert(made->begin(), std::move(name));
  return made;
}

std::vector<LauncherEdit> insertions(const NodeSnapshot& snapshot, const systemd::CommandLine&,
                                     const std::string& list) {
  const auto path = kubelet_file(snapshot);
  const SourceFile* file = path ? find_file(snapshot, *path) : nullptr;
  if (file == nullptr || !file->exists()) return {};
  return {{*path, line_at_end(*file, fmt::format("--allowed-unsafe-sysctls={}", list))}};
}

std::string restarts_too(const NodeSnapshot& snapshot, const systemd::CommandLine&) {
  const auto starts = kubelite_flag(snapshot, "--start-control-plane");
  if (!starts || starts->value_or("true") == "false") return {};
  return "this node's API server, scheduler and controller manager, which are in kubelite with the "
         "kubelet,";
}

}  // namespace

const KubeletLauncher kMicroK8sHost = {.place = KubeletPlace::kInside,
                                       .paths = paths,
                                       .words = words,
                                       .insertions = insertions,
                                       .removal = without_word,
                                       .restarts_too = restarts_too,
                                       .becomes = "kubelite"};

}  // namespace kubelet_sysctl::nodes
