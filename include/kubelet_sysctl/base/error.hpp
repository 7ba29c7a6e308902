// SPDX-License-Identifier: Apache-2.0
// How a function of this project fails: Error with a place and a fix, Result<T> and Status.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "kubelet_sysctl/base/advice.hpp"

namespace kubelet_sysctl {
inline namespace base {

/// What sort of failure an Error is. The exit code of each is in outcome.hpp.
enum class ErrorKind {
  kUsage,        ///< the command line asks for something that has no meaning
  kBadEntry,     ///< a desired entry is not even spelt like a sysctl
  kMalformed,    ///< a file does not have the form its reader needs
  kNotFound,     ///< a unit, file or transaction that must exist does not
  kPermission,   ///< the machine says no: EACCES, EPERM, EROFS
  kUnsupported,  ///< the tool will not: it cannot prove the edit safe
  kRefused,      ///< the tool will not: a rule of the kubelet, or another manager owns the node
  kConflict,     ///< the disk no longer holds what was read
  kIo,           ///< any other failure of the machine
  kNoSystemd,    ///< there is no systemd to talk to
  kTimeout,      ///< a deadline passed
  kLocked,       ///< another run holds the lock
  kInterrupted,  ///< a signal asked for the end before anything was written
};

/// The word that JSON uses for a kind: "usage", "bad-entry", "malformed", …
const char* name_of(ErrorKind kind);

/// A failure: what failed, where, and what to do. `message` is lower case, without a full stop, names
/// in single quotes, errno text last.
struct Error {
  ErrorKind kind = ErrorKind::kIo;
  std::string message = {};
  std::string path = {};     ///< as the node names it, without --root; empty when there is no place
  std::size_t line = 0;      ///< from 1; 0 when unknown
  std::size_t column = 0;    ///< in bytes from 1; 0 when unknown
  std::string excerpt = {};  ///< the line of the file that the caret goes under; may be empty
  std::size_t width = 1;     ///< bytes that the caret covers
  std::string hint = {};     ///< what a person does next; may be empty
  std::string detail = {};   ///< more lines, a diff say, each with its line end; may be empty
  std::optional<Advice> advice = {};  ///< what to do elsewhere instead
  int number = 0;                     ///< errno of the system call that failed; 0 where none did
  /// What code must tell from other errors of its kind: kNoHeader; usually empty.
  std::string_view id = {};
  std::string entry = {};  ///< the entry of a list that it is about
};

/// Aborts with its location: a broken invariant of our own, never a condition of the machine.
[[noreturn]] void bug(const char* what, const char* file = __builtin_FILE(),
                      int line = __builtin_LINE());

/// A T or an Error.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT: conversion is the point
  Result(Error error) : state_(std::move(error)) {}  // NOLINT
  explicit operator bool() const { return std::holds_alternative<T>(state_); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(value()); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const& {
    const Error* held = std::get_if<Error>(&state_);
    if (held == nullptr) bug("error() of a Result that holds a value");
    return *held;
  }
  Error error() && {
    Error* held = std::get_if<Error>(&state_);
    if (held == nullptr) bug("error() of a Result that holds a value");
    return std::move(*held);
  }

 private:
  T& value() {
    T* held = std::get_if<T>(&state_);
    if (held == nullptr) bug("value of a Result that holds an error");
    return *held;
  }
  const T& value() const {
    const T* held = std::get_if<T>(&state_);
    if (held == nullptr) bug("value of a Result that holds an error");
    return *held;
  }
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : state_(std::move(error)) {}  // NOLINT: conversion is the point
  explicit operator bool() const { return std::holds_alternative<std::monostate>(state_); }
  const Error& error() const& {
    const Error* held = std::get_if<Error>(&state_);
    if (held == nullptr) bug("error() of a Status that is good");
    return *held;
  }
  Error error() && {
    Error* held = std::get_if<Error>(&state_);
    if (held == nullptr) bug("error() of a Status that is good");
    return std::move(*held);
  }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace base
}  // namespace kubelet_sysctl
