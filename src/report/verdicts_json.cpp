// SPDX-License-Identifier: Apache-2.0
// The document of `check`; docs/json-schema.json describes it.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "kubelet_sysctl/pods/verdicts.hpp"
#include "kubelet_sysctl/report/verdicts.hpp"
#include "kubelet_sysctl/sysctl/kernel_report.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::report {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }
Json or_null(const std::optional<bool>& answer) { return answer ? Json(*answer) : Json(nullptr); }

Json entry_json(const pods::EntryVerdict& one, bool verbose) {
  const auto& names = one.kernel.names;
  const auto settable = std::count_if(
      names.begin(), names.end(),
      [](const sysctl::KernelName& name) { return name.state == sysctl::KernelState::kWritable; });
  const bool counted = !names.empty() && one.kernel.state != sysctl::KernelState::kUnknown;
  Json made = {
      {"entry", one.entry},
      {"value", one.value ? Json(*one.value) : Json(nullptr)},
      {"verdict", pods::name_of(pods::worth_of(one))},
      {"accepted", or_null(one.accepted)},
      {"reason", or_null(one.reason)},
      {"acceptedByNext", one.accepted_by_next},
      {"nextReason", or_null(one.next_reason)},
      {"listed", or_null(one.listed)},
      {"listedBy", or_null(one.listed_by)},
      {"safeSince",
       one.safe == nullptr ? Json(nullptr) : Json(fmt::format("1.{}", one.safe->since_minor))},
      {"safe", or_null(one.safe_now)},
      {"kernel", sysctl::name_of(one.kernel.state)},
      {"kernelReason", or_null(one.kernel.why)},
      {"covers", counted ? Json{{"names", names.size()}, {"settable", settable}} : Json(nullptr)},
      {"runtimeReason", or_null(one.runtime)},
      {"namespace", sysctl::name_of(one.belongs_to)},
      {"hint", or_null(one.hint)},
      {"wide", or_null(one.wide)},
      {"wideHint", or_null(one.wide_hint)}};
  if (!verbose) return made;
  Json list = Json::array();
  for (const sysctl::KernelName& name : names) {
    list.push_back({{"name", name.name}, {"kernel", sysctl::name_of(name.state)}});
  }
  made["kernelNames"] = std::move(list);
  return made;
}

Json sysctl_json(const pods::SysctlVerdict& one) {
  return {{"name", one.sysctl.name},
          {"value", one.sysctl.value},
          {"line", one.sysctl.line == 0 ? Json(nullptr) : Json(one.sysctl.line)},
          {"admitted", or_null(one.admitted)},
          {"gate", sysctl::name_of(one.gate)},
          {"reason", or_null(one.reason)},
          {"kernel", sysctl::name_of(one.kernel)},
          {"entry", or_null(one.entry)},
          {"noEntryHelps", or_null(one.no_help)}};
}

Json pod_json(const pods::PodVerdict& one) {
  Json sysctls = Json::array();
  for (const pods::SysctlVerdict& sysctl : one.sysctls) sysctls.push_back(sysctl_json(sysctl));
  Json made = {{"file", or_null(one.pod.file)},
               {"line", one.pod.line == 0 ? Json(nullptr) : Json(one.pod.line)},
               {"kind", one.pod.kind},
               {"namespace", one.pod.pod_namespace},
               {"name", one.pod.name},
               {"admitted", or_null(one.admitted)},
               {"gate", sysctl::name_of(one.gate)},
               {"reason", or_null(one.reason)},
               {"add", one.add},
               {"sysctls", std::move(sysctls)}};
  if (one.defaults.empty()) return made;
  Json defaults = Json::array();
  for (const pods::DefaultVerdict& each : one.defaults) {
    defaults.push_back({{"name", each.name},
                        {"value", each.value},
                        {"set", or_null(each.set)},
                        {"reason", or_null(each.reason)}});
  }
  made["defaults"] = std::move(defaults);
  return made;
}

}  // namespace

std::string verdicts_json(const pods::Verdicts& verdicts, const pods::VerdictContext& context,
                          bool verbose) {
  Json made = Json::object();
  made["apiVersion"] = "kubelet-sysctl/v1";
  made["kind"] = "Verdicts";
  made["node"] = {
      {"kubeletVersion", context.version ? Json(sysctl::text_of(*context.version)) : nullptr},
      {"kubeletVersionReason", or_null(context.version_why)},
      {"newestKubelet", sysctl::text_of(sysctl::newest_known_kubelet())},
      {"kernel", or_null(context.kernel.release)},
      {"listKnown", context.list.has_value()},
      {"list", context.list.value_or(std::vector<std::string>{})},
      {"listReason", or_null(context.list_why)}};
  Json entries = Json::array();
  for (const pods::EntryVerdict& one : verdicts.entries)
    entries.push_back(entry_json(one, verbose));
  made["entries"] = std::move(entries);
  Json pods = Json::array();
  for (const pods::PodVerdict& one : verdicts.pods) pods.push_back(pod_json(one));
  made["pods"] = std::move(pods);
  made["skipped"] = verdicts.skipped;
  made["notes"] = verdicts.notes;
  // Manifests and arguments may hold bytes that are not UTF-8, and dump() would throw.
  return made.dump(-1, ' ', true, Json::error_handler_t::replace);
}

}  // namespace kubelet_sysctl::report
