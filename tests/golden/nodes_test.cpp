// SPDX-License-Identifier: Apache-2.0
// Every node of tests/nodes is read as its node.json says it must be.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "golden/golden_node.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/checks/checks.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/fake_kernel.hpp"

namespace kubelet_sysctl::golden {
namespace {

using nlohmann::json;

/// The kinds whose kubelet is a unit of its own.
const std::vector<std::string>& kinds() {
  static const std::vector<std::string> all = {
      "kops", "kubeadm-deb", "kubeadm-rpm", "eks-al2", "eks-al2023", "kubespray", "openshift"};
  return all;
}

/// A path with the links of the tree resolved: systemd may name a unit by /lib where that is a link.
std::string resolved(const GoldenNode& node, const json& path) {
  if (path.is_null()) return {};
  machine::Disk disk(node.tree().root());
  const auto real = disk.real_path(path.get<std::string>());
  return real ? *real : path.get<std::string>();
}

class Nodes : public testing::TestWithParam<std::string> {
 protected:
  const GoldenNode node_{GetParam()};
};

TEST_P(Nodes, WordsOfTheCommandComeFromTheFilesAndVariablesNamed) {
  const json seen = node_.ask({"explain"});
  const json& expected = node_.facts().at("argv");
  ASSERT_EQ(seen.at("words").size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const json& word = seen.at("words").at(i);
    SCOPED_TRACE(word.at("text"));
    EXPECT_EQ(word.at("text"), expected[i].at("word"));
    EXPECT_EQ(resolved(node_, word.at("file")), resolved(node_, expected[i].at("from")));
    EXPECT_EQ(word.at("variable"), expected[i].contains("var") ? expected[i].at("var") : json());
  }
}

TEST_P(Nodes, VariablesThatNothingSetsAreNamed) {
  const json seen = node_.ask({"explain"}).at("unresolved");
  for (const json& word : node_.facts().at("argv")) {
    const json variables = word.value("vars", json::object());
    for (const auto& [name, file] : variables.items()) {
      const bool named = std::find(seen.begin(), seen.end(), name) != seen.end();
      EXPECT_EQ(named, file.is_null()) << name;
    }
  }
}

TEST_P(Nodes, ListInForceAndItsPlaceAreThoseOfTheNode) {
  const json seen = node_.ask({"show"});
  const json& expected = node_.facts().at("allowlist");
  EXPECT_EQ(seen.at("node").at("kind"), node_.facts().at("kind"));
  const std::map<std::string, std::string> layers = {
      {"flag", "flag"}, {"config", "config"}, {"config-dropin", "config-dir"}};
  const json& route = expected.at("route");
  EXPECT_EQ(seen.at("configured").at("layer"),
            route.is_null() ? json("none") : json(layers.at(route)));
  json entries = json::array();
  for (const json& entry : seen.at("configured").at("entries")) {
    entries.push_back(entry.at("entry"));
    EXPECT_EQ(entry.at("file"), expected.at("path"));
    EXPECT_EQ(entry.at("variable"), expected.value("var", json()));
    EXPECT_GT(entry.at("line"), 0);
  }
  EXPECT_EQ(entries, expected.at("effective"));
}

TEST_P(Nodes, EveryMentionOfAListHasTheStatusOfTheNode) {
  const json seen = node_.ask({"show"});
  for (const json& mention : node_.facts().at("allowlist").at("mentions")) {
    SCOPED_TRACE(mention.dump());
    const std::string status = mention.at("status");
    const json& layers = seen.at("layers");
    const auto layer = std::find_if(layers.begin(), layers.end(), [&](const json& one) {
      return one.at("file") == mention.at("path") && one.at("entries") == mention.at("entries");
    });
    const json& findings = seen.at("findings");
    const bool misspelt = std::any_of(findings.begin(), findings.end(), [&](const json& one) {
      return one.at("id") == "misspelt-key" && one.at("file") == mention.at("path");
    });
    EXPECT_EQ(layer != layers.end(), status == "effective" || status == "shadowed");
    EXPECT_EQ(misspelt, status == "ignored-misspelt");
    if (layer == layers.end()) continue;
    EXPECT_EQ(layer->at("wins"), status == "effective");
  }
}

/// The words of the command without the flag, and the values of the flag.
std::pair<json, std::vector<std::string>> without_flag(const json& explained) {
  const std::string flag = "--allowed-unsafe-sysctls";
  std::pair<json, std::vector<std::string>> split{json::array(), {}};
  bool value_follows = false;
  for (const json& word : explained.at("words")) {
    const std::string text = word.at("text");
    if (value_follows || text.starts_with(flag + "=")) {
      split.second.push_back(value_follows ? text : text.substr(flag.size() + 1));
      value_follows = false;
    } else if (text == flag) {
      value_follows = true;
    } else {
      split.first.push_back(text);
    }
  }
  return split;
}

TEST_P(Nodes, AddByTheArgumentsPutsTheWholeListIntoTheFlagAndKeepsEveryOtherWord) {
  if (node_.facts().at("recommended_edit").at("action") == "refuse") return;
  const auto before = without_flag(node_.ask({"explain"}));
  const auto files = node_.things();
  const Said said = node_.run({"add", "kernel.sem", "--via", "args", "--root", "ROOT"});
  const auto after = without_flag(node_.ask({"explain"}));
  json list = node_.facts().at("allowlist").at("effective");
  if (std::find(list.begin(), list.end(), "kernel.sem") == list.end()) list.push_back("kernel.sem");
  ASSERT_EQ(said.exit, 0) << said.err;
  EXPECT_EQ(after.first, before.first);
  std::string joined;
  for (const json& entry : list) joined += (joined.empty() ? "" : ",") + entry.get<std::string>();
  EXPECT_EQ(after.second, std::vector<std::string>{joined});
  std::size_t changed = 0;
  for (const auto& [path, thing] : node_.things()) {
    const auto found = files.find(path);
    if (found == files.end() || found->second != thing) ++changed;
  }
  EXPECT_EQ(changed, list == node_.facts().at("allowlist").at("effective") ? 0U : 1U);
}

TEST_P(Nodes, UnitItsDropInsAndItsFilesAreThoseOfTheNode) {
  // The reports do not show these; the facts behind the reports do.
  machine::Disk disk(node_.tree().root());
  struct Nothing final : ports::ServiceManager, ports::HealthProbe, ports::Clock, ports::SystemLog {
    bool booted() override { return false; }
    Result<ports::UnitState> show(const std::string&) override { return ports::UnitState{}; }
    std::optional<int> version() override { return std::nullopt; }
    Result<std::vector<std::string>> environment() override { return std::vector<std::string>{}; }
    Status reload(Milliseconds) override { return {}; }
    Status restart(const std::string&, Milliseconds, const std::function<bool()>&) override {
      return {};
    }
    Status reset_failed(const std::string&) override { return {}; }
    Status arm_timer(const std::string&, const std::string&, Milliseconds,
                     const std::vector<std::string>&) override {
      return {};
    }
    Status disarm_timer(const std::string&) override { return {}; }
    Status enable(const std::string&) override { return {}; }
    Status disable(const std::string&) override { return {}; }
    Result<std::vector<std::string>> last_words(const std::string&, const std::string&,
                                                std::int64_t, int) override {
      return std::vector<std::string>{};
    }
    Result<ports::HealthAnswer> get(const std::string&, int, const std::string&,
                                    Milliseconds) override {
      return ports::HealthAnswer{};
    }
    TimePoint now() override { return {}; }
    std::int64_t wall_ms() override { return 0; }
    bool wait_until(TimePoint, std::int64_t) override { return false; }
    Status hold_signals() override { return {}; }
    bool interrupted() override { return false; }
    Status write(const ports::LogEntry&) override { return {}; }
  } nothing;
  FakeKernel kernel;
  FakePrograms programs;
  ports::Ports ports{.files = disk,
                     .services = nothing,
                     .health = nothing,
                     .clock = nothing,
                     .log = nothing,
                     .kernel = kernel,
                     .programs = programs};
  discover::DiscoverOptions options;
  options.live = false;
  const auto snapshot = discover::discover(ports, options);
  ASSERT_TRUE(snapshot);
  const json& unit = node_.facts().at("unit");
  EXPECT_EQ(resolved(node_, snapshot->unit.fragment_path), resolved(node_, unit.at("path")));
  json drop_ins = json::array();
  for (const std::int32_t source : snapshot->unit.drop_ins) {
    drop_ins.push_back(snapshot->files.at(static_cast<std::size_t>(source)).real_path);
  }
  EXPECT_EQ(drop_ins, unit.at("dropins"));
  const auto model = checks::resolve_and_check(*snapshot);
  ASSERT_TRUE(model);
  json files = json::array();
  for (const systemd::EnvironmentFileLine& line : model->command.environment_files) {
    files.push_back({{"path", line.path}, {"optional", line.optional}});
  }
  json expected = json::array();
  for (const json& file : node_.facts().at("environment_files")) {
    expected.push_back({{"path", file.at("path")}, {"optional", file.at("optional")}});
  }
  EXPECT_EQ(files, expected);
  const json& config = node_.facts().at("kubelet_config");
  EXPECT_EQ(model->config_path, config.at("path"));
  EXPECT_EQ(model->config_dir,
            config.at("dropin_dir").is_null() ? json("") : config.at("dropin_dir").at("path"));
}

std::string name_of_kind(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Nodes, testing::ValuesIn(kinds()), name_of_kind);

}  // namespace
}  // namespace kubelet_sysctl::golden
