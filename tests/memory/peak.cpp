// SPDX-License-Identifier: Apache-2.0
// peak FILE PROGRAM ARGUMENT...: runs a program and writes "KIB SECONDS CODE" into FILE: the most memory that it had,
// its CPU time, its exit code. A process of its own, since a child begins with the memory of the one that starts it.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  const pid_t child = ::fork();
  if (child == 0) {
    ::execv(argv[2], argv + 2);
    ::_exit(127);
  }
  int status = 0;
  rusage used = {};
  if (child < 0 || ::wait4(child, &status, 0, &used) != child) return 2;
  std::FILE* file = std::fopen(argv[1], "w");
  if (file == nullptr) return 2;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  std::fprintf(file, "%ld %.3f %d\n", used.ru_maxrss,
               seconds(used.ru_utime) + seconds(used.ru_stime), code);
  return std::fclose(file) == 0 ? 0 : 2;
}
