// SPDX-License-Identifier: Apache-2.0
// What must hold after a fault, a kill or a power cut, and how often it did not.
#pragma once

#include <cstddef>
#include <string>

#include "faults/scenarios.hpp"
#include "kubelet_sysctl/pods/verdicts.hpp"

namespace kubelet_sysctl {

/// Counts, and one line of them at the end: on standard output, and added to the file that the
/// environment variable FAULT_COUNTS names.
class Tally {
 public:
  explicit Tally(std::string what) : what_(std::move(what)) {}
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;
  ~Tally();

  void point(const std::string& where);
  void lost(const std::string& text) { violation(lost_, "lost", text); }
  void mixed(const std::string& text) { violation(mixed_, "mixed", text); }
  void left(const std::string& text) { violation(left_, "left", text); }
  void untrue(const std::string& text) { violation(untrue_, "untrue", text); }
  void stranded(const std::string& text) { violation(stranded_, "stranded", text); }
  /// Told to a person, with the way back, because the disk stays broken: no failure.
  void given_up() { ++given_up_; }
  [[nodiscard]] std::size_t points() const { return points_; }

 private:
  void violation(std::size_t& count, const char* kind, const std::string& text);

  std::string what_;
  std::string where_;
  std::size_t points_ = 0;
  std::size_t lost_ = 0;
  std::size_t mixed_ = 0;
  std::size_t left_ = 0;
  std::size_t untrue_ = 0;
  std::size_t stranded_ = 0;
  std::size_t given_up_ = 0;
};

/// What may be although it should not, since the fault hinders the way back too.
struct Excuse {
  bool strands = false;  ///< the change can end stranded
  bool leaves = false;   ///< temporary files can stay
  bool may_be_mixed =
      false;  ///< a recovery that failed, with the record open, can leave some files old
};

/// Judges one node again and again.
class Verdict {
 public:
  Verdict(const VerdictContext& context, Tally& tally) : context_(context), tally_(tally) {}

  /// What must hold when the program has ended and told.
  void of_run(Node& node, const Image& image, const Told& told, const Excuse& excuse);
  /// What must hold of the state that it left, which is the same after many a fault: the kubelet that the
  /// run claims, then as of_recovery().
  void of_state(Node& node, const Told& told);
  /// Runs recover() and says what must hold then; ends a trial that runs, and makes one more change.
  void of_recovery(Node& node);

 private:
  void of_files(Node& node, const Contents& now);
  void of_kubelet(Node& node);
  void of_records(Node& node, const Contents& now, const Told& told);
  void of_trial(Node& node);
  void of_next_change(Node& node);

  const VerdictContext& context_;
  Tally& tally_;
};

}  // namespace kubelet_sysctl
