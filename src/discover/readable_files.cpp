// SPDX-License-Identifier: Apache-2.0
// The files of a node for a user who may not read all of them.
#include "readable_files.hpp"

#include <algorithm>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/base/time.hpp"
#include "kubelet_sysctl/discover/discover.hpp"
#include "kubelet_sysctl/nodes/snapshot.hpp"
#include "kubelet_sysctl/ports/part_reader.hpp"
#include "kubelet_sysctl/ports/ports.hpp"

namespace kubelet_sysctl::discover {
namespace {

Error read_only() {
  return {.kind = ErrorKind::kPermission, .message = "these files are only inspected"};
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
  auto* reader = dynamic_cast<ports::PartReader*>(&files_);
  return reader == nullptr ? Result<std::string>(std::string())
                           : reader->read_part(path, offset, most);
}

Status PartialFiles::read_lines(const std::string& path, const ports::TakeLine& take) {
  return ports::read_lines(files_, path, take);
}

Result<std::vector<ports::DirEntry>> PartialFiles::list(const std::string& path) {
  auto entries = files_.list(path);
  if (entries || !passes_over(entries.error(), path)) return entries;
  return std::vector<ports::DirEntry>{};
}

Result<std::optional<ports::DirEntry>> PartialFiles::stat(const std::string& path) {
  auto entry = files_.stat(path);
  if (entry || !passes_over(entry.error(), path)) return entry;
  return std::optional<ports::DirEntry>();
}

Result<std::string> PartialFiles::real_path(const std::string& path) {
  auto real = files_.real_path(path);
  if (real || !passes_over(real.error(), path)) return real;
  return path;
}

Result<ports::WriteMode> PartialFiles::replace(const SourceFile&, const SharedText&) {
  return read_only();
}

Result<std::unique_ptr<ports::StagedWrite>> PartialFiles::stage(const SourceFile&,
                                                                const SharedText&) {
  return read_only();
}

Result<ports::FileTraits> PartialFiles::traits_of(const SourceFile&) { return read_only(); }

Status PartialFiles::remove(const SourceFile&, bool) { return read_only(); }

Status PartialFiles::sweep(const std::string&) { return read_only(); }

Status PartialFiles::remove_folder(const std::string&) { return read_only(); }

Status PartialFiles::make_directory(const std::string&, std::uint32_t) { return read_only(); }

Result<std::unique_ptr<ports::FileLock>> PartialFiles::lock(const std::string&, Milliseconds,
                                                            const std::string&) {
  return read_only();
}

Result<nodes::NodeSnapshot> discover_partly(ports::Ports& ports, const DiscoverOptions& options) {
  PartialFiles files(ports.files);
  ports::Ports partial{.files = files,
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

}  // namespace kubelet_sysctl::discover
