#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One name, one meaning: the whole program compiled for link time optimisation, where g++ compares the types and
# functions of all files with each other (-Wodr). Compiles everything once more, which takes minutes.
#
#   BUILD_DIR  build/odr unless given
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"
source=${packages_source:?}
build=${BUILD_DIR:-$source/build/odr}
work=$(mktemp -d)
# What stops the run before its end counts as a failure.
trap 'rm -rf "$work"; [ -n "$ended" ] || echo "0 passed, 1 failed, 0 skipped"' EXIT
ended=""
options=(-flto -Werror=odr -Werror=lto-type-mismatch)

# The compiler sees such a fault in two small files, or the test could not fail.
printf 'struct Command { int a; };\nCommand* one();\nint main() { return one()->a; }\n' >"$work/one.cpp"
printf 'struct Command { long a, b; };\nstatic Command it;\nCommand* one() { return &it; }\n' >"$work/other.cpp"
if (cd "$work" && g++ "${options[@]}" one.cpp other.cpp -o both) 2>"$work/log" ||
  ! grep -q 'One Definition Rule' "$work/log"; then
  echo "odr.sh: error: this g++ does not see two definitions of one name" >&2
  exit 1
fi

"$source/scripts/packages.sh" build
cmake -S "$source" -B "$build" -G Ninja -D CMAKE_CXX_COMPILER=g++ -D CMAKE_CXX_FLAGS=-O0 \
  -D CMAKE_INTERPROCEDURAL_OPTIMIZATION=ON -D CMAKE_EXE_LINKER_FLAGS="${options[*]}" \
  -D KUBELET_SYSCTL_PCH=OFF -D KUBELET_SYSCTL_TESTS=OFF
cmake --build "$build" --parallel "${JOBS:-$(nproc)}" --target kubelet-sysctl
ended=yes
echo "1 passed, 0 failed, 0 skipped"
