#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plays the session of the picture in the README on a booted node and prints it with its colours.
#
#   sudo docs/picture/session.sh > docs/picture/session.ansi
#   scripts/terminal_svg.py TITLE < docs/picture/session.ansi > docs/picture/terminal.svg
#
# tests/docs/picture_test.sh plays it too, and holds both files to what it prints.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/e2e/lib.sh"
needs_stand_in
needs_tool

# step EXIT COMMAND: prints the command as a user types it, runs it in the node, checks its exit.
step() {
  local expected=$1 command=$2 seen=0
  printf '\n$ %s\n' "$command"
  node_run bash -c "kubelet-sysctl() { command kubelet-sysctl \"\$@\" --color always; }; $command" \
    2>&1 || seen=$?
  [ "$seen" = "$expected" ] || fail "exit code $seen where $expected was expected: $command"
}

node_new eks-al2023
node_settings exit_after_ms=300 only_when_list_contains=kernel.sem \
  'exit_message="Failed to start ContainerManager" err="no space left in cgroup"'
node_boot
node_start
# A terminal shows it, and a script sees it: every step ends as it should, or nothing is printed for good.
printf '# Which unsafe sysctls may pods set on this node, and which line of which file says so?'
step 0 'kubelet-sysctl show'
printf '\n# One that would keep the kubelet from starting ever again:'
step 3 'kubelet-sysctl add vm.max_map_count'
printf '\n# One that it takes. Written where it counts, restarted, watched, and seen in the process:'
step 0 'kubelet-sysctl add kernel.msgmax --window 2s'
printf '\n# And a kubelet that dies of a change:'
step 4 'kubelet-sysctl add kernel.sem --window 2s'
