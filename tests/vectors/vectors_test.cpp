// SPDX-License-Identifier: Apache-2.0
// The command line of every measured unit, resolved offline and held against what systemd ran.
//
// A vector holds the files of a unit and what nine releases of systemd made of them: see the head
// of tests/data/systemd-vectors.json. Every release from 247 on must be matched; for an older one
// the resolver may refuse, but never answer differently.
#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/systemd/command_line.hpp"
#include "support/fake_kernel.hpp"
#include "support/tree.hpp"

namespace kubelet_sysctl::vectors {
namespace {

using nlohmann::json;

constexpr std::array<int, 5> kResolved = {247, 249, 252, 255, 257};
constexpr std::array<int, 4> kOlder = {219, 229, 237, 245};

const json& document() {
  static const json parsed = [] {
    std::ifstream file(KUBELET_SYSCTL_TEST_DIR "/data/systemd-vectors.json");
    return json::parse(file);
  }();
  return parsed;
}

std::string decoded(const std::string& base64) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned buffer = 0;
  int bits = 0;
  for (const char digit : base64) {
    const auto value = kDigits.find(digit);
    if (value == std::string_view::npos) break;
    buffer = (buffer << 6U) | static_cast<unsigned>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push_back(static_cast<char>((buffer >> static_cast<unsigned>(bits)) & 0xffU));
  }
  return bytes;
}

/// A string of a vector: text, or the bytes of one that is not UTF-8.
std::string bytes_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : decoded(value.at("base64"));
}

std::string content_of(const json& file) {
  if (file.contains("base64")) return decoded(file.at("base64"));
  if (file.contains("text")) return file.at("text");
  std::string bytes;
  for (const json& part : file.at("parts")) {
    if (part.contains("text")) bytes += part.at("text").get<std::string>();
    for (std::size_t i = 0; i < part.value("count", std::size_t{0}); ++i) {
      bytes += part.at("repeat").get<std::string>();
    }
  }
  return bytes;
}

void materialise(const json& vector, const Tree& tree) {
  for (const json& program : document().at("programs")) tree.program(program);
  for (const json& file : vector.at("files")) {
    const std::string path = file.at("path");
    if (file.contains("symlink")) {
      tree.link(path, file.at("symlink"));
    } else if (file.contains("dir")) {
      tree.directory(path);
    } else {
      tree.file(path, content_of(file));
    }
  }
  // Its ExecStartPre= writes this file; the tool reads the disk as it is when ExecStart= is next.
  if (vector.at("id") == "execstart-102") tree.file("/run/kube-gen.env", "A=made\n");
}

/// What one release made of a vector.
struct Expected {
  bool executed = false;
  std::vector<std::vector<std::string>> commands;  ///< argv of each
  std::map<std::string, std::string> environment;
  std::string fragment_path;
  std::vector<std::string> drop_in_paths;
};

Expected expected_of(const json& vector, int version) {
  json facts = vector.at("expect");
  const std::string key = std::to_string(version);
  if (vector.at("differs_on").contains(key)) facts.update(vector.at("differs_on").at(key));
  Expected expected;
  expected.executed = facts.at("outcome") == "executed";
  expected.fragment_path = facts.at("fragment_path");
  expected.drop_in_paths = facts.at("drop_in_paths");
  if (!expected.executed) return expected;
  const json& argv = facts.at("argv");
  const bool several = !argv.empty() && argv.front().is_array();
  for (const json& words : several ? argv : json::array({argv})) {
    auto& command = expected.commands.emplace_back();
    for (const json& word : words) command.push_back(bytes_of(word));
  }
  if (several) return expected;  // Each has its own environment, and the tool shows one or none.
  for (const auto& [name, value] : facts.at("env").items()) {
    expected.environment[name] = bytes_of(value);
  }
  return expected;
}

/// Facts of the machines that were measured and that no file of the tree says.
void add_machine_facts(int version, nodes::NodeSnapshot& snapshot) {
  const json& base = document().at("base_environment");
  std::string path = base.at("PATH");
  // Red Hat 7, Ubuntu 24.04 and Debian 13 build systemd without /sbin and /bin in its default path,
  // and releases before 245 have no default LANG (vector execstart-080). Ubuntu's 255 names another
  // shell for %s (execstart-053).
  if (version == 219 || version >= 255) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";
  snapshot.manager_environment = {"PATH=" + path};
  if (version >= 245) {
    snapshot.manager_environment.push_back("LANG=" + base.at("LANG").get<std::string>());
  }
  if (version >= 250) snapshot.specifiers['s'] = version == 255 ? "/usr/bin/bash" : "/bin/bash";
}

/// What the resolver makes of a vector: words, or an error and no words.
struct Answer {
  nodes::NodeSnapshot snapshot;
  std::optional<Error> error;
  std::vector<std::string> argv;
  std::map<std::string, std::string> environment;
};

Answer answer_of(const json& vector, const Tree& tree, int version) {
  machine::Disk disk(tree.root());
  RecordingServices services;
  RecordingHealth health;
  StoppedClock clock;
  NoLog log;
  FakeKernel kernel;
  FakePrograms programs;
  ports::Ports ports{.files = disk,
                     .services = services,
                     .health = health,
                     .clock = clock,
                     .log = log,
                     .kernel = kernel,
                     .programs = programs};
  discover::DiscoverOptions options;
  options.unit = vector.at("unit");
  options.root = tree.root();
  options.live = false;
  options.systemd_version = version;
  Answer answer;
  auto snapshot = discover::discover(ports, options);
  if (!snapshot) {
    answer.error = snapshot.error();
    return answer;
  }
  answer.snapshot = std::move(*snapshot);
  add_machine_facts(version, answer.snapshot);
  answer.snapshot.known = {};  // what was worked out without these facts
  const auto command = model::resolve_command(answer.snapshot);
  if (!command) {
    answer.error = command.error();
    return answer;
  }
  if (const Status status = model::check_startable(answer.snapshot, *command); !status) {
    answer.error = status.error();
    return answer;
  }
  for (const systemd::Word& word : command->words) answer.argv.push_back(word.text.text);
  for (const auto& [name, variable] : command->environment) {
    answer.environment[name] = variable.value.text;
  }
  return answer;
}

/// systemd's own variables and what the vectors do not compare: PATH and LANG unless a vector sets
/// them, and on other releases than 252 never, nor the user's.
void drop_uncompared(int version, const std::map<std::string, std::string>& other,
                     std::map<std::string, std::string>& environment) {
  for (const char* name : {"PATH", "LANG"}) {
    if (version != 252 || !other.contains(name)) environment.erase(name);
  }
  if (version == 252) return;
  for (const char* name : {"USER", "HOME", "LOGNAME", "SHELL"}) environment.erase(name);
}

std::string with_usr(const std::string& path) {
  return path.starts_with("/lib/systemd") ? "/usr" + path : path;
}

void check_paths(const Expected& expected, const nodes::NodeSnapshot& snapshot) {
  EXPECT_EQ(with_usr(snapshot.unit.fragment_path), expected.fragment_path);
  std::vector<std::string> paths;
  for (const std::int32_t source : snapshot.unit.drop_ins) {
    paths.push_back(with_usr(snapshot.files.at(static_cast<std::size_t>(source)).path));
  }
  EXPECT_EQ(paths, expected.drop_in_paths);
}

void check_environment(const Expected& expected, const Answer& answer, int version) {
  auto ours = answer.environment;
  auto theirs = expected.environment;
  drop_uncompared(version, theirs, ours);
  drop_uncompared(version, theirs, theirs);
  EXPECT_EQ(ours, theirs);
}

/// Where several commands run, the tool shows the one that is a kubelet and refuses when there are
/// two.
bool is_one_of_several(const Expected& expected, const Answer& answer) {
  if (expected.commands.size() < 2) return false;
  if (answer.error) return answer.error->kind == ErrorKind::kUnsupported;
  return std::find(expected.commands.begin(), expected.commands.end(), answer.argv) !=
         expected.commands.end();
}

struct Count {
  int run = 0;
  int same = 0;
  int refused = 0;  ///< of those that systemd executed
};
std::map<int, Count>& counts() {
  static std::map<int, Count> all;
  return all;
}

/// Prints how many vectors gave the same result, for anyone who runs the program by hand.
class Summary : public testing::Environment {
 public:
  void TearDown() override {
    for (const auto& [version, count] : counts()) {
      fmt::print("systemd {}: {} of {} vectors as measured, {} refused\n", version, count.same,
                 count.run, count.refused);
    }
  }
};
const testing::Environment* const kSummary = testing::AddGlobalTestEnvironment(new Summary);

class Vectors : public testing::TestWithParam<std::size_t> {};

TEST_P(Vectors, ResolvesAsMeasured) {
  const json& vector = document().at("vectors").at(GetParam());
  SCOPED_TRACE(vector.at("title"));
  const Tree tree;
  materialise(vector, tree);
  for (const int version : kResolved) {
    SCOPED_TRACE(version);
    const Expected expected = expected_of(vector, version);
    const Answer answer = answer_of(vector, tree, version);
    ++counts()[version].run;
    // FragmentPath of a unit that was not loaded is given for 252 alone.
    if (expected.executed || version == 252) check_paths(expected, answer.snapshot);
    if (version == 252 && vector.at("expect").contains("id")) {
      EXPECT_EQ(answer.snapshot.unit.id, vector.at("expect").at("id"));
    }
    if (is_one_of_several(expected, answer)) {
      ++(answer.error ? counts()[version].refused : counts()[version].same);
      continue;
    }
    ASSERT_EQ(!answer.error, expected.executed)
        << (answer.error ? answer.error->message : fmt::format("{}", answer.argv.size()));
    if (expected.executed) {
      EXPECT_EQ(answer.argv, expected.commands.front());
      check_environment(expected, answer, version);
    }
    if (!HasFailure()) ++counts()[version].same;
  }
}

TEST_P(Vectors, OlderReleasesAreRefusedOrAsMeasured) {
  const json& vector = document().at("vectors").at(GetParam());
  SCOPED_TRACE(vector.at("title"));
  const Tree tree;
  materialise(vector, tree);
  for (const int version : kOlder) {
    SCOPED_TRACE(version);
    const Expected expected = expected_of(vector, version);
    const Answer answer = answer_of(vector, tree, version);
    ++counts()[version].run;
    if (answer.error) {
      ++(expected.executed ? counts()[version].refused : counts()[version].same);
      continue;
    }
    ASSERT_TRUE(expected.executed) << "systemd does not start this";
    if (!is_one_of_several(expected, answer)) {
      EXPECT_EQ(answer.argv, expected.commands.front());
      check_environment(expected, answer, version);
    }
    if (!HasFailure()) ++counts()[version].same;
  }
}

std::string name_of_vector(const testing::TestParamInfo<std::size_t>& info) {
  std::string id = document().at("vectors").at(info.param).at("id");
  std::replace(id.begin(), id.end(), '-', '_');
  return id;
}

INSTANTIATE_TEST_SUITE_P(Systemd, Vectors,
                         testing::Range(std::size_t{0}, document().at("vectors").size()),
                         name_of_vector);

}  // namespace
}  // namespace kubelet_sysctl::vectors
