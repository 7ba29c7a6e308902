// SPDX-License-Identifier: Apache-2.0
// The one file that knows spdlog. Nothing is set up until the first line is written.
#include "kubelet_sysctl/machine/log.hpp"

#include <memory>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace kubelet_sysctl::machine {
namespace {

int& level_in_force() {
  static int level = 0;
  return level;
}

// Never registered with spdlog: its registry would cost a start without -v as well.
spdlog::logger& logger() {
  static spdlog::logger one = [] {
    spdlog::logger made("kubelet-sysctl", std::make_shared<spdlog::sinks::stderr_sink_st>());
    made.set_level(spdlog::level::debug);
    made.flush_on(spdlog::level::debug);
    made.set_pattern("%n: %l: %v");
    return made;
  }();
  return one;
}

}  // namespace

void set_log_level(int verbosity) { level_in_force() = verbosity; }

bool log_wants(LogLevel level) { return static_cast<int>(level) <= level_in_force(); }

void log(LogLevel level, std::string_view line) {
  if (!log_wants(level)) return;
  // spdlog reports its own failures on standard error and throws none from here; the making may.
  try {
    logger().log(level == LogLevel::kSteps ? spdlog::level::info : spdlog::level::debug,
                 spdlog::string_view_t(line.data(), line.size()));
  } catch (const std::exception&) {
    level_in_force() = 0;
  }
}

}  // namespace kubelet_sysctl::machine
