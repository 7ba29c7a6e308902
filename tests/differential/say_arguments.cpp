// SPDX-License-Identifier: Apache-2.0
// Writes down its arguments in a file of /run/said that has the name of its unit: their number on a line, then
// each with a NUL behind it. So it says what a booted systemd made of the unit.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

int main(int argc, char** argv) {
  std::ifstream groups("/proc/self/cgroup");
  std::string line;
  std::string unit;
  while (std::getline(groups, line)) {
    const std::string name = line.substr(line.rfind('/') + 1);
    if (name.ends_with(".service")) unit = name;
  }
  if (unit.empty()) return EXIT_FAILURE;
  std::string said = std::to_string(argc) + '\n';
  for (int i = 0; i < argc; ++i) said.append(argv[i]).push_back('\0');
  const int file = ::open(("/run/said/" + unit).c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  if (file < 0) return EXIT_FAILURE;
  const auto written = ::write(file, said.data(), said.size());
  return written == static_cast<ssize_t>(said.size()) ? EXIT_SUCCESS : EXIT_FAILURE;
}
