// SPDX-License-Identifier: Apache-2.0
// The types of the fields of a KubeletConfiguration: a value of another type ends the kubelet. What a
// value says is not judged here; the list itself is judged where it is read, item by item. Source: the
// API reference of kubelet.config.k8s.io/v1beta1.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "kubelet_config_parts.hpp"

namespace kubelet_sysctl::config_parts {
namespace {

enum class Type : std::uint8_t {
  kString,
  kBool,
  kInt32,
  kInt64,
  kUint32,
  kFloat,
  kDuration,
  kTimeOrDuration,  ///< a number of nanoseconds, or a duration
  kQuantity,
  kTime,
  kStruct,
};

enum class Shape : std::uint8_t { kOne, kList, kMap, kMapOfLists };

struct Struct;

struct Field {
  std::string_view name;
  Type type = Type::kString;
  Shape shape = Shape::kOne;
  const Struct* fields = nullptr;
  std::string_view go_type = {};  ///< as Go names it, where it is not the plain one
};

struct Struct {
  std::string_view go_name;
  std::string_view go_type;
  const Field* begin;
  const Field* end;
};

template <std::size_t N>
constexpr Struct struct_of(std::string_view name, std::string_view type,
                           const std::array<Field, N>& fields) {
  return {name, type, fields.data(), fields.data() + N};
}

constexpr auto kX509Fields = std::to_array<Field>({{"clientCAFile"}});
constexpr Struct kX509 =
    struct_of("KubeletX509Authentication", "v1beta1.KubeletX509Authentication", kX509Fields);
constexpr auto kWebhookFields =
    std::to_array<Field>({{"enabled", Type::kBool}, {"cacheTTL", Type::kDuration}});
constexpr Struct kWebhook = struct_of("KubeletWebhookAuthentication",
                                      "v1beta1.KubeletWebhookAuthentication", kWebhookFields);
constexpr auto kAnonymousFields = std::to_array<Field>({{"enabled", Type::kBool}});
constexpr Struct kAnonymous = struct_of("KubeletAnonymousAuthentication",
                                        "v1beta1.KubeletAnonymousAuthentication", kAnonymousFields);
constexpr auto kAuthenticationFields =
    std::to_array<Field>({{"x509", Type::kStruct, Shape::kOne, &kX509},
                          {"webhook", Type::kStruct, Shape::kOne, &kWebhook},
                          {"anonymous", Type::kStruct, Shape::kOne, &kAnonymous}});
constexpr Struct kAuthentication =
    struct_of("KubeletAuthentication", "v1beta1.KubeletAuthentication", kAuthenticationFields);
constexpr auto kWebhookRulesFields = std::to_array<Field>(
    {{"cacheAuthorizedTTL", Type::kDuration}, {"cacheUnauthorizedTTL", Type::kDuration}});
constexpr Struct kWebhookRules = struct_of(
    "KubeletWebhookAuthorization", "v1beta1.KubeletWebhookAuthorization", kWebhookRulesFields);
constexpr auto kAuthorizationFields = std::to_array<Field>(
    {{"mode", Type::kString, Shape::kOne, nullptr, "v1beta1.KubeletAuthorizationMode"},
     {"webhook", Type::kStruct, Shape::kOne, &kWebhookRules}});
constexpr Struct kAuthorization =
    struct_of("KubeletAuthorization", "v1beta1.KubeletAuthorization", kAuthorizationFields);
constexpr auto kMemorySwapFields = std::to_array<Field>({{"swapBehavior"}});
constexpr Struct kMemorySwap =
    struct_of("MemorySwapConfiguration", "v1beta1.MemorySwapConfiguration", kMemorySwapFields);
constexpr auto kTextOptionsFields =
    std::to_array<Field>({{"splitStream", Type::kBool}, {"infoBufferSize", Type::kQuantity}});
constexpr Struct kTextOptions = struct_of("TextOptions", "v1.TextOptions", kTextOptionsFields);
constexpr Struct kJsonOptions = struct_of("JSONOptions", "v1.JSONOptions", kTextOptionsFields);
constexpr auto kFormatOptionsFields =
    std::to_array<Field>({{"text", Type::kStruct, Shape::kOne, &kTextOptions},
                          {"json", Type::kStruct, Shape::kOne, &kJsonOptions}});
constexpr Struct kFormatOptions =
    struct_of("FormatOptions", "v1.FormatOptions", kFormatOptionsFields);
constexpr auto kVModuleFields = std::to_array<Field>(
    {{"filePattern"}, {"verbosity", Type::kUint32, Shape::kOne, nullptr, "v1.VerbosityLevel"}});
constexpr Struct kVModule = struct_of("VModuleItem", "v1.VModuleItem", kVModuleFields);
constexpr auto kLoggingFields = std::to_array<Field>(
    {{"format"},
     {"flushFrequency", Type::kTimeOrDuration},
     {"verbosity", Type::kUint32, Shape::kOne, nullptr, "v1.VerbosityLevel"},
     {"vmodule", Type::kStruct, Shape::kList, &kVModule, "v1.VModuleConfiguration"},
     {"options", Type::kStruct, Shape::kOne, &kFormatOptions}});
constexpr Struct kLogging =
    struct_of("LoggingConfiguration", "v1.LoggingConfiguration", kLoggingFields);
constexpr auto kShutdownFields = std::to_array<Field>(
    {{"priority", Type::kInt32}, {"shutdownGracePeriodSeconds", Type::kInt64}});
constexpr Struct kShutdown = struct_of("ShutdownGracePeriodByPodPriority",
                                       "v1beta1.ShutdownGracePeriodByPodPriority", kShutdownFields);
constexpr auto kCrashLoopFields =
    std::to_array<Field>({{"maxContainerRestartPeriod", Type::kDuration}});
constexpr Struct kCrashLoop =
    struct_of("CrashLoopBackOffConfig", "v1beta1.CrashLoopBackOffConfig", kCrashLoopFields);
constexpr auto kReservedFields =
    std::to_array<Field>({{"numaNode", Type::kInt32}, {"limits", Type::kQuantity, Shape::kMap}});
constexpr Struct kReserved =
    struct_of("MemoryReservation", "v1beta1.MemoryReservation", kReservedFields);
constexpr auto kTaintFields =
    std::to_array<Field>({{"key"},
                          {"value"},
                          {"effect", Type::kString, Shape::kOne, nullptr, "v1.TaintEffect"},
                          {"timeAdded", Type::kTime}});
constexpr Struct kTaint = struct_of("Taint", "v1.Taint", kTaintFields);
constexpr auto kTracingFields =
    std::to_array<Field>({{"endpoint"}, {"samplingRatePerMillion", Type::kInt32}});
constexpr Struct kTracing =
    struct_of("TracingConfiguration", "v1.TracingConfiguration", kTracingFields);
constexpr auto kUsersFields = std::to_array<Field>({{"idsPerPod", Type::kInt64}});
constexpr Struct kUsers = struct_of("UserNamespaces", "v1beta1.UserNamespaces", kUsersFields);

constexpr auto kFields = std::to_array<Field>({
    {"enableServer", Type::kBool},
    {"staticPodPath"},
    {"podLogsDir"},
    {"syncFrequency", Type::kDuration},
    {"fileCheckFrequency", Type::kDuration},
    {"httpCheckFrequency", Type::kDuration},
    {"staticPodURL"},
    {"staticPodURLHeader", Type::kString, Shape::kMapOfLists},
    {"address"},
    {"port", Type::kInt32},
    {"readOnlyPort", Type::kInt32},
    {"tlsCertFile"},
    {"tlsPrivateKeyFile"},
    {"tlsCipherSuites", Type::kString, Shape::kList},
    {"tlsMinVersion"},
    {"rotateCertificates", Type::kBool},
    {"serverTLSBootstrap", Type::kBool},
    {"authentication", Type::kStruct, Shape::kOne, &kAuthentication},
    {"authorization", Type::kStruct, Shape::kOne, &kAuthorization},
    {"registryPullQPS", Type::kInt32},
    {"registryBurst", Type::kInt32},
    {"imagePullCredentialsVerificationPolicy"},
    {"preloadedImagesVerificationAllowlist", Type::kString, Shape::kList},
    {"eventRecordQPS", Type::kInt32},
    {"eventBurst", Type::kInt32},
    {"enableDebuggingHandlers", Type::kBool},
    {"enableContentionProfiling", Type::kBool},
    {"healthzPort", Type::kInt32},
    {"healthzBindAddress"},
    {"oomScoreAdj", Type::kInt32},
    {"clusterDomain"},
    {"clusterDNS", Type::kString, Shape::kList},
    {"streamingConnectionIdleTimeout", Type::kDuration},
    {"nodeStatusUpdateFrequency", Type::kDuration},
    {"nodeStatusReportFrequency", Type::kDuration},
    {"nodeLeaseDurationSeconds", Type::kInt32},
    {"imageMinimumGCAge", Type::kDuration},
    {"imageMaximumGCAge", Type::kDuration},
    {"imageGCHighThresholdPercent", Type::kInt32},
    {"imageGCLowThresholdPercent", Type::kInt32},
    {"volumeStatsAggPeriod", Type::kDuration},
    {"kubeletCgroups"},
    {"systemCgroups"},
    {"cgroupRoot"},
    {"cgroupsPerQOS", Type::kBool},
    {"cgroupDriver"},
    {"cpuManagerPolicy"},
    {"cpuManagerPolicyOptions", Type::kString, Shape::kMap},
    {"cpuManagerReconcilePeriod", Type::kDuration},
    {"memoryManagerPolicy"},
    {"topologyManagerPolicy"},
    {"topologyManagerScope"},
    {"topologyManagerPolicyOptions", Type::kString, Shape::kMap},
    {"qosReserved", Type::kString, Shape::kMap},
    {"runtimeRequestTimeout", Type::kDuration},
    {"hairpinMode"},
    {"maxPods", Type::kInt32},
    {"podCIDR"},
    {"podPidsLimit", Type::kInt64},
    {"resolvConf"},
    {"runOnce", Type::kBool},
    {"cpuCFSQuota", Type::kBool},
    {"cpuCFSQuotaPeriod", Type::kDuration},
    {"nodeStatusMaxImages", Type::kInt32},
    {"maxOpenFiles", Type::kInt64},
    {"contentType"},
    {"kubeAPIQPS", Type::kInt32},
    {"kubeAPIBurst", Type::kInt32},
    {"serializeImagePulls", Type::kBool},
    {"maxParallelImagePulls", Type::kInt32},
    {"evictionHard", Type::kString, Shape::kMap},
    {"evictionSoft", Type::kString, Shape::kMap},
    {"evictionSoftGracePeriod", Type::kString, Shape::kMap},
    {"evictionPressureTransitionPeriod", Type::kDuration},
    {"evictionMaxPodGracePeriod", Type::kInt32},
    {"evictionMinimumReclaim", Type::kString, Shape::kMap},
    {"mergeDefaultEvictionSettings", Type::kBool},
    {"podsPerCore", Type::kInt32},
    {"enableControllerAttachDetach", Type::kBool},
    {"protectKernelDefaults", Type::kBool},
    {"makeIPTablesUtilChains", Type::kBool},
    {"iptablesMasqueradeBit", Type::kInt32},
    {"iptablesDropBit", Type::kInt32},
    {"featureGates", Type::kBool, Shape::kMap},
    {"failSwapOn", Type::kBool},
    {"memorySwap", Type::kStruct, Shape::kOne, &kMemorySwap},
    {"containerLogMaxSize"},
    {"containerLogMaxFiles", Type::kInt32},
    {"containerLogMaxWorkers", Type::kInt32},
    {"containerLogMonitorInterval", Type::kDuration},
    {"configMapAndSecretChangeDetectionStrategy", Type::kString, Shape::kOne, nullptr,
     "v1beta1.ResourceChangeDetectionStrategy"},
    {"systemReserved", Type::kString, Shape::kMap},
    {"kubeReserved", Type::kString, Shape::kMap},
    {"reservedSystemCPUs"},
    {"showHiddenMetricsForVersion"},
    {"systemReservedCgroup"},
    {"kubeReservedCgroup"},
    {"enforceNodeAllocatable", Type::kString, Shape::kList},
    {"volumePluginDir"},
    {"providerID"},
    {"kernelMemcgNotification", Type::kBool},
    {"logging", Type::kStruct, Shape::kOne, &kLogging},
    {"enableSystemLogHandler", Type::kBool},
    {"enableSystemLogQuery", Type::kBool},
    {"shutdownGracePeriod", Type::kDuration},
    {"shutdownGracePeriodCriticalPods", Type::kDuration},
    {"shutdownGracePeriodByPodPriority", Type::kStruct, Shape::kList, &kShutdown},
    {"crashLoopBackOff", Type::kStruct, Shape::kOne, &kCrashLoop},
    {"reservedMemory", Type::kStruct, Shape::kList, &kReserved},
    {"enableProfilingHandler", Type::kBool},
    {"enableDebugFlagsHandler", Type::kBool},
    {"seccompDefault", Type::kBool},
    {"memoryThrottlingFactor", Type::kFloat},
    {"registerWithTaints", Type::kStruct, Shape::kList, &kTaint},
    {"registerNode", Type::kBool},
    {"tracing", Type::kStruct, Shape::kOne, &kTracing},
    {"localStorageCapacityIsolation", Type::kBool},
    {"containerRuntimeEndpoint"},
    {"imageServiceEndpoint"},
    {"failCgroupV1", Type::kBool},
    {"userNamespaces", Type::kStruct, Shape::kOne, &kUsers},
    {"defaultPodSysctls", Type::kString, Shape::kMap},
});
constexpr Struct kConfiguration =
    struct_of("KubeletConfiguration", "v1beta1.KubeletConfiguration", kFields);

constexpr std::string_view go_type(Type type) {
  constexpr std::array<std::string_view, 11> kNames = {
      "string", "bool",        "int32",  "int64",       "uint32", "float64",
      "string", "v1.Duration", "string", "time string", "struct"};
  return kNames[static_cast<std::size_t>(type)];
}

std::string go_type_of(const Field& field, bool inner) {
  std::string type(field.type == Type::kStruct ? field.fields->go_type : go_type(field.type));
  if (field.shape == Shape::kList && !inner && !field.go_type.empty()) {
    return std::string(field.go_type);
  }
  if (field.type != Type::kStruct && !field.go_type.empty()) type = field.go_type;
  if (inner || field.shape == Shape::kOne) return type;
  if (field.shape == Shape::kList) return "[]" + type;
  return "map[string]" + std::string(field.shape == Shape::kMapOfLists ? "[]" : "") + type;
}

/// Go's time.ParseDuration: what it says of a text that is none.
std::optional<std::string> duration_fault(std::string_view text) {
  const std::string shown(text);
  const auto invalid = [&] { return fmt::format("time: invalid duration \"{}\"", shown); };
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  if (text == "0") return std::nullopt;
  if (text.empty()) return invalid();
  constexpr std::array<std::string_view, 8> kUnits = {"ns", "us", "\u00b5s", "\u03bcs",
                                                      "ms", "s",  "m",       "h"};
  while (!text.empty()) {
    const std::size_t number = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::string_view digits = text.substr(0, number);
    if (digits.find_first_of("0123456789") == std::string_view::npos ||
        std::count(digits.begin(), digits.end(), '.') > 1) {
      return invalid();
    }
    text.remove_prefix(number);
    const std::size_t end = std::min(text.find_first_of("0123456789."), text.size());
    const std::string_view unit = text.substr(0, end);
    if (unit.empty()) return fmt::format("time: missing unit in duration \"{}\"", shown);
    if (std::find(kUnits.begin(), kUnits.end(), unit) == kUnits.end()) {
      return fmt::format("time: unknown unit \"{}\" in duration \"{}\"", unit, shown);
    }
    text.remove_prefix(end);
  }
  return std::nullopt;
}

/// A number of YAML 1.1 or of JSON. Source: yaml.v2 resolve.go; Go's encoding/json.
double number_of(std::string_view text) {
  std::string plain(text);
  plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
  const bool minus = plain.starts_with('-');
  if (minus || plain.starts_with('+')) plain.erase(0, 1);
  int base = 10;
  std::size_t skip = 0;
  const char second = plain.size() > 1 ? plain[1] : '\0';
  if (plain.starts_with('0') && (second == 'x' || second == 'X')) base = 16, skip = 2;
  if (plain.starts_with('0') && (second == 'b' || second == 'B')) base = 2, skip = 2;
  if (plain.starts_with('0') && (second == 'o' || second == 'O')) base = 8, skip = 2;
  const bool octal = plain.size() > 1 && plain[0] == '0' &&
                     plain.find_first_not_of("01234567") == std::string::npos;
  if (octal) base = 8;
  const double value =
      base == 10 ? std::strtod(plain.c_str(), nullptr)
                 : static_cast<double>(std::strtoull(plain.c_str() + skip, nullptr, base));
  return minus ? -value : value;
}

class Checker {
 public:
  Checker(std::string_view bytes, const Tree& tree, ConfigRole role)
      : bytes_(bytes),
        events_(tree.events),
        json_(tree.format == ConfigFormat::kJson),
        anchors_(tree.events),
        role_(role) {}

  std::optional<Error> top(const std::vector<Member>& members) {
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    pairs.reserve(members.size());
    for (const Member& member : members) pairs.emplace_back(member.key, member.value);
    return pairs_fault(pairs, kConfiguration, "");
  }

 private:
  [[nodiscard]] std::size_t resolved(std::size_t node) const { return anchors_.resolved(node); }

  /// Last wins; a merge key is left to the reader of the top level, and deeper ones are not followed.
  std::optional<Error> pairs_fault(const std::vector<std::pair<std::size_t, std::size_t>>& pairs,
                                   const Struct& fields, const std::string& path) {
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const Event& key = events_[pairs[i].first];
      if (key.kind != EventKind::kScalar) continue;
      const Field* field = field_of(fields, key.text);
      if (field == nullptr) continue;
      const bool again = std::any_of(
          pairs.begin() + static_cast<std::ptrdiff_t>(i) + 1, pairs.end(), [&](const auto& other) {
            const Event& later = events_[other.first];
            return later.kind == EventKind::kScalar && later.text == key.text;
          });
      if (again && !json_) continue;
      const std::string name = path + std::string(field->name);
      if (auto error = field_fault(pairs[i].second, fields, *field, name)) return error;
    }
    return std::nullopt;
  }

  /// In a drop-in the merged text is read by Go's encoding/json, which does not mind the case.
  [[nodiscard]] const Field* field_of(const Struct& fields, std::string_view name) const {
    const auto same = [&](const Field& field) {
      if (role_ == ConfigRole::kMain) return field.name == name;
      return is_same_field(name, field.name);
    };
    const Field* found = std::find_if(fields.begin, fields.end, same);
    return found == fields.end ? nullptr : found;
  }

  std::optional<Error> field_fault(std::size_t node, const Struct& owner, const Field& field,
                                   const std::string& path) {
    const std::size_t value = resolved(node);
    const Event& event = events_[value];
    if (field.shape == Shape::kOne) return value_fault(node, owner, field, path);
    if (event.kind == EventKind::kNull) return std::nullopt;
    const bool list = field.shape == Shape::kList;
    const EventKind wanted = list ? EventKind::kSequenceStart : EventKind::kMapStart;
    if (event.kind != wanted) return mismatch(node, owner, path, go_type_of(field, false));
    const EventKind last = list ? EventKind::kSequenceEnd : EventKind::kMapEnd;
    for (std::size_t at = value + 1; events_[at].kind != last;) {
      const std::size_t item = list ? at : node_end(events_, at);
      at = node_end(events_, item);
      if (field.shape == Shape::kMapOfLists) {
        Field inner = field;
        inner.shape = Shape::kList;
        if (auto error = field_fault(item, owner, inner, path)) return error;
      } else if (auto error = value_fault(item, owner, field, path)) {
        return error;
      }
    }
    return std::nullopt;
  }

  std::optional<Error> value_fault(std::size_t node, const Struct& owner, const Field& field,
                                   const std::string& path) {
    const std::size_t value = resolved(node);
    const Event& event = events_[value];
    if (field.type == Type::kStruct) return struct_fault(node, owner, field, path);
    const bool scalar = event.kind == EventKind::kScalar;
    const bool string = scalar && is_string(event);
    const bool boolean = scalar && !string && is_bool(event);
    const bool number = scalar && !string && !boolean;
    if (event.kind == EventKind::kNull || (scalar && is_tagged_null(event))) {
      const bool pointer =
          field.name == "cpuCFSQuotaPeriod" || field.name == "maxContainerRestartPeriod";
      if (field.type != Type::kDuration || pointer) return std::nullopt;
      return said(node, "time: invalid duration \"\"");
    }
    switch (field.type) {
      case Type::kString:
        if (string) return std::nullopt;
        break;
      case Type::kBool:
        if (boolean) return std::nullopt;
        break;
      case Type::kFloat:
        if (number) return std::nullopt;
        break;
      case Type::kTime:
        if (string) return std::nullopt;
        break;
      case Type::kDuration:
        if (!string)
          return said(node, fmt::format("json: cannot unmarshal {} into Go value of type "
                                        "string",
                                        kind_of(event)));
        if (const auto fault = duration_fault(event.text)) return said(node, *fault);
        return std::nullopt;
      case Type::kTimeOrDuration:
        if (string) {
          if (const auto fault = duration_fault(event.text)) return said(node, *fault);
          return std::nullopt;
        }
        if (number) return std::nullopt;
        break;
      case Type::kQuantity:
        return quantity_fault(node, event, string || number);
      default:
        if (!number) break;
        return range_fault(node, owner, field, path);
    }
    return mismatch(node, owner, path, go_type_of(field, true));
  }

  std::optional<Error> struct_fault(std::size_t node, const Struct& owner, const Field& field,
                                    const std::string& path) {
    const std::size_t value = resolved(node);
    const Event& event = events_[value];
    if (event.kind == EventKind::kNull) return std::nullopt;
    if (event.kind != EventKind::kMapStart)
      return mismatch(node, owner, path, go_type_of(field, true));
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t key = value + 1; events_[key].kind != EventKind::kMapEnd;) {
      const std::size_t item = node_end(events_, key);
      pairs.emplace_back(resolved(key), item);
      key = node_end(events_, item);
    }
    return pairs_fault(pairs, *field.fields, path + ".");
  }

  std::optional<Error> quantity_fault(std::size_t node, const Event& event, bool any) {
    std::string_view rest = event.text;
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
    const bool suffix =
        rest.substr(digits).find_first_not_of("eEinumkKMGTP+-0123456789") == std::string_view::npos;
    if (any && digits > 0 && suffix) return std::nullopt;
    return said(node,
                "quantities must match the regular expression "
                "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
  }

  std::optional<Error> range_fault(std::size_t node, const Struct& owner, const Field& field,
                                   const std::string& path) {
    const Event& event = events_[resolved(node)];
    const double value = number_of(event.text);
    const double least = field.type == Type::kUint32  ? 0.0
                         : field.type == Type::kInt64 ? -9223372036854775808.0
                                                      : -2147483648.0;
    const double most = field.type == Type::kUint32  ? 4294967295.0
                        : field.type == Type::kInt64 ? 9223372036854774784.0
                                                     : 2147483647.0;
    const bool whole = std::isfinite(value) && value == std::floor(value);
    const bool written = !json_ || event.text.find_first_of(".eE") == std::string::npos;
    if (whole && written && value >= least && value <= most) return std::nullopt;
    return mismatch(node, owner, path, go_type_of(field, true), " " + event.text);
  }

  static bool is_bool(const Event& event) {
    constexpr std::array<std::string_view, 22> kWords = {
        "y",    "Y",    "yes",   "Yes",   "YES",   "n",  "N",  "no", "No",  "NO",  "true",
        "True", "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF"};
    return event.tag == "tag:yaml.org,2002:bool" ||
           std::find(kWords.begin(), kWords.end(), event.text) != kWords.end();
  }

  static bool is_tagged_null(const Event& event) { return event.tag == "tag:yaml.org,2002:null"; }

  [[nodiscard]] static std::string_view kind_of(const Event& event) {
    if (event.kind == EventKind::kSequenceStart) return "array";
    if (event.kind == EventKind::kMapStart) return "object";
    if (is_string(event)) return "string";
    return is_bool(event) ? "bool" : "number";
  }

  std::optional<Error> mismatch(std::size_t node, const Struct& owner, const std::string& path,
                                const std::string& type, const std::string& value = {}) {
    return said(node,
                fmt::format("json: cannot unmarshal {}{} into Go struct field {}.{} of type {}",
                            kind_of(events_[resolved(node)]), value, owner.go_name, path, type));
  }

  std::optional<Error> said(std::size_t node, const std::string& words) {
    const std::size_t at = std::min(events_[node].at.begin, bytes_.size());
    return error_in(ErrorKind::kMalformed, bytes_, {at, at},
                    fmt::format("a kubelet does not start with this file: {}", words));
  }

  std::string_view bytes_;
  const Events& events_;
  bool json_;
  Anchors anchors_;
  ConfigRole role_;
};

}  // namespace

std::optional<Error> wrong_type(std::string_view bytes, const Reading& reading, ConfigRole role) {
  return Checker(bytes, reading.tree, role).top(reading.members);
}

}  // namespace kubelet_sysctl::config_parts
