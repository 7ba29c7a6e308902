// SPDX-License-Identifier: Apache-2.0
// One run of one command: its options, where its words go, and how it ends with an error.
#include "cli/session.hpp"

#include <cstdlib>
#include <string_view>

#include "kubelet_sysctl/outcome.hpp"

namespace kubelet_sysctl {
namespace {

bool wants_colour(Colour colour, bool is_terminal) {
  if (colour != Colour::kAuto) return colour == Colour::kAlways;
  // Source: no-color.org: present and not empty, whatever its value.
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return is_terminal && term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

Session session_of(CliHost& host, const Options& options) {
  Session session{.host = host, .options = options, .out = {}, .err = {}};
  session.out.colour = wants_colour(options.colour, host.out_is_terminal);
  session.err.colour = wants_colour(options.colour, host.err_is_terminal);
  session.out.verbose = session.err.verbose = options.verbosity > 0;
  return session;
}

void print(Session& session, const std::string& text) {
  session.host.out(session.options.json ? text + '\n' : text);
}

int fail(Session& session, const Error& error) {
  if (session.options.json) {
    print(session, error_json(error));
  } else {
    session.host.err(error_text(error, session.err));
  }
  return exit_code_of(error);
}

DiscoverOptions discover_options(const Options& options) {
  DiscoverOptions wanted;
  wanted.unit = options.unit;
  wanted.root = options.root;
  wanted.live = options.is_live();
  wanted.systemd_version = options.systemd_version;
  wanted.kubelet_version = options.kubelet_version;
  wanted.version_from = VersionFrom::kCache;
  return wanted;
}

}  // namespace kubelet_sysctl
