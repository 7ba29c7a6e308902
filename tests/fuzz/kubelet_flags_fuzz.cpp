// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the kubelet's flags: words are separated by NUL. No words crash it, every entry knows
// its place in its word, and a list written as one flag reads back.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "rules.hpp"

using kubelet_sysctl::fuzz::expect;
using kubelet_sysctl::kubelet::KubeletFlags;
using kubelet_sysctl::kubelet::ListFlag;

namespace {

using Texts = std::vector<std::string>;

void check_places(const Texts& words, const kubelet_sysctl::kubelet::KubeletFlags& flags) {
  for (const kubelet_sysctl::kubelet::ListFlag& flag : flags.lists) {
    expect(flag.word <= flag.value_word && flag.value_word < words.size(), "words exist");
    expect(flag.value_word - flag.word <= 1, "the value is in the flag's word or the next");
    const std::string& word = words[flag.value_word];
    std::size_t last = flag.value_begin;
    for (const kubelet_sysctl::kubelet::ListFlag::Item& item : flag.items) {
      expect(item.begin >= last && item.begin <= item.end && item.end <= word.size(),
             "entries are in their word, one after the other");
      const std::string written = word.substr(item.begin, item.end - item.begin);
      expect(item.quoted ? written.size() >= item.text.size() : written == item.text,
             "an entry is where it is said to");
      last = item.end;
    }
  }
  if (flags.fatal) expect(flags.fatal_word < words.size(), "the fatal word exists");
  if (flags.ambiguous_word) expect(*flags.ambiguous_word < words.size(), "that word exists");
}

/// Our own way to write a list: one word, commas between.
void check_own_form(const Texts& list) {
  for (const std::string& entry : list) {
    if (entry.empty() || entry.find_first_of(",\"\r\n") != std::string::npos) return;
  }
  const Texts words = {
      "kubelet", fmt::format("--allowed-unsafe-sysctls={}", kubelet_sysctl::joined(list, ","))};
  expect(kubelet_sysctl::model::list_in_argv(words) == list, "a list written by us reads back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Texts words;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\0', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  const kubelet_sysctl::kubelet::KubeletFlags flags =
      kubelet_sysctl::kubelet::parse_kubelet_flags(words, 0);
  check_places(words, flags);
  check_own_form(kubelet_sysctl::kubelet::list_of(flags));
  const auto start = kubelet_sysctl::kubelet::kubelet_arguments_start(words);
  if (start) expect(*start >= 1 && *start <= words.size(), "arguments begin behind a word");
  const auto list = kubelet_sysctl::model::list_in_argv(words);
  expect(!list || start, "a list needs a kubelet");
  return 0;
}
