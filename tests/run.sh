#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs the tests: all of them, or one group.
#
#   tests/run.sh [all|unit|engine|golden|vectors|disk|faults|e2e|examples|fuzz|docs|layers|packages]
#   tests/run.sh [arm64|same-program|odr|portability]    compiles once more, which takes minutes; not a part of all
#   tests/run.sh [kubelet|matrix|fleet]    a real kubelet; every end-to-end case on three releases of Debian; 24 nodes and
#                                    the real Ansible; not a part of all
#
# The last line is plain and always there: `N passed, N failed, N skipped`.
# One build serves every group: the static program that is shipped, and the tests beside it. It is in
# build/static, or where BUILD_DIR says.
set -u

# What Debian's packages bring comes first: a wrapper, as pyenv has one around python3, costs more than what it starts.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
root=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$root/build/static}
group=${1:-all}
jobs=$(nproc)
packages=test
script=""

heading() {
  if [ -t 1 ]; then
    printf '\n\033[1;36m== %s\033[0m\n' "$1"
  else
    printf '\n== %s\n' "$1"
  fi
}

# What stops the run before a test could: it counts as one failure.
stop() {
  echo "run.sh: error: $1" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

case "$group" in
  all) labels='.' ;;
  unit | engine | golden | vectors | disk | faults | e2e | examples | fuzz | docs | layers | packages)
    labels="^$group\$"
    ;;
  arm64 | same-program | odr | portability) exec "$root/tests/packages/$group.sh" ;;
  kubelet)
    script=$root/tests/kubelet-real/run.sh
    [ -n "${KUBELET_BIN:-}" ] || packages=kubelet
    ;;
  matrix) script=$root/tests/e2e/matrix.sh ;;
  fleet) script=$root/tests/fleet/run.sh ;;
  *)
    sed -n '5,8s/^# */usage: /p' "$0" >&2
    exit 2
    ;;
esac

heading "packages"
if command -v dpkg-query >/dev/null; then
  "$root/scripts/packages.sh" "$packages" || stop "cannot install the packages"
else
  echo "not Debian: taking what is installed"
fi

heading "build in $build"
cd "$root" || stop "cannot enter '$root'"
cmake --preset static -D KUBELET_SYSCTL_TESTS=ON -B "$build" || stop "cannot configure"
cmake --build "$build" --parallel "$jobs" || stop "cannot build"

heading "tests: $group"
if [ -n "$script" ]; then
  KUBELET_SYSCTL_BIN=$build/kubelet-sysctl FAKE_KUBELET_BIN=$build/fake-kubelet exec "$script"
fi
results=$build/results-$group.xml
# Tests of faults add a line each: "crash points, killed: 55, lost 0, mixed 0".
FAULT_COUNTS=$build/fault-counts-$group.txt
export FAULT_COUNTS
rm -f "$results" "$FAULT_COUNTS"
# Halves of processors: a test that boots a node waits more than it works and takes one, all others take two.
ctest --test-dir "$build" --label-regex "$labels" --parallel $((2 * jobs)) --no-tests=error \
  --output-on-failure --output-junit "$results"
status=$?
[ -s "$results" ] || stop "no test ran"

# ctest counts a test that it could not start as skipped. Here only one that says so itself is: the
# rest are failures. Why something was skipped belongs on the screen: GoogleTest puts the reason on the
# line after ": Skipped", our scripts print "skipped: reason".
heading "result"
counts=$(awk '
  function tell(text) { print text > "/dev/stderr" }
  function close_case() { if (why) tell("skipped: " name); why = 0 }
  /<testcase / { name = $0; sub(/.* name="/, "", name); sub(/".*/, "", name); total++ }
  /<failure/ { failed++ }
  /<skipped message="SKIP_/ { skipped++; why = 1; next }
  /<skipped/ { failed++; tell("not run: " name) }
  why == 2 || why && /skipped: / {
    sub(/.*skipped: /, ""); sub(/<.system-out>.*/, ""); tell("skipped: " name ": " $0); why = 0
  }
  why && /: Skipped$/ { why = 2 }
  /<.testcase>/ { close_case() }
  END { printf "%d %d %d", total - failed - skipped, failed, skipped }
' "$results")
# One line for each kind of fault, with the sums of what its tests counted.
if [ -s "$FAULT_COUNTS" ]; then
  awk -F ': ' '
    !($1 in points) { kinds[++last] = $1 }
    {
      count = split($2, parts, ", ")
      points[$1] += parts[1]
      for (i = 2; i <= count; i++) {
        name = value = parts[i]
        sub(/ [0-9]+$/, "", name); sub(/.* /, "", value)
        if (!(($1, name) in sums)) names[$1] = names[$1] "\n" name
        sums[$1, name] += value
      }
    }
    END {
      for (k = 1; k <= last; k++) {
        line = kinds[k] ": " points[kinds[k]]
        count = split(names[kinds[k]], parts, "\n")
        for (i = 2; i <= count; i++) line = line ", " parts[i] " " sums[kinds[k], parts[i]]
        print line
      }
    }
  ' "$FAULT_COUNTS" | sort
fi
# shellcheck disable=SC2086
set -- $counts
echo "$1 passed, $2 failed, $3 skipped"
[ "$status" -eq 0 ] && [ "$2" -eq 0 ]
