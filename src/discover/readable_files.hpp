// SPDX-License-Identifier: Apache-2.0
// The files of a node for a user who may not read all of them.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/part_reader.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {

/// Passes on what can be read. What the machine refuses looks absent, and is noted; nothing is written.
class PartialFiles final : public ports::FileSystem, public ports::PartReader {
 public:
  explicit PartialFiles(ports::FileSystem& files) : files_(files) {}

  /// The paths that were refused, in the order of the questions.
  [[nodiscard]] const std::vector<std::string>& refused() const { return refused_; }

  Result<SourceFile> read(const std::string& path) override;
  Result<std::string> read_part(const std::string& path, std::uint64_t offset,
                                std::size_t most) override;
  Status read_lines(const std::string& path, const ports::TakeLine& take) override;
  Result<std::vector<ports::DirEntry>> list(const std::string& path) override;
  Result<std::optional<ports::DirEntry>> stat(const std::string& path) override;
  Result<std::string> real_path(const std::string& path) override;
  Result<ports::WriteMode> replace(const SourceFile& before, const SharedText& bytes) override;
  Result<std::unique_ptr<ports::StagedWrite>> stage(const SourceFile& before,
                                                    const SharedText& bytes) override;
  Result<ports::FileTraits> traits_of(const SourceFile& file) override;
  Status remove(const SourceFile& before, bool and_directory) override;
  Status sweep(const std::string& path) override;
  Status remove_folder(const std::string& path) override;
  Status make_directory(const std::string& path, std::uint32_t mode) override;
  Result<std::unique_ptr<ports::FileLock>> lock(const std::string& path, Milliseconds wait,
                                                const std::string& note) override;

 private:
  /// True for an error that is passed over, which is noted then.
  bool passes_over(const Error& error, const std::string& path);

  ports::FileSystem& files_;
  std::vector<std::string> refused_;
};

}  // namespace kubelet_sysctl::discover
