// SPDX-License-Identifier: Apache-2.0
// kubelite of MicroK8s, as far as its kubelet goes: the stand-in under this name reads its words from a file.
// Source: canonical/microk8s patches/v1.36.0/0000-Kubelite-integration.patch, ReadArgsFromFile().
#pragma once

#include <unistd.h>

#include <cctype>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace fake_kubelet {

inline bool is_kubelite(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "kubelite";
}

// As every Go program, it has more threads than one, from before its main() to its end.
inline void begin_thread() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  std::thread([] {
    for (;;) pause();
  }).detach();
  sigprocmask(SIG_SETMASK, &before, nullptr);
}

// Go's os.ExpandEnv() for the forms that occur.
inline std::string expanded(const std::string& part) {
  std::string out;
  for (std::size_t at = 0; at < part.size(); ++at) {
    if (part[at] != '$') {
      out += part[at];
      continue;
    }
    const bool braces = at + 1 < part.size() && part[at + 1] == '{';
    std::string name;
    const auto is_name = [](char byte) {
      return std::isalnum(static_cast<unsigned char>(byte)) != 0 || byte == '_';
    };
    for (at += braces ? 2 : 1; at < part.size() && is_name(part[at]); ++at) name += part[at];
    if (!braces) --at;
    const char* value = std::getenv(name.c_str());
    if (value != nullptr) out += value;
  }
  return out;
}

inline std::vector<std::string> read_args_file(const std::string& path) {
  std::vector<std::string> words;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#') continue;
    line = line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
    std::erase(line, '"');
    std::erase(line, '\'');
    for (std::size_t begin = 0;;) {
      const auto end = line.find(' ', begin);
      words.push_back(expanded(line.substr(begin, end - begin)));
      if (end == std::string::npos) break;
      begin = end + 1;
    }
  }
  return words;
}

// The kubelet's words, its own name first.
inline std::vector<std::string> kubelite_words(int count, char** words) {
  std::vector<std::string> made = {"kubelet"};
  constexpr std::string_view kFlag = "--kubelet-args-file=";
  for (int i = 1; i < count; ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with(kFlag)) continue;
    for (auto& arg : read_args_file(std::string(word.substr(kFlag.size())))) made.push_back(arg);
  }
  return made;
}

}  // namespace fake_kubelet
