// SPDX-License-Identifier: Apache-2.0
// Forms of unit files that releases of systemd after kOldestResolved read differently, as data.
#pragma once

#include <string_view>
#include <vector>

#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {

/// The newest release whose reading was measured. What changed from release to release before is not
/// guessed for one after it.
inline constexpr int kNewestMeasured = 262;

/// Forms behind those of the table for old releases, which are read alike from there on.
namespace newer {
/// UnsetEnvironment= of a variable that the command uses
inline constexpr Form kUnsetOfUsed{static_cast<int>(Form::kByteOrderMark) + 1};
/// the prefix |
inline constexpr Form kShellPrefix{static_cast<int>(Form::kByteOrderMark) + 2};
/// * ? [ in the program's path
inline constexpr Form kPatternInProgram{static_cast<int>(Form::kByteOrderMark) + 3};
/// a section header that is empty or has further brackets
inline constexpr Form kOddHeader{static_cast<int>(Form::kByteOrderMark) + 4};
/// \ud800
inline constexpr Form kHalfSurrogate{static_cast<int>(Form::kByteOrderMark) + 5};
/// $USER and its like where no User= is given
inline constexpr Form kLoginVariable{static_cast<int>(Form::kByteOrderMark) + 6};
/// %D
inline constexpr Form kSharedData{static_cast<int>(Form::kByteOrderMark) + 7};
}  // namespace newer

/// A form that releases from kOldestResolved on do not all read alike. In between the two nothing was
/// measured.
struct NewerForm {
  Form form;
  int old_until;          ///< newest release known to read it as kReferenceSystemd does
  int new_since;          ///< oldest release known to read it as kNewestMeasured does
  std::string_view what;  ///< "the prefix '|'"
};
const std::vector<NewerForm>& newer_form_table();

/// True when `version` reads `form`, one of newer_form_table(), as the newest measured release does.
bool reads_as_newest(Form form, int version);

/// The first of `uses` of which it is not known how systemd `version` reads it: it was not measured
/// there, or the release is newer than kNewestMeasured.
const FormUse* first_unmeasured(const std::vector<FormUse>& uses, int version);

}  // namespace kubelet_sysctl::systemd
