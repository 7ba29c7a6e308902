// SPDX-License-Identifier: Apache-2.0
// Stand-in for k3s and RKE2, under whose name the stand-in kubelet is started then: reads their files, writes
// their defaults, and makes the kubelet's words, by the rules that their sources have.
//
// Source: k3s pkg/configfilearg/parser.go, pkg/util/args.go, pkg/daemons/agent/{agent,agent_linux}.go.
#pragma once

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "fake_kubelet_config.hpp"
#include "fake_kubelet_knobs.hpp"
#include "fake_kubelet_yaml.hpp"

namespace fake_kubelet {

using Words = std::vector<std::string>;

class Rancher {
 public:
  Rancher(std::string program, Words words, Version version)
      : program_(std::move(program)), words_(std::move(words)), version_(std::move(version)) {
    namespace fs = std::filesystem;
    const std::string main_file = "/etc/rancher/" + program_ + "/config.yaml";
    Words files;
    if (fs::exists(main_file)) files.push_back(main_file);
    Words beside;
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(main_file + ".d", missing)) {
      const std::string path = entry.path();
      if (path.ends_with(".yaml") || path.ends_with(".yml")) beside.push_back(path);
    }
    std::sort(beside.begin(), beside.end());
    files.insert(files.end(), beside.begin(), beside.end());
    for (const auto& path : files) read(path);
    data_dir_ = "/var/lib/rancher/" + program_;
    for (const auto& value : all("data-dir")) data_dir_ = value;
  }

  /// The kubelet's words, program first.
  Words kubelet_words() {
    std::map<std::string, std::string> defaults = {{"kubeconfig", "/dev/null"},
                                                   {"node-labels", ""}};
    const std::string sysctls = "net.ipv4.ip_forward,net.ipv6.conf.all.forwarding";
    const Words disabled = all("disable");
    const bool has_servicelb = program_ == "k3s" && std::find(disabled.begin(), disabled.end(),
                                                              "servicelb") == disabled.end();
    Words extra = all("kubelet-arg");
    if (version_.minor >= 32) {
      defaults["config-dir"] = data_dir_ + "/agent/etc/kubelet.conf.d";
      write_defaults(has_servicelb);
    } else if (has_servicelb) {
      defaults["allowed-unsafe-sysctls"] = sysctls;
    }
    // The stand-in has no file of its own for this; the real kubelet needs a kubeconfig to be a node.
    defaults.erase("kubeconfig");
    Words made = {"kubelet"};
    for (auto& word : merged(defaults, extra)) made.push_back(word);
    return made;
  }

  [[nodiscard]] std::string data_dir() const { return data_dir_; }

 private:
  static Words scalars(const Value& value) {
    if (value.kind != Value::Kind::kList) return {value.text};
    Words texts;
    for (const Value& item : value.items) texts.push_back(item.text);
    return texts;
  }

  void read(const std::string& path) {
    const std::string text = read_whole_file(path);
    for (const Field& field : YamlReader(text).read().fields) {
      std::string key = field.key;
      const bool appends = key.ends_with('+');
      if (appends) key.pop_back();
      Words& held = values_[key];
      if (!appends) held.clear();
      for (auto& value : scalars(field.value)) held.push_back(value);
    }
  }

  // The files' options, then those of the command line.
  [[nodiscard]] Words all(const std::string& name) const {
    const auto found = values_.find(name);
    Words values = found == values_.end() ? Words() : found->second;
    const std::string option = "--" + name;
    for (std::size_t i = 1; i < words_.size(); ++i) {
      if (words_[i].starts_with(option + "="))
        values.push_back(words_[i].substr(option.size() + 1));
      if (words_[i] == option && i + 1 < words_.size()) values.push_back(words_[++i]);
    }
    return values;
  }

  void write_defaults(bool has_servicelb) const {
    const std::string directory = data_dir_ + "/agent/etc/kubelet.conf.d";
    std::filesystem::create_directories(directory);
    std::ofstream out(directory + "/00-" + program_ + "-defaults.conf", std::ios::trunc);
    if (has_servicelb) {
      out << "allowedUnsafeSysctls:\n- net.ipv4.ip_forward\n- net.ipv6.conf.all.forwarding\n";
    }
    out << "apiVersion: kubelet.config.k8s.io/v1beta1\nfailSwapOn: false\nkind: "
           "KubeletConfiguration\n";
  }

  static Words merged(std::map<std::string, std::string> initial, const Words& extra) {
    std::map<std::string, Words> multi;
    for (const std::string& item : extra) {
      const std::string arg = item.starts_with("--") ? item.substr(2) : item;
      const auto equal = arg.find('=');
      const std::string value = equal == std::string::npos ? "true" : arg.substr(equal + 1);
      const std::string name = arg.substr(0, equal);
      const auto last = name.find_last_not_of("-+");
      const std::string cleaned = name.substr(0, last + 1);
      Words& held = multi[cleaned];
      const bool known = initial.contains(cleaned);
      if (name.ends_with('-')) {
        if (known) held.insert(held.begin(), initial[cleaned]);
        held.insert(held.begin(), value);
      } else {
        if (known && name.ends_with('+')) held.insert(held.begin(), initial[cleaned]);
        held.push_back(value);
      }
      initial.erase(cleaned);
    }
    for (const auto& [name, value] : initial) multi[name] = {value};
    Words words;
    for (const auto& [name, values] : multi) {
      for (const auto& value : values) words.push_back("--" + name + "=" + value);
    }
    return words;
  }

  std::string program_;
  Words words_;
  Version version_;
  std::map<std::string, Words> values_;
  std::string data_dir_;
};

// As logrus writes a line.
inline void log_line(const std::string& message) {
  std::string quoted;
  for (const char byte : message) {
    if (byte == '"' || byte == '\\') quoted += '\\';
    quoted += byte;
  }
  std::fprintf(stderr, "time=\"2026-11-20T22:57:26Z\" level=info msg=\"%s\"\n", quoted.c_str());
}

/// RKE2: the kubelet as a child with a log of its own, started again whenever it ends.
[[noreturn]] inline void run_rke2(const Rancher& rancher, Words words, int delay_ms,
                                  void (*notify_ready)()) {
  const std::string program = rancher.data_dir() + "/data/v1/bin/kubelet";
  std::filesystem::create_directories(rancher.data_dir() + "/agent/logs");
  const std::string log = rancher.data_dir() + "/agent/logs/kubelet.log";
  notify_ready();
  for (;;) {
    const pid_t child = fork();
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      unsetenv("NOTIFY_SOCKET");
      std::FILE* file = std::freopen(log.c_str(), "a", stderr);
      if (file != nullptr) std::setvbuf(file, nullptr, _IOLBF, 0);
      std::vector<char*> raw;
      for (auto& word : words) raw.push_back(word.data());
      raw.front() = const_cast<char*>(program.c_str());
      raw.push_back(nullptr);
      execv(program.c_str(), raw.data());
      std::_Exit(127);
    }
    int status = 0;
    waitpid(child, &status, 0);
    log_line("Kubelet exited: exit status " + std::to_string(WEXITSTATUS(status)));
    usleep(static_cast<useconds_t>(delay_ms) * 1000);
  }
}

}  // namespace fake_kubelet
