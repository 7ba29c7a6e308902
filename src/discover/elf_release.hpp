// SPDX-License-Identifier: Apache-2.0
// The release that a program of Kubernetes carries in itself, read without starting it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::discover {

/// True for the beginning of a program that the kernel runs itself. A script begins with "#!" and may
/// start anything. Source: elf(5), execve(2).
bool is_elf(std::string_view bytes);

/// True when the file at `path` is such a program; false also where it cannot be read.
bool is_elf_program(ports::FileSystem& files, const std::string& path);

/// False for a file that is empty or may not be read.
bool can_read_program(ports::FileSystem& files, const std::string& path);

/// Every release like "v1.32.13" or "v1.33.5+k3s1" that is alone in the read-only data of the
/// program at `path`, each once. Nothing in it where the file is no 64-bit ELF program with section
/// headers.
std::vector<std::string> releases_in_program(ports::FileSystem& files, const std::string& path);

/// The one release among `releases`; of several the only one that ends in a build like "+k3s1", as the
/// programs that run a kubelet carry the releases of other programs too. Nothing where it is not clear.
std::optional<sysctl::KubeletVersion> only_release(const std::vector<std::string>& releases);

}  // namespace kubelet_sysctl::discover
