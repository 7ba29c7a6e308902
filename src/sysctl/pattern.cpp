// SPDX-License-Identifier: Apache-2.0
// The kubelet's rules for one entry, release by release, and what to do about one it refuses.
// Source: pkg/apis/policy/validation and pkg/apis/core/validation (pattern, length),
// pkg/kubelet/sysctl/namespace.go (up to 1.28) and
// staging/src/k8s.io/component-helpers/node/util/sysctl/namespace.go (from 1.29).
#include "kubelet_sysctl/sysctl/pattern.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/go_text.hpp"

namespace kubelet_sysctl::sysctl {
namespace {

constexpr std::size_t kMaxLength = 253;  // SysctlMaxLength

constexpr std::string_view kDotRegex =
    R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?\.)*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";
constexpr std::string_view kSlashRegex =
    R"(([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*([a-z0-9][-_a-z0-9]*)?[a-z0-9*])";

/// What a kubelet looks an entry up in: whole names, and stems that any name may begin with.
constexpr std::array<std::string_view, 1> kOldNames = {"kernel.sem"};
constexpr std::array<std::string_view, 4> kOldStems = {"kernel.shm", "kernel.msg", "fs.mqueue.",
                                                       "net."};
constexpr std::array<std::string_view, 10> kNewNames = {
    "kernel.sem",    "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.shm",    "kernel.msg"};
constexpr std::array<std::string_view, 2> kNewStems = {"net.", "fs.mqueue."};

/// The widest entries that every kubelet takes; together they are the whole table.
constexpr std::array<std::string_view, 5> kWidest = {"net.*", "fs.mqueue.*", "kernel.shm*",
                                                     "kernel.msg*", "kernel.sem"};

/// The directories of /proc/sys besides net. Source: sysctl(8), kernel Documentation/admin-guide.
constexpr std::array<std::string_view, 8> kNodeRoots = {"abi.", "crypto.", "debug.", "dev.",
                                                        "fs.",  "kernel.", "user.",  "vm."};

constexpr std::array<RuleSet, 3> kRuleSets = {RuleSet::kUpTo122, RuleSet::kUpTo128,
                                              RuleSet::kFrom129};

bool is_alnum(char byte) { return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9'); }

bool is_inner(char byte) { return is_alnum(byte) || byte == '-' || byte == '_'; }

/// One segment of the pattern. Only the last may end in `*`, and only it may then have `-` or `_`
/// before that end.
bool is_segment(std::string_view segment, bool last) {
  if (segment.empty()) return false;
  const bool star = last && segment.back() == '*';
  if (star) segment.remove_suffix(1);
  if (segment.empty()) return true;  // `*` by itself
  if (!is_alnum(segment.front()) || !(star || is_alnum(segment.back()))) return false;
  return std::all_of(segment.begin(), segment.end(), is_inner);
}

/// The regular expressions above, matched in one pass.
bool matches_pattern(std::string_view entry, bool slashes) {
  const std::string_view separators = slashes ? "./" : ".";
  for (;;) {
    const std::size_t end = entry.find_first_of(separators);
    if (end == std::string_view::npos) return is_segment(entry, true);
    if (!is_segment(entry.substr(0, end), false)) return false;
    entry.remove_prefix(end + 1);
  }
}

/// NormalizeName: when the first separator is a slash, dots and slashes change places.
std::string to_dots(std::string_view entry) {
  std::string name(entry);
  const std::size_t first = name.find_first_of("./");
  if (first == std::string::npos || name[first] == '.') return name;
  for (char& byte : name) {
    if (byte == '/') {
      byte = '.';
    } else if (byte == '.') {
      byte = '/';
    }
  }
  return name;
}

template <typename Names, typename Stems>
bool is_in(const Names& names, const Stems& stems, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end() ||
         std::any_of(stems.begin(), stems.end(),
                     [&](std::string_view stem) { return name.starts_with(stem); });
}

bool is_namespaced(RuleSet rules, std::string_view name) {
  return rules == RuleSet::kFrom129 ? is_in(kNewNames, kNewStems, name)
                                    : is_in(kOldNames, kOldStems, name);
}

std::string_view stem_of(std::string_view entry) {
  if (entry.ends_with('*')) entry.remove_suffix(1);
  return entry;
}

std::string join_quoted(const std::vector<std::string_view>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += fmt::format("'{}'", names[i]);
  }
  return out;
}

/// Why `text` is not spelt like an entry, and what to write instead.
std::pair<std::string, std::string> spelling_fault(std::string_view text) {
  const auto has = [&](std::string_view any) {
    return text.find_first_of(any) != std::string_view::npos;
  };
  if (text.empty()) return {"an entry is not empty", "give a name such as 'net.core.somaxconn'"};
  if (has("=")) {
    const std::string_view left = text.substr(0, text.find_first_of("= \t"));
    const bool useful = !left.empty() && matches_pattern(left, true);
    return {"an entry is a name, not a setting",
            useful ? fmt::format("write '{}'; the value belongs in the pod", left)
                   : "write the name alone; the value belongs in the pod"};
  }
  if (has(",")) return {"there is a comma in it", "give each entry as an argument of its own"};
  if (has(" \t\r\n")) {
    return {"there is a blank in it", "give each entry as an argument of its own, without blanks"};
  }
  if (has("'\"")) return {"there is a quote in it", "write the name without quotes"};
  if (text.size() > kMaxLength) {
    return {fmt::format("it has {} bytes", text.size()),
            fmt::format("at most {} bytes are allowed", kMaxLength)};
  }
  if (has("ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    std::string lower(text);
    for (char& byte : lower) {
      if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte - 'A' + 'a');
    }
    return {"there is an upper-case letter in it", matches_pattern(lower, true)
                                                       ? fmt::format("did you mean '{}'?", lower)
                                                       : "names of sysctls are lower case"};
  }
  const std::size_t star = text.find('*');
  if (star != std::string_view::npos && star + 1 != text.size()) {
    const std::string_view shorter = text.substr(0, star + 1);
    return {"'*' is before the end",
            matches_pattern(shorter, true)
                ? fmt::format("'*' may only be the last character: '{}' covers it", shorter)
                : "'*' may only be the last character"};
  }
  if (text.ends_with('.') || text.ends_with('/')) {
    return {"it ends in a separator", fmt::format("write '{}*' for all names below it", text)};
  }
  return {"names are segments of a-z, 0-9, '-' and '_' with dots between",
          "give a name such as 'net.core.somaxconn', or a prefix such as 'net.ipv4.*'"};
}

/// The new table's names below `stem`, for an entry that only the older tables take.
std::string ipc_hint(const SysctlPattern& entry, std::string_view widest) {
  std::vector<std::string_view> names;
  for (const std::string_view name : kNewNames) {
    if (entry.is_prefix() && name.starts_with(stem_of(entry.dotted()))) names.push_back(name);
  }
  if (entry.dotted().ends_with("_next_id")) {
    return fmt::format("container runtimes refuse it too; what pods can set is in '{}'", widest);
  }
  names.push_back(widest);
  return fmt::format("use {}, which every kubelet accepts", join_quoted(names));
}

/// Where a setting belongs that no kubelet, or no new one, takes.
std::string place_hint(const SysctlPattern& entry) {
  const std::string_view name = entry.dotted();
  const std::string_view stem = stem_of(name);
  if (stem.starts_with("kernel.shm")) return ipc_hint(entry, "kernel.shm*");
  if (stem.starts_with("kernel.msg")) return ipc_hint(entry, "kernel.msg*");
  if (stem.starts_with("kernel.sem") && entry.is_prefix()) {
    return "use 'kernel.sem', which every kubelet accepts";
  }
  std::vector<std::string_view> legal;
  for (const std::string_view widest : kWidest) {
    const bool whole = stem == stem_of(widest) || fmt::format("{}.", stem) == stem_of(widest);
    if (whole || (entry.is_prefix() && widest.starts_with(stem))) legal.push_back(widest);
  }
  if (!legal.empty()) return fmt::format("use {}", join_quoted(legal));
  if (std::any_of(kNodeRoots.begin(), kNodeRoots.end(),
                  [&](std::string_view root) { return name.starts_with(root); })) {
    return fmt::format(
        "'{}' belongs in the node's own sysctl configuration: a file in '/etc/sysctl.d'", name);
  }
  if (stem.starts_with("ipv4.") || stem.starts_with("ipv6.") || stem.starts_with("core.") ||
      stem.starts_with("netfilter.")) {
    return fmt::format("did you mean 'net.{}'?", name);
  }
  return fmt::format("pods can set what {} covers", join_quoted({kWidest.begin(), kWidest.end()}));
}

/// How to write an entry that holds a slash so that the oldest kubelets take it too.
std::string slash_hint(const SysctlPattern& entry) {
  const std::string_view dotted = entry.dotted();
  const std::size_t slash = dotted.find('/');
  if (slash == std::string_view::npos) return fmt::format("write dots: '{}'", dotted);
  // An interface name that holds a dot, as NormalizeName leaves it: 'net.ipv4.conf.eno2/100.mtu'.
  // runc turns every dot into a slash, so no pod can set it. Source: internal/sys/sysctl_linux.go.
  if (dotted.starts_with("net.ipv4.conf.") || dotted.starts_with("net.ipv6.conf.") ||
      dotted.starts_with("net.ipv4.neigh.") || dotted.starts_with("net.ipv6.neigh.")) {
    return fmt::format("no release before 1.23 has a spelling for it; '{}*' covers it",
                       dotted.substr(0, slash));
  }
  std::string dots(entry.text());
  std::replace(dots.begin(), dots.end(), '/', '.');
  return fmt::format("write dots: '{}'", dots);
}

}  // namespace

Result<SysctlPattern> SysctlPattern::parse(std::string_view text) {
  if (const auto words = rejection_by(RuleSet::kFrom129, text);
      words && (text.size() > kMaxLength || !matches_pattern(text, true))) {
    auto [fault, hint] = spelling_fault(text);
    return Error{
        .kind = ErrorKind::kBadEntry,
        .message = fmt::format("'{}' is not an entry: {}; a kubelet would exit with: {}", text,
                               fault, *words),
        .hint = std::move(hint),
        .entry = std::string(text),
    };
  }
  SysctlPattern pattern;
  pattern.text_ = text;
  pattern.dotted_ = to_dots(text);
  return pattern;
}

bool SysctlPattern::covers(const SysctlPattern& other) const {
  if (!is_prefix()) return dotted_ == other.dotted_;
  return stem_of(other.dotted_).starts_with(stem_of(dotted_));
}

std::optional<std::string> rejection_by(RuleSet rules, std::string_view entry) {
  const bool slashes = rules != RuleSet::kUpTo122;
  if (entry.size() > kMaxLength || !matches_pattern(entry, slashes)) {
    return fmt::format("sysctl {} must have at most {} characters and match regex {}",
                       go_quoted(entry), kMaxLength, slashes ? kSlashRegex : kDotRegex);
  }
  const std::string name = slashes ? to_dots(entry) : std::string(entry);
  const std::string_view stem = stem_of(name);
  if (is_namespaced(rules, stem)) return std::nullopt;
  if (rules == RuleSet::kFrom129) {
    return fmt::format("the sysctls \"{}\" are not known to be namespaced", stem);
  }
  return fmt::format("the sysctl{} \"{}\" are not known to be namespaced",
                     name.ends_with('*') ? "s" : "", name);
}

std::string_view releases_of(RuleSet rules) {
  // In the order of RuleSet.
  constexpr std::array kNames = {"1.22 and earlier", "1.23 to 1.28", "1.29 and later"};
  return kNames[static_cast<std::size_t>(rules)];
}

std::optional<Error> refusal_of(const SysctlPattern& entry) {
  std::string releases;
  std::string words;  // of the newest kubelet that refuses: the one a node is most likely to meet
  std::size_t refusing = 0;
  for (const RuleSet rules : kRuleSets) {
    auto said = rejection_by(rules, entry.text());
    if (!said) continue;
    words = std::move(*said);
    releases += fmt::format("{}{}", refusing == 0 ? "kubelet " : ", ", releases_of(rules));
    ++refusing;
  }
  if (refusing == 0) return std::nullopt;
  if (refusing == kRuleSets.size()) releases = "every kubelet";
  const bool only_slashes = !rejection_by(RuleSet::kFrom129, entry.text());
  return Error{
      .kind = ErrorKind::kRefused,
      .message = fmt::format("'{}' would stop {}: {}", entry.text(), releases, words),
      .hint = only_slashes ? slash_hint(entry) : place_hint(entry),
      .entry = std::string(entry.text()),
  };
}

}  // namespace kubelet_sysctl::sysctl
