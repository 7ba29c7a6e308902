// SPDX-License-Identifier: Apache-2.0
// Stand-in kubelet: how a test makes it misbehave, as key=value lines in /etc/fake-kubelet/settings.
#pragma once

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "fake_kubelet_rules.hpp"

namespace fake_kubelet {

struct Knobs {
  int bad_list_delay_ms = 300;          // from start to the check of the list
  int health_delay_ms = 200;            // from that check to the open health port
  int exit_after_ms = -1;               // from start; -1: stays
  int exit_code = 1;                    // of that exit
  bool never_healthy = false;           // the health port stays closed, READY=1 is not sent
  bool health_hangs = false;            // the port takes connections and never answers
  int health_status = 200;              // what /healthz answers
  int stop_delay_ms = 0;                // from SIGTERM to the end
  int child_delay_ms = 1000;            // rke2: from the end of the kubelet to its next start
  bool never_ready = false;             // READY=1 is not sent although the port is open
  std::string exit_message;             // logged at exit_after_ms
  std::string server;                   // a program that serves port 10250 for it, as its child
  std::string only_when_list_contains;  // the misbehaviour needs this entry; empty: always
};

inline std::string read_file_or(const std::string& path, const std::string& otherwise) {
  std::ifstream in(path);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return otherwise;
  auto out = text.str();
  while (!out.empty() && std::isspace(static_cast<unsigned char>(out.back()))) out.pop_back();
  return out;
}

// A path of the stand-in itself; the environment moves it for the test of the stand-in.
inline std::string own_path(const char* variable, const char* otherwise) {
  const char* path = std::getenv(variable);
  return path == nullptr ? otherwise : path;
}

inline std::map<std::string, std::string> read_settings() {
  std::map<std::string, std::string> settings;
  std::istringstream lines(
      read_file_or(own_path("FAKE_KUBELET_SETTINGS", "/etc/fake-kubelet/settings"), ""));
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == std::string::npos) continue;
    settings[line.substr(0, equals)] = line.substr(equals + 1);
  }
  return settings;
}

// A misspelt knob would make a test pass for the wrong reason, so it ends the stand-in.
inline Knobs read_knobs() {
  Knobs knobs;
  for (const auto& [key, value] : read_settings()) {
    const std::map<std::string, int*> numbers = {{"bad_list_delay_ms", &knobs.bad_list_delay_ms},
                                                 {"health_delay_ms", &knobs.health_delay_ms},
                                                 {"exit_after_ms", &knobs.exit_after_ms},
                                                 {"exit_code", &knobs.exit_code},
                                                 {"health_status", &knobs.health_status},
                                                 {"child_delay_ms", &knobs.child_delay_ms},
                                                 {"stop_delay_ms", &knobs.stop_delay_ms}};
    const std::map<std::string, bool*> switches = {{"never_healthy", &knobs.never_healthy},
                                                   {"health_hangs", &knobs.health_hangs},
                                                   {"never_ready", &knobs.never_ready}};
    const std::map<std::string, std::string*> texts = {
        {"exit_message", &knobs.exit_message},
        {"server", &knobs.server},
        {"only_when_list_contains", &knobs.only_when_list_contains}};
    if (numbers.contains(key)) {
      *numbers.at(key) = to_int(value);
    } else if (switches.contains(key)) {
      *switches.at(key) = value == "1";
    } else if (texts.contains(key)) {
      *texts.at(key) = value;
    } else if (key != "version") {
      std::fprintf(stderr, "stand-in kubelet: unknown knob '%s'\n", key.c_str());
      std::_Exit(99);
    }
  }
  return knobs;
}

}  // namespace fake_kubelet
