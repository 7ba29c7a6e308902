// SPDX-License-Identifier: Apache-2.0
// The steps of a change as they happen, for a person who waits at a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "kubelet_sysctl/transaction/outcome.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {

/// Silent with -o json, with -q and when standard error is no terminal.
class Progress {
 public:
  explicit Progress(Session& session);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// "… restart kubelet.service", on a line that stays open.
  void begin(const std::string& what);
  /// Puts the finished step with its time in the place of the open line.
  void end(const transaction::Step& step);
  /// A line of its own.
  void note(const std::string& text);

 private:
  void close_line();

  Session& session_;
  bool is_shown_;
  std::size_t open_ = 0;  ///< columns of the open line; 0 when there is none
};

}  // namespace kubelet_sysctl::cli
