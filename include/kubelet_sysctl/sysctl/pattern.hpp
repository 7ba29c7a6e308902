// SPDX-License-Identifier: Apache-2.0
// The kubelet's own rules for one entry of the list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"

namespace kubelet_sysctl::sysctl {

/// Nobody has so many: a kernel has some thousand sysctls. What comes after is not read, since reading, proving and
/// reporting a list takes many times its bytes.
inline constexpr std::size_t kMostEntries = 25'000;

/// The releases whose rules differ. Source: pkg/apis/policy/validation, pkg/apis/core/validation,
/// pkg/kubelet/sysctl/namespace.go and component-helpers node/util/sysctl/namespace.go.
enum class RuleSet {
  kUpTo122,  ///< dots only; prefix table
  kUpTo128,  ///< slashes too; prefix table
  kFrom129,  ///< slashes too; exact names, `net.` and `fs.mqueue.`
};

/// One entry: a sysctl name, or a prefix ending in `*`. Checked at construction for spelling by the
/// newest pattern; which kubelet accepts it is rejection_by().
class SysctlPattern {
 public:
  /// Errors: kBadEntry when `text` is too long or does not match the pattern of any release.
  static Result<SysctlPattern> parse(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }  ///< as it was written
  [[nodiscard]] const std::string& dotted() const {
    return dotted_;
  }  ///< separators brought to dots
  [[nodiscard]] bool is_prefix() const { return dotted_.back() == '*'; }
  /// True when every name that `other` allows is allowed by this one too.
  [[nodiscard]] bool covers(const SysctlPattern& other) const;
  bool operator==(const SysctlPattern& other) const { return dotted_ == other.dotted_; }

 private:
  std::string text_;
  std::string dotted_;
};

/// The kubelet's own message if a kubelet of `rules` would exit over `entry`; nothing if it starts.
std::optional<std::string> rejection_by(RuleSet rules, std::string_view entry);

/// Which releases a rule set stands for, as a person says it: "1.29 and later".
std::string_view releases_of(RuleSet rules);

/// The refusal of an entry by the stricter of all generations: kRefused with the kubelet's words,
/// which kubelets would die of it, and where such a setting belongs. Nothing when all would start.
std::optional<Error> refusal_of(const SysctlPattern& entry);

}  // namespace kubelet_sysctl::sysctl
