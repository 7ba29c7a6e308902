// SPDX-License-Identifier: Apache-2.0
// Asks the live kubelet for the configuration that it runs with: by curl on this machine with a client
// certificate, or by kubectl through the API server. This program has no TLS of its own.
#include "ask_configz.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/process.hpp"
#include "kubelet_sysctl/discover/sockets.hpp"
#include "kubelet_sysctl/kubelet/configz.hpp"
#include "kubelet_sysctl/model/kubelet_port.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/boot_id.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {
namespace {

constexpr Milliseconds kDeadline{10'000};
/// The same for the program itself, which then says why; shorter than ours.
constexpr std::string_view kOwnDeadline = "8";
/// So long after its start a kubelet may not serve yet, and the API server not know its new boot.
constexpr std::int64_t kSettleMs = 10'000;
constexpr Milliseconds kStep{500};

/// Credentials that lie on a node, the nearest first. Sources: kubeadm, "PKI certificates and
/// requirements"; K3s and RKE2, "Cluster Access".
constexpr std::string_view kKubeadmCertificate = "/etc/kubernetes/pki/apiserver-kubelet-client.crt";
constexpr std::string_view kKubeadmKey = "/etc/kubernetes/pki/apiserver-kubelet-client.key";
constexpr std::array<std::string_view, 3> kKubeconfigs = {
    "/etc/kubernetes/admin.conf", "/etc/rancher/k3s/k3s.yaml", "/etc/rancher/rke2/rke2.yaml"};
/// Where kubectl is; the first is searched for where the system keeps its programs.
constexpr std::array<std::string_view, 5> kKubectl = {"kubectl", "/usr/local/bin/kubectl",
                                                      "/opt/bin/kubectl", "/snap/bin/kubectl",
                                                      "/var/lib/rancher/rke2/bin/kubectl"};

class Asker {
 public:
  Asker(ports::Ports& ports, const kubelet::ConfigzQuestion& question,
        const nodes::NodeSnapshot& snapshot)
      : ports_(ports), question_(question), snapshot_(snapshot) {}

  kubelet::ConfigzSeen run() {
    if (!question_.wanted) return {};
    if (auto status = find_credentials(); !status) return unseen(status.error());
    const std::int64_t patient_until = snapshot_.process->started_at_ms + kSettleMs;
    for (;;) {
      auto entries = ask();
      if (entries) return seen(std::move(*entries));
      const bool final = is_final(entries.error()) || ports_.clock.interrupted() ||
                         ports_.clock.wall_ms() >= patient_until;
      if (final) return unseen(entries.error());
      const TimePoint next = ports_.clock.now() + kStep;
      if (ports_.clock.wait_until(next, snapshot_.process->pid)) return unseen(entries.error());
    }
  }

 private:
  static kubelet::ConfigzSeen unseen(const Error& error) {
    return {.entries = std::nullopt, .why = error.message};
  }

  /// The answer, if it can only be of the process that was read before.
  kubelet::ConfigzSeen seen(std::vector<std::string> entries) {
    const auto now = read_process(ports_.files, snapshot_.process->pid);
    const bool same = now && *now && (*now)->start_ticks == snapshot_.process->start_ticks;
    if (!same) return {.entries = std::nullopt, .why = "the kubelet was started again meanwhile"};
    return {.entries = std::move(entries), .why = {}};
  }

  /// What asking again does not fix: no program, no permission, another node.
  static bool is_final(const Error& error) {
    if (error.kind != ErrorKind::kIo && error.kind != ErrorKind::kTimeout) return true;
    constexpr std::array<std::string_view, 8> kRefusals = {
        "error: 401", "error: 403",   "error: 404", "error: 405",
        "Forbidden",  "Unauthorized", "(NotFound)", "certificate"};
    return std::any_of(kRefusals.begin(), kRefusals.end(), [&](std::string_view words) {
      return error.message.find(words) != std::string::npos;
    });
  }

  bool is_there(std::string_view path) {
    const auto real = ports_.files.real_path(std::string(path));
    const auto entry = ports_.files.stat(real ? *real : std::string(path));
    return entry && *entry && (*entry)->kind == ports::EntryKind::kFile;
  }

  Status find_credentials() {
    credentials_ = question_;
    if (!credentials_.certificate.empty() || !credentials_.kubeconfig.empty()) return {};
    if (is_there(kKubeadmCertificate) && is_there(kKubeadmKey)) {
      credentials_.certificate = kKubeadmCertificate;
      credentials_.key = kKubeadmKey;
      return {};
    }
    const auto found = std::find_if(kKubeconfigs.begin(), kKubeconfigs.end(),
                                    [this](std::string_view path) { return is_there(path); });
    if (found != kKubeconfigs.end()) {
      credentials_.kubeconfig = *found;
      return {};
    }
    return Error{.kind = ErrorKind::kNotFound,
                 .message =
                     "no credentials are at hand: name some with '--kubeconfig', or with "
                     "'--client-certificate' and '--client-key'"};
  }

  Result<std::vector<std::string>> ask() {
    return credentials_.certificate.empty() ? ask_by_kubectl() : ask_by_curl();
  }

  /// Words of the kubelet: of the process, or what its launcher says of it.
  [[nodiscard]] const std::vector<std::string>& words() const {
    return snapshot_.logged_argv ? *snapshot_.logged_argv : snapshot_.process->argv;
  }

  /// curl shall not check the server's certificate, which names the host and is often signed by nobody.
  /// What makes the answer the kubelet's is that only its own socket can take the connection, on this
  /// machine. Where that cannot be seen, it is not asked.
  Result<std::vector<std::string>> ask_by_curl() {
    const std::int64_t pid = snapshot_.process->pid;
    const int port = model::kubelet_port_of(snapshot_, words());
    if (!shares_network(ports_.files, pid).value_or(false)) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .message = "the kubelet was not seen in the network namespace of this program"};
    }
    auto address = own_address(ports_.files, pid, port);
    if (!address) return std::move(address).error();
    if (!*address) {
      return Error{.kind = ErrorKind::kIo,
                   .message = fmt::format("the kubelet does not listen on port {}, or another "
                                          "process listens there too",
                                          port)};
    }
    const bool is_v6 = (*address)->find(':') != std::string::npos;
    const std::string host = is_v6 ? "[" + **address + "]" : **address;
    // A colon would begin a password: curl(1), --cert.
    std::string certificate;
    for (const char byte : credentials_.certificate) {
      if (byte == ':' || byte == '\\') certificate += '\\';
      certificate += byte;
    }
    // --disable first: no .curlrc of root's has a say.
    const auto said = ports_.programs.output_of(
        "curl",
        {"--disable", "--silent", "--show-error", "--fail", "--noproxy", "*", "--insecure",
         "--max-time", std::string(kOwnDeadline), "--cert", certificate, "--key", credentials_.key,
         fmt::format("https://{}:{}/configz", host, port)},
        kDeadline);
    if (!said) return said.error();
    return kubelet::parse_configz(*said);
  }

  /// The API server is asked for the node first: a name may be another machine's, its boot id is not.
  Result<std::vector<std::string>> ask_by_kubectl() {
    const auto hostname = ports_.files.read("/proc/sys/kernel/hostname");
    const auto name =
        kubelet::node_name_of(words(), hostname ? hostname->bytes.str() : std::string());
    if (!name) {
      return Error{.kind = ErrorKind::kUnsupported,
                   .message = "the name of this node in its cluster is unknown"};
    }
    const std::string node = "/api/v1/nodes/" + *name;
    const auto object = by_kubectl(node);
    if (!object) return object.error();
    const auto boot_id = kubelet::boot_id_in(*object);
    if (!boot_id || *boot_id != ports::boot_id_of(ports_)) {
      // Until the kubelet has reported a new boot, the server has the old id: worth another try.
      return Error{
          .kind = ErrorKind::kIo,
          .message = fmt::format(
              "the node '{}' of that cluster is not this machine: its boot id is another", *name)};
    }
    const auto said = by_kubectl(node + "/proxy/configz");
    if (!said) return said.error();
    return kubelet::parse_configz(*said);
  }

  Result<std::string> by_kubectl(const std::string& path) {
    const std::vector<std::string> arguments = {"--kubeconfig",
                                                credentials_.kubeconfig,
                                                fmt::format("--request-timeout={}s", kOwnDeadline),
                                                "get",
                                                "--raw",
                                                path};
    for (const std::string_view program : kKubectl) {
      auto said = ports_.programs.output_of(std::string(program), arguments, kDeadline);
      if (said || said.error().kind != ErrorKind::kNotFound) return said;
    }
    return Error{.kind = ErrorKind::kNotFound, .message = "there is no kubectl on this node"};
  }

  ports::Ports& ports_;
  const kubelet::ConfigzQuestion& question_;
  const nodes::NodeSnapshot& snapshot_;
  kubelet::ConfigzQuestion credentials_;
};

}  // namespace

void ask_configz(ports::Ports& ports, const kubelet::ConfigzQuestion& question,
                 nodes::NodeSnapshot& snapshot) {
  snapshot.configz.reset();
  if (!question.wanted || !snapshot.live || !snapshot.process) return;
  snapshot.configz = Asker(ports, question, snapshot).run();
}

}  // namespace kubelet_sysctl::discover
