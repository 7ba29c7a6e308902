// SPDX-License-Identifier: Apache-2.0
// What the live kubelet's own answer proves, and what silence or a lie does to a change.
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/transaction/outcome.hpp"
#include "support/lab.hpp"

namespace kubelet_sysctl {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kBootId = "/proc/sys/kernel/random/boot_id";

std::string answer_with(const std::vector<std::string>& list) {
  if (list.empty()) return R"({"kubeletconfig":{"enableServer":true}})";
  return fmt::format(R"({{"kubeletconfig":{{"enableServer":true,"allowedUnsafeSysctls":["{}"]}}}})",
                     joined(list, "\",\""));
}

/// A cluster behind kubectl. It knows one node, whose kubelet says the truth unless told otherwise.
class Cluster final : public ports::Programs {
 public:
  explicit Cluster(Lab& lab) : lab_(lab) {}

  std::string boot_id = "the-boot-of-this-machine";
  std::function<std::vector<std::string>(std::vector<std::string>)> says =
      [](std::vector<std::string> truth) { return truth; };
  std::optional<Error> fault;
  int silent_for = 0;  ///< so many questions for the list fail first
  std::vector<std::vector<std::string>> calls;

  Result<std::string> output_of(const std::string& path, const std::vector<std::string>& arguments,
                                Milliseconds) override {
    calls.push_back({path});
    calls.back().insert(calls.back().end(), arguments.begin(), arguments.end());
    if (path != "kubectl") return Error{.kind = ErrorKind::kNotFound, .message = "no " + path};
    if (fault) return *fault;
    if (!arguments.back().ends_with("/configz")) {
      return fmt::format(R"({{"status":{{"nodeInfo":{{"bootID":"{}"}}}}}})", boot_id);
    }
    if (silent_for-- > 0) {
      return Error{.kind = ErrorKind::kIo, .message = "dial tcp: connect: connection refused"};
    }
    return answer_with(says(lab_.services().started_lists.back()));
  }

 private:
  Lab& lab_;
};

class AskConfigz : public ::testing::Test {
 protected:
  AskConfigz() : AskConfigz(std::string("kops")) {}
  explicit AskConfigz(const std::string& kind) : lab_(kind), cluster_(lab_) {
    lab_.services().boot();
    lab_.tree().write(kBootId, cluster_.boot_id + "\n");
    lab_.tree().write("/proc/sys/kernel/hostname", "Node-1\n");
    lab_.discover.configz.wanted = true;
    lab_.discover.configz.kubeconfig = "/etc/kubernetes/admin.conf";
  }

  ports::Ports ports() {
    ports::Ports all = lab_.ports();
    return {all.files, all.services, all.health, all.clock, all.log, all.kernel, cluster_};
  }

  model::NodeModel model() {
    ports::Ports node = ports();
    auto snapshot = discover::discover(node, lab_.discover);
    EXPECT_TRUE(snapshot);
    auto model = checks::resolve_and_check(*snapshot);
    EXPECT_TRUE(model);
    return std::move(*model);
  }

  transaction::Outcome add_entry(const std::string& entry) {
    ports::Ports node = ports();
    auto snapshot = discover::discover(node, lab_.discover);
    EXPECT_TRUE(snapshot);
    auto model = checks::resolve_and_check(*snapshot);
    EXPECT_TRUE(model);
    auto plan = planning::make_plan(*snapshot, *model, add({entry}));
    EXPECT_TRUE(plan);
    auto outcome = transaction::apply(node, *snapshot, *model, *plan, lab_.discover, lab_.options);
    EXPECT_TRUE(outcome);
    return outcome ? *outcome : transaction::Outcome{};
  }

  Lab lab_;
  Cluster cluster_;
};

class ConfigzOfFiles : public AskConfigz {
 protected:
  ConfigzOfFiles() : AskConfigz("kubeadm-deb") {}
};

TEST_F(AskConfigz, AsksForTheNodeFirstAndHandsOnNothingButPaths) {
  const model::NodeModel seen = model();
  EXPECT_EQ(seen.running->configz, model::Configz::kOk);
  EXPECT_EQ(seen.running->evidence, model::RunningList::Evidence::kArgv);
  const std::vector<std::string> words = {
      "kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf", "--request-timeout=8s",
      "get",     "--raw"};
  auto node = words;
  node.emplace_back("/api/v1/nodes/node-1");
  auto list = words;
  list.emplace_back("/api/v1/nodes/node-1/proxy/configz");
  EXPECT_THAT(cluster_.calls, ElementsAre(node, list));
}

TEST_F(AskConfigz, IsNotAskedUnlessItIsWanted) {
  lab_.discover.configz.wanted = false;
  EXPECT_EQ(model().running->configz, model::Configz::kNotAsked);
  EXPECT_THAT(cluster_.calls, IsEmpty());
}

TEST_F(AskConfigz, IsEvidenceOfAChange) {
  const transaction::Outcome outcome = add_entry("kernel.sem");
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kApplied);
  ASSERT_TRUE(outcome.evidence);
  EXPECT_EQ(outcome.evidence->configz, model::Configz::kOk);
}

TEST_F(AskConfigz, ThatSpeaksAgainstAChangeTakesItBackAndIsHeardAgain) {
  const std::string before = lab_.tree().read("/etc/sysconfig/kubelet");
  cluster_.says = [](std::vector<std::string> truth) {
    std::erase(truth, "kernel.sem");
    return truth;
  };
  const transaction::Outcome outcome = add_entry("kernel.sem");
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kRolledBack);
  ASSERT_TRUE(outcome.cause);
  EXPECT_THAT(outcome.cause->message, HasSubstr("the kubelet itself says"));
  EXPECT_EQ(lab_.tree().read("/etc/sysconfig/kubelet"), before);
  EXPECT_EQ(outcome.evidence->configz, model::Configz::kOk);
}

TEST_F(AskConfigz, ThatDiffersIsDriftWhateverTheArgumentsSay) {
  cluster_.says = [](const std::vector<std::string>&) {
    return std::vector<std::string>{"kernel.sem"};
  };
  const model::NodeModel seen = model();
  EXPECT_EQ(seen.running->configz, model::Configz::kDiffers);
  EXPECT_EQ(seen.running->evidence, model::RunningList::Evidence::kConfigz);
  EXPECT_THAT(*seen.running->entries, ElementsAre("kernel.sem"));
  EXPECT_TRUE(seen.drift);
  EXPECT_THAT(ids_of(seen.findings), Contains("configz-differs"));
}

TEST_F(AskConfigz, ThatIsForbiddenIsToldAndTheOtherEvidenceStands) {
  cluster_.fault = Error{.kind = ErrorKind::kIo,
                         .message = "'kubectl' ended with status 1: Error from server (Forbidden)"};
  const auto begin = lab_.services().now();
  const model::NodeModel seen = model();
  EXPECT_EQ(lab_.services().now(), begin) << "asking again fixes nothing";
  EXPECT_EQ(seen.running->evidence, model::RunningList::Evidence::kArgv);
  const transaction::Outcome outcome = add_entry("kernel.sem");
  EXPECT_EQ(outcome.kind, transaction::OutcomeKind::kApplied);
  EXPECT_EQ(outcome.evidence->configz, model::Configz::kUnknown);
  const auto ids = ids_of(outcome.findings);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), "configz-silent"), 1);
}

TEST_F(AskConfigz, OfAnotherMachineWithThisNameIsNone) {
  cluster_.boot_id = "the-boot-of-another";
  const model::NodeModel seen = model();
  EXPECT_EQ(seen.running->configz, model::Configz::kUnknown);
  EXPECT_EQ(seen.running->evidence, model::RunningList::Evidence::kArgv);
  for (const auto& call : cluster_.calls) EXPECT_THAT(call.back(), Not(HasSubstr("configz")));
}

TEST_F(AskConfigz, IsAskedAgainOfAKubeletThatHasJustBeenStarted) {
  lab_.options.window = Milliseconds{0};
  cluster_.silent_for = 1000;
  EXPECT_EQ(model().running->configz, model::Configz::kUnknown);
  cluster_.silent_for = 0;
  ports::Ports node = ports();
  ASSERT_TRUE(node.services.restart("kubelet.service", Milliseconds{1000}, [] { return true; }));
  cluster_.silent_for = 4;
  EXPECT_EQ(model().running->configz, model::Configz::kOk);
}

TEST_F(AskConfigz, IsNotAskedAtAPortThatTheKubeletDoesNotHold) {
  lab_.discover.configz.kubeconfig.clear();
  lab_.discover.configz.certificate = "/c.crt";
  lab_.discover.configz.key = "/c.key";
  EXPECT_EQ(model().running->configz, model::Configz::kUnknown);
  EXPECT_THAT(cluster_.calls, IsEmpty());
}

TEST_F(ConfigzOfFiles, TellsTheListWhereAFileIsNewerThanTheProcess) {
  lab_.services().write("/var/lib/kubelet/config.yaml",
                        lab_.tree().read("/var/lib/kubelet/config.yaml") + "# touched\n");
  lab_.discover.configz.wanted = false;
  EXPECT_FALSE(model().running->entries);
  lab_.discover.configz.wanted = true;
  const model::NodeModel seen = model();
  EXPECT_EQ(seen.running->evidence, model::RunningList::Evidence::kConfigz);
  EXPECT_EQ(*seen.running->entries, lab_.services().started_lists.back());
}

}  // namespace
}  // namespace kubelet_sysctl
