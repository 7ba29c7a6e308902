// SPDX-License-Identifier: Apache-2.0
// The table of the fields of a KubeletConfiguration, and the releases that have them.
//
// Sources: staging/src/k8s.io/kubelet/config/v1beta1/types.go of the tags v1.20.2 and v1.32.7 and
// of the development line of 1.37; component-base logs/api/v1/types.go and tracing/api/v1/types.go
// of v0.32.3. A field of v1.20.2 is taken for one of every release. In between: the first milestone
// of the enhancement, KEP 1769 (1.21), 2400, 2413, 2570, 2625 (1.22), 2712 (1.23), 2831 (1.25),
// 3545 (1.26), 2258, 3673 (1.27), 4210 (1.29), 4569 (1.31), 2535 (1.33), 5996 (1.37); or the pull
// request: 98458 (1.21), 104873, 105437, 106090 (1.23), 107207 (1.24), 111513 (1.25), 112136 (1.27),
// 112957, 114301 (1.30), 126096, 128374 (1.32), 127577 (1.33), 137115, 137719 (1.36). Where neither
// was found, the row has the two releases that are known.
#include "config_fields.hpp"

#include <array>

namespace kubelet_sysctl::kubelet {
namespace {

template <std::size_t N>
constexpr Struct struct_of(std::string_view name, std::string_view type,
                           const std::array<Field, N>& fields) {
  return {name, type, fields.data(), fields.data() + N};
}

/// A field that came with 1.`minor`.
constexpr Field since(int minor, Field field) {
  field.releases = {.lacked = minor - 1, .has = minor, .gone = 0};
  return field;
}

/// A field that 1.`lacked` does not have and 1.`has` does; of those between nothing is known.
constexpr Field between(int lacked, int has, Field field) {
  field.releases = {.lacked = lacked, .has = has, .gone = 0};
  return field;
}

constexpr Field gone_in(int minor, Field field) {
  field.releases.gone = minor;
  return field;
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
    std::to_array<Field>({between(22, 32, {"text", Type::kStruct, Shape::kOne, &kTextOptions}),
                          {"json", Type::kStruct, Shape::kOne, &kJsonOptions}});
constexpr Struct kFormatOptions =
    struct_of("FormatOptions", "v1.FormatOptions", kFormatOptionsFields);
constexpr auto kVModuleFields = std::to_array<Field>(
    {{"filePattern"}, {"verbosity", Type::kUint32, Shape::kOne, nullptr, "v1.VerbosityLevel"}});
constexpr Struct kVModule = struct_of("VModuleItem", "v1.VModuleItem", kVModuleFields);
constexpr auto kLoggingFields = std::to_array<Field>(
    {{"format"},
     gone_in(24, {"sanitization", Type::kBool}),
     // A number of nanoseconds alone, until some release before 1.32.
     gone_in(32,
             since(23, {"flushFrequency", Type::kInt64, Shape::kOne, nullptr, "time.Duration"})),
     between(23, 32, {"flushFrequency", Type::kTimeOrDuration}),
     since(23, {"verbosity", Type::kUint32, Shape::kOne, nullptr, "v1.VerbosityLevel"}),
     since(23, {"vmodule", Type::kStruct, Shape::kList, &kVModule, "v1.VModuleConfiguration"}),
     since(23, {"options", Type::kStruct, Shape::kOne, &kFormatOptions})});
constexpr Struct kLogging =
    struct_of("LoggingConfiguration", "v1.LoggingConfiguration", kLoggingFields);
constexpr auto kShutdownFields = std::to_array<Field>(
    {{"priority", Type::kInt32}, {"shutdownGracePeriodSeconds", Type::kInt64}});
constexpr Struct kShutdown = struct_of("ShutdownGracePeriodByPodPriority",
                                       "v1beta1.ShutdownGracePeriodByPodPriority", kShutdownFields);
constexpr auto kCrashLoopFields =
    std::to_array<Field>({{"maxContainerRestartPeriod", Type::kOptionalDuration}});
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
    since(30, {"podLogsDir"}),
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
    since(36, {"tlsCurvePreferences", Type::kInt32, Shape::kList}),
    {"tlsMinVersion"},
    {"rotateCertificates", Type::kBool},
    {"serverTLSBootstrap", Type::kBool},
    {"authentication", Type::kStruct, Shape::kOne, &kAuthentication},
    {"authorization", Type::kStruct, Shape::kOne, &kAuthorization},
    {"registryPullQPS", Type::kInt32},
    {"registryBurst", Type::kInt32},
    since(33, {"imagePullCredentialsVerificationPolicy", Type::kString, Shape::kOne, nullptr,
               "v1beta1.ImagePullCredentialsVerificationPolicy"}),
    since(33, {"preloadedImagesVerificationAllowlist", Type::kString, Shape::kList}),
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
    since(29, {"imageMaximumGCAge", Type::kDuration}),
    {"imageGCHighThresholdPercent", Type::kInt32},
    {"imageGCLowThresholdPercent", Type::kInt32},
    {"volumeStatsAggPeriod", Type::kDuration},
    {"kubeletCgroups"},
    {"systemCgroups"},
    {"cgroupRoot"},
    {"cgroupsPerQOS", Type::kBool},
    {"cgroupDriver"},
    {"cpuManagerPolicy"},
    since(32, {"singleProcessOOMKill", Type::kBool}),
    since(22, {"cpuManagerPolicyOptions", Type::kString, Shape::kMap}),
    {"cpuManagerReconcilePeriod", Type::kDuration},
    between(32, 37, {"draManagerReconcilePeriod", Type::kDuration}),
    since(21, {"memoryManagerPolicy"}),
    {"topologyManagerPolicy"},
    {"topologyManagerScope"},
    since(26, {"topologyManagerPolicyOptions", Type::kString, Shape::kMap}),
    {"qosReserved", Type::kString, Shape::kMap},
    {"runtimeRequestTimeout", Type::kDuration},
    {"hairpinMode"},
    {"maxPods", Type::kInt32},
    {"podCIDR"},
    {"podPidsLimit", Type::kInt64},
    {"resolvConf"},
    {"runOnce", Type::kBool},
    {"cpuCFSQuota", Type::kBool},
    {"cpuCFSQuotaPeriod", Type::kOptionalDuration},
    {"nodeStatusMaxImages", Type::kInt32},
    {"maxOpenFiles", Type::kInt64},
    {"contentType"},
    {"kubeAPIQPS", Type::kInt32},
    {"kubeAPIBurst", Type::kInt32},
    {"serializeImagePulls", Type::kBool},
    since(27, {"maxParallelImagePulls", Type::kInt32}),
    {"evictionHard", Type::kString, Shape::kMap},
    {"evictionSoft", Type::kString, Shape::kMap},
    {"evictionSoftGracePeriod", Type::kString, Shape::kMap},
    {"evictionPressureTransitionPeriod", Type::kDuration},
    {"evictionMaxPodGracePeriod", Type::kInt32},
    {"evictionMinimumReclaim", Type::kString, Shape::kMap},
    since(33, {"mergeDefaultEvictionSettings", Type::kBool}),
    {"podsPerCore", Type::kInt32},
    {"enableControllerAttachDetach", Type::kBool},
    {"protectKernelDefaults", Type::kBool},
    {"makeIPTablesUtilChains", Type::kBool},
    {"iptablesMasqueradeBit", Type::kInt32},
    {"iptablesDropBit", Type::kInt32},
    {"featureGates", Type::kBool, Shape::kMap},
    {"failSwapOn", Type::kBool},
    since(22, {"memorySwap", Type::kStruct, Shape::kOne, &kMemorySwap}),
    {"containerLogMaxSize"},
    {"containerLogMaxFiles", Type::kInt32},
    since(30, {"containerLogMaxWorkers", Type::kInt32}),
    since(30, {"containerLogMonitorInterval", Type::kOptionalDuration}),
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
    since(27, {"enableSystemLogQuery", Type::kBool}),
    since(20, {"shutdownGracePeriod", Type::kDuration}),
    since(20, {"shutdownGracePeriodCriticalPods", Type::kDuration}),
    since(23, {"shutdownGracePeriodByPodPriority", Type::kStruct, Shape::kList, &kShutdown}),
    since(32, {"crashLoopBackOff", Type::kStruct, Shape::kOne, &kCrashLoop}),
    since(21, {"reservedMemory", Type::kStruct, Shape::kList, &kReserved}),
    since(21, {"enableProfilingHandler", Type::kBool}),
    since(21, {"enableDebugFlagsHandler", Type::kBool}),
    since(22, {"seccompDefault", Type::kBool}),
    since(22, {"memoryThrottlingFactor", Type::kFloat}),
    since(36, {"memoryReservationPolicy", Type::kString, Shape::kOne, nullptr,
               "v1beta1.MemoryReservationPolicy"}),
    since(23, {"registerWithTaints", Type::kStruct, Shape::kList, &kTaint}),
    between(20, 32, {"registerNode", Type::kBool}),
    since(25, {"tracing", Type::kStruct, Shape::kOne, &kTracing}),
    since(25, {"localStorageCapacityIsolation", Type::kBool}),
    since(27, {"containerRuntimeEndpoint"}),
    since(27, {"imageServiceEndpoint"}),
    since(31, {"failCgroupV1", Type::kBool}),
    between(32, 36, {"userNamespaces", Type::kStruct, Shape::kOne, &kUsers}),
    since(37, {"defaultPodSysctls", Type::kString, Shape::kMap}),
});
constexpr Struct kConfiguration =
    struct_of("KubeletConfiguration", "v1beta1.KubeletConfiguration", kFields);

}  // namespace

const Struct& configuration_fields() { return kConfiguration; }

Presence presence_in(const Releases& releases, std::optional<int> minor) {
  const bool always = releases.has == 0;
  if (!minor) return always && releases.gone == 0 ? Presence::kYes : Presence::kMaybe;
  if (releases.gone != 0 && *minor >= releases.gone) return Presence::kNo;
  if (always || *minor >= releases.has) return Presence::kYes;
  return *minor <= releases.lacked ? Presence::kNo : Presence::kMaybe;
}

}  // namespace kubelet_sysctl::kubelet
