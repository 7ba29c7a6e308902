// SPDX-License-Identifier: Apache-2.0
// A FileSystem that fails on demand: the Nth call, or every call from the Nth on; and what was
// called.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl {

/// Which calls are counted.
enum class Calls { kAll, kChanging };

/// Passes every call on, but for those it was told to fail. Those fail before anything happens, as
/// the port promises: after an error the old bytes remain.
class FaultyFiles final : public ports::FileSystem {
 public:
  explicit FaultyFiles(ports::FileSystem& files) : files_(files) {}

  /// Lets call `number` (from 1, counted from now) of `which` fail with `error`; with `for_good`
  /// every later one of them too. 0 fails none.
  void fail(std::size_t number, Calls which, Error error, bool for_good = false);
  /// Calls of that kind since the last fail() or heal().
  [[nodiscard]] std::size_t count(Calls which) const;
  /// No call fails from now on; counts begin again.
  void heal();
  /// Whether a call was failed since the last fail() or heal().
  [[nodiscard]] bool has_failed() const { return failed_ > 0; }
  /// "replace PATH", "stage PATH" and "commit PATH" (of what was staged), "remove PATH",
  /// "make_directory PATH", "lock PATH" and, when `which` is kAll, "read PATH" and so on: since the
  /// last fail() or heal().
  [[nodiscard]] std::vector<std::string> calls(Calls which) const;

  Result<SourceFile> read(const std::string& path) override;
  Result<std::vector<ports::DirEntry>> list(const std::string& path) override;
  Result<std::optional<ports::DirEntry>> stat(const std::string& path) override;
  Result<std::string> real_path(const std::string& path) override;
  Result<ports::WriteMode> replace(const SourceFile& before, const SharedText& bytes) override;
  Result<std::unique_ptr<ports::StagedWrite>> stage(const SourceFile& before,
                                                    const SharedText& bytes) override;
  Result<ports::FileTraits> traits_of(const SourceFile& file) override;
  Status sweep(const std::string& path) override;
  Status remove_folder(const std::string& path) override;
  Status remove(const SourceFile& before, bool and_directory) override;
  Status make_directory(const std::string& path, std::uint32_t mode) override;
  Result<std::unique_ptr<ports::FileLock>> lock(const std::string& path, Milliseconds wait,
                                                const std::string& note) override;

 private:
  class Staged;

  struct Call {
    std::string what;
    bool changing = false;
  };

  /// Notes the call; the error that it must fail with, if it must.
  std::optional<Error> note(const char* verb, const std::string& path, bool changing);

  ports::FileSystem& files_;
  std::vector<Call> calls_;
  std::size_t number_ = 0;
  Calls which_ = Calls::kAll;
  bool for_good_ = false;
  Error error_;
  std::size_t failed_ = 0;
};

}  // namespace kubelet_sysctl
