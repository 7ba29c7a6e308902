// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the reader of environment files: no input crashes it, every byte of a value knows
// its place, a value can be replaced where it is and nowhere else, and what we write reads back.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/systemd/env_file.hpp"
#include "rules.hpp"

using kubelet_sysctl::fuzz::expect;
using kubelet_sysctl::systemd::EnvAssignment;
using kubelet_sysctl::systemd::parse_env_file;

namespace {

using Assignments = std::vector<kubelet_sysctl::systemd::EnvAssignment>;

void check_places(std::string_view text, const Assignments& assignments) {
  std::size_t last = 0;
  for (const kubelet_sysctl::systemd::EnvAssignment& one : assignments) {
    kubelet_sysctl::fuzz::expect_origins(one.value, {text.size()});
    expect(kubelet_sysctl::systemd::is_variable_name(one.name), "only valid names are kept");
    expect(one.name_at.begin >= last, "assignments are in the order of the file");
    expect(one.name_at.end < one.value_at.begin, "a '=' is between name and value");
    expect(one.value_at.begin <= one.value_at.end && one.value_at.end <= text.size(),
           "a value is inside the text");
    expect(text.substr(one.name_at.begin, one.name_at.size()) == one.name,
           "a name is where it is said to");
    for (const auto& at : one.value.at) {
      expect(at.begin >= one.value_at.begin, "no byte of a value is before it");
    }
    last = one.value_at.end;
  }
}

/// Replaces one value, as an edit does: the others must not notice.
void check_replacement(std::string_view text, const Assignments& assignments, std::size_t index) {
  const kubelet_sysctl::systemd::EnvAssignment& one = assignments[index];
  const std::string edited =
      fmt::format("{}\"--x\"{}", text.substr(0, one.value_at.begin), text.substr(one.value_at.end));
  const auto again = kubelet_sysctl::systemd::parse_env_file(
      edited, 0, kubelet_sysctl::systemd::kReferenceSystemd);
  expect(static_cast<bool>(again), "a file with another value reads");
  expect(again->assignments.size() == assignments.size(), "another value makes no assignments");
  for (std::size_t i = 0; i < assignments.size(); ++i) {
    const std::string& now = again->assignments[i].value.text;
    expect(again->assignments[i].name == assignments[i].name, "another value changes no name");
    expect(now == (i == index ? "--x" : assignments[i].value.text),
           "another value changes that value alone");
  }
}

/// NAME="value" on one line, which every release and a shell read alike.
void check_own_form(const kubelet_sysctl::systemd::EnvAssignment& one) {
  const bool plain = std::all_of(one.value.text.begin(), one.value.text.end(), [](char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return code >= 0x20 && code != 0x7f && byte != '"' && byte != '\\' && byte != '`' &&
           byte != '$';
  });
  if (!plain) return;
  const std::string text = fmt::format("{}=\"{}\"\n", one.name, one.value.text);
  for (const int version : {219, 245, 252, 257}) {
    const auto again = kubelet_sysctl::systemd::parse_env_file(text, 0, version);
    expect(again && again->assignments.size() == 1, "our own form is one assignment");
    expect(again->assignments[0].name == one.name, "our own form keeps the name");
    expect(again->assignments[0].value.text == one.value.text, "our own form keeps the value");
    expect(again->forms.empty(), "our own form reads alike everywhere");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  for (const int version : {219, 252, 257}) {
    const auto file = kubelet_sysctl::systemd::parse_env_file(text, 0, version);
    if (!file) continue;
    check_places(text, file->assignments);
    for (const auto& use : file->forms) kubelet_sysctl::fuzz::expect_origin(use.at, {size});
    if (version != kubelet_sysctl::systemd::kReferenceSystemd) continue;
    constexpr std::size_t kTried = 8;
    for (std::size_t i = 0; i < std::min(kTried, file->assignments.size()); ++i) {
      check_replacement(text, file->assignments, i);
      check_own_form(file->assignments[i]);
    }
  }
  return 0;
}
