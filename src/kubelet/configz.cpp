// SPDX-License-Identifier: Apache-2.0
// Reads what a kubelet and an API server answer, and nothing that only looks like it.
#include "kubelet_sysctl/kubelet/configz.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

using Json = nlohmann::json;

Error not_configz(std::string what) {
  return {.kind = ErrorKind::kMalformed,
          .message = "the answer is no configuration of a kubelet: " + std::move(what)};
}

/// RFC 1123 subdomain, which every name of a Node is.
bool is_node_name(std::string_view name) {
  constexpr std::size_t kLongest = 253;
  const auto is_valid = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
           byte == '.';
  };
  return !name.empty() && name.size() <= kLongest && std::isalnum(name.front()) != 0 &&
         std::all_of(name.begin(), name.end(), is_valid);
}

}  // namespace

Result<std::vector<std::string>> parse_configz(std::string_view json) {
  const Json answer = Json::parse(json, nullptr, false);
  if (!answer.is_object()) return not_configz("not a JSON object");
  const auto config = answer.find("kubeletconfig");
  if (config == answer.end() || !config->is_object()) return not_configz("no 'kubeletconfig'");
  // An object without anything else is no answer either: every kubelet fills in dozens of defaults.
  if (config->empty()) return not_configz("'kubeletconfig' is empty");
  std::vector<std::string> entries;
  const auto list = config->find("allowedUnsafeSysctls");
  if (list == config->end() || list->is_null()) return entries;
  if (!list->is_array()) return not_configz("'allowedUnsafeSysctls' is not a list");
  for (const Json& entry : *list) {
    if (!entry.is_string()) return not_configz("'allowedUnsafeSysctls' holds what is no string");
    entries.push_back(entry.get<std::string>());
  }
  return entries;
}

std::optional<std::string> boot_id_in(std::string_view node_json) {
  const Json node = Json::parse(node_json, nullptr, false);
  const Json* at = &node;
  for (const char* key : {"status", "nodeInfo", "bootID"}) {
    if (!at->is_object()) return std::nullopt;
    const auto next = at->find(key);
    if (next == at->end()) return std::nullopt;
    at = &*next;
  }
  if (!at->is_string() || at->get<std::string>().empty()) return std::nullopt;
  return at->get<std::string>();
}

std::optional<std::string> node_name_of(const std::vector<std::string>& kubelet_argv,
                                        std::string_view hostname) {
  std::string name(hostname);
  if (const auto start = kubelet_arguments_start(kubelet_argv)) {
    const auto given = parse_kubelet_flags(kubelet_argv, *start).hostname_override;
    if (given && !given->empty()) name = *given;
  }
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = std::min(name.find_first_not_of(kBlanks), name.size());
  name = name.substr(begin, name.find_last_not_of(kBlanks) + 1 - begin);
  std::transform(name.begin(), name.end(), name.begin(), [](char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
  });
  if (!is_node_name(name)) return std::nullopt;
  return name;
}

}  // namespace kubelet_sysctl::kubelet
