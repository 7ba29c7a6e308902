// SPDX-License-Identifier: Apache-2.0
// The release of the unit's kubelet: who is asked, what is kept, and when nobody knows.
#include <fcntl.h>
#include <sys/stat.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/discover/kubelet_version.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"
#include "support/elf_program.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

using testing::HasSubstr;

constexpr const char* kKubelet = "/usr/bin/kubelet";
constexpr const char* kCache = "/run/kubelet-sysctl/kubelet-version";

class KubeletVersionOf : public testing::Test {
 protected:
  explicit KubeletVersionOf(const std::string& command = std::string(kKubelet) + " --v=2")
      : lab(plain_node(command, "")) {
    install("a kubelet");
    lab.services().boot();
    says("Kubernetes v1.28.3\n");
    lab.discover.version_from = discover::VersionFrom::kProgram;
  }

  /// From now on the program prints that.
  void says(const std::string& output) {
    lab.services().programs.outputs.insert_or_assign(kKubelet, output);
  }

  void install(const std::string& bytes) {
    lab.tree().write(kKubelet, elf_with_data(bytes));
    ::chmod(lab.tree().at(kKubelet).c_str(), 0755);
  }

  nodes::NodeSnapshot look() {
    ports::Ports node = lab.ports();
    auto snapshot = discover::discover(node, lab.discover);
    EXPECT_TRUE(snapshot) << (snapshot ? "" : snapshot.error().message);
    return snapshot ? std::move(*snapshot) : nodes::NodeSnapshot{};
  }

  std::size_t times_asked() { return lab.services().programs.calls.size(); }

  Lab lab;
};

TEST_F(KubeletVersionOf, IsWhatTheProgramOfTheUnitSays) {
  const nodes::NodeSnapshot seen = look();
  EXPECT_EQ(seen.kubelet_version, (sysctl::KubeletVersion{1, 28, 3}));
  EXPECT_EQ(seen.kubelet_version_why, "");
  EXPECT_EQ(seen.kernel.release, "6.18.0");
  ASSERT_EQ(times_asked(), 1U);
  EXPECT_THAT(lab.services().programs.calls[0], testing::ElementsAre(kKubelet, "--version"));
}

TEST_F(KubeletVersionOf, IsAskedOnceAndThenKept) {
  look();
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 28, 3}));
  lab.discover.version_from = discover::VersionFrom::kCache;
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 28, 3}));
  EXPECT_EQ(times_asked(), 1U);
  struct stat facts = {};
  ASSERT_EQ(::stat(lab.tree().at("/run/kubelet-sysctl").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0700U);
}

TEST_F(KubeletVersionOf, IsAskedAnewOfAnotherProgram) {
  look();
  // Same length, and the time of the last write put back, as package managers do.
  struct stat before = {};
  ASSERT_EQ(::stat(lab.tree().at(kKubelet).c_str(), &before), 0);
  lab.tree().remove(kKubelet);
  install("b kubelet");
  const timespec times[2] = {before.st_mtim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, lab.tree().at(kKubelet).c_str(), times, 0), 0);
  says("Kubernetes v1.29.0\n");
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 29, 0}));
  EXPECT_EQ(times_asked(), 2U);
}

TEST_F(KubeletVersionOf, ACacheThatIsOddIsNoAnswer) {
  for (const char* bytes : {"", "1.20.0", "kubelet-sysctl kubelet-version 1\n1 2 3\n1.20.0\n"}) {
    lab.tree().write(kCache, bytes);
    EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 28, 3})) << bytes;
  }
}

TEST_F(KubeletVersionOf, ACacheThatCannotBeWrittenIsNoError) {
  lab.tree().write("/run/kubelet-sysctl", "a file where the directory should be");
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 28, 3}));
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 28, 3}));
  EXPECT_EQ(times_asked(), 2U);
}

TEST_F(KubeletVersionOf, TheOptionOverridesAndNobodyIsAsked) {
  lab.discover.kubelet_version = sysctl::KubeletVersion{1, 37, 0};
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 37, 0}));
  EXPECT_EQ(times_asked(), 0U);
}

TEST_F(KubeletVersionOf, IsNotLearntUnlessItIsWanted) {
  lab.discover.version_from = discover::VersionFrom::kNowhere;
  EXPECT_FALSE(look().kubelet_version);
  lab.discover.version_from = discover::VersionFrom::kCache;
  const nodes::NodeSnapshot seen = look();
  EXPECT_FALSE(seen.kubelet_version);
  EXPECT_THAT(seen.kubelet_version_why, HasSubstr("was not asked yet"));
  EXPECT_EQ(times_asked(), 0U);
  EXPECT_FALSE(lab.tree().exists(kCache));
}

TEST_F(KubeletVersionOf, OfATreeOfFilesIsNotKnown) {
  lab.discover.live = false;
  const nodes::NodeSnapshot seen = look();
  EXPECT_FALSE(seen.kubelet_version);
  EXPECT_THAT(seen.kubelet_version_why, HasSubstr("tree of files"));
  EXPECT_EQ(times_asked(), 0U);
}

TEST_F(KubeletVersionOf, AProgramThatFailsOrSaysSomethingElseLeavesItUnknown) {
  lab.services().programs.outputs.insert_or_assign(
      kKubelet, Error{.kind = ErrorKind::kTimeout, .message = "it did not end within 5 s"});
  EXPECT_THAT(look().kubelet_version_why, HasSubstr("did not end"));
  says("a new kind of kubelet\n");
  const nodes::NodeSnapshot seen = look();
  EXPECT_FALSE(seen.kubelet_version);
  EXPECT_THAT(seen.kubelet_version_why, HasSubstr("'a new kind of kubelet', which is no release"));
  EXPECT_FALSE(lab.tree().exists(kCache));
  ::chmod(lab.tree().at(kKubelet).c_str(), 0644);
  EXPECT_THAT(look().kubelet_version_why, HasSubstr("no program"));
}

TEST_F(KubeletVersionOf, IsReadFromTheFileAndNothingIsStarted) {
  install("v1.32.13");
  for (const discover::VersionFrom from :
       {discover::VersionFrom::kFile, discover::VersionFrom::kProgram}) {
    lab.discover.version_from = from;
    EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 32, 13}));
    lab.tree().remove(kCache);
  }
  lab.discover.live = false;
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 32, 13}));
  EXPECT_EQ(times_asked(), 0U);
}

TEST_F(KubeletVersionOf, ACommandThatReadsStartsNothingWhenTheFileDoesNotShowIt) {
  lab.discover.version_from = discover::VersionFrom::kFile;
  // Two releases: which is the kubelet's, nobody knows. Then a literal that only ends like one.
  for (const std::string& bytes :
       {std::string("v1.32.13\0v1.31.2", 16), std::string("dev1.32.13"), std::string("v1.32")}) {
    install(bytes);
    const nodes::NodeSnapshot seen = look();
    EXPECT_FALSE(seen.kubelet_version) << bytes;
    EXPECT_THAT(seen.kubelet_version_why, HasSubstr("starts no program"));
  }
  EXPECT_EQ(times_asked(), 0U);
}

TEST_F(KubeletVersionOf, OfAHostIsTheReleaseThatNamesItsBuild) {
  lab.discover.version_from = discover::VersionFrom::kFile;
  install(std::string("v1.7.2\0v1.33.5+k3s1", 20));
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 33, 5}));
}

TEST_F(KubeletVersionOf, AScriptIsNeverRun) {
  lab.tree().write(kKubelet, "#!/bin/sh\nexec docker run --privileged img /kubelet \"$@\"\n");
  for (const discover::VersionFrom from :
       {discover::VersionFrom::kFile, discover::VersionFrom::kProgram}) {
    lab.discover.version_from = from;
    const nodes::NodeSnapshot seen = look();
    EXPECT_FALSE(seen.kubelet_version);
    EXPECT_THAT(seen.kubelet_version_why, HasSubstr("is a script or another wrapper"));
  }
  EXPECT_EQ(times_asked(), 0U);
}

/// A shell is not asked: what it would do with the word nobody knows.
class KubeletVersionBehindAShell : public KubeletVersionOf {
 protected:
  KubeletVersionBehindAShell() : KubeletVersionOf("/bin/sh -c \"exec /usr/bin/kubelet\"") {}
};

TEST_F(KubeletVersionBehindAShell, IsNotKnown) {
  lab.services().programs.outputs.insert_or_assign("/bin/sh", std::string("Kubernetes v1.20.0\n"));
  const nodes::NodeSnapshot seen = look();
  EXPECT_FALSE(seen.kubelet_version);
  EXPECT_THAT(seen.kubelet_version_why, HasSubstr("does not say which program"));
  EXPECT_EQ(times_asked(), 0U);
}

/// Source: OpenShift's unit runs the kubelet through kubenswrapper.
class KubeletVersionBehindAWrapper : public KubeletVersionOf {
 protected:
  KubeletVersionBehindAWrapper()
      : KubeletVersionOf("/usr/local/bin/kubenswrapper /usr/bin/kubelet") {}
};

TEST_F(KubeletVersionBehindAWrapper, IsThatOfTheKubeletItself) {
  EXPECT_EQ(look().kubelet_version, (sysctl::KubeletVersion{1, 28, 3}));
  EXPECT_THAT(lab.services().programs.calls.at(0), testing::ElementsAre(kKubelet, "--version"));
}

}  // namespace
}  // namespace kubelet_sysctl
