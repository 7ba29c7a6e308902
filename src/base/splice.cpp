// SPDX-License-Identifier: Apache-2.0
// Applies splices to bytes, and checks independently that they changed nothing else.
#include "kubelet_sysctl/base/splice.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl {
inline namespace base {
namespace {

/// In file order; insertions at one place keep the order they were given in, before a replacement
/// that begins there.
void put_in_order(std::vector<Splice>& splices) {
  std::stable_sort(splices.begin(), splices.end(), [](const Splice& a, const Splice& b) {
    if (a.at.begin != b.at.begin) return a.at.begin < b.at.begin;
    return a.at.end == a.at.begin && b.at.end != b.at.begin;
  });
}

}  // namespace

Result<std::string> apply_splices(std::string_view bytes, std::vector<Splice> splices) {
  put_in_order(splices);
  std::string out;
  std::size_t size = bytes.size();
  for (const Splice& splice : splices) size += splice.text.size();
  out.reserve(size);
  std::size_t copied = 0;
  for (const Splice& splice : splices) {
    const Span at = splice.at;
    if (at.begin < copied || at.end < at.begin || at.end > bytes.size()) {
      return Error{
          .kind = ErrorKind::kUnsupported,
          .message = "will not edit: two changes of one edit overlap, or reach outside the file",
      };
    }
    out += bytes.substr(copied, at.begin - copied);
    out += splice.text;
    copied = at.end;
  }
  out += bytes.substr(copied);
  return out;
}

bool only_spliced(std::string_view before, std::string_view after, std::vector<Splice> splices) {
  put_in_order(splices);
  std::size_t copied = 0;
  for (const Splice& splice : splices) {
    const Span at = splice.at;
    if (at.begin < copied || at.end < at.begin || at.end > before.size()) return false;
    const std::string_view kept = before.substr(copied, at.begin - copied);
    if (!after.starts_with(kept)) return false;
    after.remove_prefix(kept.size());
    if (!after.starts_with(splice.text)) return false;
    after.remove_prefix(splice.text.size());
    copied = at.end;
  }
  return after == before.substr(copied);
}

Splice difference(std::string_view from, std::string_view to) {
  std::size_t head = 0;
  while (head < from.size() && head < to.size() && from[head] == to[head]) ++head;
  std::size_t tail = 0;
  while (tail < from.size() - head && tail < to.size() - head &&
         from[from.size() - 1 - tail] == to[to.size() - 1 - tail]) {
    ++tail;
  }
  return {.at = {head, from.size() - tail},
          .text = std::string(to.substr(head, to.size() - head - tail))};
}

}  // namespace base
}  // namespace kubelet_sysctl
