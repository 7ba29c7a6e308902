// SPDX-License-Identifier: Apache-2.0
// A node as a directory tree in a temporary place, and ports of which only the files are real.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::vectors {

/// A root directory with a merged /usr, as Debian 12 has it; removed at the end.
class Tree {
 public:
  Tree() {
    std::string name = testing::TempDir() + "tree-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
    for (const char* directory : {"bin", "sbin", "lib"}) {
      std::filesystem::create_directories(root_ / "usr" / directory);
      std::filesystem::create_directory_symlink("usr/" + std::string(directory), root_ / directory);
    }
  }
  ~Tree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  void file(const std::string& path, const std::string& bytes, mode_t mode = 0644) const {
    const std::filesystem::path real = prepared(path);
    std::ofstream(real, std::ios::binary) << bytes;
    ::chmod(real.c_str(), mode);
  }
  void program(const std::string& path) const { file(path, "#!/bin/sh\n", 0755); }
  void link(const std::string& path, const std::string& target) const {
    std::filesystem::create_symlink(target, prepared(path));
  }
  void directory(const std::string& path) const {
    std::filesystem::create_directories(under(path));
  }
  void pipe(const std::string& path) const { ::mkfifo(prepared(path).c_str(), 0600); }

  [[nodiscard]] std::string root() const { return root_.string(); }

 private:
  [[nodiscard]] std::filesystem::path under(const std::string& path) const {
    return root_ / std::filesystem::path(path).relative_path();
  }
  [[nodiscard]] std::filesystem::path prepared(const std::string& path) const {
    const std::filesystem::path real = under(path);
    std::filesystem::create_directories(real.parent_path());
    return real;
  }

  std::filesystem::path root_;
};

/// A manager that says what it is recognised, and counts what it is asked.
class RecordingServices : public ports::ServiceManager {
 public:
  bool booted() override { return is_booted; }
  Result<ports::UnitState> show(const std::string&) override {
    ++shows;
    return state;
  }
  std::optional<int> version() override { return 252; }
  Result<std::vector<std::string>> environment() override {
    ++environments;
    return variables;
  }
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
  Result<std::vector<std::string>> last_words(const std::string&, const std::string&, std::int64_t,
                                              int) override {
    return std::vector<std::string>();
  }

  bool is_booted = true;
  ports::UnitState state;
  std::vector<std::string> variables;
  int shows = 0;
  int environments = 0;
};

/// An endpoint that answers what it is reported.
class RecordingHealth : public ports::HealthProbe {
 public:
  Result<ports::HealthAnswer> get(const std::string&, int, const std::string&,
                                  Milliseconds) override {
    return ports::HealthAnswer{.status = status, .body = "ok"};
  }
  int status = 200;
};

/// A clock that is still.
class StoppedClock : public ports::Clock {
 public:
  TimePoint now() override { return TimePoint(std::chrono::microseconds(monotonic_us)); }
  std::int64_t wall_ms() override { return wall; }
  bool wait_until(TimePoint, std::int64_t) override { return false; }
  Status hold_signals() override { return {}; }
  bool interrupted() override { return false; }
  std::int64_t monotonic_us = 0;
  std::int64_t wall = 0;
};

/// A log that nobody reads.
class NoLog : public ports::SystemLog {
 public:
  Status write(const ports::LogEntry&) override { return {}; }
};

}  // namespace kubelet_sysctl::vectors
