// SPDX-License-Identifier: Apache-2.0
// FileSystem on the real disk, under a root directory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/disk/target.hpp"
#include "kubelet_sysctl/ports/empty_directories.hpp"
#include "kubelet_sysctl/ports/part_reader.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/ports/trust.hpp"

namespace kubelet_sysctl::machine {

struct Target;

/// Files larger than this are not read: no file that decides a kubelet's arguments comes near it.
inline constexpr std::size_t kMostBytes = 16U << 20U;

/// What becomes of a file with several names when it is replaced.
enum class LinkedFiles {
  kWriteInPlace,  ///< all names show the new bytes: they are of one node
  kBreak,         ///< the others keep the old: they may be of another tree, or a backup of this one
};

/// The files of one node. "/" is the running host; any other root is a mounted image or a test
/// tree, in which absolute links lead to the tree and not to the host.
class Disk final : public ports::FileSystem,
                   public ports::PartReader,
                   public ports::TrustReader,
                   public ports::DirectoryRemover {
 public:
  explicit Disk(std::string root = "/", LinkedFiles linked = LinkedFiles::kWriteInPlace)
      : paths_(std::move(root)), linked_(linked) {}

  Result<SourceFile> read(const std::string& path) override;
  Result<std::string> read_end(const std::string& path, std::size_t most) override;
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
  Status check_trusted(const std::string& path) override;
  Status remove_if_empty(const std::string& path) override;

 private:
  Result<std::unique_ptr<ports::StagedWrite>> stage_creation(const SourceFile& before,
                                                             const SharedText& bytes);

  /// True when a rename would break other names of the file off that must not be, or would fail with EBUSY
  /// because the file is a mount.
  [[nodiscard]] bool needs_writing_in_place(const Target& target) const;

  RootedPaths paths_;
  LinkedFiles linked_;
};

}  // namespace kubelet_sysctl::machine
