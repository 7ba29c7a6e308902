// SPDX-License-Identifier: Apache-2.0
// Stand-in kubelet: loads the configuration file and the drop-in directory, keeping the three
// settings that the tests inspect.
//
// Source: Kubernetes pkg/kubelet/kubeletconfig/configfiles/configfiles.go and util/codec/codec.go,
// cmd/kubelet/app/server.go (mergeKubeletConfigurations).
#pragma once

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "fake_kubelet_flags.hpp"
#include "fake_kubelet_yaml.hpp"

namespace fake_kubelet {

struct Config {
  std::vector<std::string> allowlist;
  std::string healthz_address = "127.0.0.1";
  int healthz_port = 10248;
};

/// Ends the kubelet; what() is the message without the words that server.go puts before it.
struct FatalError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline const std::set<std::string, std::less<>> kConfigKeys = {
    "address",
    "allowedUnsafeSysctls",
    "apiVersion",
    "authentication",
    "authorization",
    "cgroupDriver",
    "cgroupRoot",
    "cgroupsPerQOS",
    "clusterDNS",
    "clusterDomain",
    "configMapAndSecretChangeDetectionStrategy",
    "containerLogMaxFiles",
    "containerLogMaxSize",
    "containerLogMaxWorkers",
    "containerLogMonitorInterval",
    "containerRuntimeEndpoint",
    "contentType",
    "cpuCFSQuota",
    "cpuCFSQuotaPeriod",
    "cpuManagerPolicy",
    "cpuManagerPolicyOptions",
    "cpuManagerReconcilePeriod",
    "crashLoopBackOff",
    "enableContentionProfiling",
    "enableControllerAttachDetach",
    "enableDebugFlagsHandler",
    "enableDebuggingHandlers",
    "enableProfilingHandler",
    "enableServer",
    "enableSystemLogHandler",
    "enableSystemLogQuery",
    "enforceNodeAllocatable",
    "eventBurst",
    "eventRecordQPS",
    "evictionHard",
    "evictionMaxPodGracePeriod",
    "evictionMinimumReclaim",
    "evictionPressureTransitionPeriod",
    "evictionSoft",
    "evictionSoftGracePeriod",
    "failCgroupV1",
    "failSwapOn",
    "featureGates",
    "fileCheckFrequency",
    "hairpinMode",
    "healthzBindAddress",
    "healthzPort",
    "httpCheckFrequency",
    "imageGCHighThresholdPercent",
    "imageGCLowThresholdPercent",
    "imageMaximumGCAge",
    "imageMinimumGCAge",
    "imagePullCredentialsVerificationPolicy",
    "imageServiceEndpoint",
    "iptablesDropBit",
    "iptablesMasqueradeBit",
    "kernelMemcgNotification",
    "kind",
    "kubeAPIBurst",
    "kubeAPIQPS",
    "kubeReserved",
    "kubeReservedCgroup",
    "kubeletCgroups",
    "localStorageCapacityIsolation",
    "logging",
    "makeIPTablesUtilChains",
    "maxOpenFiles",
    "maxParallelImagePulls",
    "maxPods",
    "memoryManagerPolicy",
    "memorySwap",
    "memoryThrottlingFactor",
    "mergeDefaultEvictionSettings",
    "nodeLeaseDurationSeconds",
    "nodeStatusMaxImages",
    "nodeStatusReportFrequency",
    "nodeStatusUpdateFrequency",
    "oomScoreAdj",
    "podCIDR",
    "podLogsDir",
    "podPidsLimit",
    "podsPerCore",
    "port",
    "protectKernelDefaults",
    "providerID",
    "qosReserved",
    "readOnlyPort",
    "registerNode",
    "registerWithTaints",
    "registryBurst",
    "registryPullQPS",
    "reservedMemory",
    "reservedSystemCPUs",
    "resolvConf",
    "rotateCertificates",
    "runOnce",
    "runtimeRequestTimeout",
    "seccompDefault",
    "serializeImagePulls",
    "serverTLSBootstrap",
    "showHiddenMetricsForVersion",
    "shutdownGracePeriod",
    "shutdownGracePeriodByPodPriority",
    "shutdownGracePeriodCriticalPods",
    "staticPodPath",
    "staticPodURL",
    "staticPodURLHeader",
    "streamingConnectionIdleTimeout",
    "syncFrequency",
    "systemCgroups",
    "systemReserved",
    "systemReservedCgroup",
    "tlsCertFile",
    "tlsCipherSuites",
    "tlsMinVersion",
    "tlsPrivateKeyFile",
    "topologyManagerPolicy",
    "topologyManagerPolicyOptions",
    "topologyManagerScope",
    "tracing",
    "userNamespaces",
    "volumePluginDir",
    "volumeStatsAggPeriod"};

inline std::string type_name(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::kNumber:
      return "number";
    case Value::Kind::kBool:
      return "bool";
    case Value::Kind::kList:
      return "array";
    case Value::Kind::kMap:
      return "object";
    default:
      return "string";
  }
}

inline FatalError wrong_type(const Value& value, const std::string& key, const std::string& type) {
  return FatalError("json: cannot unmarshal " + type_name(value.kind) +
                    " into Go struct field KubeletConfiguration." + key + " of type " + type);
}

// A null item becomes the empty string, which the kubelet notices only later.
inline std::vector<std::string> read_allowlist(const Value& value) {
  std::vector<std::string> list;
  if (value.kind == Value::Kind::kNull) return list;
  if (value.kind != Value::Kind::kList) throw wrong_type(value, "allowedUnsafeSysctls", "[]string");
  for (const auto& item : value.items) {
    if (item.kind != Value::Kind::kString && item.kind != Value::Kind::kNull) {
      throw wrong_type(item, "allowedUnsafeSysctls", "string");
    }
    list.push_back(item.kind == Value::Kind::kNull ? "" : item.text);
  }
  return list;
}

inline void set_key(Config& config, const std::string& key, const Value& value) {
  const bool is_null = value.kind == Value::Kind::kNull;
  if (key == "allowedUnsafeSysctls") {
    config.allowlist = read_allowlist(value);
  } else if (key == "healthzPort" && !is_null) {
    if (value.kind != Value::Kind::kNumber) throw wrong_type(value, key, "int32");
    config.healthz_port = std::stoi(value.text);
  } else if (key == "healthzBindAddress" && !is_null) {
    if (value.kind != Value::Kind::kString) throw wrong_type(value, key, "string");
    config.healthz_address = value.text.empty() ? "127.0.0.1" : value.text;
  }
}

inline std::string read_whole_file(const std::string& path) {
  std::error_code ignored;
  const auto refuse = [&](const std::string& what) {
    return FatalError("failed to read kubelet config file " + in_quotes(path) + ", error: " + what);
  };
  if (std::filesystem::is_directory(path, ignored)) {
    throw refuse("read " + path + ": is a directory");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::string reason = std::strerror(errno);
    reason[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(reason[0])));
    throw refuse("open " + path + ": " + reason);
  }
  std::ostringstream text;
  text << in.rdbuf();
  if (text.str().empty()) throw FatalError("kubelet config file " + in_quotes(path) + " was empty");
  return text.str();
}

/// The top-level map of one file, its kind and version checked.
inline Value read_config_map(const std::string& path) {
  const auto text = read_whole_file(path);
  const auto first = text.find_first_not_of(" \t\r\n");
  Value top;
  try {
    const bool is_json = first != std::string::npos && text[first] == '{';
    top = is_json ? JsonReader(text).read() : YamlReader(text).read();
  } catch (const SyntaxError& error) {
    throw FatalError(std::string("couldn't get version/kind; json parse error: ") + error.what());
  }
  if (top.kind != Value::Kind::kMap && top.kind != Value::Kind::kNull) {
    throw FatalError("couldn't get version/kind; json parse error: json: cannot unmarshal " +
                     type_name(top.kind) + " into Go value");
  }
  std::string kind;
  std::string version;
  for (const auto& [key, value] : top.fields) {
    if (key == "kind") kind = value.text;
    if (key == "apiVersion") version = value.text;
  }
  if (kind.empty()) throw FatalError("Object 'Kind' is missing in '" + text + "'");
  if (version.empty()) throw FatalError("Object 'apiVersion' is missing in '" + text + "'");
  if (kind != "KubeletConfiguration" || version != "kubelet.config.k8s.io/v1beta1") {
    throw FatalError("no kind " + in_quotes(kind) + " is registered for version " +
                     in_quotes(version) +
                     " in scheme \"pkg/kubelet/apis/config/scheme/scheme.go:33\"");
  }
  return top;
}

/// Reads --config. `lenient` receives what the strict decoder would have said: unknown and
/// duplicate keys never stop a kubelet, the last of two wins.
inline Config read_config_file(const std::string& path, std::string& lenient) {
  Config config;
  std::set<std::string> seen;
  for (const auto& [key, value] : read_config_map(path).fields) {
    std::string trouble;
    if (!kConfigKeys.contains(key)) trouble = "unknown field " + in_quotes(key);
    if (!seen.insert(key).second) trouble = "duplicate field " + in_quotes(key);
    if (!trouble.empty()) lenient += (lenient.empty() ? "" : ", ") + trouble;
    set_key(config, key, value);
  }
  return config;
}

// Files of one directory in the order of filepath.WalkDir: by name in each directory, a directory's
// files in its place, links to directories not entered.
inline void walk(const std::filesystem::path& directory, std::vector<std::string>& files) {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    names.insert(entry.path().filename().string());
  }
  for (const auto& name : names) {
    const auto path = directory / name;
    if (std::filesystem::symlink_status(path).type() == std::filesystem::file_type::directory) {
      walk(path, files);
    } else if (path.extension() == ".conf" || name == ".conf") {
      files.push_back(path.string());
    }
  }
}

inline std::string lower(std::string text) {
  for (auto& byte : text) byte = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
  return text;
}

/// Merges the drop-ins as JSON merge patches: a list replaces the list before it. Unknown keys are
/// silent here, a miscased one works, and null removes a list from 1.32 only.
inline void merge_dropins(Config& config, const std::string& directory, int minor) {
  std::vector<std::string> files;
  try {
    const auto type = std::filesystem::symlink_status(directory).type();
    if (type == std::filesystem::file_type::symlink) return;
    walk(directory, files);
  } catch (const std::filesystem::filesystem_error&) {
    throw FatalError("failed to walk through kubelet dropin directory " + in_quotes(directory) +
                     ": lstat " + directory + ": no such file or directory");
  }
  std::map<std::string, Value> merged;
  for (const auto& file : files) {
    std::set<std::string> seen;
    for (const auto& [key, value] : read_config_map(file).fields) {
      if (!seen.insert(key).second) {
        throw FatalError("failed to load kubelet dropin file, path: " + file +
                         ", error: strict decoding error: duplicate field " + in_quotes(key));
      }
      if (value.kind == Value::Kind::kNull && minor < 32) continue;
      if (minor == 28 && value.kind == Value::Kind::kList && value.items.empty()) continue;
      merged[key] = value;
    }
  }
  for (const auto& [key, value] : merged) {
    for (const char* known : {"allowedUnsafeSysctls", "healthzPort", "healthzBindAddress"}) {
      if (lower(key) == lower(known)) set_key(config, known, value);
    }
  }
}

}  // namespace fake_kubelet
