// SPDX-License-Identifier: Apache-2.0
// The desired list of a node: /etc/kubelet-sysctl.conf and the files of /etc/kubelet-sysctl.conf.d.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::desired {

inline constexpr const char* kDesiredFile = "/etc/kubelet-sysctl.conf";
inline constexpr const char* kDesiredDirectory = "/etc/kubelet-sysctl.conf.d";

/// What `sync` makes of the list in force.
enum class SyncMode {
  kAdditive,  ///< what is desired and lacking is added; what nobody desired stays
  kExact,     ///< the list becomes what is desired, in that order
};

/// The word of the file: "additive", "exact".
const char* name_of(SyncMode mode);

/// One entry of the desired list, with who needs it, why and until when.
struct DesiredEntry {
  std::string entry;                          ///< as written; spelt like one
  std::string owner;                          ///< empty when not given
  std::string reason;                         ///< empty when not given
  std::string expires;                        ///< as written; empty: never
  std::optional<std::int64_t> expires_at_ms;  ///< since the epoch, UTC: from then on it is expired
  std::string path;                           ///< the file, as the node names it
  std::size_t line = 0;                       ///< from 1
  Span at;                                    ///< bytes of the entry in that file
};

/// Everything that is desired, from all files, in their order. Two files may name one entry, each with a
/// reason of its own; such an entry is expired when the last of them is.
struct DesiredList {
  SyncMode mode = SyncMode::kAdditive;
  bool drop_expired = false;  ///< "expired = drop": as if every sync had --drop-expired
  std::vector<DesiredEntry> entries;
  std::vector<std::string> files;  ///< those that were read
};

/// The desired list from its files, in the order of their merging. Settings are in a file outside of
/// `kDesiredDirectory`. A byte order mark and CRLF are accepted.
/// Errors, with path, line, column and caret: kBadEntry for an entry that is not spelt like one; kMalformed for
/// anything else: unknown or repeated keys, bad quoting, a date that is none, an entry that one file names
/// twice, control characters, bytes that are not UTF-8, a path that is no file.
Result<DesiredList> parse_desired_list(const std::vector<const SourceFile*>& files);

/// The moment from which an entry with this date is expired: the end of the day in UTC for YYYY-MM-DD, the moment
/// itself for an RFC 3339 time. In milliseconds since the epoch; nothing for text that is neither.
std::optional<std::int64_t> expiry_of(std::string_view text);

/// Whether this one has expired.
bool is_expired(const DesiredEntry& wanted, std::int64_t now_ms);

/// For each name of which every entry has expired, the one that expired last: what is reported as expired. In the
/// order of the list. The pointers are into `list`.
std::vector<const DesiredEntry*> expired_entries(const DesiredList& list, std::int64_t now_ms);

/// The entry that decides for each name, once for each, in order: the last to expire, the first of equals. The
/// pointers are into `list`.
std::vector<const DesiredEntry*> effective_entries(const DesiredList& list);

}  // namespace kubelet_sysctl::desired
