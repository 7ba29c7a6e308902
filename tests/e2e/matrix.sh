#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The end-to-end cases on nodes of several releases of Debian, and so of systemd; prints a table.
#
#   tests/e2e/matrix.sh            all cases on all releases; takes hours of one core
#   tests/e2e/matrix.sh --newer    six cases on Debian 13: a part of the default run. Exits with 77 where its root is
#                                  not there; the whole matrix makes it.
#
#   RELEASES   "bookworm trixie sid" unless given: systemd 252, 257 and, when this was written, 262
#   CASES      names of cases (default: all)
#   JOBS       how many cases at a time (default: one for each core)
#   ROOTS      where the roots are kept for the next run (default: ~/.cache/kubelet-sysctl/nodes)
#   LOGS       where the output of each case goes (default: beside the roots)
#
# A root that is there is taken as it is. Remove it to have a newer one.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/support/roots.sh
. "$here/../support/roots.sh"
roots=${ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/kubelet-sysctl/nodes}
logs=${LOGS:-$roots/logs}
# What the cases run in a node.
packages=(systemd systemd-sysv dbus procps python3 python3-yaml strace iproute2 mount util-linux curl openssl crun)

stop() {
  if [ -n "$newer" ]; then
    echo "skipped: no node of a newer systemd: $1" >&2
    exit 77
  fi
  echo "matrix.sh: error: $1" >&2
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
}

# run_case RELEASE CASE: writes the result beside the log.
run_case() {
  local status=0 log=$logs/$1.$2
  E2E_ROOT=$roots/$1 "$here/run.sh" "$2" >"$log" 2>&1 </dev/null || status=$?
  case $status in
    0) echo passed ;;
    77) echo skipped ;;
    *) echo FAILED ;;
  esac >"$log.result"
}

systemd_of() { inside "$roots/$1" systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p'; }

newer=""
case "${1-}" in
  "")
    releases=${RELEASES:-bookworm trixie sid}
    cases=${CASES:-$("$here/run.sh" --list)}
    jobs=${JOBS:-$(nproc)}
    ;;
  --newer)
    newer=yes
    releases=${RELEASES:-trixie}
    cases=${CASES:-kops-add kubeadm-config trial signals rollback unit-dropin}
    jobs=${JOBS:-1}
    ;;
  --case)
    run_case "$2" "$3"
    exit 0
    ;;
  *)
    sed -n '5,7s/^# \?//p' "$0" >&2
    exit 2
    ;;
esac

[ "$(id -u)" = 0 ] || stop "booting a node needs root"
for release in $releases; do
  # The default run makes none, since it has no minutes to spare.
  if [ -n "$newer" ] && [ ! -e "$roots/$release/complete" ]; then
    stop "there is no root of $release in '$roots': 'tests/run.sh matrix' makes it"
  fi
  make_root "$release" "${packages[@]}"
done
mkdir -p "$logs"
export ROOTS=$roots LOGS=$logs
for release in $releases; do
  for name in $cases; do
    rm -f "$logs/$release.$name.result"
    echo "$release" "$name"
  done
done | xargs -n 2 -P "$jobs" "$0" --case

passed=0
failed=0
skipped=0
printf '%-20s' case
for release in $releases; do printf ' %-16s' "$release $(systemd_of "$release")"; done
echo
for name in $cases; do
  printf '%-20s' "$name"
  for release in $releases; do
    result=$(cat "$logs/$release.$name.result" 2>/dev/null || echo FAILED)
    printf ' %-16s' "$result"
    case $result in
      passed) passed=$((passed + 1)) ;;
      skipped) skipped=$((skipped + 1)) ;;
      *) failed=$((failed + 1)) ;;
    esac
  done
  echo
done
for release in $releases; do
  for name in $cases; do
    case $(cat "$logs/$release.$name.result" 2>/dev/null || echo FAILED) in
      FAILED) echo "== $release, $name" && tail -n 60 "$logs/$release.$name" ;;
      skipped) echo "$release, $name: $(grep -m 1 '^skipped: ' "$logs/$release.$name")" ;;
    esac
  done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
