// SPDX-License-Identifier: Apache-2.0
// A pretend kernel and pretend programs.
#include "support/fake_kernel.hpp"

#include <array>
#include <sstream>

#include <fmt/format.h>

#include "kubelet_sysctl/sysctl.hpp"

namespace kubelet_sysctl {
namespace {

KernelState state_named(const std::string& word) {
  for (const KernelState state : std::array{KernelState::kWritable, KernelState::kReadOnly,
                                            KernelState::kAbsent, KernelState::kUnknown}) {
    if (word == name_of(state)) return state;
  }
  bug("a pretend kernel was given a state that no name can have");
}

}  // namespace

void FakeKernel::answer(const std::string& name, KernelState state) {
  why.clear();
  states[name] = state;
}

void FakeKernel::answer_from(const std::string& text) {
  std::istringstream lines(text);
  std::getline(lines, release_text);
  why.clear();
  std::string state;
  for (std::string name; lines >> name >> state;) answer(name, state_named(state));
}

KernelReport FakeKernel::ask(const std::vector<std::string>& entries) {
  questions.push_back(entries);
  KernelReport report{.release = release_text, .asked = why.empty(), .why = why};
  for (const std::string& entry : entries) {
    KernelAnswer answer{.entry = entry, .why = why.empty() ? "the test does not say" : why};
    const auto pattern = SysctlPattern::parse(entry);
    const std::string dotted = pattern ? pattern->dotted() : std::string();
    if (why.empty() && pattern && pattern->is_prefix()) {
      for (const auto& [name, state] : states) {
        if (entry_covers(dotted, name)) answer.names.push_back({.name = name, .state = state});
      }
      answer.state = state_of(answer.names);
    } else if (const auto found = states.find(dotted); why.empty() && found != states.end()) {
      answer.state = found->second;
    }
    if (answer.state != KernelState::kUnknown) answer.why.clear();
    report.answers.push_back(answer);
  }
  return report;
}

Result<std::string> FakePrograms::output_of(const std::string& path,
                                            const std::vector<std::string>& arguments,
                                            Milliseconds /*deadline*/) {
  calls.push_back({path});
  calls.back().insert(calls.back().end(), arguments.begin(), arguments.end());
  const auto found = outputs.find(path);
  if (found != outputs.end()) return found->second;
  return Error{.kind = ErrorKind::kNotFound, .message = fmt::format("cannot run '{}'", path)};
}

}  // namespace kubelet_sysctl
