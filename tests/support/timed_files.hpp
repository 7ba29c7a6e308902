// SPDX-License-Identifier: Apache-2.0
// Files whose times of change are on a clock of a test, since the disk below has the machine's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl {

/// Passes every call on. What is changed through it has its time in `changed_at_ms`, by real path; all
/// else is as old as `begin_ms`.
class TimedFiles final : public ports::FileSystem {
 public:
  TimedFiles(ports::FileSystem& disk, ports::Clock& clock, std::int64_t begin_ms,
             std::map<std::string, std::int64_t>& changed_at_ms)
      : disk_(disk), clock_(clock), begin_ms_(begin_ms), changed_at_ms_(changed_at_ms) {}

  Result<SourceFile> read(const std::string& path) override;
  Result<std::vector<ports::DirEntry>> list(const std::string& path) override {
    return disk_.list(path);
  }
  Result<std::optional<ports::DirEntry>> stat(const std::string& path) override {
    return disk_.stat(path);
  }
  Result<std::string> real_path(const std::string& path) override { return disk_.real_path(path); }
  Result<ports::WriteMode> replace(const SourceFile& before, const SharedText& bytes) override;
  Result<std::unique_ptr<ports::StagedWrite>> stage(const SourceFile& before,
                                                    const SharedText& bytes) override;
  Status sweep(const std::string& path) override { return disk_.sweep(path); }
  Status remove_folder(const std::string& path) override { return disk_.remove_folder(path); }
  Result<ports::FileTraits> traits_of(const SourceFile& file) override {
    return disk_.traits_of(file);
  }
  Status remove(const SourceFile& before, bool and_directory) override;
  Status make_directory(const std::string& path, std::uint32_t mode) override {
    return disk_.make_directory(path, mode);
  }
  Result<std::unique_ptr<ports::FileLock>> lock(const std::string& path, Milliseconds wait,
                                                const std::string& note) override {
    return disk_.lock(path, wait, note);
  }

 private:
  class Change;
  class Staged;

  /// A new name or none is a change of the directory too.
  void note(const std::string& path);

  ports::FileSystem& disk_;
  ports::Clock& clock_;
  std::int64_t begin_ms_;
  std::map<std::string, std::int64_t>& changed_at_ms_;
};

}  // namespace kubelet_sysctl
