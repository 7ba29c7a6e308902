// SPDX-License-Identifier: Apache-2.0
// The smallest file that looks like a program of Go with a release linked into it.
#pragma once

#include <cstdint>
#include <string>

namespace kubelet_sysctl {

/// A 64-bit little-endian ELF file whose .rodata holds `data` after 8 NULs, and a NUL. Source: elf(5).
inline std::string elf_with_data(const std::string& data) {
  const auto number = [](std::uint64_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xffU);
    return bytes;
  };
  const std::string rodata = std::string(8, '\0') + data + '\0';
  const std::string names = std::string("\0.rodata\0.shstrtab\0", 19);
  const std::uint64_t names_at = 64 + rodata.size();
  const std::uint64_t table_at = names_at + names.size();
  const auto section = [&](std::uint64_t name, std::uint64_t at, std::uint64_t size) {
    return number(name, 4) + std::string(20, '\0') + number(at, 8) + number(size, 8) +
           std::string(24, '\0');
  };
  std::string head = "\177ELF\x02\x01\x01";
  head.resize(40, '\0');
  head += number(table_at, 8);
  head.resize(58, '\0');
  head += number(64, 2) + number(3, 2) + number(2, 2);
  return head + rodata + names + section(0, 0, 0) + section(1, 64, rodata.size()) +
         section(9, names_at, names.size());
}

}  // namespace kubelet_sysctl
