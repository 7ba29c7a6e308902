// SPDX-License-Identifier: Apache-2.0
// The wished list of a node: /etc/kubelet-sysctl.conf and the files of /etc/kubelet-sysctl.conf.d.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::desired {

inline constexpr const char* kWishFile = "/etc/kubelet-sysctl.conf";
inline constexpr const char* kWishDirectory = "/etc/kubelet-sysctl.conf.d";

/// What `sync` makes of the list in force.
enum class WishMode {
  kAdditive,  ///< what is wished and lacking is added; what nobody wished stays
  kExact,     ///< the list becomes what is wished, in that order
};

/// The word of the file: "additive", "exact".
const char* name_of(WishMode mode);

/// One entry that somebody wishes, and who, why and until when.
struct WishedEntry {
  std::string entry;                          ///< as written; spelt like one
  std::string owner;                          ///< empty when not given
  std::string reason;                         ///< empty when not given
  std::string expires;                        ///< as written; empty: never
  std::optional<std::int64_t> expires_at_ms;  ///< since the epoch, UTC: from then on it is expired
  std::string path;                           ///< the file, as the node names it
  std::size_t line = 0;                       ///< from 1
  Span at;                                    ///< bytes of the entry in that file
};

/// Everything that is wished, from all files, in their order. Two files may wish one entry, each with a
/// reason of its own; such an entry is expired when the last of its wishes is.
struct WishList {
  WishMode mode = WishMode::kAdditive;
  bool drop_expired = false;  ///< "expired = drop": as if every sync had --drop-expired
  std::vector<WishedEntry> entries;
  std::vector<std::string> files;  ///< those that were read
};

/// The wished list from its files, in the order of their merging. Settings stand in a file outside of
/// `kWishDirectory`. A byte order mark and CRLF are accepted.
/// Errors, with path, line, column and caret: kBadEntry for an entry that is not spelt like one; kMalformed for
/// anything else: unknown or repeated keys, bad quoting, a date that is none, an entry that one file names
/// twice, control characters, bytes that are not UTF-8, a path that is no file.
Result<WishList> parse_wish_list(const std::vector<const SourceFile*>& files);

/// The moment from which a wish with this date is expired: the end of the day in UTC for YYYY-MM-DD, the moment
/// itself for an RFC 3339 time. In milliseconds since the epoch; nothing for text that is neither.
std::optional<std::int64_t> expiry_of(std::string_view text);

/// Whether the time of this one wish is over.
bool is_expired(const WishedEntry& wish, std::int64_t now_ms);

/// For each entry of which every wish is over, that wish which was over last: what is told as expired. In the
/// order of the list. The pointers are into `list`.
std::vector<const WishedEntry*> expired_wishes(const WishList& list, std::int64_t now_ms);

/// The wish that speaks for each entry, once for each, in order: the last to expire, the first of equals. The
/// pointers are into `list`.
std::vector<const WishedEntry*> lasting_wishes(const WishList& list);

}  // namespace kubelet_sysctl::desired
