// SPDX-License-Identifier: Apache-2.0
// Nodes whose kubelet another program runs are read as their node.json says they must be.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "golden/golden_node.hpp"

namespace kubelet_sysctl::golden {
namespace {

using nlohmann::json;

class Hosted : public testing::TestWithParam<std::string> {
 protected:
  const GoldenNode node_{GetParam()};
  /// Of a tree no program is asked: the release of node.json.
  const std::string release_ = node_.facts().at("kubernetes_version");
};

TEST_P(Hosted, WordsOfTheKubeletComeFromTheFilesNamed) {
  const Said said = node_.run({"show", "--kubelet-version", release_, "--root", "ROOT"});
  ASSERT_EQ(said.exit, 0) << said.err;
  // The defaults file of a 1.32 says the release; an older k3s has none, and its two entries come with it.
  json expected = node_.facts().at("kubelet_words");
  if (GetParam() == "k3s-old") expected.erase(1);
  const json seen = node_.ask({"explain"}).at("words");
  ASSERT_EQ(seen.size(), expected.size()) << seen.dump(1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(seen[i].at("text"), expected[i].at("word"));
    EXPECT_EQ(seen[i].at("file"), expected[i].at("from")) << expected[i].dump();
  }
}

TEST_P(Hosted, ListInForceIsThatOfTheNodeAndItsPlaceToo) {
  const json seen = node_.ask({"show", "--kubelet-version", release_});
  EXPECT_EQ(seen.at("node").at("kind"), node_.facts().at("kind"));
  json entries = json::array();
  for (const json& entry : seen.at("configured").at("entries"))
    entries.push_back(entry.at("entry"));
  const json expected = node_.facts().at("allowlist");
  EXPECT_EQ(entries, expected.at("effective"));
  EXPECT_EQ(seen.at("configured").at("entries").back().at("file"), expected.at("path"));
}

TEST_P(Hosted, AddByTheArgumentsKeepsEveryOtherWordAndOneFileChanges) {
  const auto others = [this] {
    json words = json::array();
    for (const json& word : node_.ask({"explain"}).at("words")) {
      const std::string text = word.at("text");
      if (!text.starts_with("--allowed-unsafe-sysctls")) words.push_back(text);
    }
    return words;
  };
  const json before = others();
  const auto files = node_.things();
  const Said said = node_.run(
      {"add", "kernel.sem", "--via", "args", "--kubelet-version", release_, "--root", "ROOT"});
  ASSERT_EQ(said.exit, 0) << said.err;
  EXPECT_EQ(others(), before);
  const auto after = node_.things();
  const auto changed = std::count_if(after.begin(), after.end(), [&](const auto& thing) {
    const auto found = files.find(thing.first);
    return found == files.end() || !(found->second == thing.second);
  });
  EXPECT_EQ(changed, 1);
  json list = node_.facts().at("allowlist").at("effective");
  list.push_back("kernel.sem");
  json entries = json::array();
  const json seen = node_.ask({"show", "--kubelet-version", release_});
  for (const json& entry : seen.at("configured").at("entries"))
    entries.push_back(entry.at("entry"));
  EXPECT_EQ(entries, list);
}

std::string name_of_kind(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Hosted, testing::Values("k3s", "rke2", "k3s-old"), name_of_kind);

}  // namespace
}  // namespace kubelet_sysctl::golden
