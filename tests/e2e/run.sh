#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs one end-to-end case, or opens a shell in a booted node to look around.
#
#   tests/e2e/run.sh CASE            a directory of tests/e2e/cases
#   tests/e2e/run.sh -x CASE         the same, printing every command
#   tests/e2e/run.sh --list          the names of the cases
#   tests/e2e/run.sh --shell KIND    boots a node of tests/nodes or examples/nodes
#
# Exit code 77 means that this machine cannot boot a node; the reason is on standard error. What the
# environment may set is at the head of lib.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

usage() {
  sed -n '3,11s/^# \?//p' "$0" >&2
  exit 2
}

if [ "${1-}" = --shell ] && [ $# -eq 2 ]; then
  . "$here/lib.sh"
  node_new "$2"
  node_boot
  echo "node '$2': systemctl status kubelet; knobs in /etc/fake-kubelet/settings; exit ends it"
  node_run bash -i || true
  exit 0
fi
if [ "${1-}" = --list ]; then
  for script in "$here"/cases/*/run.sh; do basename "$(dirname "$script")"; done
  exit 0
fi
options=()
if [ "${1-}" = -x ]; then
  options=(-x)
  shift
fi
[ $# -eq 1 ] || usage
script=$here/cases/$1/run.sh
[ -f "$script" ] || usage
exec bash "${options[@]}" "$script"
