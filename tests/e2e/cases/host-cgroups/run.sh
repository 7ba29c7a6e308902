#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --host from a container with a cgroup namespace of its own, on nodes with control groups v1, hybrid
# and v2: the run reads the paths that the node's systemd names. By them it finds the kubelet of k0s,
# which is no main process but one of the unit's control group.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/containers.sh"
. "$E2E_DIR/hosts.sh"
needs_tool
needs_stand_in
NODE_UNIT=k0sworker.service
list=net.core.somaxconn

namespace_of() { node_run readlink "/proc/$1/ns/$2"; }
has_entered() { [ "$(namespace_of "$1" mnt)" = "$(namespace_of 1 mnt)" ]; }
# The kubelet's control group as a user in that cgroup namespace reads it.
is_started_with_it() { [ "$(kubelet_list)" = "$list,kernel.sem" ]; }
group_is() { grep -qE "(name=systemd:|^0::)$1\$" "$E2E_TMP/groups"; }

for layout in v2 hybrid v1; do
  node_layout $layout
  node_new k0s $layout
  stand_in_k0s
  image_new
  node_boot
  host_start $NODE_UNIT
  node_wait_healthy
  seen=$(node_run stat -f -c '%n %T' /sys/fs/cgroup{,/systemd,/unified} 2>/dev/null) || true
  case $layout in
    v2) expected='/sys/fs/cgroup cgroup2fs' ;;
    v1) expected=$(printf '/sys/fs/cgroup%s\n' ' tmpfs' '/systemd cgroupfs') ;;
    *) expected=$(printf '/sys/fs/cgroup%s\n' ' tmpfs' '/systemd cgroupfs' '/unified cgroup2fs') ;;
  esac
  assert_eq "$expected" "$seen" "the layout of a node that was to have $layout"
  # From another cgroup namespace the kubelet's group has another name.
  group=$(unit ControlGroup)
  node_run unshare --cgroup cat "/proc/$(host_pid)/cgroup" >"$E2E_TMP/groups"
  group_is "/\.\.$group" || fail "a cgroup namespace makes no difference on $layout"

  assert_exit 0 pod -- show --host -o json
  assert_eq "$(host_pid)" "$(json 'd["running"]["pid"]')" "the kubelet on $layout"
  node_settings health_delay_ms=1500
  pod_start one add --host kernel.sem --window 500ms -o json
  wait_until 10 has_entered "$(run_pid one)" || fail "the run did not enter the node"
  for kind in mnt cgroup uts ipc net pid; do
    assert_eq "$(namespace_of 1 $kind)" "$(namespace_of "$(run_pid one)" $kind)" \
      "the namespace $kind on $layout"
  done
  wait_until 10 is_started_with_it || fail "the kubelet was not started again"
  node_run nsenter --target "$(run_pid one)" --cgroup cat "/proc/$(host_pid)/cgroup" \
    >"$E2E_TMP/groups"
  group_is "$group" || fail "the run sees the kubelet in $(cat "$E2E_TMP/groups")"
  assert_exit 0 run_end one
  assert_eq applied "$(json 'd["outcome"]')"
  assert_eq "$(host_pid)" "$(json 'd["evidence"]["pid"]')"
  assert_eq "$list,kernel.sem" "$(kubelet_list)"
  node_settings
  assert_exit 0 pod -- remove --host kernel.sem --window 0ms
  assert_eq "$list" "$(kubelet_list)"
  node_kill
done
