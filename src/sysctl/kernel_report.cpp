// SPDX-License-Identifier: Apache-2.0
// Words for what a kernel gives a pod, and one state made of many.
#include "kubelet_sysctl/sysctl/kernel_report.hpp"

#include <algorithm>

namespace kubelet_sysctl::sysctl {

const char* name_of(KernelState state) {
  switch (state) {
    case KernelState::kWritable:
      return "writable";
    case KernelState::kReadOnly:
      return "read-only";
    case KernelState::kAbsent:
      return "absent";
    case KernelState::kMixed:
      return "mixed";
    case KernelState::kUnknown:
      break;
  }
  return "unknown";
}

bool may_be_of(const KernelModule& module, std::string_view text, bool is_stem) {
  return text.starts_with(module.names) || (is_stem && module.names.starts_with(text));
}

KernelState state_of(const std::vector<KernelName>& names) {
  if (names.empty()) return KernelState::kAbsent;
  const auto is = [&names](KernelState state) {
    return std::count_if(names.begin(), names.end(),
                         [state](const KernelName& name) { return name.state == state; });
  };
  if (is(KernelState::kUnknown) > 0) return KernelState::kUnknown;
  const KernelState first = names.front().state;
  const auto all = static_cast<std::ptrdiff_t>(names.size());
  return is(first) == all ? first : KernelState::kMixed;
}

const KernelAnswer* answer_for(const KernelReport& report, std::string_view entry) {
  const auto found = std::find_if(report.answers.begin(), report.answers.end(),
                                  [&](const KernelAnswer& one) { return one.entry == entry; });
  return found == report.answers.end() ? nullptr : &*found;
}

}  // namespace kubelet_sysctl::sysctl
