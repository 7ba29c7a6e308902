// SPDX-License-Identifier: Apache-2.0
// What differs between releases of the kubelet: which rules, which safe names, which namespace.
// The rules for the spelling of an entry are in sysctl.cpp.
#include "kubelet_sysctl/sysctl/releases.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

namespace kubelet_sysctl::sysctl {
namespace {

// The sources were read up to here; what comes later may be stricter.
constexpr KubeletVersion kNewestKnown = {.major = 1, .minor = 37, .patch = 0};

constexpr KubeletVersion kSlashes = {.major = 1, .minor = 23, .patch = 0};  // PR 102393
constexpr KubeletVersion kNames = {.major = 1, .minor = 29, .patch = 0};    // PR 118705

constexpr std::string_view kPodSecurityPolicy =
    "pkg/security/podsecuritypolicy/sysctl/mustmatchpatterns.go";
constexpr std::string_view kSafeSysctls = "pkg/kubelet/sysctl/safe_sysctls.go";
constexpr std::string_view kSafe129 = "kubernetes PRs 118846, 121240";
constexpr std::string_view kSafe132 = "kubernetes PR 127489, 1.32 changelog";
constexpr std::string_view kSafe137 = "kubernetes PR 138389, website PR 56276";

/// The number that `text` begins with, which is taken from it; at most four digits.
std::optional<int> take_number(std::string_view& text) {
  constexpr std::size_t kMostDigits = 4;
  int number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (text.empty() || !is_digit(text.front()) || fault != std::errc{} || digits > kMostDigits) {
    return std::nullopt;
  }
  text.remove_prefix(digits);
  return number;
}

/// The number behind a dot that `text` begins with; both are taken from it.
std::optional<int> take_part(std::string_view& text) {
  if (text.size() < 2 || text.front() != '.') return std::nullopt;
  std::string_view rest = text.substr(1);
  const auto number = take_number(rest);
  if (number) text = rest;
  return number;
}

/// What a build may append: "-eks-036c24b", "+k3s1", "-rc.0". Source: semver.org, items 9 and 10.
bool is_suffix(std::string_view text) {
  if (text.empty()) return true;
  const auto is_allowed = [](char byte) {
    return is_digit(byte) || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '-' || byte == '+' || byte == '.';
  };
  return text.size() > 1 && (text.front() == '-' || text.front() == '+') &&
         std::all_of(text.begin(), text.end(), is_allowed);
}

}  // namespace

std::string text_of(const KubeletVersion& version) {
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

std::optional<KubeletVersion> parse_kubelet_version(std::string_view text) {
  constexpr std::string_view kName = "Kubernetes ";
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.starts_with(kName)) text.remove_prefix(kName.size());
  if (text.starts_with('v')) text.remove_prefix(1);
  const auto major = take_number(text);
  const auto minor = major ? take_part(text) : std::nullopt;
  if (!minor) return std::nullopt;
  const auto patch = take_part(text);
  if (!is_suffix(text)) return std::nullopt;
  return KubeletVersion{.major = *major, .minor = *minor, .patch = patch.value_or(0)};
}

KubeletVersion newest_known_kubelet() { return kNewestKnown; }

RuleSet rule_set_of(const KubeletVersion& version) {
  if (version < kSlashes) return RuleSet::kUpTo122;
  return version < kNames ? RuleSet::kUpTo128 : RuleSet::kFrom129;
}

std::optional<KernelVersion> parse_kernel_version(std::string_view release) {
  const auto major = take_number(release);
  const auto minor = major ? take_part(release) : std::nullopt;
  if (!minor) return std::nullopt;
  return KernelVersion{.major = *major, .minor = *minor};
}

const std::vector<SafeSysctl>& safe_sysctls() {
  // The first releases of the rows 18 and 22 are those of the sysctl page; the minimum kernels are
  // the constants of pkg/util/kernel/constants.go.
  static const std::vector<SafeSysctl> rows = {
      {"kernel.shm_rmid_forced", 4, {}, kPodSecurityPolicy},
      {"net.ipv4.ip_local_port_range", 4, {}, kPodSecurityPolicy},
      {"net.ipv4.tcp_syncookies", 4, {}, kPodSecurityPolicy},
      {"net.ipv4.ping_group_range", 18, {}, kPodSecurityPolicy},
      {"net.ipv4.ip_unprivileged_port_start", 22, {}, kSafeSysctls},
      {"net.ipv4.ip_local_reserved_ports", 27, {3, 16}, kSafeSysctls},
      {"net.ipv4.tcp_keepalive_time", 29, {4, 5}, kSafe129},
      {"net.ipv4.tcp_keepalive_intvl", 29, {4, 5}, kSafe129},
      {"net.ipv4.tcp_keepalive_probes", 29, {4, 5}, kSafe129},
      {"net.ipv4.tcp_fin_timeout", 29, {4, 6}, kSafe129},
      {"net.ipv4.tcp_rmem", 32, {4, 15}, kSafe132},
      {"net.ipv4.tcp_wmem", 32, {4, 15}, kSafe132},
      {"net.ipv4.tcp_slow_start_after_idle", 37, {4, 15}, kSafe137},
      {"net.ipv4.tcp_notsent_lowat", 37, {4, 6}, kSafe137},
  };
  return rows;
}

const SafeSysctl* safe_sysctl(std::string_view dotted, const KubeletVersion& version,
                              const std::optional<KernelVersion>& kernel) {
  const auto& rows = safe_sysctls();
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [dotted](const SafeSysctl& one) { return one.name == dotted; });
  if (row == rows.end() || version < KubeletVersion{1, row->since_minor, 0}) return nullptr;
  const bool has_minimum = row->min_kernel > KernelVersion{};
  if (has_minimum && (!kernel || *kernel < row->min_kernel)) return nullptr;
  return &*row;
}

const char* name_of(SysctlNamespace one) {
  switch (one) {
    case SysctlNamespace::kNet:
      return "net";
    case SysctlNamespace::kIpc:
      return "ipc";
    case SysctlNamespace::kNone:
      return "none";
  }
  return "none";
}

// Both tables put everything below `net.` into the network namespace and the rest into that of IPC,
// so a namespace that exists at all follows from the first letters.
SysctlNamespace namespace_of(std::string_view entry, RuleSet rules) {
  if (rejection_by(rules, entry)) return SysctlNamespace::kNone;
  return entry.starts_with("net") ? SysctlNamespace::kNet : SysctlNamespace::kIpc;
}

}  // namespace kubelet_sysctl::sysctl
