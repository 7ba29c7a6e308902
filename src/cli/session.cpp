// SPDX-License-Identifier: Apache-2.0
// One run of one command: its options, where its words go, and how it ends with an error.
#include "session.hpp"

#include <cstdlib>
#include <string_view>
#include <utility>

#include "cli.hpp"
#include "commands.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/wrap.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/machine/runtime_environment.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/metrics.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "options.hpp"

namespace kubelet_sysctl::cli {
namespace {

bool wants_colour(Colour colour, bool is_terminal) {
  if (colour != Colour::kAuto) return colour == Colour::kAlways;
  // Source: no-color.org: present and not empty, whatever its value.
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  return is_terminal && !is_dumb_terminal();
}

/// A pod without systemd is no broken machine: it is the wrong place.
Error in_its_place(const CliEnvironment& host, Error error) {
  if (error.kind != ErrorKind::kNoSystemd ||
      host.runtime_environment == machine::RuntimeEnvironment::kMachine) {
    return error;
  }
  if (host.runtime_environment == machine::RuntimeEnvironment::kFargate) {
    error.message = "this is a container on AWS Fargate: its node cannot be changed";
    error.hint = "only safe sysctls can be set there; for others the pod needs a node of its own";
    return error;
  }
  error.message = "this is a pod, not a node: there is no systemd here";
  error.hint =
      "run it with '--host' in a privileged pod with hostPID: true, as in examples/kubernetes; on "
      "AWS "
      "Fargate there is no node to reach, and only safe sysctls can be set";
  return error;
}

}  // namespace

Session session_of(CliEnvironment& host, const Options& options) {
  Session session{.host = host, .options = options, .out = {}, .err = {}};
  session.out.colour = wants_colour(options.colour, host.out_columns > 0);
  session.err.colour = wants_colour(options.colour, host.err_columns > 0);
  session.out.verbose = session.err.verbose = options.verbose;
  session.out.local_time = session.err.local_time = host.local_time;
  session.out.wrap = host.out_columns;
  session.err.wrap = host.err_columns;
  if (session.out.wrap > 0) session.out.columns = session.out.wrap;
  if (session.err.wrap > 0) session.err.columns = session.err.wrap;
  return session;
}

bool is_dumb_terminal() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::string_view(term) == "dumb";
}

void print(Session& session, const std::string& text) {
  session.host.out(session.options.json ? text + '\n' : wrapped(text, session.out.wrap));
}

report::Sink pieces(Session& session) {
  return [&session](std::string_view piece) {
    session.host.out(session.options.json ? std::string(piece) : wrapped(piece, session.out.wrap));
  };
}

void print_bytes(Session& session, const std::string& text) { session.host.out(text); }

void say(Session& session, const std::string& text) {
  session.host.err(wrapped(text, session.err.wrap));
}

int fail(Session& session, const Error& failed) {
  const Error error = in_its_place(session.host, failed);
  if (session.options.json) {
    print(session, report::error_json(error));
  } else {
    // A run that failed is seen in the metrics, and not by their absence alone.
    if (session.options.metrics) {
      print_bytes(session, report::metrics_text(
                               {.tool_version = std::string(tool_version()), .moment = {}}));
    }
    say(session, report::error_text(error, session.err));
  }
  return transaction::exit_code_of(error);
}

Error as_refusal(Error error) {
  // A unit that systemd does not load is no configuration of the kubelet.
  const bool of_unit = error.path.ends_with(".service");
  if (error.kind == ErrorKind::kMalformed && !of_unit) error.kind = ErrorKind::kRefused;
  return error;
}

void ask_early(const Options& options, ports::Ports& ports) {
  if (!options.is_live()) return;
  std::string unit = options.unit;
  if (unit.empty()) {
    auto chosen = discover::choose_unit(
        ports.files, options.systemd_version.value_or(systemd::kReferenceSystemd));
    if (!chosen) return;  // discover() says why
    unit = std::move(*chosen);
  }
  ports.services.begin_show(unit);
}

discover::DiscoverOptions discover_options(const Options& options) {
  discover::DiscoverOptions wanted;
  wanted.unit = options.unit;
  wanted.root = options.root;
  wanted.live = options.is_live();
  wanted.systemd_version = options.systemd_version;
  wanted.kubelet_version = options.kubelet_version;
  wanted.version_from = discover::VersionFrom::kCache;
  wanted.configz = options.configz;
  return wanted;
}

}  // namespace kubelet_sysctl::cli
