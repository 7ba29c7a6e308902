// SPDX-License-Identifier: Apache-2.0
// Flags that a release dropped, values of another type than their flag's, and --help.
#include "kubelet_sysctl/kubelet/flag_fault.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <limits>

#include <fmt/format.h>

#include "config_fields.hpp"
#include "flag_table.hpp"
#include "kubelet_sysctl/base/go_text.hpp"
#include "kubelet_sysctl/kubelet/flags.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::kubelet {
namespace {

bool is_bool(std::string_view text) {
  constexpr auto kWords = std::to_array<std::string_view>(
      {"1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"});
  return std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

/// What Go's strconv.ParseInt(text, 0, bits) says of it; nothing where it is a number.
std::optional<std::string> integer_fault(std::string_view text, int bits) {
  const auto fault = [&](std::string_view why) {
    return fmt::format("strconv.ParseInt: parsing {}: {}", go_quoted(text), why);
  };
  std::string_view digits = text;
  const bool minus = digits.starts_with('-');
  if (minus || digits.starts_with('+')) digits.remove_prefix(1);
  int base = 10;
  const auto prefix = [&](char lower, char upper) {
    return digits.size() > 2 && digits[0] == '0' && (digits[1] == lower || digits[1] == upper);
  };
  std::size_t skip = 0;
  if (prefix('x', 'X')) base = 16, skip = 2;
  if (prefix('o', 'O')) base = 8, skip = 2;
  if (prefix('b', 'B')) base = 2, skip = 2;
  if (base == 10 && digits.size() > 1 && digits[0] == '0') base = 8, skip = 1;
  std::string plain(digits.substr(skip));
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  constexpr std::string_view kDigits = "0123456789abcdef";
  const bool read = !plain.empty() && std::all_of(plain.begin(), plain.end(), [&](char byte) {
    const char lower = byte >= 'A' && byte <= 'F' ? static_cast<char>(byte - 'A' + 'a') : byte;
    return kDigits.substr(0, static_cast<std::size_t>(base)).find(lower) != std::string_view::npos;
  });
  if (!read) return fault("invalid syntax");
  errno = 0;
  const unsigned long long value = std::strtoull(plain.c_str(), nullptr, base);
  const unsigned long long most = (1ULL << (bits - 1)) - (minus ? 0 : 1);
  if (errno != 0 || value > most) return fault("value out of range");
  return std::nullopt;
}

std::optional<std::string> verbosity_fault(std::string_view text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && text.size() < 10) return std::nullopt;
  return fmt::format("strconv.ParseUint: parsing {}: {}", go_quoted(text),
                     digits ? "value out of range" : "invalid syntax");
}

std::optional<std::string> value_fault(FlagType type, std::string_view value) {
  switch (type) {
    case FlagType::kBool:
      if (is_bool(value)) return std::nullopt;
      return fmt::format("strconv.ParseBool: parsing {}: invalid syntax", go_quoted(value));
    case FlagType::kInt32:
      return integer_fault(value, 32);
    case FlagType::kInt64:
      return integer_fault(value, 64);
    case FlagType::kDuration:
      return duration_fault(value);
    case FlagType::kVerbosity:
      return verbosity_fault(value);
    default:
      return std::nullopt;
  }
}

std::string shown_name(std::string_view name) {
  return name == "v" ? "-v, --v" : fmt::format("--{}", name);
}

/// True for one of the releases whose flags the table has.
bool is_known_release(const std::optional<sysctl::KubeletVersion>& version) {
  constexpr sysctl::KubeletVersion kOldest{.major = 1, .minor = 20, .patch = 0};
  if (!version || *version < kOldest) return false;
  return version->minor <= sysctl::newest_known_kubelet().minor;
}

std::optional<std::string> fault_of(const FlagUse& use, const FlagFacts* facts,
                                    const std::optional<sysctl::KubeletVersion>& version) {
  const std::string unknown = fmt::format("unknown flag: --{}", use.name);
  // Source: kubernetes PR 63717: until then it was --experimental-allowed-unsafe-sysctls.
  constexpr sysctl::KubeletVersion kRenamed{.major = 1, .minor = 11, .patch = 0};
  if (use.name == "allowed-unsafe-sysctls") {
    if (version && *version < kRenamed) return unknown + " (it came with 1.11)";
    return std::nullopt;
  }
  if (facts == nullptr) {
    if (is_known_release(version)) return unknown;
    return std::nullopt;
  }
  if (version && facts->gone_in > 0 && version->minor >= facts->gone_in) {
    return fmt::format("{} (1.{} does not have it)", unknown, version->minor);
  }
  if (version && version->minor < facts->since) {
    return fmt::format("{} (it came with 1.{})", unknown, facts->since);
  }
  if (auto why = value_fault(facts->type, use.value)) {
    return fmt::format("invalid argument {} for \"{}\" flag: {}", go_quoted(use.value),
                       shown_name(use.name), *why);
  }
  return std::nullopt;
}

/// True when a kubelet that runs was started with this very flag: what is known here then is wrong.
bool runs_with(const std::vector<std::string>& running, const FlagUse& use) {
  const std::string own = fmt::format("--{}", use.name);
  for (std::size_t i = 0; i < running.size(); ++i) {
    std::string name = running[i].substr(0, running[i].find('='));
    std::replace(name.begin(), name.end(), '_', '-');
    if (name != own) continue;
    if (running[i].size() > own.size() && running[i].substr(own.size() + 1) == use.value) {
      return true;
    }
    const bool alone = running[i].size() == own.size();
    if (alone && (use.value == "true" || use.value.empty())) return true;
    if (alone && i + 1 < running.size() && running[i + 1] == use.value) return true;
  }
  return false;
}

/// The kubelet prints and ends with 0 once all its arguments were read. Source: cmd/kubelet/app/server.go.
std::optional<std::string> printed(const FlagUse& use) {
  const bool off = use.value == "false" || use.value == "0" || use.value == "f";
  if (off || (use.name != "help" && use.name != "version")) return std::nullopt;
  // --version=v1.2.3 sets what is reported. Source: component-base version/verflag.
  if (use.name == "version" && use.value.starts_with('v')) return std::nullopt;
  return fmt::format("'--{}' makes it print its {} and end", use.name,
                     use.name == "help" ? "flags" : "version");
}

}  // namespace

std::optional<FlagFault> flag_fault(const KubeletFlags& flags,
                                    const std::optional<sysctl::KubeletVersion>& version,
                                    const std::vector<std::string>& running, bool filled_later) {
  for (const FlagUse& use : flags.all) {
    if (flags.fatal && flags.fatal_word <= use.word) break;
    const FlagFacts* facts = find_flag(use.name);
    if (filled_later && use.value.empty()) continue;
    auto why = fault_of(use, facts, version);
    if (why && !runs_with(running, use)) return FlagFault{use.value_word, std::move(*why)};
  }
  if (flags.fatal) return std::nullopt;
  for (const FlagUse& use : flags.all) {
    if (auto why = printed(use)) return FlagFault{use.word, *why};
  }
  return std::nullopt;
}

}  // namespace kubelet_sysctl::kubelet
