// SPDX-License-Identifier: Apache-2.0
// A node of tests/nodes in a temporary place, and command lines run on it in this process.
#include "golden/golden_node.hpp"
#include "cli/cli.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/machine/disk/disk.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "support/fake_kernel.hpp"

namespace kubelet_sysctl::golden {
namespace {

/// With --root nothing but the files may be asked: each of these is a failure.
class NoServices final : public ports::ServiceManager {
 public:
  bool booted() override { return asked(false); }
  Result<ports::UnitState> show(const std::string&) override { return asked(refusal()); }
  std::optional<int> version() override { return asked(std::optional<int>()); }
  Result<std::vector<std::string>> environment() override { return asked(refusal()); }
  Status reload(Milliseconds) override { return asked(refusal()); }
  Status restart(const std::string&, Milliseconds, const std::function<bool()>&) override {
    return asked(refusal());
  }
  Status reset_failed(const std::string&) override { return asked(refusal()); }
  Status arm_timer(const std::string&, const std::string&, Milliseconds,
                   const std::vector<std::string>&) override {
    return asked(refusal());
  }
  Status disarm_timer(const std::string&) override { return asked(refusal()); }
  Status enable(const std::string&) override { return asked(refusal()); }
  Status disable(const std::string&) override { return asked(refusal()); }
  Result<std::vector<std::string>> last_words(const std::string&, const std::string&, std::int64_t,
                                              int) override {
    return asked(refusal());
  }

 private:
  template <typename T>
  static T asked(T answer) {
    ADD_FAILURE() << "the service manager was asked about a tree of files";
    return answer;
  }
  static Error refusal() { return {.kind = ErrorKind::kNoSystemd, .message = "not here"}; }
};

class NoHealth final : public ports::HealthProbe {
 public:
  Result<ports::HealthAnswer> get(const std::string&, int, const std::string&,
                                  Milliseconds) override {
    ADD_FAILURE() << "a health endpoint was asked about a tree of files";
    return Error{.kind = ErrorKind::kIo, .message = "not here"};
  }
};

/// Stands still at 2026-11-20T22:57:26Z, so that ids and times are the same in every run.
class StillClock final : public ports::Clock {
 public:
  TimePoint now() override { return {}; }
  std::int64_t wall_ms() override { return 1'795'215'446'000; }
  bool wait_until(TimePoint, std::int64_t) override { return false; }
  Status hold_signals() override { return {}; }
  bool interrupted() override { return false; }
};

class NoLog final : public ports::SystemLog {
 public:
  Status write(const ports::LogEntry&) override {
    ADD_FAILURE() << "the log of this machine was reported a tree of files";
    return Error{.kind = ErrorKind::kIo, .message = "not here"};
  }
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// Keeps each JSON document for tests/validate_json.py, where the variable names a directory.
void keep_documents(const Said& said) {
  const char* directory = std::getenv("KUBELET_SYSCTL_JSON_DIR");
  if (directory == nullptr || !said.out.starts_with('{')) return;
  std::filesystem::create_directories(directory);
  std::string pattern = std::string(directory) + "/XXXXXX.json";
  constexpr int kSuffix = 5;
  const int fd = ::mkstemps(pattern.data(), kSuffix);
  if (fd < 0) {
    ADD_FAILURE() << "cannot keep a document in " << directory;
    return;
  }
  ::close(fd);
  std::ofstream(pattern, std::ios::binary) << said.out;
}

/// One document and nothing else, wherever JSON was asked for.
void check_document(const std::vector<std::string>& words, const Said& said) {
  bool json = false;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i] == "-o" || words[i] == "--output") json = words[i + 1] == "json";
  }
  if (!json) return;
  const auto document = nlohmann::json::parse(said.out, nullptr, false);
  EXPECT_TRUE(document.is_object()) << "standard output is not one document: " << said.out;
  // The words of a unit that would not start are a document all the same.
  // And a record that is left out of the history has no place in its document.
  if (!said.err.starts_with("warning: systemd would not start") &&
      !said.err.starts_with("kubelet-sysctl: warning: /var/lib/kubelet-sysctl/transactions/")) {
    EXPECT_EQ(said.err, "");
  }
  keep_documents(said);
}

/// "PATH OUTPUT" in each line.
void read_outputs(const std::string& text, FakePrograms& programs) {
  std::istringstream lines(text);
  std::string output;
  for (std::string path; lines >> path && std::getline(lines >> std::ws, output);) {
    programs.outputs.insert_or_assign(path, output + "\n");
  }
}

}  // namespace

std::filesystem::path nodes_directory() {
  return std::filesystem::path(KUBELET_SYSCTL_TEST_DIR) / "nodes";
}

std::filesystem::path node_directory(const std::string& name) {
  const auto node = nodes_directory() / name;
  return std::filesystem::is_directory(node) ? node : cases_directory() / name;
}

std::filesystem::path cases_directory() {
  return std::filesystem::path(KUBELET_SYSCTL_TEST_DIR) / "cases";
}

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

GoldenNode::GoldenNode(const std::string& kind)
    : tree_((node_directory(kind) / "root").string()),
      facts_(nlohmann::json::parse(bytes_of(node_directory(kind) / "node.json"), nullptr, false)) {
  const auto original = node_directory(kind) / "root";
  // A tree without facts has its programs in it; only their x bit is kept, as git keeps it.
  const bool given = facts_.is_object();
  if (!given) facts_ = nlohmann::json::object();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(tree_.root())) {
    if (!entry.is_regular_file() || entry.is_symlink()) continue;
    const auto source = original / std::filesystem::relative(entry.path(), tree_.root());
    struct stat facts = {};
    ::stat(source.c_str(), &facts);
    ::chmod(entry.path().c_str(), !given && (facts.st_mode & S_IXUSR) != 0 ? 0755 : 0644);
  }
  const nlohmann::json modes = facts_.value("modes", nlohmann::json::object());
  for (const auto& [path, mode] : modes.items()) {
    const auto bits = std::stoul(mode.get<std::string>(), nullptr, 8);
    ::chmod(tree_.at(path).c_str(), static_cast<mode_t>(bits));
  }
  if (!given) return;
  const std::string program = facts_.at("argv").at(0).at("word");
  tree_.write(program, "");
  ::chmod(tree_.at(program).c_str(), 0755);
}

Said GoldenNode::run(const std::vector<std::string>& words,
                     const std::string& case_directory) const {
  std::vector<std::string> arguments;
  arguments.reserve(words.size());
  for (const std::string& word : words) {
    arguments.push_back(replaced(replaced(word, "ROOT", tree_.root()), "CASE", case_directory));
  }
  std::unique_ptr<machine::Disk> disk;
  NoServices services;
  NoHealth health;
  StillClock clock;
  NoLog log;
  FakeKernel kernel;
  FakePrograms programs;
  const std::string told = bytes_of(case_directory + "/kernel");
  if (!told.empty()) kernel.answer_from(told);
  read_outputs(bytes_of(case_directory + "/programs"), programs);
  Said said;
  cli::CliEnvironment host;
  host.open = [&](const std::string& root) {
    disk = std::make_unique<machine::Disk>(root, machine::LinkedFiles::kBreak);
    return ports::Ports{.files = *disk,
                        .services = services,
                        .health = health,
                        .clock = clock,
                        .log = log,
                        .kernel = kernel,
                        .programs = programs};
  };
  host.out = [&said](const std::string& text) { said.out += text; };
  host.err = [&said](const std::string& text) { said.err += text; };
  host.read_input = [&] { return bytes_of(case_directory + "/stdin"); };
  said.exit = cli::run_cli(arguments, host);
  check_document(words, said);
  for (std::string* text : {&said.out, &said.err}) {
    *text = replaced(replaced(std::move(*text), tree_.root(), "ROOT"), case_directory, "CASE");
  }
  return said;
}

nlohmann::json GoldenNode::ask(std::vector<std::string> words) const {
  for (const char* word : {"-o", "json", "--root", "ROOT"}) words.emplace_back(word);
  const Said said = run(words);
  EXPECT_EQ(said.exit, 0) << said.out;
  return nlohmann::json::parse(said.out, nullptr, false);
}

std::map<std::string, Thing> GoldenNode::things() const {
  std::map<std::string, Thing> all;
  for (auto& [path, bytes] : tree_.files()) {
    struct stat facts = {};
    ::lstat(tree_.at(path).c_str(), &facts);
    all[path] = {.bytes = bytes, .mode = facts.st_mode};
  }
  return all;
}

}  // namespace kubelet_sysctl::golden
