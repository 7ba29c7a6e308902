// SPDX-License-Identifier: Apache-2.0
// A FileSystem that fails on demand.
#include "support/faulty_files.hpp"
#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

#include <algorithm>
#include <utility>

namespace kubelet_sysctl {

/// Notes the commit of what was staged.
class FaultyFiles::Staged final : public ports::StagedWrite {
 public:
  Staged(FaultyFiles& files, std::string path, std::unique_ptr<ports::StagedWrite> staged)
      : files_(files), path_(std::move(path)), staged_(std::move(staged)) {}

  Result<ports::WriteMode> commit() override {
    if (auto error = files_.note("commit", path_, true)) return std::move(*error);
    return staged_->commit();
  }

 private:
  FaultyFiles& files_;
  std::string path_;
  std::unique_ptr<ports::StagedWrite> staged_;
};

void FaultyFiles::fail(std::size_t number, Calls which, Error error, bool for_good) {
  heal();
  number_ = number;
  which_ = which;
  for_good_ = for_good;
  error_ = std::move(error);
}

void FaultyFiles::heal() {
  calls_.clear();
  number_ = 0;
  failed_ = 0;
}

std::size_t FaultyFiles::count(Calls which) const {
  return static_cast<std::size_t>(
      std::count_if(calls_.begin(), calls_.end(),
                    [which](const Call& one) { return which == Calls::kAll || one.changing; }));
}

std::vector<std::string> FaultyFiles::calls(Calls which) const {
  std::vector<std::string> all;
  for (const Call& one : calls_) {
    if (which == Calls::kAll || one.changing) all.push_back(one.what);
  }
  return all;
}

std::optional<Error> FaultyFiles::note(const char* verb, const std::string& path, bool changing) {
  calls_.push_back({.what = std::string(verb) + " " + path, .changing = changing});
  const bool counts = which_ == Calls::kAll || changing;
  const std::size_t now = count(which_);
  if (number_ == 0 || !counts || now < number_ || (now > number_ && !for_good_)) {
    return std::nullopt;
  }
  ++failed_;
  Error error = error_;
  error.path = path;
  return error;
}

Result<SourceFile> FaultyFiles::read(const std::string& path) {
  if (auto error = note("read", path, false)) return std::move(*error);
  return files_.read(path);
}

Result<std::vector<ports::DirEntry>> FaultyFiles::list(const std::string& path) {
  if (auto error = note("list", path, false)) return std::move(*error);
  return files_.list(path);
}

Result<std::optional<ports::DirEntry>> FaultyFiles::stat(const std::string& path) {
  if (auto error = note("look", path, false)) return std::move(*error);
  return files_.stat(path);
}

Result<std::string> FaultyFiles::real_path(const std::string& path) {
  if (auto error = note("real_path", path, false)) return std::move(*error);
  return files_.real_path(path);
}

Result<ports::WriteMode> FaultyFiles::replace(const SourceFile& before, const SharedText& bytes) {
  if (auto error = note("replace", before.path, true)) return std::move(*error);
  return files_.replace(before, bytes);
}

Result<std::unique_ptr<ports::StagedWrite>> FaultyFiles::stage(const SourceFile& before,
                                                               const SharedText& bytes) {
  if (auto error = note("stage", before.path, true)) return std::move(*error);
  auto staged = files_.stage(before, bytes);
  if (!staged) return staged;
  return std::unique_ptr<ports::StagedWrite>(
      std::make_unique<Staged>(*this, before.path, std::move(*staged)));
}

Status FaultyFiles::sweep(const std::string& path) {
  if (auto error = note("sweep", path, true)) return std::move(*error);
  return files_.sweep(path);
}

Status FaultyFiles::remove_folder(const std::string& path) {
  if (auto error = note("remove_folder", path, true)) return std::move(*error);
  return files_.remove_folder(path);
}

Result<ports::FileTraits> FaultyFiles::traits_of(const SourceFile& file) {
  if (auto error = note("traits_of", file.path, false)) return std::move(*error);
  return files_.traits_of(file);
}

Status FaultyFiles::remove(const SourceFile& before, bool and_directory) {
  if (auto error = note("remove", before.path, true)) return std::move(*error);
  return files_.remove(before, and_directory);
}

Status FaultyFiles::make_directory(const std::string& path, std::uint32_t mode) {
  if (auto error = note("make_directory", path, true)) return std::move(*error);
  return files_.make_directory(path, mode);
}

Result<std::unique_ptr<ports::FileLock>> FaultyFiles::lock(const std::string& path,
                                                           Milliseconds wait,
                                                           const std::string& note_text) {
  if (auto error = note("lock", path, true)) return std::move(*error);
  return files_.lock(path, wait, note_text);
}

}  // namespace kubelet_sysctl
