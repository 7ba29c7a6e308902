// SPDX-License-Identifier: Apache-2.0
// The steps of a change as they happen, for a person who waits at a terminal or reads a log.
#pragma once

#include <cstddef>
#include <string>

#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {

/// One line for each step that ended, on standard error; silent with -o json and -q. On a terminal that can
/// redraw a line, a wait longer than half a second has one too, with a counter. Where nobody watches and nothing
/// is waited for, in a tree, there are no lines.
class Progress {
 public:
  explicit Progress(Session& session);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// A step that begins: nothing has been waited for yet.
  void begin();
  /// "restarted kubelet (pid 27340)".
  void end(const transaction::Step& step);
  /// "watching health 4s of 10s, Ctrl-C is safe", in the place of the line before; at most four times a second.
  void wait(const transaction::Wait& wait);
  /// A line of its own.
  void note(const std::string& text);
  /// The answer to a signal: a line that -o json and -q do not silence.
  void answer(const std::string& text);

 private:
  void clear_line();

  Session& session_;
  bool is_shown_;
  bool redraws_;
  std::size_t open_ = 0;  ///< columns of the open line; 0 when there is none
  std::string drawn_what_;
  Milliseconds drawn_at_{0};
};

}  // namespace kubelet_sysctl::cli
