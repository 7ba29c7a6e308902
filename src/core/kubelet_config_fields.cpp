// SPDX-License-Identifier: Apache-2.0
// The table of the fields of a KubeletConfiguration. Source: the API reference of
// kubelet.config.k8s.io/v1beta1.
#include "kubelet_config_fields.hpp"

#include <array>

namespace kubelet_sysctl::config_parts {
namespace {

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

}  // namespace

const Struct& configuration_fields() { return kConfiguration; }

}  // namespace kubelet_sysctl::config_parts
