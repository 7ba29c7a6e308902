// SPDX-License-Identifier: Apache-2.0
// The system calls by which the program changes files, each of which a test can let fail or be the last.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "faults/volume.hpp"

namespace kubelet_sysctl {

enum class FaultKind {
  kNone,       ///< calls are only counted
  kOnce,       ///< one call fails
  kForGood,    ///< it and every later one fail
  kFullDisk,   ///< from there on the disk has no room: what needs none still works
  kShort,      ///< if it is a write, it writes a half, as write(2) may
  kMeanwhile,  ///< just before the call another process does something: `on_death`
  kDeath,      ///< the program ends there: neither this call nor a later one has an effect
};

struct Fault {
  FaultKind kind = FaultKind::kNone;
  std::size_t number = 0;  ///< of the call, from 1
  int error = 0;           ///< errno for kOnce and kForGood
};

/// What is between the program and the kernel. There is one: the linker leads each of the calls here
/// (--wrap), from whichever program.
class SystemCalls {
 public:
  static SystemCalls& instance();

  /// From now on the calls on what is below `root`, but not below its /proc, are counted and the fault
  /// strikes. What succeeds is told to `volume`; `on_death` is called when kDeath or kMeanwhile strikes.
  void watch(const std::string& root, const Fault& fault, Volume* volume = nullptr,
             std::function<void()> on_death = {});
  /// Every call is passed on, none is counted.
  void rest() { watching_ = false; }

  /// Calls since watch(), those that failed too: "renameat /etc/default/kubelet".
  [[nodiscard]] const std::vector<std::string>& calls() const { return calls_; }
  /// Those of them that need room on the disk, by their number from 0.
  [[nodiscard]] const std::vector<bool>& need_room() const { return need_room_; }
  /// Whether a call was made to fail since watch().
  [[nodiscard]] bool has_struck() const { return struck_; }

  /// What a call of the program needs to be reported. The place is a path, or empty when it does not count.
  [[nodiscard]] std::string place(int directory, const char* name) const;
  [[nodiscard]] std::string place(int fd) const;
  /// Notes the call; errno when it must fail, else 0. `room`: it needs blocks of the disk.
  int note(const char* call, const std::string& place, bool room);
  /// How many of `size` bytes a write to `fd` at `offset` may write, or -1 and errno.
  long note_write(int fd, std::size_t size, long offset);
  [[nodiscard]] Volume* volume() const { return volume_; }

 private:
  bool watching_ = false;
  std::string root_;
  Fault fault_;
  Volume* volume_ = nullptr;
  std::function<void()> on_death_;
  std::vector<std::string> calls_;
  std::vector<bool> need_room_;
  bool struck_ = false;
};

}  // namespace kubelet_sysctl
