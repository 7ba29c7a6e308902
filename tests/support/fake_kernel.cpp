// SPDX-License-Identifier: Apache-2.0
// A pretend kernel and pretend programs.
#include "support/fake_kernel.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/pattern.hpp"

#include <array>
#include <sstream>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

sysctl::KernelState state_named(const std::string& word) {
  for (const sysctl::KernelState state :
       std::array{sysctl::KernelState::kWritable, sysctl::KernelState::kReadOnly,
                  sysctl::KernelState::kAbsent, sysctl::KernelState::kUnknown}) {
    if (word == sysctl::name_of(state)) return state;
  }
  bug("a pretend kernel was given a state that no name can have");
}

}  // namespace

void FakeKernel::answer(const std::string& name, sysctl::KernelState state) {
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

sysctl::KernelReport FakeKernel::ask(const std::vector<std::string>& entries) {
  questions.push_back(entries);
  sysctl::KernelReport report{.release = release_text, .asked = why.empty(), .why = why};
  for (const std::string& entry : entries) {
    sysctl::KernelAnswer answer{.entry = entry, .why = why.empty() ? "the test does not say" : why};
    const auto pattern = sysctl::SysctlPattern::parse(entry);
    const std::string dotted = pattern ? pattern->dotted() : std::string();
    if (why.empty() && pattern && pattern->is_prefix()) {
      for (const auto& [name, state] : states) {
        if (pattern->covers(*sysctl::SysctlPattern::parse(name)))
          answer.names.push_back({.name = name, .state = state});
      }
      answer.state = sysctl::state_of(answer.names);
    } else if (const auto found = states.find(dotted); why.empty() && found != states.end()) {
      answer.state = found->second;
    }
    if (answer.state != sysctl::KernelState::kUnknown) answer.why.clear();
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
