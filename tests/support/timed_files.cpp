// SPDX-License-Identifier: Apache-2.0
// Files whose times of change are on a clock of a test.
#include "support/timed_files.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

#include <utility>

#include <fmt/format.h>

namespace kubelet_sysctl {

/// Sees a change that was made and then ended in an error: a rename whose directory could not be
/// synchronised, say.
class TimedFiles::Change {
 public:
  Change(TimedFiles& files, const std::string& path)
      : files_(files), path_(path), before_(facts()) {}
  Change(const Change&) = delete;
  Change& operator=(const Change&) = delete;
  ~Change() {
    if (facts() != before_) files_.note(path_);
  }

 private:
  [[nodiscard]] std::pair<std::uint64_t, std::int64_t> facts() const {
    const auto file = files_.disk_.read(path_);
    if (!file || !file->exists()) return {};
    return {file->meta.inode, file->meta.ctime_ns};
  }

  TimedFiles& files_;
  const std::string& path_;
  std::pair<std::uint64_t, std::int64_t> before_;
};

/// Notes the time of the commit.
class TimedFiles::Staged final : public ports::StagedWrite {
 public:
  Staged(TimedFiles& files, std::string path, std::unique_ptr<ports::StagedWrite> staged)
      : files_(files), path_(std::move(path)), staged_(std::move(staged)) {}

  Result<ports::WriteMode> commit() override {
    const Change change(files_, path_);
    auto mode = staged_->commit();
    if (mode && *mode != ports::WriteMode::kUnchanged) files_.note(path_);
    return mode;
  }

 private:
  TimedFiles& files_;
  std::string path_;
  std::unique_ptr<ports::StagedWrite> staged_;
};

Result<SourceFile> TimedFiles::read(const std::string& path) {
  auto file = disk_.read(path);
  if (!file) return file;
  constexpr std::int64_t kNanoseconds = 1000000;
  const auto changed = changed_at_ms_.find(file->real_path);
  const bool known = changed != changed_at_ms_.end();
  file->meta.ctime_ns = (known ? changed->second : begin_ms_) * kNanoseconds;
  if (path == "/proc/uptime") {
    const std::int64_t up_ms = clock_.wall_ms() - begin_ms_;
    file->bytes = fmt::format("{}.{:02} 0.00\n", up_ms / 1000, up_ms % 1000 / 10);
  }
  return file;
}

Result<ports::WriteMode> TimedFiles::replace(const SourceFile& before, const SharedText& bytes) {
  const Change change(*this, before.real_path);
  auto mode = disk_.replace(before, bytes);
  if (mode && *mode != ports::WriteMode::kUnchanged) note(before.real_path);
  return mode;
}

Result<std::unique_ptr<ports::StagedWrite>> TimedFiles::stage(const SourceFile& before,
                                                              const SharedText& bytes) {
  auto staged = disk_.stage(before, bytes);
  if (!staged) return staged;
  return std::unique_ptr<ports::StagedWrite>(
      std::make_unique<Staged>(*this, before.real_path, std::move(*staged)));
}

Status TimedFiles::remove(const SourceFile& before, bool and_directory) {
  const Change change(*this, before.real_path);
  auto status = disk_.remove(before, and_directory);
  if (status) note(before.real_path);
  return status;
}

void TimedFiles::note(const std::string& path) {
  changed_at_ms_[path] = clock_.wall_ms();
  changed_at_ms_[path.substr(0, path.rfind('/'))] = clock_.wall_ms();
}

}  // namespace kubelet_sysctl
