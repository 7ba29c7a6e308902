// SPDX-License-Identifier: Apache-2.0
// The options of k3s and RKE2, merged as they merge them.
// Source: k3s pkg/configfilearg/parser.go, pkg/util/args.go, pkg/cli/cmds; RKE2 wraps the same code.
#include "embedded/rancher_options.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "embedded/yaml_settings.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"

namespace kubelet_sysctl::nodes {
namespace {

constexpr std::string_view kKubeletArg = "kubelet-arg";

bool ends_in_yaml(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  });
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

/// The value of `text` when it is the option `name`, in one word or two: one dash or two, as Go's flag package
/// has it.
std::optional<std::size_t> value_in(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  while (at < 2 && at < text.size() && text[at] == '-') ++at;
  if (at == 0 || text.substr(at, name.size()) != name) return std::nullopt;
  at += name.size();
  if (at == text.size()) return std::string_view::npos;  // the next word
  return text[at] == '=' ? std::optional<std::size_t>(at + 1) : std::nullopt;
}

/// The values of an option among the unit's words from `first` on. A value in a word of its own is covered
/// together with the option by `raw`.
std::vector<YamlValue> values_in_unit(const systemd::CommandLine& unit, std::size_t first,
                                      std::string_view name) {
  std::vector<YamlValue> values;
  for (std::size_t i = first; i < unit.words.size(); ++i) {
    const systemd::Word& word = unit.words[i];
    const auto begin = value_in(word.text.text, name);
    if (!begin) continue;
    if (*begin != std::string_view::npos) {
      values.push_back({word.text.sub(*begin, word.text.text.size()), word.raw});
    } else if (i + 1 < unit.words.size()) {
      const systemd::Word& next = unit.words[++i];
      YamlValue value{next.text, next.raw};
      if (word.raw.source == next.raw.source) value.raw.begin = word.raw.begin;
      values.push_back(std::move(value));
    }
  }
  return values;
}

std::string last_of(const std::vector<YamlValue>& values, std::string otherwise) {
  return values.empty() ? std::move(otherwise) : values.back().text.text.str();
}

std::string variable(const systemd::CommandLine& unit, const std::string& name) {
  const auto found = unit.environment.find(name);
  return found == unit.environment.end() ? std::string() : found->second.value.text.str();
}

/// The index of the word behind `server` or `agent`.
Result<std::size_t> start_of(const Product& product, const NodeSnapshot& snapshot,
                             const systemd::CommandLine& unit, bool& is_agent) {
  const bool is_program = base_name(unit.program) == product.program;
  for (std::size_t i = 1; is_program && i < unit.words.size(); ++i) {
    const std::string& text = unit.words[i].text.text;
    if (text != "server" && text != "agent") continue;
    is_agent = text == "agent";
    return i + 1;
  }
  Error error{
      .kind = ErrorKind::kUnsupported,
      .message = fmt::format("this unit does not run '{0} server' or '{0} agent' itself: what its "
                             "kubelet is started with is not known",
                             product.program),
      .path = snapshot.unit.fragment_path,
      .hint = "name the unit that does with '--unit NAME'"};
  return error;
}

/// Files and what each key of them comes to, as readConfigFile() keeps it.
class Merger {
 public:
  Merger(const Product& product, const NodeSnapshot& snapshot)
      : product_(product), snapshot_(snapshot) {}

  Status read(const std::string& path) {
    const std::int32_t source = find_source(snapshot_, path);
    if (source == kNoSource) return {};
    const SourceFile& file = snapshot_.files[static_cast<std::size_t>(source)];
    if (!file.exists()) return {};
    auto settings = read_yaml_settings(file, source, product_.title);
    if (!settings) return std::move(settings).error();
    for (YamlSetting& setting : *settings) {
      const bool appends = setting.key.ends_with('+');
      if (appends) setting.key.pop_back();
      if (!setting.is_plain && is_known(setting.key)) {
        return error_at(
            ErrorKind::kUnsupported, file, setting.key_at,
            fmt::format("will not read '{}': it is no list of plain values", setting.key));
      }
      take(std::move(setting), appends);
    }
    return {};
  }

  [[nodiscard]] std::vector<YamlValue> values(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? std::vector<YamlValue>() : found->second;
  }

 private:
  static bool is_known(std::string_view key) {
    return key == kKubeletArg || key == "data-dir" || key == "d" || key == "disable" ||
           key == "enable-servicelb" || key == "no-deploy";
  }

  /// With the plus the values join those before; without it they take their place.
  void take(YamlSetting setting, bool appends) {
    const bool joins = appends && values_.contains(setting.key);
    auto& held = values_[setting.key];
    if (!joins) held.clear();
    for (YamlValue& value : setting.values) {
      // toSlice() drops a null that is to be appended.
      const bool dropped = joins && setting.form == YamlForm::kScalar && value.text.text.empty();
      if (!dropped) held.push_back(std::move(value));
    }
  }

  const Product& product_;
  const NodeSnapshot& snapshot_;
  std::map<std::string, std::vector<YamlValue>> values_;
};

bool decides_list(const YamlValue& arg) {
  std::size_t value = 0;
  const std::string name = name_of_arg(arg.text.text, value);
  return name == "allowed-unsafe-sysctls" || name == "config" || name == "config-dir";
}

const SourceFile* file_of(const NodeSnapshot& snapshot, const YamlValue& value) {
  if (value.raw.source == kNoSource) return nullptr;
  return &snapshot.files[static_cast<std::size_t>(value.raw.source)];
}

Error at_value(const NodeSnapshot& snapshot, const YamlValue& value, std::string message,
               std::string hint) {
  const SourceFile* file = file_of(snapshot, value);
  if (file == nullptr) {
    return {
        .kind = ErrorKind::kUnsupported, .message = std::move(message), .hint = std::move(hint)};
  }
  return error_at(ErrorKind::kUnsupported, *file, {value.raw.begin, value.raw.end},
                  std::move(message), std::move(hint));
}

/// The documentation says that the command line replaces the list of the files, the code hands both to a
/// parser that collects them (parser.go, urfave/cli): where that would change the list, nothing is claimed.
Result<std::vector<YamlValue>> joined_args(const Product& product, const NodeSnapshot& snapshot,
                                           std::vector<YamlValue> files,
                                           std::vector<YamlValue> unit) {
  if (!unit.empty()) {
    const auto open = std::find_if(files.begin(), files.end(), decides_list);
    if (open != files.end()) {
      return at_value(
          snapshot, *open,
          fmt::format("whether {} takes this beside the 'kubelet-arg' of the unit's command "
                      "line is not known",
                      product.title),
          "write every kubelet-arg in one place, the file or the unit");
    }
  }
  for (YamlValue& value : unit) files.push_back(std::move(value));
  return files;
}

/// An item without '=' makes some releases take the next one for its value, agent.go extractConfigArgs().
Status no_swallowed_list(const Product& product, const NodeSnapshot& snapshot,
                         const std::vector<YamlValue>& args) {
  for (std::size_t i = 1; i < args.size(); ++i) {
    const bool bare = args[i - 1].text.text.find('=') == std::string::npos;
    if (!bare || !decides_list(args[i])) continue;
    return at_value(
        snapshot, args[i],
        fmt::format("what {} makes of this item depends on its release, for the one before "
                    "it has no '='",
                    product.title),
        fmt::format("write '{}=true'", args[i - 1].text.text.str()));
  }
  return {};
}

std::vector<std::string> single_names(const std::vector<YamlValue>& values) {
  std::vector<std::string> names;
  for (const YamlValue& value : values) {
    std::string_view rest = value.text.text;
    for (;;) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      std::string_view name = rest.substr(0, end);
      name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
      name = name.substr(0, name.find_last_not_of(' ') + 1);
      names.emplace_back(name);
      if (end == rest.size()) break;
      rest.remove_prefix(end + 1);
    }
  }
  return names;
}

}  // namespace

Result<ConfigPlaces> config_places(const Product& product, const NodeSnapshot& snapshot,
                                   const systemd::CommandLine& unit) {
  bool is_agent = false;
  auto first = start_of(product, snapshot, unit, is_agent);
  if (!first) return std::move(first).error();
  ConfigPlaces places;
  // The variable goes before the option, and of two options the first counts: findConfigFileFlag().
  places.file = variable(unit, fmt::format("{}_CONFIG_FILE", product.variables));
  for (const std::string_view name : {"config", "c"}) {
    const auto given = values_in_unit(unit, 1, name);
    if (places.file.empty() && !given.empty()) places.file = given.front().text.text;
  }
  if (places.file.empty())
    places.file = fmt::format("/etc/rancher/{}/config.yaml", product.program);
  if (places.file.find("://") != std::string::npos) {
    return Error{
        .kind = ErrorKind::kUnsupported,
        .message = fmt::format("{} fetches its configuration from '{}', which is not read here",
                               product.title, places.file),
        .path = snapshot.unit.fragment_path};
  }
  if (!places.file.starts_with('/')) {
    const std::string base = snapshot.process_cwd == "/" ? "" : snapshot.process_cwd;
    places.file = fmt::format("{}/{}", base, places.file);
  }
  places.directory = places.file + ".d";
  places.files.push_back(places.file);
  const auto listing = snapshot.listings.find(places.directory);
  if (listing == snapshot.listings.end()) return places;
  for (const std::string& name : listing->second) {
    if (ends_in_yaml(name)) places.files.push_back(fmt::format("{}/{}", places.directory, name));
  }
  return places;
}

Result<Options> options_of(const Product& product, const NodeSnapshot& snapshot,
                           const systemd::CommandLine& unit) {
  Options options;
  auto first = start_of(product, snapshot, unit, options.is_agent);
  if (!first) return std::move(first).error();
  auto places = config_places(product, snapshot, unit);
  if (!places) return std::move(places).error();
  options.places = std::move(*places);
  Merger files(product, snapshot);
  for (const std::string& path : options.places.files) {
    if (auto status = files.read(path); !status) return std::move(status).error();
  }
  // The files' options come first on the command line that is made of both, so the unit's count last.
  const auto given = [&](const std::string& name) {
    std::vector<YamlValue> all = files.values(name);
    for (YamlValue& value : values_in_unit(unit, *first, name)) all.push_back(std::move(value));
    return all;
  };
  std::string data_dir = variable(unit, fmt::format("{}_DATA_DIR", product.variables));
  if (data_dir.empty()) data_dir = fmt::format("/var/lib/rancher/{}", product.program);
  data_dir = last_of(given("d"), std::move(data_dir));
  options.data_dir = last_of(given("data-dir"), std::move(data_dir));
  while (options.data_dir.size() > 1 && options.data_dir.ends_with('/'))
    options.data_dir.pop_back();
  options.disabled = single_names(given("disable"));
  for (std::string& name : single_names(given("no-deploy")))
    options.disabled.push_back(std::move(name));
  const auto& disabled = options.disabled;
  options.has_servicelb =
      std::find(disabled.begin(), disabled.end(), "servicelb") == disabled.end();
  if (product.program == "rke2" && !options.is_agent) {
    const std::string enabled = last_of(given("enable-servicelb"), "false");
    options.has_servicelb = enabled == "true";
  }
  auto in_unit = values_in_unit(unit, *first, kKubeletArg);
  auto args =
      joined_args(product, snapshot, files.values(std::string(kKubeletArg)), std::move(in_unit));
  if (!args) return std::move(args).error();
  options.kubelet_args = std::move(*args);
  if (auto status = no_swallowed_list(product, snapshot, options.kubelet_args); !status) {
    return std::move(status).error();
  }
  return options;
}

std::string name_of_arg(std::string_view arg, std::size_t& value) {
  const std::size_t begin = arg.starts_with("--") ? 2 : 0;
  const std::size_t equal = arg.find('=', begin);
  value = equal == std::string_view::npos ? equal : equal + 1;
  std::string_view name = arg.substr(begin, equal - begin);
  if (equal == std::string_view::npos) name = arg.substr(begin);
  while (!name.empty() && (name.back() == '+' || name.back() == '-')) name.remove_suffix(1);
  return std::string(name);
}

std::vector<systemd::Word> merged_args(const std::map<std::string, std::string>& defaults,
                                       const std::vector<YamlValue>& args) {
  std::map<std::string, std::string> left = defaults;
  std::map<std::string, std::vector<systemd::Word>> made;
  const auto built_in = [](const std::string& name, const std::string& value) {
    systemd::Word word;
    word.text.append(fmt::format("--{}={}", name, value), CharOrigin{});
    return word;
  };
  for (const YamlValue& arg : args) {
    std::size_t value = 0;
    const std::string name = name_of_arg(arg.text.text, value);
    const std::size_t end = value == std::string::npos ? arg.text.text.size() : value - 1;
    const char sign = end > 0 ? arg.text.text[end - 1] : '\0';
    const bool keeps = sign == '+' || sign == '-';
    systemd::Word word;
    word.raw = arg.raw;
    // What is not written stands for the first byte of the item; an item of nothing has none.
    const bool is_written = arg.raw.begin < arg.raw.end;
    const CharOrigin place =
        is_written ? CharOrigin{arg.raw.source, arg.raw.begin, arg.raw.begin + 1} : CharOrigin{};
    const std::size_t begin = arg.text.text.starts_with("--") ? 2 : 0;
    word.text.append("--", place);
    word.text.append(arg.text.sub(begin, begin + name.size()));
    if (value == std::string::npos) {
      word.text.append("=true", place);
    } else {
      word.text.append(arg.text.sub(value - 1, arg.text.text.size()));
    }
    std::vector<systemd::Word>& words = made[name];
    const auto initial = left.find(name);
    if (keeps && initial != left.end()) words.push_back(built_in(name, initial->second));
    words.insert(sign == '-' ? words.begin() : words.end(), std::move(word));
    if (initial != left.end()) left.erase(initial);
  }
  for (const auto& [name, value] : left) made[name].push_back(built_in(name, value));
  std::vector<systemd::Word> words;
  for (auto& [name, uses] : made) {
    for (systemd::Word& use : uses) words.push_back(std::move(use));
  }
  return words;
}

}  // namespace kubelet_sysctl::nodes
