// SPDX-License-Identifier: Apache-2.0
// FileSystem on the real disk, under a root directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/disk_paths.hpp"
#include "kubelet_sysctl/part_reader.hpp"
#include "kubelet_sysctl/ports.hpp"

namespace kubelet_sysctl {

/// Files larger than this are not read: no file that decides a kubelet's arguments comes near it.
inline constexpr std::size_t kMostBytes = 16U << 20U;

/// The files of one node. "/" is the running host; any other root is a mounted image or a test
/// tree, in which absolute links lead to the tree and not to the host.
class Disk final : public FileSystem, public PartReader {
 public:
  explicit Disk(std::string root = "/") : paths_(std::move(root)) {}

  Result<SourceFile> read(const std::string& path) override;
  Result<std::string> read_end(const std::string& path, std::size_t most) override;
  Result<std::string> read_part(const std::string& path, std::uint64_t offset,
                                std::size_t most) override;
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
  Result<std::unique_ptr<StagedWrite>> stage_creation(const SourceFile& before,
                                                      const std::string& bytes);

  RootedPaths paths_;
};

}  // namespace kubelet_sysctl
