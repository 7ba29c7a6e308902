// SPDX-License-Identifier: Apache-2.0
// One run of one command: its options, where its words go, and how it ends with an error.
#pragma once

#include <string>

#include "cli.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/text.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/report/report.hpp"
#include "options.hpp"

namespace kubelet_sysctl::cli {

/// The exit code of a question that found something.
inline constexpr int kFound = 6;

struct Session {
  CliEnvironment& host;
  const Options& options;
  TextStyle out;  ///< of standard output
  TextStyle err;  ///< of standard error
};

/// The session of `options`: colours only where they were asked for or can be seen.
Session session_of(CliEnvironment& host, const Options& options);

/// A result: text, broken where a terminal is too narrow, or a JSON document as one line.
void print(Session& session, const std::string& text);
/// A result that is to be read or copied byte by byte: a diff, metrics.
void print_bytes(Session& session, const std::string& text);
/// The same a piece at a time; a document has its line end.
report::Sink pieces(Session& session);
/// What is no result, to standard error; broken where a terminal is too narrow.
void say(Session& session, const std::string& text);

/// True for a terminal that cannot move its cursor, or of which nothing is known.
bool is_dumb_terminal();

/// Reports the error, as a document on standard output with -o json, and returns its exit code.
int fail(Session& session, const Error& error);

/// What keeps the node's own files from being read is a refusal: nothing was tried. Other errors as they are.
Error as_refusal(Error error);

/// Starts asking the manager of a running node for its unit, so that it answers while files are read.
void ask_early(const Options& options, ports::Ports& ports);

/// The node that the options name.
discover::DiscoverOptions discover_options(const Options& options);

}  // namespace kubelet_sysctl::cli
