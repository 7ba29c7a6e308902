// SPDX-License-Identifier: Apache-2.0
// Keeps the synchronised state of a tree beside the real one.
#include "faults/volume.hpp"
#include "kubelet_sysctl/base/error.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace kubelet_sysctl {
namespace {

namespace fs = std::filesystem;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string name_in(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct stat facts_of(const std::string& path) {
  struct stat facts = {};
  if (::lstat(path.c_str(), &facts) != 0) bug("a file of the test is gone");
  return facts;
}

Image::Entry entry_at(const std::string& path, const struct stat& facts) {
  Image::Entry entry;
  entry.mode = facts.st_mode;
  entry.uid = facts.st_uid;
  entry.gid = facts.st_gid;
  entry.links = S_ISDIR(facts.st_mode) ? 1 : facts.st_nlink;
  if (S_ISREG(facts.st_mode)) entry.bytes = bytes_of(path);
  if (S_ISLNK(facts.st_mode)) entry.bytes = fs::read_symlink(path).string();
  return entry;
}

Image::Entry entry_at(const std::string& path) { return entry_at(path, facts_of(path)); }

void read_below(const std::string& root, const std::string& path,
                std::map<std::uint64_t, int>& nodes, Image& image) {
  for (const auto& found : fs::directory_iterator(root + path)) {
    const std::string below = fmt::format("{}/{}", path, found.path().filename().string());
    if (below == "/proc") continue;
    const struct stat facts = facts_of(root + below);
    Image::Entry entry = entry_at(root + below, facts);
    entry.node = nodes.try_emplace(facts.st_ino, static_cast<int>(nodes.size()) + 1).first->second;
    image.entries[below] = std::move(entry);
    if (S_ISDIR(facts.st_mode)) read_below(root, below, nodes, image);
  }
}

/// Pieces of `a` and `b` in turn; where the one that is due has ended, what was set aside and not
/// written.
std::string torn(const std::string& a, const std::string& b, std::size_t size) {
  constexpr std::size_t kPiece = 16;
  std::string mixture(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    const std::string& due = i / kPiece % 2 == 0 ? a : b;
    if (i < due.size()) mixture[i] = due[i];
  }
  return mixture;
}

}  // namespace

std::string Image::fingerprint() const {
  constexpr std::string_view kTemporary = ".kubelet-sysctl~";
  std::string text;
  for (const auto& [path, entry] : entries) {
    const std::size_t letters = path.find(kTemporary);
    const std::string name =
        letters == std::string::npos ? path : path.substr(0, letters + kTemporary.size());
    text +=
        fmt::format("{}\n{:o} {} {}\n{}\n", name, entry.mode, entry.uid, entry.gid, entry.bytes);
  }
  return text;
}

void Image::put(const std::string& root) const {
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.path().filename() != "proc") fs::remove_all(entry.path());
  }
  std::map<int, std::string> done;
  for (const auto& [path, entry] : entries) {
    const std::string at = root + path;
    const auto [first, is_new] = done.try_emplace(entry.node, at);
    if (S_ISDIR(entry.mode)) {
      fs::create_directory(at);
    } else if (S_ISLNK(entry.mode)) {
      fs::create_symlink(entry.bytes, at);
    } else if (is_new) {
      std::ofstream(at, std::ios::binary | std::ios::trunc) << entry.bytes;
    } else {
      fs::create_hard_link(first->second, at);
    }
    if (S_ISLNK(entry.mode)) continue;
    const bool owned = ::geteuid() != 0 || ::chown(at.c_str(), entry.uid, entry.gid) == 0;
    if (!owned || ::chmod(at.c_str(), entry.mode & 07777U) != 0) bug("no such file can be made");
  }
}

Image image_of(const std::string& root) {
  Image image;
  std::map<std::uint64_t, int> nodes;
  read_below(root, "", nodes, image);
  return image;
}

Volume::Volume(std::string root) : root_(std::move(root)) {
  const Image image = image_of(root_);
  nodes_[root_node_].disk = entry_at(root_);
  // A directory comes before what is in it.
  std::map<std::string, int> directories = {{"", root_node_}};
  for (const auto& [path, entry] : image.entries) {
    nodes_[entry.node].disk = entry;
    nodes_[directories.at(parent_of(path))].names[name_in(path)] = entry.node;
    if (S_ISDIR(entry.mode)) directories[path] = entry.node;
    last_node_ = std::max(last_node_, entry.node);
  }
  for (auto& [number, node] : nodes_) node.disk_names = node.names;
}

int Volume::add(const std::string& path, bool on_disk) {
  const int node = ++last_node_;
  Node& made = nodes_[node];
  made.disk = entry_at(root_ + path);
  made.disk.node = node;
  if (!on_disk && S_ISREG(made.disk.mode)) made.disk.bytes.clear();
  return node;
}

std::optional<int> Volume::find(const std::string& path) const {
  int node = root_node_;
  for (std::size_t begin = 1; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const Names& names = nodes_.at(node).names;
    const auto found = names.find(path.substr(begin, end - begin));
    if (found == names.end()) return std::nullopt;
    node = found->second;
    begin = end + 1;
  }
  return node;
}

void Volume::change_names(const std::string& directory, Step step) {
  const auto node = find(directory);
  if (!node) bug("a directory that the test does not know");
  Node& changed = nodes_[*node];
  for (const auto& [name, child] : step) {
    if (child) changed.names[name] = *child;
    if (!child) changed.names.erase(name);
  }
  changed.steps.push_back(std::move(step));
}

void Volume::made(const std::string& path) {
  change_names(parent_of(path), {{name_in(path), add(path, false)}});
}

// rename(2) within one directory, which is all that the program does, is one step.
void Volume::moved(const std::string& from, const std::string& to) {
  if (parent_of(from) != parent_of(to)) bug("a rename from one directory to another");
  change_names(parent_of(to), {{name_in(from), std::nullopt}, {name_in(to), find(from)}});
}

void Volume::exchanged(const std::string& one, const std::string& other) {
  if (parent_of(one) != parent_of(other)) bug("a rename from one directory to another");
  change_names(parent_of(one), {{name_in(one), find(other)}, {name_in(other), find(one)}});
}

void Volume::linked(const std::string& from, const std::string& to) {
  change_names(parent_of(to), {{name_in(to), find(from)}});
}

void Volume::removed(const std::string& path) {
  change_names(parent_of(path), {{name_in(path), std::nullopt}});
}

void Volume::synced(const std::string& path) {
  const auto found = find(path);
  if (!found) return;  // it has no name any more
  Node& node = nodes_[*found];
  node.disk = entry_at(root_ + path);
  node.disk.node = *found;
  node.disk_names = node.names;
  node.steps.clear();
}

/// One tree being gathered.
class Volume::Survivor {
 public:
  Survivor(const Volume& volume, Survives survives, unsigned seed)
      : volume_(volume), survives_(survives), dice_(seed) {
    look("", volume.root_node_);
  }

  Image image() {
    gather("", volume_.root_node_);
    return std::move(image_);
  }

 private:
  /// What each node is now, by the names of now.
  void look(const std::string& path, int node) {
    now_[node] = entry_at(volume_.root_ + path);
    for (const auto& [name, child] : volume_.nodes_.at(node).names) {
      if (!now_.contains(child)) look(path + "/" + name, child);
    }
  }

  unsigned chance(unsigned sides) { return static_cast<unsigned>(dice_() % sides); }

  Names names_of(const Node& node) {
    if (survives_ == Survives::kNothing) return node.disk_names;
    if (survives_ != Survives::kChance || node.steps.empty()) return node.names;
    Names names = node.disk_names;
    const unsigned done = chance(static_cast<unsigned>(node.steps.size()) + 1);
    for (unsigned i = 0; i < done; ++i) {
      for (const auto& [name, child] : node.steps[i]) {
        if (child) names[name] = *child;
        if (!child) names.erase(name);
      }
    }
    return names;
  }

  std::string bytes_of_node(const Node& node) {
    const std::string& old = node.disk.bytes;
    const auto now = now_.find(node.disk.node);
    if (now == now_.end() || now->second.bytes == old) return old;
    const std::string& young = now->second.bytes;
    const bool over = !old.empty();
    switch (survives_) {
      case Survives::kNothing:
      case Survives::kNames:
        return old;
      case Survives::kTornOdd:
        return over ? torn(young, old, young.size()) : old;
      case Survives::kTornEven:
        return over ? torn(old, young, old.size()) : old;
      case Survives::kChance:
        break;
    }
    switch (chance(over ? 4 : 3)) {
      case 0:
        return old;
      case 1:
        return young;
      case 2:
        // The length came to the disk and the bytes did not.
        return over ? torn(old, young, young.size()) : std::string(young.size(), '\0');
      default:
        return torn(young, old, old.size());
    }
  }

  void gather(const std::string& path, int id) {
    const Node& node = volume_.nodes_.at(id);
    for (const auto& [name, child] : names_of(node)) {
      const Node& below = volume_.nodes_.at(child);
      Image::Entry entry = below.disk;
      const auto known = bytes_.find(child);
      entry.bytes = known != bytes_.end() ? known->second : bytes_of_node(below);
      bytes_[child] = entry.bytes;
      image_.entries[fmt::format("{}/{}", path, name)] = std::move(entry);
      gather(fmt::format("{}/{}", path, name), child);
    }
  }

  const Volume& volume_;
  Survives survives_;
  std::mt19937 dice_;
  std::map<int, Image::Entry> now_;
  std::map<int, std::string> bytes_;
  Image image_;
};

Image Volume::after_power_cut(Survives survives, unsigned seed) const {
  return Survivor(*this, survives, seed).image();
}

}  // namespace kubelet_sysctl
