// SPDX-License-Identifier: Apache-2.0
// Fuzz target of the reader of unit files: no input crashes it, every byte of a value knows its
// place, settings follow each other, and a value restated on a line of its own reads the same.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/unit_file.hpp"
#include "rules.hpp"

using kubelet_sysctl::fuzz::expect;
using kubelet_sysctl::systemd::UnitFile;
using kubelet_sysctl::systemd::UnitSetting;

namespace {

kubelet_sysctl::SourceFile file_with(std::string bytes) {
  kubelet_sysctl::SourceFile file;
  file.path = "/etc/systemd/system/kubelet.service";
  file.kind = kubelet_sysctl::FileKind::kRegular;
  file.bytes = std::move(bytes);
  return file;
}

void check_places(std::string_view text, const kubelet_sysctl::systemd::UnitFile& unit) {
  std::size_t last = 0;
  for (const kubelet_sysctl::systemd::UnitSetting& setting : unit.settings) {
    kubelet_sysctl::fuzz::expect_origins(setting.value, {text.size()});
    const auto at = setting.line_at;
    expect(at.begin < at.end && at.end <= text.size(), "a setting is inside the text");
    expect(at.begin >= last, "settings are in the order of the file");
    last = at.end;
    expect(setting.key.empty() || text.substr(at.begin, 1) == setting.key.substr(0, 1),
           "a setting begins with its key");
    for (const auto& byte : setting.value.at) {
      expect(byte.begin >= at.begin && byte.end <= at.end, "a value is inside its setting");
    }
  }
  for (const auto& use : unit.forms) {
    expect(use.at.begin <= use.at.end && use.at.end <= text.size(), "a form is in the text");
  }
}

/// As our own drop-in restates a command.
void check_restatement(const kubelet_sysctl::systemd::UnitSetting& setting) {
  std::size_t backslashes = 0;
  while (backslashes < setting.value.text.size() &&
         setting.value.text[setting.value.text.size() - 1 - backslashes] == '\\') {
    ++backslashes;
  }
  if (backslashes > 0) return;  // would continue the line
  const kubelet_sysctl::SourceFile file =
      file_with(fmt::format("[Service]\nKey={}\nNext=1\n", setting.value.text));
  const kubelet_sysctl::systemd::UnitFile unit = kubelet_sysctl::systemd::parse_unit_file(file, 0);
  expect(!unit.broken && unit.settings.size() == 2, "a restated value is one setting");
  expect(unit.settings[0].value.text == setting.value.text, "a restated value reads the same");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const kubelet_sysctl::SourceFile file = file_with(std::string(data, data + size));
  const kubelet_sysctl::systemd::UnitFile unit = kubelet_sysctl::systemd::parse_unit_file(file, 0);
  check_places(file.bytes, unit);
  constexpr std::size_t kTried = 16;
  for (std::size_t i = 0; i < unit.settings.size() && i < kTried; ++i) {
    check_restatement(unit.settings[i]);
  }
  kubelet_sysctl::systemd::ServiceSettings settings;
  kubelet_sysctl::systemd::apply_settings(unit.settings, settings);
  expect(settings.exec_start.size() <= unit.settings.size(), "settings come from the file");
  const auto directories = kubelet_sysctl::systemd::drop_in_directories(file.bytes);
  expect(!directories.empty(), "every name has a drop-in directory");
  expect(directories.front() == file.bytes.str() + ".d", "the name's own directory comes first");
  return 0;
}
