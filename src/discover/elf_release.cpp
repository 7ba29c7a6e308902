// SPDX-License-Identifier: Apache-2.0
// The release that a program of Kubernetes carries in itself, read without starting it.
//
// `go build -ldflags "-X k8s.io/component-base/version.gitVersion=v1.32.13"` puts the value into .rodata
// as a symbol of its own with a NUL behind it, aligned by its size; literals of Go have no NUL.
// Source: Go cmd/link/internal/ld/data.go addstrdata() and symalign(); Kubernetes hack/lib/version.sh.
#include "elf_release.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>

#include "kubelet_sysctl/ports/part_reader.hpp"
#include "kubelet_sysctl/ports/ports.hpp"
#include "kubelet_sysctl/sysctl/releases.hpp"

namespace kubelet_sysctl::discover {
namespace {

constexpr std::size_t kHeaderSize = 64;         // of an ELF64 file, elf(5)
constexpr std::size_t kSectionHeaderSize = 64;  // of an ELF64 section
constexpr std::size_t kMostSections = 1024;
constexpr std::size_t kMostNames = 64 * 1024;
constexpr std::size_t kChunk = 1024 * 1024;
constexpr std::size_t kLongestRelease = 64;
constexpr std::uint64_t kMostScanned = 512ULL * 1024 * 1024;

std::string part_of(ports::FileSystem& files, const std::string& path, std::uint64_t offset,
                    std::size_t most) {
  if (auto* reader = dynamic_cast<ports::PartReader*>(&files)) {
    auto bytes = reader->read_part(path, offset, most);
    return bytes ? std::move(*bytes) : std::string();
  }
  auto file = files.read(path);
  if (!file || offset >= file->bytes.size()) return {};
  return file->bytes.substr(static_cast<std::size_t>(offset), most);
}

/// A number of `size` bytes at `at`, in the byte order of the file.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size, bool little) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const std::size_t index = little ? at + size - 1 - i : at + i;
    number = (number << 8U) | static_cast<unsigned char>(bytes[index]);
  }
  return number;
}

struct Section {
  std::uint64_t name = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

Section section_at(std::string_view table, std::size_t index, bool little) {
  const std::size_t at = index * kSectionHeaderSize;
  return {.name = number_at(table, at, 4, little),
          .offset = number_at(table, at + 24, 8, little),
          .size = number_at(table, at + 32, 8, little)};
}

std::optional<Section> read_only_data(ports::FileSystem& files, const std::string& path) {
  const std::string head = part_of(files, path, 0, kHeaderSize);
  // EI_CLASS: 64 bits; EI_DATA: 1 is little-endian.
  if (head.size() < kHeaderSize || !is_elf(head) || head[4] != 2) return std::nullopt;
  const bool little = head[5] == 1;
  const std::size_t count = number_at(head, 60, 2, little);
  const std::size_t names_index = number_at(head, 62, 2, little);
  if (number_at(head, 58, 2, little) != kSectionHeaderSize) return std::nullopt;
  if (count > kMostSections || names_index >= count) return std::nullopt;
  const std::size_t size = count * kSectionHeaderSize;
  const std::string table = part_of(files, path, number_at(head, 40, 8, little), size);
  if (table.size() < size) return std::nullopt;
  const Section texts = section_at(table, names_index, little);
  if (texts.size > kMostNames) return std::nullopt;
  const std::string names =
      part_of(files, path, texts.offset, static_cast<std::size_t>(texts.size));
  for (std::size_t i = 0; i < count; ++i) {
    const Section section = section_at(table, i, little);
    if (section.name >= names.size()) continue;
    const std::string_view rest =
        std::string_view(names).substr(static_cast<std::size_t>(section.name));
    if (rest.substr(0, rest.find('\0')) == ".rodata") return section;
  }
  return std::nullopt;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  constexpr std::size_t kMostDigits = 3;
  std::size_t count = 0;
  while (at + count < text.size() && count <= kMostDigits && text[at + count] >= '0' &&
         text[at + count] <= '9') {
    ++count;
  }
  return count > kMostDigits ? 0 : count;
}

bool is_build_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '+';
}

/// Length of "v1.MINOR.PATCH", with a build behind '-' or '+', when a NUL follows; else 0.
std::size_t release_length(std::string_view text) {
  std::size_t at = 3;  // behind "v1."
  const std::size_t minor = digits_at(text, at);
  at += minor;
  if (minor == 0 || at >= text.size() || text[at] != '.') return 0;
  const std::size_t patch = digits_at(text, ++at);
  at += patch;
  if (patch == 0) return 0;
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) {
    while (at < text.size() && at < kLongestRelease && is_build_character(text[at])) ++at;
  }
  return at < text.size() && text[at] == '\0' ? at : 0;
}

}  // namespace

bool is_elf(std::string_view bytes) { return bytes.starts_with("\177ELF"); }

bool is_elf_program(ports::FileSystem& files, const std::string& path) {
  return is_elf(part_of(files, path, 0, kHeaderSize));
}

bool can_read_program(ports::FileSystem& files, const std::string& path) {
  return !part_of(files, path, 0, 1).empty();
}

std::vector<std::string> releases_in_program(ports::FileSystem& files, const std::string& path) {
  std::vector<std::string> found;
  const auto data = read_only_data(files, path);
  if (!data || data->size > kMostScanned) return found;
  constexpr std::size_t kOverlap = kLongestRelease + 8;
  constexpr std::uint64_t kAlignment = 8;
  for (std::uint64_t done = 0; done < data->size; done += kChunk) {
    const std::uint64_t left = data->size - done;
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunk));
    const std::size_t more =
        static_cast<std::size_t>(std::min<std::uint64_t>(left - most, kOverlap));
    // The overlap makes a release on the border of two pieces whole; one byte before it says how it begins.
    const std::uint64_t before = done == 0 ? 0 : 1;
    const std::string bytes = part_of(files, path, data->offset + done - before,
                                      most + more + static_cast<std::size_t>(before));
    for (std::size_t at = bytes.find("v1."); at != std::string::npos && at < most + before;
         at = bytes.find("v1.", at + 1)) {
      const bool is_apart = at > 0 && bytes[at - 1] == '\0';
      if (!is_apart && (done - before + at) % kAlignment != 0) continue;
      const std::size_t length = release_length(std::string_view(bytes).substr(at));
      if (length == 0) continue;
      std::string release = bytes.substr(at, length);
      if (std::find(found.begin(), found.end(), release) == found.end()) {
        found.push_back(std::move(release));
      }
    }
  }
  return found;
}

std::optional<sysctl::KubeletVersion> only_release(const std::vector<std::string>& releases) {
  std::vector<std::string> chosen = releases;
  if (chosen.size() > 1) {
    std::erase_if(chosen,
                  [](const std::string& one) { return one.find('+') == std::string::npos; });
  }
  if (chosen.size() != 1) return std::nullopt;
  return sysctl::parse_kubelet_version(chosen.front());
}

}  // namespace kubelet_sysctl::discover
