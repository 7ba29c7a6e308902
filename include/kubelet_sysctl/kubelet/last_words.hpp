// SPDX-License-Identifier: Apache-2.0
// The last words of a kubelet, in an order in which they can be read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kubelet_sysctl::kubelet {

/// True for a line that klog marks as an error or as fatal: "E1130 10:00:00.000000 1 run.go:72] ...".
bool is_error_line(std::string_view line);

/// The last `most` lines that the kubelet itself said: Go's stacks are left out, which up to 1.20 follow the line that
/// ended it, a thousand lines of them. Source: klog, Fatal; runtime, traceback.
std::vector<std::string> said_last(std::vector<std::string> lines, std::size_t most);

/// The line that says why it ended comes first, with the lines that belong to it; the others follow as they
/// were. Without such a line nothing moves.
std::vector<std::string> reason_first(std::vector<std::string> lines);

/// The line that says why it ended, with the lines that belong to it: the worst of its errors, else what is known
/// to end a kubelet, else the last line. Empty only where `lines` is.
std::vector<std::string> reason_of(const std::vector<std::string>& lines);

/// What known last words of a kubelet mean: "an entry outside the namespaced groups", or empty.
std::string recognise(const std::vector<std::string>& last_words);

}  // namespace kubelet_sysctl::kubelet
