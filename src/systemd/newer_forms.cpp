// SPDX-License-Identifier: Apache-2.0
// The table of forms that releases of systemd after 247 read differently.
#include "kubelet_sysctl/systemd/newer_forms.hpp"

#include <algorithm>

#include "kubelet_sysctl/systemd/dialects.hpp"

namespace kubelet_sysctl::systemd {

const std::vector<NewerForm>& newer_form_table() {
  // Measured on 252, 254, 257 and 262; %D and '|' are dated in NEWS for 256 and 258.
  static const std::vector<NewerForm> table = {
      {newer::kUnsetOfUsed, 257, 262, "UnsetEnvironment= of a variable that the command uses"},
      {newer::kShellPrefix, 257, 258, "the prefix '|'"},
      {newer::kPatternInProgram, 257, 262, "'*', '?' or '[' in the program's path"},
      {newer::kOddHeader, 257, 262, "a section header that is empty or has further brackets"},
      {newer::kHalfSurrogate, 257, 262, "half a surrogate as an escape"},
      {newer::kLoginVariable, 254, 257, "$USER, $HOME, $LOGNAME or $SHELL without User="},
      {newer::kSharedData, 255, 256, "the specifier '%D'"},
  };
  return table;
}

bool reads_as_newest(Form form, int version) {
  const auto& table = newer_form_table();
  return std::any_of(table.begin(), table.end(), [form, version](const NewerForm& row) {
    return row.form == form && version >= row.new_since;
  });
}

const FormUse* first_unmeasured(const std::vector<FormUse>& uses, int version) {
  for (const FormUse& use : uses) {
    for (const NewerForm& row : newer_form_table()) {
      if (row.form != use.form || version <= row.old_until) continue;
      if (version < row.new_since || version > kNewestMeasured) return &use;
    }
  }
  return nullptr;
}

}  // namespace kubelet_sysctl::systemd
