// SPDX-License-Identifier: Apache-2.0
// The entries that a command line names, from its arguments and from --from-file.
#pragma once

#include <string>
#include <vector>

#include "cli.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "options.hpp"

namespace kubelet_sysctl::cli {

/// All entries, those of the arguments first, each spelt like one; "a,b" as one argument is two. With
/// `malformed_too` arguments are taken as they are. Errors: kBadEntry, with file and line for one of a file,
/// also for a file without any; kNotFound, kPermission, kIo for the file itself.
Result<std::vector<std::string>> desired_entries(const Options& options, const CliEnvironment& host,
                                                 bool malformed_too = false);

/// What --from-file names: a file of the machine that the program runs on (--root does not apply to it), or
/// standard input. Errors: kNotFound, kPermission, kIo; kBadEntry for more than 16 MiB.
Result<SourceFile> named_file(const Options& options, const CliEnvironment& host);

/// `error`, found in what --from-file names, with its place and without the text that is there: who may
/// run this program through sudo may not be one who may read every file, and logs keep what it prints.
/// Standard input is the caller's own and is shown.
Error without_contents(Error error, const Options& options);

/// The entries in `text`, one a line; '#' at the start of a line or after a blank begins a comment.
/// `path` names the text in errors. Errors: kBadEntry.
Result<std::vector<std::string>> parse_entry_list(const std::string& path, std::string_view text);

}  // namespace kubelet_sysctl::cli
