// SPDX-License-Identifier: Apache-2.0
// The kubelet of k3s and RKE2: its words, the places for a list, and what they need themselves.
// Source: k3s pkg/daemons/agent/agent.go and agent_linux.go; RKE2 runs the same code and starts what it gives.
#include "embedded/rancher.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "embedded/rancher_options.hpp"
#include "embedded/yaml_settings.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr Product kK3s = {.title = "k3s", .program = "k3s", .variables = "K3S"};
constexpr Product kRke2 = {.title = "RKE2", .program = "rke2", .variables = "RKE2"};

/// From this release on the defaults are in a file of --config-dir, and no more in flags.
constexpr sysctl::KubeletVersion kDropIns{.major = 1, .minor = 32, .patch = 0};
/// Before it the signs behind a name ("+=") were not known. Source: pkg/util/args.go of 1.22 and 1.24.
constexpr sysctl::KubeletVersion kOldest{.major = 1, .minor = 24, .patch = 0};
constexpr const char* kListName = "allowed-unsafe-sysctls";
/// What the service load balancer's pods set. Source: agent_linux.go; k3s issue 8487.
constexpr std::array<const char*, 2> kOfServicelb = {"net.ipv4.ip_forward",
                                                     "net.ipv6.conf.all.forwarding"};
constexpr const char* kOwnFile = "90-kubelet-sysctl.yaml";

std::string kubelet_dir(const Options& options) {
  return fmt::format("{}/agent/etc/kubelet.conf.d", options.data_dir);
}

std::string defaults_file(const Product& product, const Options& options) {
  return fmt::format("{}/00-{}-defaults.conf", kubelet_dir(options), product.program);
}

/// Whether the defaults are in a file; nothing when the release is not known. The file is regenerated at every
/// start of a release that has it.
std::optional<bool> has_drop_ins(const Product& product, const NodeSnapshot& snapshot,
                                 const Options& options) {
  if (snapshot.kubelet_version) return *snapshot.kubelet_version >= kDropIns;
  const SourceFile* file = find_file(snapshot, defaults_file(product, options));
  if (file != nullptr && file->exists()) return true;
  return std::nullopt;
}

/// The values of kubelet-arg that name a configuration which is copied into --config-dir.
std::vector<std::string> copied_from(const Options& options, std::string_view name) {
  std::vector<std::string> paths;
  for (const YamlValue& arg : options.kubelet_args) {
    std::size_t value = 0;
    if (name_of_arg(arg.text.text, value) != name || value == std::string::npos) continue;
    paths.push_back(arg.text.text.substr(value));
  }
  return paths;
}

template <const Product& kProduct>
std::vector<HostPath> paths(const NodeSnapshot& snapshot, const systemd::CommandLine& unit) {
  std::vector<HostPath> wanted;
  const auto places = config_places(kProduct, snapshot, unit);
  if (!places) return wanted;
  wanted.push_back({places->file.substr(0, places->file.rfind('/'))});
  wanted.push_back({places->directory, true});
  for (const std::string& file : places->files) wanted.push_back({file});
  wanted.push_back({fmt::format("{}/{}", places->directory, kOwnFile)});
  const auto options = options_of(kProduct, snapshot, unit);
  if (!options) return wanted;
  wanted.push_back({defaults_file(kProduct, *options)});
  for (const std::string& path : copied_from(*options, "config")) {
    if (path.starts_with('/')) wanted.push_back({path});
  }
  return wanted;
}

template <const Product& kProduct>
Result<std::vector<systemd::Word>> words(const NodeSnapshot& snapshot,
                                         const systemd::CommandLine& unit) {
  auto options = options_of(kProduct, snapshot, unit);
  if (!options) return std::move(options).error();
  std::map<std::string, std::string> defaults;
  std::vector<YamlValue> args = std::move(options->kubelet_args);
  const auto drop_ins = has_drop_ins(kProduct, snapshot, *options);
  if (drop_ins.value_or(false)) {
    defaults["config-dir"] = kubelet_dir(*options);
    std::erase_if(args, [](const YamlValue& arg) {
      std::size_t value = 0;
      const std::string name = name_of_arg(arg.text.text, value);
      return name == "config" || name == "config-dir";  // copied into that directory instead
    });
  } else if (drop_ins && options->has_servicelb) {
    defaults[kListName] = fmt::format("{},{}", kOfServicelb[0], kOfServicelb[1]);
  }
  std::vector<systemd::Word> made(1);
  made.front().text.append("kubelet", CharOrigin{});
  for (systemd::Word& word : merged_args(defaults, args)) made.push_back(std::move(word));
  return made;
}

std::string item_of(const std::string& list, bool adds) {
  return fmt::format("{}{}{}", kListName, adds ? "+=" : "=", list);
}

/// The file of our own beside the configuration.
std::string own_text(const std::string& item) {
  return fmt::format(
      "# Made by kubelet-sysctl; its 'undo' takes this file away again.\n"
      "kubelet-arg+:\n"
      "  - {}\n",
      yaml_quoted(item));
}

/// The setting that an item is to join: the last one of its file that is a list of kubelet-arg.
std::optional<Splice> joining(const Product& product, const SourceFile& file,
                              const std::string& item) {
  const auto settings = read_yaml_settings(file, 0, product.title);
  if (!settings) return std::nullopt;
  for (auto setting = settings->rbegin(); setting != settings->rend(); ++setting) {
    if (setting->key != "kubelet-arg" && setting->key != "kubelet-arg+") continue;
    return with_yaml_value(file, *setting, item);
  }
  return std::nullopt;
}

/// A file of our own that appends; else the list of the last file that has one.
template <const Product& kProduct>
std::vector<LauncherEdit> insertions(const NodeSnapshot& snapshot, const systemd::CommandLine& unit,
                                     const std::string& list) {
  std::vector<LauncherEdit> edits;
  const auto options = options_of(kProduct, snapshot, unit);
  if (!options) return edits;
  const std::string own = fmt::format("{}/{}", options->places.directory, kOwnFile);
  const SourceFile* known = find_file(snapshot, own);
  // "+=" keeps what the program adds itself; "=" takes its place.
  for (const bool adds : {true, false}) {
    if (known != nullptr && known->exists()) break;
    edits.push_back({own, {{0, 0}, own_text(item_of(list, adds))}});
  }
  const auto& files = options->places.files;
  for (auto path = files.rbegin(); path != files.rend(); ++path) {
    const SourceFile* file = find_file(snapshot, *path);
    if (file == nullptr || !file->exists()) continue;
    for (const bool adds : {true, false}) {
      auto splice = joining(kProduct, *file, item_of(list, adds));
      if (splice) edits.push_back({*path, std::move(*splice)});
    }
  }
  return edits;
}

Splice removal(const SourceFile& file, Span word) { return without_yaml_value(file, word); }

/// The item in double quotes, its name as it is: a comma needs them within brackets.
Splice rewrite(const SourceFile& file, Span word, const std::string& list) {
  std::string_view item = std::string_view(file.bytes).substr(word.begin, word.size());
  if (item.starts_with('"') || item.starts_with('\'')) item.remove_prefix(1);
  const std::size_t equal = item.find('=');
  if (equal == std::string_view::npos) return {.at = word, .text = std::string(item)};
  return {.at = word, .text = yaml_quoted(fmt::format("{}={}", item.substr(0, equal), list))};
}

Error unknown_release(const Product& product, const NodeSnapshot& snapshot) {
  std::string why = snapshot.kubelet_version_why;
  if (!why.empty()) why = fmt::format(" ({})", why);
  return {.kind = ErrorKind::kUnsupported,
          .message = fmt::format("the release of this {} is not known{}, and from v1.32 on "
                                 "its defaults are in a file, before in flags",
                                 product.title, why),
          .path = snapshot.unit.fragment_path,
          .hint = "name its release with '--kubelet-version 1.33'"};
}

template <const Product& kProduct>
std::optional<Error> refusal(const NodeSnapshot& snapshot, const systemd::CommandLine& unit) {
  const auto options = options_of(kProduct, snapshot, unit);
  if (!options) return options.error();
  const auto drop_ins = has_drop_ins(kProduct, snapshot, *options);
  if (!drop_ins) return unknown_release(kProduct, snapshot);
  if (snapshot.kubelet_version && *snapshot.kubelet_version < kOldest) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message = fmt::format("will not change the list of {} {}: how it merges kubelet-arg is "
                               "known from v1.24 on",
                               kProduct.title, sysctl::text_of(*snapshot.kubelet_version)),
        .path = snapshot.unit.fragment_path};
  }
  if (!*drop_ins) return std::nullopt;
  for (const std::string& path : copied_from(*options, "config")) {
    const SourceFile* named = find_file(snapshot, path);
    const SourceFile* copy =
        find_file(snapshot, fmt::format("{}/10-cli-config.conf", kubelet_dir(*options)));
    const bool same = named != nullptr && copy != nullptr && named->exists() && copy->exists() &&
                      named->bytes == copy->bytes;
    if (same) continue;
    return Error{.kind = ErrorKind::kUnsupported,
                 .message = fmt::format("will not change the list now: {} copies '{}' over its "
                                        "10-cli-config.conf at the next start, and the two differ",
                                        kProduct.title, path),
                 .path = copy == nullptr ? kubelet_dir(*options) : copy->path,
                 .hint = fmt::format("restart {} first, or remove 'config=' from kubelet-arg",
                                     snapshot.unit.name)};
  }
  return std::nullopt;
}

template <const Product& kProduct>
std::vector<std::string> needs(const NodeSnapshot& snapshot, const systemd::CommandLine& unit) {
  const auto options = options_of(kProduct, snapshot, unit);
  // On an agent of RKE2 nothing of its own files says whether the servers run the load balancer.
  const bool known = options && (kProduct.program == kK3s.program || !options->is_agent) &&
                     has_drop_ins(kProduct, snapshot, *options);
  if (!known || !options->has_servicelb) return {};
  return {kOfServicelb.begin(), kOfServicelb.end()};
}

/// Source: RKE2 pkg/cli/defaults/defaults.go.
std::string kubelet_log(const NodeSnapshot& snapshot, const systemd::CommandLine& unit) {
  const auto options = options_of(kRke2, snapshot, unit);
  return options ? options->data_dir + "/agent/logs/kubelet.log" : std::string();
}

std::string restarts_too(const NodeSnapshot&, const systemd::CommandLine& unit) {
  const bool server =
      std::any_of(unit.words.begin(), unit.words.end(),
                  [](const systemd::Word& word) { return word.text.text == "server"; });
  return server ? "the control plane, which is the same process on a server of k3s,"
                : std::string();
}

}  // namespace

const KubeletLauncher kK3sHost = {.place = KubeletPlace::kInside,
                                  .paths = paths<kK3s>,
                                  .words = words<kK3s>,
                                  .insertions = insertions<kK3s>,
                                  .removal = removal,
                                  .rewrite = rewrite,
                                  .refusal = refusal<kK3s>,
                                  .needs = needs<kK3s>,
                                  .unit_option = "--kubelet-arg=",
                                  .version_argument = "--version",
                                  .log_mark = "Running kubelet ",
                                  .restarts_too = restarts_too};

const KubeletLauncher kRke2Host = {.place = KubeletPlace::kChild,
                                   .paths = paths<kRke2>,
                                   .words = words<kRke2>,
                                   .insertions = insertions<kRke2>,
                                   .removal = removal,
                                   .rewrite = rewrite,
                                   .refusal = refusal<kRke2>,
                                   .needs = needs<kRke2>,
                                   .unit_option = "--kubelet-arg=",
                                   .version_argument = "--version",
                                   .log_file = kubelet_log};

}  // namespace kubelet_sysctl::nodes
