// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the KubeletConfiguration reader and editor: no input crashes them, an edit that is
// made gives the wanted list, and what was added can be taken away again without a trace.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet/config_reading.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/splice.hpp"
#include "kubelet_sysctl/kubelet/config.hpp"
#include "kubelet_sysctl/yaml/events.hpp"

using kubelet_sysctl::kubelet::ConfigRole;
using kubelet_sysctl::kubelet::KubeletConfigFile;
using kubelet_sysctl::kubelet::ListForm;

namespace {

void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken rule: %s\n", what);
  std::abort();
}

std::vector<std::string> texts_of(const kubelet_sysctl::kubelet::KubeletConfigFile& file) {
  std::vector<std::string> texts;
  for (const auto& entry : file.entries) texts.emplace_back(entry.text);
  return texts;
}

/// Edits, and checks what the edit promises; the bytes as they were when it refuses.
std::string edited(const std::string& bytes, kubelet_sysctl::kubelet::ConfigRole role,
                   const std::vector<std::string>& wanted, bool remove_key) {
  const auto splices =
      kubelet_sysctl::kubelet::edit_kubelet_config(bytes, role, wanted, remove_key);
  if (!splices) return bytes;
  const auto made = kubelet_sysctl::apply_splices(bytes, *splices);
  expect(static_cast<bool>(made), "the splices of an edit do not overlap");
  const auto after = kubelet_sysctl::kubelet::parse_kubelet_config(*made, role);
  expect(static_cast<bool>(after), "an edited file parses");
  expect(texts_of(*after) == wanted, "an edited file holds the wanted list");
  const auto again = kubelet_sysctl::kubelet::edit_kubelet_config(*made, role, wanted, remove_key);
  expect(again && (*again).empty(), "the same edit once more does nothing");
  return *made;
}

void check_edits(const std::string& bytes, kubelet_sysctl::kubelet::ConfigRole role,
                 const kubelet_sysctl::kubelet::KubeletConfigFile& file) {
  const std::vector<std::string> now = texts_of(file);
  const bool strings = std::all_of(file.entries.begin(), file.entries.end(),
                                   [](const auto& entry) { return entry.is_string; });
  for (const auto& entry : file.entries) {
    expect(entry.at.begin <= entry.at.end && entry.at.end <= bytes.size(), "spans are in the file");
  }
  if (strings && file.form != kubelet_sysctl::kubelet::ListForm::kWrong) {
    const auto same = kubelet_sysctl::kubelet::edit_kubelet_config(bytes, role, now, true);
    expect(same && (*same).empty(), "an edit to the list as it is does nothing");
  }
  std::vector<std::string> longer = now;
  longer.emplace_back("net.core.somaxconn");
  const std::string added = edited(bytes, role, longer, false);
  if (added != bytes && strings && file.form != kubelet_sysctl::kubelet::ListForm::kUnset) {
    const std::string back =
        edited(added, role, now, file.form == kubelet_sysctl::kubelet::ListForm::kAbsent);
    // A list that is an alias becomes one of its own; what it was an alias of stays.
    const std::size_t value = bytes.find_first_not_of(": \t", file.key_at.end);
    const bool alias = value != std::string::npos && bytes[value] == '*';
    expect(back == bytes || back == added || alias,
           "what was added goes without a trace, or stays");
  }
  std::vector<std::string> turned(now.rbegin(), now.rend());
  turned.insert(turned.begin(), "a: \"b\" # c");
  edited(bytes, role, turned, false);
  std::vector<std::string> halved;
  for (std::size_t i = 0; i < now.size(); i += 2) halved.push_back(now[i]);
  edited(bytes, role, halved, true);
  edited(bytes, role, {"kernel.shm*", "5", "net.*"}, false);
  edited(bytes, role, {}, false);
  edited(bytes, role, {}, true);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  for (const kubelet_sysctl::kubelet::ConfigRole role :
       {kubelet_sysctl::kubelet::ConfigRole::kMain, kubelet_sysctl::kubelet::ConfigRole::kDropIn}) {
    const auto file = kubelet_sysctl::kubelet::parse_kubelet_config(bytes, role);
    if (file) check_edits(bytes, role, *file);
  }
  return 0;
}
