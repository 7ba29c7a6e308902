// SPDX-License-Identifier: Apache-2.0
// The layer below the disk itself: it sees every call that changes a file, fails the one it is told to,
// and knows what a power cut leaves.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "faults/system_calls.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "support/node_tree.hpp"

namespace kubelet_sysctl {
namespace {

/// Calls of the C library that change nothing on a disk, in the form in which the adapter writes them.
const std::set<std::string> kHarmless = {
    "close",   "closedir", "fcntl",   "fdopendir", "fgetxattr",  "flistxattr", "flock", "fstat",
    "fstatat", "getegid",  "geteuid", "getpid",    "getrandom",  "kill",       "lseek", "nanosleep",
    "open",    "read",     "readdir", "readlink",  "readlinkat", "statx"};

std::set<std::string> wrapped_calls() {
  std::set<std::string> calls;
  std::istringstream list(KUBELET_SYSCTL_WRAPPED_CALLS);
  for (std::string call; std::getline(list, call, ',');) calls.insert(call);
  return calls;
}

TEST(LayerBelowTheDisk, WrapsEveryCallOfTheAdapterThatIsNotKnownToChangeNothing) {
  const std::set<std::string> wrapped = wrapped_calls();
  const std::regex call("(^|[^A-Za-z0-9_>])::([a-z0-9]+)\\(");
  std::size_t seen = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(KUBELET_SYSCTL_TEST_DIR "/../src/machine")) {
    const std::string name = entry.path().filename().string();
    const bool of_disk = entry.path().parent_path().filename() == "disk";
    if (!entry.is_regular_file() || (!of_disk && name != "fd.cpp")) continue;
    std::ifstream file(entry.path());
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator at(text.begin(), text.end(), call), end; at != end; ++at) {
      const std::string found = (*at)[2].str();
      EXPECT_TRUE(wrapped.contains(found) || kHarmless.contains(found)) << name << ": ::" << found;
      if (wrapped.contains(found)) ++seen;
    }
    // open() is not wrapped: it may not make or change a file.
    EXPECT_FALSE(std::regex_search(text, std::regex("::open\\([^;]*O_(CREAT|WRONLY|RDWR|TRUNC)")))
        << name;
  }
  EXPECT_GT(seen, 15U);
}

/// A file made and brought to the disk, and one more change of it that the test cuts off.
class OneFile : public ::testing::Test {
 protected:
  OneFile() {
    tree_.write("/etc/file", "old");
    auto read = disk_.read("/etc/file");
    if (read) before_ = *read;
  }
  ~OneFile() override { SystemCalls::instance().rest(); }
  OneFile(const OneFile&) = delete;
  OneFile& operator=(const OneFile&) = delete;

  NodeTree tree_;
  machine::Disk disk_{tree_.root()};
  SourceFile before_;
};

TEST_F(OneFile, AReplacementIsSeenCallByCallAndOnlyBelowTheRoot) {
  SystemCalls& calls = SystemCalls::instance();
  calls.watch(tree_.root(), {});
  const NodeTree other;
  machine::Disk elsewhere(other.root());
  ASSERT_TRUE(elsewhere.make_directory("/somewhere", 0755));
  EXPECT_TRUE(calls.calls().empty());
  ASSERT_TRUE(disk_.replace(before_, "new"));
  std::multiset<std::string> names;
  for (const std::string& call : calls.calls()) names.insert(call.substr(0, call.find(' ')));
  const std::multiset<std::string> wanted = {"openat",    "write",    "fchmod", "fsync",
                                             "renameat2", "unlinkat", "fsync"};
  EXPECT_EQ(names, wanted);
  EXPECT_FALSE(calls.has_struck());
}

TEST_F(OneFile, TheCallThatIsNamedFailsAndNoOther) {
  SystemCalls& calls = SystemCalls::instance();
  calls.watch(tree_.root(), {.kind = FaultKind::kOnce, .number = 2, .error = EIO});
  auto replaced = disk_.replace(before_, "newer");
  EXPECT_TRUE(calls.has_struck());
  ASSERT_FALSE(replaced);
  EXPECT_TRUE(replaced.error().message.ends_with("Input/output error")) << replaced.error().message;
  EXPECT_EQ(tree_.read("/etc/file"), "old");
}

TEST_F(OneFile, AfterADeathNothingHasAnEffect) {
  SystemCalls& calls = SystemCalls::instance();
  int deaths = 0;
  calls.watch(tree_.root(), {.kind = FaultKind::kDeath, .number = 5}, nullptr, [&] { ++deaths; });
  EXPECT_FALSE(disk_.replace(before_, "new"));
  EXPECT_FALSE(disk_.make_directory("/later", 0755));
  EXPECT_EQ(deaths, 1);
  EXPECT_EQ(tree_.read("/etc/file"), "old");
  EXPECT_FALSE(tree_.exists("/later"));
  EXPECT_EQ(tree_.names("/etc").size(), 2U) << "the temporary file that nobody could remove";
}

std::string bytes_at(const Image& image, const std::string& path) {
  const auto found = image.entries.find(path);
  return found == image.entries.end() ? "(absent)" : found->second.bytes;
}

/// Writes through the wrapped calls as a careless program would.
class PowerCut : public OneFile {
 protected:
  PowerCut() : volume_(tree_.root()), etc_(::open(tree_.at("/etc").c_str(), O_RDONLY)) {
    SystemCalls::instance().watch(tree_.root(), {}, &volume_);
  }
  ~PowerCut() override { ::close(etc_); }
  PowerCut(const PowerCut&) = delete;
  PowerCut& operator=(const PowerCut&) = delete;

  void put(const char* name, const std::string& bytes, bool sync) const {
    const int fd = ::openat(etc_, name, O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(::pwrite(fd, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    ASSERT_TRUE(!sync || ::fsync(fd) == 0);
    ::close(fd);
  }
  [[nodiscard]] std::string after(Survives survives, const std::string& path) const {
    return bytes_at(volume_.after_power_cut(survives), path);
  }

  Volume volume_;
  int etc_;
};

TEST_F(PowerCut, ANameIsLostUntilItsDirectoryIsSynchronised) {
  put("new", "bytes", true);
  EXPECT_EQ(after(Survives::kNothing, "/etc/new"), "(absent)");
  EXPECT_EQ(after(Survives::kNames, "/etc/new"), "bytes");
  ASSERT_EQ(::fsync(etc_), 0);
  EXPECT_EQ(after(Survives::kNothing, "/etc/new"), "bytes");
}

TEST_F(PowerCut, BytesAreLostUntilTheFileIsSynchronised) {
  put("new", "bytes", false);
  ASSERT_EQ(::renameat(etc_, "new", etc_, "file"), 0);
  ASSERT_EQ(::fsync(etc_), 0);
  EXPECT_EQ(after(Survives::kNothing, "/etc/file"), "");
  EXPECT_EQ(after(Survives::kNames, "/etc/new"), "(absent)");
}

TEST_F(PowerCut, ARenameAndAnUnlinkComeBackUntilTheDirectoryIsSynchronised) {
  put("new", "bytes", true);
  ASSERT_EQ(::fsync(etc_), 0);
  ASSERT_EQ(::renameat(etc_, "new", etc_, "file"), 0);
  EXPECT_EQ(after(Survives::kNothing, "/etc/file"), "old");
  EXPECT_EQ(after(Survives::kNames, "/etc/file"), "bytes");
  ASSERT_EQ(::unlinkat(etc_, "file", 0), 0);
  EXPECT_EQ(after(Survives::kNothing, "/etc/new"), "bytes");
  EXPECT_EQ(after(Survives::kNames, "/etc/file"), "(absent)");
}

TEST_F(PowerCut, AFileThatIsWrittenOverIsTornInPieces) {
  const std::string old_bytes(40, 'o');
  put("file", old_bytes, true);
  put("file", std::string(40, 'n'), false);
  EXPECT_EQ(after(Survives::kNothing, "/etc/file"), old_bytes);
  const std::string torn = std::string(16, 'n') + std::string(16, 'o') + std::string(8, 'n');
  EXPECT_EQ(after(Survives::kTornOdd, "/etc/file"), torn);
}

TEST_F(PowerCut, ATreeIsPutBackWithItsModesLinksAndSecondNames) {
  std::filesystem::create_hard_link(tree_.at("/etc/file"), tree_.at("/etc/too"));
  std::filesystem::create_symlink("file", tree_.at("/etc/link"));
  std::filesystem::permissions(tree_.at("/etc/file"), std::filesystem::perms(0640));
  const Image image = image_of(tree_.root());
  const NodeTree other;
  image.put(other.root());
  EXPECT_EQ(image_of(other.root()).fingerprint(), image.fingerprint());
  EXPECT_EQ(std::filesystem::hard_link_count(other.at("/etc/too")), 2U);
}

}  // namespace
}  // namespace kubelet_sysctl
