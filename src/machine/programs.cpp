// SPDX-License-Identifier: Apache-2.0
// Runs a program and takes its words for an answer when it ended well.
#include "kubelet_sysctl/machine/programs.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/run_program.hpp"

namespace kubelet_sysctl::machine {
namespace {

/// The first line that says something, at most so many bytes of it.
std::string first_words(std::string_view text) {
  constexpr std::size_t kMost = 200;
  const std::size_t begin = std::min(text.find_first_not_of(" \t\r\n"), text.size());
  text.remove_prefix(begin);
  text = text.substr(0, std::min(text.find_first_of("\r\n"), kMost));
  return std::string(text);
}

}  // namespace

Result<std::string> ChildPrograms::output_of(const std::string& path,
                                             const std::vector<std::string>& arguments,
                                             Milliseconds deadline) {
  auto ended = run({.program = path, .arguments = arguments, .deadline = deadline});
  if (!ended) return std::move(ended).error();
  if (ended->signal == 0 && ended->exit_status == 0) return std::move(ended->output);
  const std::string how = ended->signal != 0 ? fmt::format("signal {}", ended->signal)
                                             : fmt::format("status {}", ended->exit_status);
  const std::string words = first_words(ended->errors);
  return Error{.kind = ErrorKind::kIo,
               .message = fmt::format("'{}' ended with {}{}{}", path, how,
                                      words.empty() ? "" : ": ", words)};
}

}  // namespace kubelet_sysctl::machine
