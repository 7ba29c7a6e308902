// SPDX-License-Identifier: Apache-2.0
// Files whose times of change are on a clock of a test.
#include "support/timed_files.hpp"

namespace kubelet_sysctl {

Result<SourceFile> TimedFiles::read(const std::string& path) {
  auto file = disk_.read(path);
  if (!file) return file;
  constexpr std::int64_t kNanoseconds = 1000000;
  const auto changed = changed_at_ms_.find(file->real_path);
  const bool known = changed != changed_at_ms_.end();
  file->meta.ctime_ns = (known ? changed->second : begin_ms_) * kNanoseconds;
  return file;
}

Result<WriteMode> TimedFiles::replace(const SourceFile& before, const std::string& bytes) {
  auto mode = disk_.replace(before, bytes);
  if (mode && *mode != WriteMode::kUnchanged) note(before.real_path);
  return mode;
}

Status TimedFiles::remove(const SourceFile& before, bool and_directory) {
  auto status = disk_.remove(before, and_directory);
  if (status) note(before.real_path);
  return status;
}

void TimedFiles::note(const std::string& path) {
  changed_at_ms_[path] = clock_.wall_ms();
  changed_at_ms_[path.substr(0, path.rfind('/'))] = clock_.wall_ms();
}

}  // namespace kubelet_sysctl
