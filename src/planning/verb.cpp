// SPDX-License-Identifier: Apache-2.0
// The words for what a change does.
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/planning/plan.hpp"

namespace kubelet_sysctl::planning {

const char* name_of(Verb verb) {
  switch (verb) {
    case Verb::kAdd:
      return "add";
    case Verb::kRemove:
      return "remove";
    case Verb::kSet:
      return "set";
    case Verb::kUndo:
      return "undo";
    case Verb::kRecover:
      return "recover";
    case Verb::kKeep:
      return "keep";
    case Verb::kFix:
      return "fix";
    case Verb::kSync:
      return "sync";
  }
  bug("a verb without a name");
}

}  // namespace kubelet_sysctl::planning
