// SPDX-License-Identifier: Apache-2.0
// The steps of a change as they happen, for a person who waits at a terminal or reads a log.
#include "progress.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/printable.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/transaction/apply.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {
namespace {

/// A wait that is over sooner is no wait to a person.
constexpr Milliseconds kShownFrom{500};
constexpr Milliseconds kRedraw{250};
/// The keys that were pressed are on the line too: "^C".
constexpr std::size_t kEcho = 4;

std::int64_t seconds_of(Milliseconds time) { return time.count() / 1000; }

}  // namespace

Progress::Progress(Session& session)
    : session_(session),
      is_shown_(!session.options.quiet && !session.options.is_for_programs() &&
                (session.host.err_columns > 0 || session.options.is_live())),
      redraws_(is_shown_ && session.host.err_columns > 0 && !is_dumb_terminal()) {}

Progress::~Progress() { clear_line(); }

void Progress::begin() {
  drawn_what_.clear();
  drawn_at_ = Milliseconds{0};
}

void Progress::end(const transaction::Step& step) {
  if (!is_shown_) return;
  clear_line();
  std::string line = printable(step.done.empty() ? step.what : step.done);
  if (step.error && step.error->kind == ErrorKind::kInterrupted) {
    line = "rolling back now";
  } else if (step.error) {
    // Why is in the report of the run, once.
    line = painted(session_.err, Paint::kRed, "failed") + ": " + printable(step.what);
  }
  say(session_, fmt::format("  {}\n", line));
}

void Progress::wait(const transaction::Wait& wait) {
  if (!redraws_ || wait.waited < kShownFrom) return;
  if (wait.what == drawn_what_ && wait.waited - drawn_at_ < kRedraw) return;
  drawn_what_ = wait.what;
  drawn_at_ = wait.waited;
  std::string line =
      fmt::format("  {} {}s of {}{}s, Ctrl-C is safe", printable(wait.what),
                  seconds_of(wait.waited), wait.is_window ? "" : "at most ", seconds_of(wait.most));
  // A line that reaches the last column wraps, and then it cannot be redrawn.
  if (line.size() >= session_.host.err_columns) line.resize(session_.host.err_columns - 1);
  clear_line();
  open_ = line.size();
  session_.host.err(line);
}

void Progress::note(const std::string& text) {
  if (!is_shown_) return;
  clear_line();
  say(session_, text + '\n');
}

void Progress::answer(const std::string& text) {
  clear_line();
  say(session_, fmt::format("  {}\n", text));
}

/// Blanks and not an escape sequence: they clear the line on every terminal.
void Progress::clear_line() {
  if (open_ == 0) return;
  const std::size_t most = session_.host.err_columns - 1;
  session_.host.err(fmt::format("\r{:{}}\r", "", std::min(open_ + kEcho, most)));
  open_ = 0;
}

}  // namespace kubelet_sysctl::cli
