// SPDX-License-Identifier: Apache-2.0
// What a power cut leaves of a tree: not what was written, but what was brought to the disk.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace kubelet_sysctl {

/// A whole tree without its /proc: what a disk holds.
struct Image {
  struct Entry {
    int node = 0;  ///< the same for two names of one file
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t links = 1;
    std::string bytes;  ///< or the target of a link
  };
  std::map<std::string, Entry> entries;  ///< by path

  /// Equal for trees that differ only in the random letters of temporary files.
  [[nodiscard]] std::string fingerprint() const;
  /// Makes the tree at `root` this one; /proc stays.
  void put(const std::string& root) const;
};

/// What is below `root`; without /proc.
Image image_of(const std::string& root);

/// Which of the names and bytes that nobody synchronised a power cut leaves.
enum class Survives {
  kNothing,  ///< only what was synchronised: bytes by fsync() of the file, names by that of the directory
  kNames,     ///< all names; bytes that were not synchronised are not there
  kTornOdd,   ///< all names; of bytes written over others every second piece
  kTornEven,  ///< the other pieces, and the length of before
  kChance,  ///< of each directory a part of what was done, of each file the old, the new or a mixture
};

/// A tree of which every name and byte is on the disk to begin with, and what becomes of it. The model is
/// that of LevelDB's fault injection test and of "All File Systems Are Not Created Equal" (Pillai et al.,
/// OSDI 2014): directories and files come to the disk by themselves and in any order, the changes within
/// one directory in theirs.
class Volume {
 public:
  explicit Volume(std::string root);

  // What the program did. Paths are below the root.
  void made(const std::string& path);
  void moved(const std::string& from, const std::string& to);
  void exchanged(const std::string& one, const std::string& other);
  void linked(const std::string& from, const std::string& to);
  void removed(const std::string& path);
  void synced(const std::string& path);

  /// What the disk holds if the power goes now. `seed` is for kChance.
  [[nodiscard]] Image after_power_cut(Survives survives, unsigned seed = 0) const;

 private:
  using Names = std::map<std::string, int>;
  /// Names set and, where there is no node, taken away, at once.
  using Step = std::vector<std::pair<std::string, std::optional<int>>>;
  struct Node {
    Image::Entry disk;        ///< as it was synchronised last
    Names names;              ///< of a directory, as they are now
    Names disk_names;         ///< and as they were synchronised
    std::vector<Step> steps;  ///< since then
  };
  class Survivor;

  int add(const std::string& path, bool on_disk);
  [[nodiscard]] std::optional<int> find(const std::string& path) const;
  void change_names(const std::string& directory, Step step);

  std::string root_;
  std::map<int, Node> nodes_;
  int root_node_ = 0;
  int last_node_ = 0;
};

}  // namespace kubelet_sysctl
