#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stands in for ssh where a program reaches nodes by it: enters the booted node of that name. Nodes have
# no network and need no daemon so; the rest is the way a real ssh would go.
#
#   ssh.sh OPTION... HOST COMMAND    exit code 255, as of ssh, where no such node runs
#
# From the environment: E2E_TMP and E2E_GROUP of a script with lib.sh, which has put the process id of
# the node's process 1 into $E2E_TMP/HOST/leader. E2E_SSH_TIMES is a file that gets a line for each session: the
# node, the seconds that it took, and those of the node's processor, as a user and in the kernel.
set -eu
host=${*: -2:1}
command=${*: -1}
if ! leader=$(cat "$E2E_TMP/$host/leader" 2>/dev/null) || [ ! -d "/proc/$leader" ]; then
  echo "ssh: connect to host $host port 22: No route to host" >&2
  exit 255
fi
# In the control group of the node's process 1: not from outside.
echo 0 >"$E2E_GROUP/$host/payload/init.scope/cgroup.procs"
TIMEFORMAT="$host %R %U %S"
{
  time nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root USER=root \
    LANG=C.UTF-8 sh -c "$command" 2>&3
} 3>&2 2>>"${E2E_SSH_TIMES:-/dev/null}"
