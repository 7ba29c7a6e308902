#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program and its unit tests, compiled in Debian 13 and in Debian unstable by g++ and by clang++ with warnings as
# errors, and the unit tests run there. Takes about 15 minutes of one core for each of the four, and 3 GB of disk.
#
#   RELEASES   "trixie sid" unless given
#   COMPILERS  "g++ clang++" unless given
#   MIRROR     where Debian's packages come from; else where this machine has its own from
#   ROOTS      where the roots and what was compiled are kept for the next run
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/support/roots.sh
. "$(dirname "$0")/../support/roots.sh"
source=${packages_source:?}
roots=${ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/kubelet-sysctl/roots}
passed=0
failed=0
skipped=0
# What stops the run before its end counts as a failure.
trap '[ -n "$ended" ] || echo "$passed passed, $((failed + 1)) failed, $skipped skipped"' EXIT
ended=""

stop() {
  echo "portability.sh: error: $1" >&2
  exit 1
}

# A root is brought up to date by each run: unstable moves.
update_root() {
  local root=$1 packages
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  packages="$("$source/scripts/packages.sh" --list build) libgtest-dev libgmock-dev clang"
  # shellcheck disable=SC2016,SC2086
  inside "$root" sh -c 'export DEBIAN_FRONTEND=noninteractive LC_ALL=C
    options="-qq -o Acquire::Check-Valid-Until=false -o Dpkg::Use-Pty=0"
    apt-get $options update && apt-get $options dist-upgrade --yes &&
      apt-get $options install --yes --no-install-recommends "$@"' sh $packages >"$root.log" 2>&1 || {
    tail -n 5 "$root.log" >&2
    stop "cannot install the packages in '$root'"
  }
}

# Compiled files are kept: times of the sources stay, so that only what is newer is compiled again.
copy_source() {
  rm -rf "$1/source"
  mkdir -p "$1/source"
  (cd "$source" && tar --create CMakeLists.txt CMakePresets.json LICENSE README.md CHANGELOG.md cmake docs include \
    packaging src tests) | tar --extract --directory "$1/source"
}

# result NAME STATUS
result() {
  if [ "$2" = 0 ]; then
    passed=$((passed + 1))
    echo "passed: $1"
  else
    failed=$((failed + 1))
    echo "FAILED: $1"
  fi
}

for release in ${RELEASES:-trixie sid}; do
  root=$roots/$release
  SECONDS=0
  make_root "$release"
  update_root "$root"
  copy_source "$root"
  echo "$release: its packages are there after $SECONDS s"
  for compiler in ${COMPILERS:-g++ clang++}; do
    SECONDS=0
    build=/build/$compiler
    echo "$release: $(inside "$root" "$compiler" --version | head -n 1), $(inside "$root" cmake --version | head -n 1)"
    # As the packages of a distribution are compiled: the optimiser sees more to warn of than -O0 does.
    status=0
    inside "$root" sh -c "cd /source && cmake --preset release -B $build \
      -D CMAKE_CXX_COMPILER=$compiler -D CMAKE_CXX_FLAGS_RELEASE='-O2 -DNDEBUG -D_FORTIFY_SOURCE=2' >/dev/null &&
      cmake --build $build --parallel ${JOBS:-$(nproc)} --target kubelet-sysctl unit_tests -- -k 0 >$build/log 2>&1" || status=1
    [ $status = 0 ] || grep -E -A 5 'error:|warning:|Error' "$root$build/log" | head -n 60
    result "$release: $compiler compiles the program and its unit tests without a warning" $status
    if [ $status = 0 ]; then
      inside "$root" sh -c "cd /source && $build/tests/unit_tests --gtest_brief=1" || status=1
      result "$release: the unit tests that $compiler compiled" $status
      status=0
      inside "$root" "$build/kubelet-sysctl" --version || status=1
      result "$release: the program that $compiler compiled starts" $status
    else
      skipped=$((skipped + 2))
    fi
    echo "$release: $compiler took $SECONDS s"
  done
done
ended=yes
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
