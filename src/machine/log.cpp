// SPDX-License-Identifier: Apache-2.0
// The one file that knows spdlog. Nothing is set up until the first line is written.
#include "kubelet_sysctl/machine/log.hpp"

#include <exception>
#include <memory>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace kubelet_sysctl::machine {
namespace {

bool& verbose_now() {
  static bool verbose = false;
  return verbose;
}

// Never registered with spdlog: its registry would cost a start without -v as well.
spdlog::logger& logger() {
  static spdlog::logger one = [] {
    spdlog::logger made("kubelet-sysctl", std::make_shared<spdlog::sinks::stderr_sink_st>());
    made.flush_on(spdlog::level::info);
    made.set_pattern("%n: %l: %v");
    return made;
  }();
  return one;
}

}  // namespace

void set_verbose(bool verbose) { verbose_now() = verbose; }

bool is_verbose() { return verbose_now(); }

void log(std::string_view line) {
  if (!is_verbose()) return;
  // spdlog reports its own failures on standard error and throws none from here; making the logger may.
  try {
    logger().log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  } catch (const std::exception&) {
    verbose_now() = false;
  }
}

}  // namespace kubelet_sysctl::machine
