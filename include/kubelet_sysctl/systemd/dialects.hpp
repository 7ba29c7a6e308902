// SPDX-License-Identifier: Apache-2.0
// Forms of unit and environment files that releases of systemd read differently, as data.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/base/source.hpp"

namespace kubelet_sysctl::systemd {

/// The release whose rules are used when the node's own is unknown: Debian 12, all of it measured.
inline constexpr int kReferenceSystemd = 252;
/// From this release on the resolver follows each release's own rules; an older one is followed only
/// where it reads the text as this one does.
inline constexpr int kOldestResolved = 247;

/// True where a release says that a unit needs a reload only when its files changed. Later ones (measured on
/// 257; 254 does not) say it of every unit, for ever, once anyone made links without a reload.
inline constexpr bool need_reload_is_reliable(int systemd) { return systemd <= 254; }

/// A form that some release before kOldestResolved reads in another way.
enum class Form {
  kQuoteInsideWord,         ///< ExecStart=, $VAR values: `--x="a b"`
  kQuoteInsideEnvWord,      ///< Environment=A="x y"
  kOpenQuoteInValue,        ///< $VAR splitting of a value with an open quote
  kNumericEscape,           ///< \u, \U
  kUnknownEscapeInEnv,      ///< Environment= with an unknown escape
  kQuotedSemicolon,         ///< ";" as a word
  kStraySemicolon,          ///< a semicolon word first or doubled
  kDollarDollarFirst,       ///< $$ at the start of a word
  kColonInBraces,           ///< ${A:-x}
  kPercentAtEnd,            ///< a lone % at the end of a word, or an unknown %x
  kPrivilegePrefix,         ///< + ! !!
  kColonPrefix,             ///< :
  kBareProgram,             ///< a program name without a slash
  kUnsetEnvironment,        ///< UnsetEnvironment=
  kNewSpecifier,            ///< a specifier that older releases lack
  kCommentInContinuation,   ///< a comment line inside a continuation, or one ending in a backslash
  kLineWithoutEquals,       ///< a line that is no assignment
  kUnfinishedContinuation,  ///< a continuation at the end of the file
  kCarriageReturn,          ///< CR or NUL as a line end of its own in a unit file
  kBackslashInSingle,       ///< environment file, backslash in '…'
  kBackslashInDouble,       ///< environment file, backslash in "…"
  kControlInValue,          ///< environment file or Environment=, newline or control character
  kNulInEnvFile,            ///< environment file with a NUL byte
  kDotDotEnvFile,           ///< EnvironmentFile= path with ..
  kWideDropIn,              ///< service.d, dash-prefix or alias drop-in directory
  kAliasDropIn,             ///< the order of the id's and the aliases' drop-ins
  kOddDropIn,               ///< a drop-in that is a directory
  kNotUtf8,                 ///< a unit file that is not UTF-8
  kBackslashInValue,        ///< $VAR splitting of a value with a backslash
  kEmptyWordInValue,        ///< $VAR splitting of a value with ''
  kPercentInProgram,        ///< %% or a specifier in the program's path
  kByteOrderMark,           ///< a byte order mark in a unit file
};

/// One use of such a form.
struct FormUse {
  Form form = Form::kQuoteInsideWord;
  CharOrigin at;
};

/// What is known of one form.
struct FormFacts {
  Form form;
  int alike_since;          ///< oldest measured release that reads it as kOldestResolved does
  std::string_view what;    ///< "a quote inside a word"
  std::string_view source;  ///< where the difference is stated
};

/// Every form, in the order of the enumeration.
const std::vector<FormFacts>& form_table();

/// The first of `uses` that systemd `version` reads differently; nothing when it reads all of them alike
/// (always so from kOldestResolved on).
const FormUse* first_differing(const std::vector<FormUse>& uses, int version);

}  // namespace kubelet_sysctl::systemd
