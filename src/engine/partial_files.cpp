// SPDX-License-Identifier: Apache-2.0
// The files of a node for somebody who may not read all of them.
#include "partial_files.hpp"

#include <algorithm>

#include "kubelet_sysctl/discover.hpp"

namespace kubelet_sysctl {
namespace {

Error read_only() {
  return {.kind = ErrorKind::kPermission, .message = "these files are only looked at"};
}

}  // namespace

bool PartialFiles::passes_over(const Error& error, const std::string& path) {
  if (error.kind != ErrorKind::kPermission || path.starts_with("/proc/")) return false;
  if (std::find(refused_.begin(), refused_.end(), path) == refused_.end()) refused_.push_back(path);
  return true;
}

Result<SourceFile> PartialFiles::read(const std::string& path) {
  auto file = files_.read(path);
  if (file || !passes_over(file.error(), path)) return file;
  SourceFile absent;
  absent.path = absent.real_path = path;
  return absent;
}

Result<std::string> PartialFiles::read_part(const std::string& path, std::uint64_t offset,
                                            std::size_t most) {
  // A program that may not be read leaves its release unknown, and nothing else.
  auto* reader = dynamic_cast<PartReader*>(&files_);
  return reader == nullptr ? Result<std::string>(std::string())
                           : reader->read_part(path, offset, most);
}

Status PartialFiles::read_lines(const std::string& path, const TakeLine& take) {
  return kubelet_sysctl::read_lines(files_, path, take);
}

Result<std::vector<DirEntry>> PartialFiles::list(const std::string& path) {
  auto entries = files_.list(path);
  if (entries || !passes_over(entries.error(), path)) return entries;
  return std::vector<DirEntry>{};
}

Result<std::optional<DirEntry>> PartialFiles::look(const std::string& path) {
  auto entry = files_.look(path);
  if (entry || !passes_over(entry.error(), path)) return entry;
  return std::optional<DirEntry>();
}

Result<std::string> PartialFiles::real_path(const std::string& path) {
  auto real = files_.real_path(path);
  if (real || !passes_over(real.error(), path)) return real;
  return path;
}

Result<WriteMode> PartialFiles::replace(const SourceFile&, const std::string&) {
  return read_only();
}

Result<std::unique_ptr<StagedWrite>> PartialFiles::stage(const SourceFile&, const std::string&) {
  return read_only();
}

Result<FileTraits> PartialFiles::traits_of(const SourceFile&) { return read_only(); }

Status PartialFiles::remove(const SourceFile&, bool) { return read_only(); }

Status PartialFiles::sweep(const std::string&) { return read_only(); }

Status PartialFiles::remove_folder(const std::string&) { return read_only(); }

Status PartialFiles::make_directory(const std::string&, std::uint32_t) { return read_only(); }

Result<std::unique_ptr<FileLock>> PartialFiles::lock(const std::string&, Milliseconds,
                                                     const std::string&) {
  return read_only();
}

Result<NodeSnapshot> discover_partly(Ports& ports, const DiscoverOptions& options) {
  PartialFiles files(ports.files);
  Ports partial{.files = files,
                .services = ports.services,
                .health = ports.health,
                .clock = ports.clock,
                .log = ports.log,
                .kernel = ports.kernel,
                .programs = ports.programs};
  auto snapshot = discover(partial, options);
  if (snapshot) snapshot->unreadable = files.refused();
  return snapshot;
}

}  // namespace kubelet_sysctl
