// SPDX-License-Identifier: Apache-2.0
// A program on the pretend node that runs the kubelet: inside it, or as its child.
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/strings.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/model/kubelet_command.hpp"
#include "kubelet_sysctl/model/model.hpp"
#include "kubelet_sysctl/nodes/launcher.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "support/fake_services.hpp"

namespace kubelet_sysctl {

void FakeServices::take_host(const nodes::NodeSnapshot& snapshot, const model::NodeModel& model,
                             Kubelet& made) {
  const nodes::KubeletLauncher* host = model::launcher_of(snapshot);
  if (host == nullptr || host->log_mark.empty() == (host->place == nodes::KubeletPlace::kInside))
    return;
  const std::vector<std::string> flags(model.argv.begin() + 1, model.argv.end());
  made.host_argv = made.argv;
  made.log = fmt::format("level=info msg=\"Running kubelet {}\"", joined(flags, " "));
  made.log_file = model::launcher_log_file(snapshot);
  made.is_child = host->place == nodes::KubeletPlace::kChild;
  if (made.is_child) {
    made.argv = model.argv;
    made.argv.front() = "/var/lib/rancher/rke2/data/v1/bin/kubelet";
  }
  for (const SourceFile& file : snapshot.files) {
    if (file.exists() && file.path.ends_with("-defaults.conf")) made.defaults = file.path;
  }
}

/// What a host does between its own start and that of its kubelet.
void FakeServices::start_hosted() {
  if (kubelet_->host_argv.empty()) return;
  constexpr Milliseconds kTakes{300};
  now_ += kTakes;
  const std::string& defaults = kubelet_->defaults;
  if (!defaults.empty()) {
    std::ifstream file(root_ + defaults, std::ios::binary);
    write(defaults, {std::istreambuf_iterator<char>(file), {}});
  }
  say(kubelet_->log, Milliseconds(0));
  if (kubelet_->is_child) start_child();
}

void FakeServices::start_child() {
  child_at_.reset();
  kubelet_->process.argv = kubelet_->host_argv;
  kubelet_->started = now_;
  FakeProcess child;
  child.pid = next_pid_++;
  child.start_ticks = static_cast<std::uint64_t>(
      std::chrono::duration_cast<Milliseconds>(now_.time_since_epoch()).count() / 10);
  child.control_group = kubelet_->process.control_group;
  kubelet_->child = child;
  show_process();
}

void FakeServices::end_child() {
  std::filesystem::create_directories(
      std::filesystem::path(root_ + kubelet_->log_file).parent_path());
  std::ofstream log(root_ + kubelet_->log_file, std::ios::app);
  for (const std::string& text : kubelet_->how.last_words) log << text << '\n';
  remove_process(root_, kubelet_->child->pid);
  kubelet_->child.reset();
  child_at_ = now_ + std::chrono::seconds(5);
}

Result<std::optional<ports::LoggedLine>> FakeServices::first_line_with(
    const std::string&, const std::string& invocation, const std::string& mark,
    std::int64_t since_ms) {
  for (const Line& line : journal_) {
    const bool meant = line.invocation == invocation && line.readable <= now_;
    // The time of a process is that of a tick.
    constexpr std::int64_t kTick = 20;
    if (!meant || line.at_ms + kTick < since_ms) continue;
    if (line.text.find(mark) == std::string::npos) continue;
    return std::optional<ports::LoggedLine>({.at_ms = line.at_ms, .text = line.text});
  }
  return std::optional<ports::LoggedLine>();
}

}  // namespace kubelet_sysctl
