// SPDX-License-Identifier: Apache-2.0
// The steps of a change as they happen, for a person who waits at a terminal.
#include "progress.hpp"

#include <fmt/format.h>

#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "session.hpp"

namespace kubelet_sysctl::cli {

Progress::Progress(Session& session)
    : session_(session),
      is_shown_(session.host.err_columns > 0 && !session.options.json && !session.options.quiet) {}

Progress::~Progress() { close_line(); }

void Progress::begin(const std::string& what) {
  if (!is_shown_) return;
  close_line();
  const std::string line = fmt::format("  … {}", what);
  // More than the columns it takes: what is too much only clears further.
  open_ = line.size();
  session_.host.err(line);
}

void Progress::end(const transaction::Step& step) {
  if (!is_shown_) return;
  // Blanks and not an escape sequence: they clear the line on every terminal.
  if (open_ > 0) session_.host.err(fmt::format("\r{:{}}\r", "", open_));
  open_ = 0;
  session_.host.err(report::step_text(step, session_.err));
}

void Progress::note(const std::string& text) {
  if (!is_shown_) return;
  close_line();
  session_.host.err(text + '\n');
}

void Progress::close_line() {
  if (open_ > 0) session_.host.err("\n");
  open_ = 0;
}

}  // namespace kubelet_sysctl::cli
