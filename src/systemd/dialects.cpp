// SPDX-License-Identifier: Apache-2.0
// The table of forms that releases of systemd before 247 read differently.
#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {

const std::vector<FormFacts>& form_table() {
  // Measured on 219, 229, 237 and 245 against 252; where the readings do not grow monotonically
  // (a backslash in double quotes), the newest release that differs decides.
  static const std::vector<FormFacts> table = {
      {Form::kQuoteInsideWord, 229, "a quote inside a word", "src/basic/extract-word.c"},
      {Form::kQuoteInsideEnvWord, 237,
       "a quote inside a word of Environment=", "src/basic/extract-word.c"},
      {Form::kOpenQuoteInValue, 229, "a quote that stays open in a variable's value",
       "src/basic/env-util.c"},
      {Form::kNumericEscape, 229, "an escape by number", "src/basic/escape.c"},
      {Form::kUnknownEscapeInEnv, 237, "an unknown escape in Environment=", "src/basic/escape.c"},
      {Form::kQuotedSemicolon, 229, "a quoted semicolon as a word", "src/core/load-fragment.c"},
      {Form::kStraySemicolon, 247, "a semicolon that separates nothing",
       "src/core/load-fragment.c"},
      {Form::kDollarDollarFirst, 229, "'$$' at the start of a word", "src/basic/env-util.c"},
      {Form::kColonInBraces, 237, "a colon within '${...}'", "src/basic/env-util.c"},
      {Form::kPercentAtEnd, 237, "a percent sign that is no specifier", "src/shared/specifier.c"},
      {Form::kPrivilegePrefix, 237, "the prefix '+' or '!'", "src/core/load-fragment.c"},
      {Form::kColonPrefix, 245, "the prefix ':'", "src/core/load-fragment.c"},
      {Form::kBareProgram, 247, "a program named without its path", "src/core/load-fragment.c"},
      {Form::kUnsetEnvironment, 237, "UnsetEnvironment=", "src/core/execute.c"},
      {Form::kNewSpecifier, 247, "a specifier that this release may lack",
       "src/core/unit-printf.c"},
      {Form::kCommentInContinuation, 245, "a comment beside a continued line",
       "src/shared/conf-parser.c"},
      {Form::kLineWithoutEquals, 245, "a line without '='", "src/shared/conf-parser.c"},
      {Form::kUnfinishedContinuation, 245, "a continuation at the end of the file",
       "src/shared/conf-parser.c"},
      {Form::kCarriageReturn, 245, "a line ended by CR or NUL alone, or a continued one by CRLF",
       "src/basic/fileio.c"},
      {Form::kBackslashInSingle, 245, "a backslash in single quotes", "src/basic/env-file.c"},
      {Form::kBackslashInDouble, 247, "a backslash in double quotes", "src/basic/env-file.c"},
      {Form::kControlInValue, 247, "a control character in a value", "src/basic/env-file.c"},
      {Form::kNulInEnvFile, 245, "a NUL byte", "src/basic/env-file.c"},
      {Form::kDotDotEnvFile, 245, "an EnvironmentFile= path with '..'", "src/core/load-fragment.c"},
      {Form::kWideDropIn, 245, "a drop-in for more than this unit", "src/shared/dropin.c"},
      {Form::kAliasDropIn, 247, "a drop-in of an alias", "src/shared/dropin.c"},
      {Form::kOddDropIn, 245, "a drop-in that is a directory", "src/shared/dropin.c"},
      {Form::kNotUtf8, 245, "text that is not UTF-8", "src/shared/conf-parser.c"},
      {Form::kBackslashInValue, 229, "a backslash in a variable's value", "src/basic/env-util.c"},
      {Form::kEmptyWordInValue, 229, "an empty word in a variable's value", "src/basic/env-util.c"},
      {Form::kPercentInProgram, 237, "a percent sign in the program's path",
       "src/core/load-fragment.c"},
      {Form::kByteOrderMark, 237, "a byte order mark", "src/shared/conf-parser.c"},
  };
  return table;
}

const FormUse* first_differing(const std::vector<FormUse>& uses, int version) {
  if (version >= kOldestResolved) return nullptr;
  for (const FormUse& use : uses) {
    for (const FormFacts& facts : form_table()) {
      if (facts.form == use.form && version < facts.alike_since) return &use;
    }
  }
  return nullptr;
}

}  // namespace kubelet_sysctl::systemd
