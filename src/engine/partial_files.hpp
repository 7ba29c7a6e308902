// SPDX-License-Identifier: Apache-2.0
// The files of a node for somebody who may not read all of them.
#pragma once

#include <string>
#include <vector>

#include "kubelet_sysctl/part_reader.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// Passes on what can be read. What the machine refuses looks absent, and is noted; nothing is written.
class PartialFiles final : public FileSystem, public PartReader {
 public:
  explicit PartialFiles(FileSystem& files) : files_(files) {}

  /// The paths that were refused, in the order of the questions.
  [[nodiscard]] const std::vector<std::string>& refused() const { return refused_; }

  Result<SourceFile> read(const std::string& path) override;
  Result<std::string> read_part(const std::string& path, std::uint64_t offset,
                                std::size_t most) override;
  Status read_lines(const std::string& path, const TakeLine& take) override;
  Result<std::vector<DirEntry>> list(const std::string& path) override;
  Result<std::optional<DirEntry>> look(const std::string& path) override;
  Result<std::string> real_path(const std::string& path) override;
  Result<WriteMode> replace(const SourceFile& before, const std::string& bytes) override;
  Result<std::unique_ptr<StagedWrite>> stage(const SourceFile& before,
                                             const std::string& bytes) override;
  Result<FileTraits> traits_of(const SourceFile& file) override;
  Status remove(const SourceFile& before, bool and_directory) override;
  Status sweep(const std::string& path) override;
  Status remove_folder(const std::string& path) override;
  Status make_directory(const std::string& path, std::uint32_t mode) override;
  Result<std::unique_ptr<FileLock>> lock(const std::string& path, Milliseconds wait,
                                         const std::string& note) override;

 private:
  /// True for an error that is passed over, which is noted then.
  bool passes_over(const Error& error, const std::string& path);

  FileSystem& files_;
  std::vector<std::string> refused_;
};

}  // namespace kubelet_sysctl
