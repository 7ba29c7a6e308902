// SPDX-License-Identifier: Apache-2.0
// The persistent way to a list on a kind of node, filled in for the person who has to go it.
#pragma once

#include <functional>
#include <string>

#include "kubelet_sysctl/base/shared_text.hpp"

namespace kubelet_sysctl {
inline namespace base {

/// What to do where the settings of a node come from. Words in capitals are for the reader to fill in.
struct Advice {
  std::string what = {};   ///< one line without its end: where, and what comes after it
  SharedText object = {};  ///< a document with the whole list, whole lines; may be empty
  std::string file = {};   ///< the name that `command` has for the document; empty: its input
  std::string command =
      {};  ///< command lines, each with its end; empty: the object is put in by hand
};

/// Makes advice when it is asked for: its object holds the whole list, which may be long. Empty where there is none.
using AdviceMaker = std::function<Advice()>;

}  // namespace base
}  // namespace kubelet_sysctl
