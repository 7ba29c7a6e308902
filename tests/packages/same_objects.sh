#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A file compiled from a copy of the tree, in another directory, is the same object; and the program holds
# no path of the machine that built it. Files of several rooms, those that know where they are;
# tests/run.sh same-program does so with the whole program, in minutes.
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"
[ -x "$packages_program" ] || packages_skip "no program at '$packages_program': build it"

if strings -a "$packages_program" | grep -F -e "$packages_source/" -e "$packages_build/" >&2; then
  complain "the program names a directory of this machine"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
elsewhere=$work/a/much/longer/way/to/it
mkdir -p "$elsewhere"
(cd "$packages_source" && tar --create CMakeLists.txt CMakePresets.json LICENSE cmake docs include src) |
  tar --extract --directory "$elsewhere"
cmake -S "$elsewhere" --preset static -B "$work/build" -DKUBELET_SYSCTL_TESTS=OFF \
  -DCMAKE_CXX_COMPILER_LAUNCHER="$(command -v env);CCACHE_DISABLE=1" >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }
# Of each room the first few files, which are compiled together.
objects="src/CMakeFiles/kubelet_sysctl_base.dir/Unity/unity_0_cxx.cxx.o
src/CMakeFiles/kubelet_sysctl_ports.dir/Unity/unity_0_cxx.cxx.o
src/CMakeFiles/kubelet_sysctl_machine.dir/Unity/unity_0_cxx.cxx.o
src/CMakeFiles/kubelet_sysctl_cli.dir/Unity/unity_0_cxx.cxx.o"
# shellcheck disable=SC2086
cmake --build "$work/build" --target $objects >"$work/log" 2>&1 ||
  { cat "$work/log" >&2; exit 1; }
for object in $objects; do
  cmp "$packages_build/$object" "$work/build/$object" || complain "'$object' depends on its directory"
done
exit "$packages_failed"
