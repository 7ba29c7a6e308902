#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program and its packages for arm64, cross-built, and the program run under an emulator on nodes of
# tests/nodes: what it prints is what the golden cases say. Takes minutes.
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"
root=$packages_source
build=${ARM64_BUILD_DIR:-$root/build/static-arm64}
passed=0
failed=0
work=$(mktemp -d)
# What stops the run before its end counts as a failure.
trap 'rm -rf "$work"; [ -n "$ended" ] || echo "$passed passed, $((failed + 1)) failed, 0 skipped"' EXIT
ended=""

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

"$root/scripts/packages.sh" arm64
"$root/scripts/arm64-libraries.sh" "${ARM64_LIBRARIES:-}"
cd "$root"
cmake --preset static-arm64 -B "$build" \
  ${ARM64_LIBRARIES:+-DKUBELET_SYSCTL_ARM64_LIBRARIES="$ARM64_LIBRARIES"}
cmake --build "$build" --parallel "$(nproc)"
program=$build/kubelet-sysctl

status=0
readelf --file-header "$program" | grep -q 'Machine: *AArch64' || status=1
result "it is a program for arm64" $status
status=0
! readelf --wide --program-headers "$program" | grep -q INTERP || status=1
result "it is static" $status

run() { qemu-aarch64-static "$program" "$@"; }
status=0
[ "$(run --version)" = "kubelet-sysctl $(sed -n 's/^  VERSION //p' CMakeLists.txt)" ] || status=1
result "--version" $status

# Golden cases that one command line of a reader makes, and that need no stand-in for kernel or programs.
for case in tests/nodes/*/cases/*/; do
  [ "$(wc -l <"$case/cmd")" = 1 ] || continue
  [ ! -e "$case/kernel" ] && [ ! -e "$case/programs" ] || continue
  grep -qE '^(show|explain) --root ROOT( -o json)?$' "$case/cmd" || continue
  tree=$work/$(basename "$(dirname "$(dirname "$case")")")
  rm -rf "$tree"
  cp -a "$(dirname "$(dirname "$case")")/root" "$tree"
  # As the golden tests do: an empty program wherever a unit names one.
  grep -rhoE '^ExecStart=[-@:+!]*/[^ ]+' "$tree" | sed 's/^[^/]*//' | sort -u |
    while read -r path; do install -D -m 0755 /dev/null "$tree$path"; done
  seen=0
  sed "s,ROOT,$tree," "$case/cmd" | xargs qemu-aarch64-static "$program" \
    >"$work/out" 2>"$work/err" || seen=$?
  sed -i "s,$tree,ROOT,g" "$work/out" "$work/err"
  status=0
  { [ "$seen" = "$(cat "$case/exit")" ] && cmp -s "$work/out" "$case/stdout" &&
    cmp -s "$work/err" "$case/stderr"; } || status=1
  [ "$status" = 0 ] || diff "$case/stdout" "$work/out" | head -n 5
  result "${case#tests/nodes/}" $status
done

(cd "$build" && cpack --config CPackConfig.cmake -B "$build/packages" >/dev/null)
status=0
[ "$(dpkg-deb --field "$build"/packages/kubelet-sysctl_*_arm64.deb Architecture)" = arm64 ] || status=1
result "the DEB is for arm64" $status
if command -v rpm >/dev/null; then
  status=0
  [ "$(rpm -qp --nosignature --queryformat '%{ARCH}' "$build"/packages/*.aarch64.rpm)" = aarch64 ] ||
    status=1
  result "the RPM is for aarch64" $status
fi
ended=yes
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
