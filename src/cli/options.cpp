// SPDX-License-Identifier: Apache-2.0
// Options that need or exclude one another.
#include "options.hpp"

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/kubelet/configz.hpp"
#include "values.hpp"

namespace kubelet_sysctl::cli {

Status check_trial(const Options& options) {
  if (!options.trial) return {};
  if (!options.restart) {
    return usage_error("'--trial' and '--no-restart' do not go together",
                       "a trial begins when the kubelet was seen with the new list");
  }
  if (!options.rollback) {
    return usage_error("'--trial' and '--no-rollback' do not go together",
                       "a trial is a change that is put back");
  }
  if (!options.is_live()) {
    return usage_error("'--trial' and '--root' do not go together",
                       "a timer of the running node's systemd ends a trial");
  }
  return {};
}

Status check_configz(const Options& options) {
  const kubelet::ConfigzQuestion& configz = options.configz;
  const bool pair = !configz.certificate.empty() || !configz.key.empty();
  if (!configz.wanted) {
    if (configz.kubeconfig.empty() && !pair) return {};
    return usage_error("credentials have no meaning without '--configz'",
                       "they are for the question to the live kubelet");
  }
  if (!options.is_live()) {
    return usage_error("'--configz' and '--root' do not go together",
                       "a tree of files has no kubelet that could be asked");
  }
  if (configz.certificate.empty() != configz.key.empty()) {
    return usage_error("'--client-certificate' and '--client-key' need each other", {});
  }
  if (pair && !configz.kubeconfig.empty()) {
    return usage_error("'--kubeconfig' and '--client-certificate' do not go together",
                       "the one asks through the API server, the other the kubelet itself");
  }
  return {};
}

}  // namespace kubelet_sysctl::cli
