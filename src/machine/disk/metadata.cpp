// SPDX-License-Identifier: Apache-2.0
// Reads, gives and copies owner, mode and extended attributes.
#include "disk/metadata.hpp"

#include <linux/limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kubelet_sysctl/base/error.hpp"
#include "kubelet_sysctl/base/source.hpp"
#include "kubelet_sysctl/machine/disk/rooted_paths.hpp"
#include "kubelet_sysctl/machine/fd.hpp"

namespace kubelet_sysctl::machine {
namespace {

using Names = std::vector<std::string>;

/// Names of the attributes of `fd`; none on a file system that has no attributes.
Result<Names> attribute_names(int fd, const std::string& path) {
  std::string list(XATTR_LIST_MAX, '\0');
  const ssize_t size = ::flistxattr(fd, list.data(), list.size());
  if (size < 0 && errno == ENOTSUP) return Names{};
  if (size < 0) return errno_error(errno, path, "cannot list the extended attributes");
  Names names;
  std::string_view rest(list.data(), static_cast<std::size_t>(size));
  while (!rest.empty()) {
    names.emplace_back(rest.substr(0, rest.find('\0')));
    rest.remove_prefix(std::min(rest.size(), names.back().size() + 1));
  }
  return names;
}

/// Value of an attribute, or nothing and errno.
std::optional<std::string> attribute(int fd, const std::string& name) {
  std::string value(XATTR_SIZE_MAX, '\0');
  const ssize_t size = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
  if (size < 0) return std::nullopt;
  value.resize(static_cast<std::size_t>(size));
  return value;
}

// Hashes of the old content. The kernel keeps these two itself and rewrites them for the new
// bytes (Documentation/ABI/testing/evm, ima_policy); a copy would lock the file.
bool describes_content(const std::string& name) {
  return name == "security.ima" || name == "security.evm";
}

bool has(const std::vector<ExtendedAttribute>& attributes, const std::string& name) {
  return std::any_of(attributes.begin(), attributes.end(),
                     [&](const ExtendedAttribute& one) { return one.name == name; });
}

// A label that cannot be given is an error and not a warning: with a wrong SELinux type the manager
// may be denied to read the file, and then the kubelet starts without its arguments, or not at all.
Status give_attributes(int to, const std::vector<ExtendedAttribute>& wanted,
                       const std::string& path) {
  auto present = attribute_names(to, path);
  if (!present) return std::move(present).error();
  // A new file inherits the default ACL of its directory; the old one may not have had it.
  for (const std::string& name : *present) {
    if (has(wanted, name) || name.starts_with("security.")) continue;
    if (::fremovexattr(to, name.c_str()) != 0 && errno != ENODATA && errno != ENOTSUP) {
      return errno_error(errno, path, fmt::format("cannot drop the attribute '{}'", name));
    }
  }
  for (const auto& [name, value] : wanted) {
    // Policy may forbid to set what the new file has got from its directory anyway.
    if (attribute(to, name) == value) continue;
    if (::fsetxattr(to, name.c_str(), value.data(), value.size(), 0) == 0) continue;
    if (errno == ENOTSUP) continue;
    return errno_error(errno, path, fmt::format("cannot keep the attribute '{}'", name));
  }
  return {};
}

}  // namespace

Result<std::vector<ExtendedAttribute>> attributes_of(int fd, const std::string& path) {
  auto names = attribute_names(fd, path);
  if (!names) return std::move(names).error();
  std::vector<ExtendedAttribute> attributes;
  for (std::string& name : *names) {
    if (describes_content(name)) continue;
    auto value = attribute(fd, name);
    if (!value && errno == ENODATA) continue;
    if (!value)
      return errno_error(errno, path, fmt::format("cannot read the attribute '{}'", name));
    attributes.push_back({.name = std::move(name), .value = std::move(*value)});
  }
  return attributes;
}

Status give_metadata(int to, const FileMeta& meta, const std::string& path) {
  struct stat now = {};
  if (::fstat(to, &now) != 0) return errno_error(errno, path, "cannot inspect the temporary file");
  const bool other_owner = now.st_uid != meta.uid || now.st_gid != meta.gid;
  // The owner first: fchown(2) takes set-ID bits and security.capability away.
  if (other_owner && ::fchown(to, meta.uid, meta.gid) != 0) {
    return errno_error(errno, path, "cannot keep the owner");
  }
  auto given = give_attributes(to, meta.attributes, path);
  if (!given) return given;
  // The mode last: until now nobody but the owner could open it. With an ACL the group bits are its
  // mask, and the given ones are the same mask (acl(5)).
  if (::fchmod(to, meta.mode) != 0) return errno_error(errno, path, "cannot keep the mode");
  return {};
}

Status copy_metadata(int from, int to, const struct stat& facts, const std::string& path) {
  FileMeta meta = meta_of(facts);
  auto attributes = attributes_of(from, path);
  if (!attributes) return std::move(attributes).error();
  meta.attributes = std::move(*attributes);
  return give_metadata(to, meta, path);
}

}  // namespace kubelet_sysctl::machine
