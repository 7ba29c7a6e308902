// SPDX-License-Identifier: Apache-2.0
// Runs a fuzz target over every file of its corpus, as an ordinary test: replay DIRECTORY...
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

/// The regular files of `directory`, sorted, so that every run meets a failure in the same order.
std::vector<std::filesystem::path> files_of(const char* directory) {
  std::vector<std::filesystem::path> files;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(directory, failure)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const auto files = files_of(argv[i]);
    if (files.empty()) {
      fmt::print(stderr, "replay: no corpus in '{}'\n", argv[i]);
      return 1;
    }
    for (const auto& file : files) {
      // Before the run and unbuffered: the target aborts on failure, and the last line names the file.
      fmt::print(stderr, "{}\n", file.string());
      std::ifstream stream(file, std::ios::binary);
      if (!stream) {
        fmt::print(stderr, "replay: cannot read '{}'\n", file.string());
        return 1;
      }
      const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
      // A copy of exactly this size, so that the address sanitizer sees a read past the end.
      const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
      LLVMFuzzerTestOneInput(input.data(), input.size());
    }
  }
  if (argc < 2) fmt::print(stderr, "usage: replay DIRECTORY...\n");
  return argc < 2 ? 2 : 0;
}
