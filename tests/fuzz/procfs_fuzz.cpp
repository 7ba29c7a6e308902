// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the readers of /proc: no bytes crash them, and what they give was in the bytes.
#include <cstdint>
#include <string>
#include <string_view>

#include "kubelet_sysctl/base/procfs.hpp"
#include "rules.hpp"

using kubelet_sysctl::fuzz::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  std::string joined;
  for (const std::string& word : kubelet_sysctl::parse_cmdline(text)) {
    expect(word.find('\0') == std::string::npos, "a word holds no NUL");
    joined += word + '\0';
  }
  const bool ended = text.empty() || text.back() == '\0';
  expect(joined == std::string(text) + (ended ? "" : std::string(1, '\0')),
         "the words and their NULs are the command line");

  const auto ticks = kubelet_sysctl::parse_start_ticks(text);
  if (ticks) {
    expect(text.find(')') != std::string_view::npos, "a start time follows a name");
    expect(text.find(std::to_string(*ticks)) != std::string_view::npos, "the time is in the text");
  }
  kubelet_sysctl::is_dead(text);

  const auto boot = kubelet_sysctl::parse_boot_time_ms(text);
  if (boot) expect(*boot >= 0 && *boot % 1000 == 0, "a boot time is whole seconds");

  for (const int port : {0, 10248}) {
    for (const std::uint64_t inode : kubelet_sysctl::listening_inodes(text, port)) {
      expect(text.find(std::to_string(inode)) != std::string_view::npos, "inodes are in the text");
    }
  }

  const std::string group = kubelet_sysctl::control_group_of(text);
  expect(text.find(group) != std::string_view::npos, "a control group is in the text");
  expect(group.find('\n') == std::string::npos, "a control group is of one line");

  const auto version = kubelet_sysctl::systemd_version_in_maps(text);
  if (version) {
    expect(text.find("/libsystemd-shared-") != std::string_view::npos, "a version has its library");
    expect(*version >= 0, "a version is no negative number");
  }
  return 0;
}
