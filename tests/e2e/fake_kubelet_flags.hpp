// SPDX-License-Identifier: Apache-2.0
// Stand-in kubelet: reads argv as spf13/pflag does, with the kubelet's name normalisation.
//
// Source: spf13/pflag flag.go and string_slice.go, component-base cli/flag/flags.go
// (WordSepNormalizeFunc), encoding/csv with its default settings.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fake_kubelet {

/// The command line as the kubelet understands it. `error` is set when it refuses to start.
struct Flags {
  std::map<std::string, std::string> values;          // the last occurrence of each
  std::optional<std::vector<std::string>> allowlist;  // set by the first occurrence, empty included
  int allowlist_occurrences = 0;
  std::optional<std::string> error;
  bool stray_argument = false;  // the error is a positional argument
};

// Boolean flags take a value only after '='; the set is that of 1.20 `kubelet --help`.
inline const std::set<std::string, std::less<>> kBooleanFlags = {
    "add-dir-header",
    "alsologtostderr",
    "anonymous-auth",
    "authentication-token-webhook",
    "cgroups-per-qos",
    "contention-profiling",
    "cpu-cfs-quota",
    "docker-only",
    "docker-tls",
    "enable-cadvisor-json-endpoints",
    "enable-controller-attach-detach",
    "enable-debugging-handlers",
    "enable-load-reader",
    "enable-server",
    "exit-on-lock-contention",
    "experimental-allocatable-ignore-eviction",
    "experimental-check-node-capabilities-before-mount",
    "experimental-kernel-memcg-notification",
    "experimental-logging-sanitization",
    "fail-swap-on",
    "help",
    "keep-terminated-pod-volumes",
    "kernel-memcg-notification",
    "local-storage-capacity-isolation",
    "log-cadvisor-usage",
    "log-json-split-stream",
    "log-text-split-stream",
    "logtostderr",
    "make-iptables-util-chains",
    "one-output",
    "protect-kernel-defaults",
    "really-crash-for-testing",
    "redirect-container-streaming",
    "register-node",
    "register-schedulable",
    "rotate-certificates",
    "rotate-server-certificates",
    "runonce",
    "seccomp-default",
    "serialize-image-pulls",
    "skip-headers",
    "skip-log-headers",
    "storage-driver-secure",
    "version"};

inline const std::set<std::string, std::less<>> kValueFlags = {
    "address",
    "allowed-unsafe-sysctls",
    "application-metrics-count-limit",
    "authentication-token-webhook-cache-ttl",
    "authorization-mode",
    "authorization-webhook-cache-authorized-ttl",
    "authorization-webhook-cache-unauthorized-ttl",
    "azure-container-registry-config",
    "boot-id-file",
    "bootstrap-kubeconfig",
    "cadvisor-port",
    "cert-dir",
    "cgroup-driver",
    "cgroup-root",
    "chaos-chance",
    "client-ca-file",
    "cloud-config",
    "cloud-provider",
    "cluster-dns",
    "cluster-domain",
    "cni-bin-dir",
    "cni-cache-dir",
    "cni-conf-dir",
    "config",
    "config-dir",
    "container-hints",
    "container-log-max-files",
    "container-log-max-size",
    "container-runtime",
    "container-runtime-endpoint",
    "containerd",
    "containerd-namespace",
    "cpu-cfs-quota-period",
    "cpu-manager-policy",
    "cpu-manager-policy-options",
    "cpu-manager-reconcile-period",
    "default-not-ready-toleration-seconds",
    "default-unreachable-toleration-seconds",
    "docker",
    "docker-endpoint",
    "docker-env-metadata-whitelist",
    "docker-root",
    "docker-tls-ca",
    "docker-tls-cert",
    "docker-tls-key",
    "dynamic-config-dir",
    "enforce-node-allocatable",
    "event-burst",
    "event-qps",
    "event-storage-age-limit",
    "event-storage-event-limit",
    "eviction-hard",
    "eviction-max-pod-grace-period",
    "eviction-minimum-reclaim",
    "eviction-pressure-transition-period",
    "eviction-soft",
    "eviction-soft-grace-period",
    "experimental-bootstrap-kubeconfig",
    "experimental-mounter-path",
    "feature-gates",
    "file-check-frequency",
    "global-housekeeping-interval",
    "hairpin-mode",
    "healthz-bind-address",
    "healthz-port",
    "hostname-override",
    "housekeeping-interval",
    "http-check-frequency",
    "image-credential-provider-bin-dir",
    "image-credential-provider-config",
    "image-gc-high-threshold",
    "image-gc-low-threshold",
    "image-pull-progress-deadline",
    "image-service-endpoint",
    "iptables-drop-bit",
    "iptables-masquerade-bit",
    "kube-api-burst",
    "kube-api-content-type",
    "kube-api-qps",
    "kube-reserved",
    "kube-reserved-cgroup",
    "kubeconfig",
    "kubelet-cgroups",
    "lock-file",
    "log-backtrace-at",
    "log-dir",
    "log-file",
    "log-file-max-size",
    "log-flush-frequency",
    "log-json-info-buffer-size",
    "log-text-info-buffer-size",
    "logging-format",
    "machine-id-file",
    "manifest-url",
    "manifest-url-header",
    "master-service-namespace",
    "max-open-files",
    "max-pods",
    "maximum-dead-containers",
    "maximum-dead-containers-per-container",
    "memory-manager-policy",
    "minimum-container-ttl-duration",
    "minimum-image-ttl-duration",
    "network-plugin",
    "network-plugin-mtu",
    "node-ip",
    "node-labels",
    "node-status-max-images",
    "node-status-update-frequency",
    "non-masquerade-cidr",
    "oom-score-adj",
    "pod-cidr",
    "pod-infra-container-image",
    "pod-manifest-path",
    "pod-max-pids",
    "pods-per-core",
    "port",
    "provider-id",
    "qos-reserved",
    "read-only-port",
    "register-with-taints",
    "registry-burst",
    "registry-qps",
    "reserved-cpus",
    "reserved-memory",
    "resolv-conf",
    "root-dir",
    "runtime-cgroups",
    "runtime-request-timeout",
    "seccomp-profile-root",
    "stderrthreshold",
    "storage-driver-buffer-duration",
    "storage-driver-db",
    "storage-driver-host",
    "storage-driver-password",
    "storage-driver-table",
    "storage-driver-user",
    "streaming-connection-idle-timeout",
    "sync-frequency",
    "system-cgroups",
    "system-reserved",
    "system-reserved-cgroup",
    "tls-cert-file",
    "tls-cipher-suites",
    "tls-min-version",
    "tls-private-key-file",
    "topology-manager-policy",
    "topology-manager-policy-options",
    "topology-manager-scope",
    "tracing-endpoint",
    "v",
    "vmodule",
    "volume-plugin-dir",
    "volume-stats-agg-period"};

// --dynamic-config-dir went with 1.24, --config-dir came with 1.28.
inline bool is_known(std::string_view name, int minor) {
  if (name == "dynamic-config-dir" && minor >= 24) return false;
  if (name == "config-dir" && minor < 28) return false;
  return kBooleanFlags.contains(name) || kValueFlags.contains(name);
}

inline std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') out += '\\';
    if (byte == '\n') {
      out += "\\n";
    } else {
      out += byte;
    }
  }
  return out + '"';
}

struct CsvRecord {
  std::vector<std::string> fields;
  std::string error;
};

// One field in double quotes, from the byte after the opening quote; `at` is left on the separator.
inline std::string read_quoted_field(std::string_view line, std::size_t& at, std::string& error) {
  std::string field;
  while (at < line.size()) {
    if (line[at] != '"') {
      field += line[at++];
    } else if (at + 1 < line.size() && line[at + 1] == '"') {
      field += '"';
      at += 2;
    } else {
      ++at;
      if (at < line.size() && line[at] != ',') break;
      return field;
    }
  }
  error = "parse error on line 1, column " + std::to_string(at + 1) +
          ": extraneous or missing \" in quoted-field";
  return field;
}

// Only the first line that is not empty is read; what follows it is dropped without a word.
inline CsvRecord read_csv(std::string_view text) {
  CsvRecord record;
  if (text.empty()) return record;
  const auto begin = text.find_first_not_of("\r\n");
  if (begin == std::string_view::npos) return {.fields = {}, .error = "EOF"};
  auto line = text.substr(begin, text.find('\n', begin) - begin);
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::size_t at = 0;
  while (true) {
    std::string field;
    if (at < line.size() && line[at] == '"') {
      field = read_quoted_field(line, ++at, record.error);
    } else {
      const auto end = std::min(line.find(',', at), line.size());
      field = line.substr(at, end - at);
      const auto bare = field.find('"');
      if (bare != std::string::npos) {
        record.error = "parse error on line 1, column " + std::to_string(at + bare + 1) +
                       ": bare \" in non-quoted-field";
      }
      at = end;
    }
    if (!record.error.empty()) return record;
    record.fields.push_back(std::move(field));
    if (at >= line.size()) return record;
    ++at;  // the comma
  }
}

class FlagParser {
 public:
  FlagParser(std::vector<std::string> words, int minor) : words_(std::move(words)), minor_(minor) {}

  Flags parse() {
    while (next_ < words_.size() && !flags_.error) {
      const auto word = words_[next_++];
      if (word == "--") {
        while (next_ < words_.size()) positional_.push_back(words_[next_++]);
      } else if (word.size() < 2 || word[0] != '-') {
        positional_.push_back(word);
      } else if (word[1] == '-') {
        parse_long(word);
      } else {
        parse_short(word);
      }
    }
    if (!flags_.error && !positional_.empty()) {
      flags_.stray_argument = true;
      flags_.error =
          (minor_ <= 20 ? "unknown command: " : "unknown command ") + positional_.front();
    }
    return flags_;
  }

 private:
  void parse_long(const std::string& word) {
    const auto body = word.substr(2);
    if (body.empty() || body[0] == '-' || body[0] == '=') return fail("bad flag syntax: " + word);
    const auto equals = body.find('=');
    const auto written = body.substr(0, equals);
    auto name = written;
    std::replace(name.begin(), name.end(), '_', '-');
    if (!is_known(name, minor_)) return fail("unknown flag: --" + written);
    if (equals != std::string::npos) return set(name, body.substr(equals + 1));
    if (kBooleanFlags.contains(name)) return set(name, "true");
    if (next_ >= words_.size()) return fail("flag needs an argument: " + word);
    set(name, words_[next_++]);
  }

  void parse_short(const std::string& word) {
    if (word == "-h") return set("help", "true");
    if (word[1] != 'v') {
      return fail(std::string("unknown shorthand flag: '") + word[1] + "' in " + word);
    }
    if (word.size() > 2) return set("v", word.substr(word[2] == '=' ? 3 : 2));
    if (next_ >= words_.size()) return fail("flag needs an argument: 'v' in -v");
    set("v", words_[next_++]);
  }

  void set(const std::string& name, const std::string& value) {
    static const std::set<std::string> booleans = {"1", "t", "T", "true",  "TRUE",  "True",
                                                   "0", "f", "F", "false", "FALSE", "False"};
    if (name == "allowed-unsafe-sysctls") return append(value);
    if (kBooleanFlags.contains(name) && !booleans.contains(value) &&
        !(name == "version" && value == "raw")) {
      return fail("invalid argument " + in_quotes(value) + " for \"--" + name +
                  "\" flag: strconv.ParseBool: parsing " + in_quotes(value) + ": invalid syntax");
    }
    flags_.values[name] = value;
  }

  void append(const std::string& value) {
    const auto record = read_csv(value);
    if (!record.error.empty()) {
      return fail("invalid argument " + in_quotes(value) +
                  " for \"--allowed-unsafe-sysctls\" flag: " + record.error);
    }
    if (!flags_.allowlist) flags_.allowlist.emplace();
    ++flags_.allowlist_occurrences;
    auto& list = *flags_.allowlist;
    list.insert(list.end(), record.fields.begin(), record.fields.end());
  }

  void fail(std::string message) { flags_.error = std::move(message); }

  std::vector<std::string> words_;
  int minor_;
  std::size_t next_ = 0;
  std::vector<std::string> positional_;
  Flags flags_;
};

}  // namespace fake_kubelet
