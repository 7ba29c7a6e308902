// SPDX-License-Identifier: Apache-2.0
// systemd's word splitter with provenance; shared by commands, Environment= and variables.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {

/// How strictly a text is split. Source: systemd src/basic/extract-word.c.
struct Rules {
  bool c_escapes = false;       ///< \n, \x41 …; else a backslash makes the next byte literal
  bool keep_unknown = false;    ///< an unknown escape stays as it is; else it ends the text
  bool open_quotes = false;     ///< a quote may stay open at the end
  bool half_surrogates = true;  ///< \ud800 gives three bytes; else it is no escape
};

enum class Got { kWord, kEnd, kBad };

/// Takes the next word of `text` from `position` on. kBad leaves `position` at the fault and `why` says it.
struct Taken {
  Got got = Got::kEnd;
  Word word;
  std::string why;
};
Taken take(const MappedText& text, std::size_t& position, const Rules& rules,
           std::vector<FormUse>& forms);

/// Replaces specifiers. An Error says which one is unknown or not allowed; `known` is false when the
/// letter is a specifier of systemd whose value is not known here.
Result<MappedText> expand_specifiers(const MappedText& text, const Specifiers& specifiers,
                                     int version, std::vector<FormUse>& forms);

void skip_blanks(std::string_view text, std::size_t& position);

/// The bytes from the first to the last of `text` in its file; kNoSource when they are of several.
CharOrigin covering_range(const MappedText& text, std::size_t begin, std::size_t end);

}  // namespace kubelet_sysctl::systemd
