#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs in containers and runs on the node shut one another out. A container that is stopped in the middle
# of a change brings it to its end; one that is killed leaves what the next run, wherever, brings to it.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/containers.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_new kops
image_new
node_boot
# Both ways to start a run are to find it, the one in the container has its own.
ln -s "$E2E_IMAGE/kubelet-sysctl" "$(node_path /usr/local/bin/kubelet-sysctl)"
node_start
is_written() { grep -q -e "$1" "$(node_path $file)"; }

# One lock: the node's run is at work, then the container's.
node_settings health_delay_ms=3000
run_start on-node add kernel.sem --window 300ms
wait_until 10 is_written kernel.sem || fail "the run on the node wrote nothing"
keep $file
assert_exit 7 pod -- add --host 'kernel.msg*' --lock-timeout 200ms
assert_kept $file
assert_exit 0 run_end on-node
pod_start in-pod remove --host kernel.sem --window 300ms
is_gone() { ! is_written kernel.sem; }
wait_until 10 is_gone || fail "the run in the container wrote nothing"
assert_exit 7 tool add 'kernel.msg*' --lock-timeout 200ms
# Stopped while it waits for the lock: nothing changed, exit code 1.
pod_start waiting add --host 'kernel.shm*' --lock-timeout 60s
wait_until 10 run_is_at_lock waiting || fail "it does not ask for the lock"
run_signal waiting TERM
assert_exit 1 run_end waiting
assert_contains "$ERR" interrupted
assert_exit 0 run_end in-pod
assert_eq "$list" "$(kubelet_flag)"

# Stopped after the first write, as 'kubectl delete pod' does: it comes to its end.
pod_start stopped add --host kernel.sem --window 300ms -o json
wait_until 10 is_written kernel.sem || fail "nothing was written"
run_signal stopped TERM
assert_exit 0 run_end stopped
assert_eq applied "$(json 'd["outcome"]')"
assert_eq true "$(json '"signal-after-write" in [f["id"] for f in d["findings"]]')" "the warning"
assert_eq "$list,kernel.sem" "$(kubelet_flag)"

# Killed there: no process of it is left, and another container, or the node, ends what it began.
for where in pod tool; do
  pod_start killed add --host kernel.shmmax --window 300ms
  wait_until 10 is_written kernel.shmmax || fail "nothing was written"
  run_signal killed KILL
  assert_exit 137 run_end killed
  node_settings
  if [ $where = pod ]; then
    assert_exit 0 pod -- recover --host --window 300ms
  else
    assert_exit 0 tool recover --window 300ms
  fi
  case $(change_state "$(change_newest)") in
    confirmed) expected=$list,kernel.sem,kernel.shmmax ;;
    *) expected=$list,kernel.sem ;;
  esac
  assert_eq "$expected" "$(kubelet_flag)" "the list after recover ($where)"
  is_written "$expected" || fail "the file and the process differ: $(cat "$(node_path $file)")"
  assert_eq ok "$(kubelet_health)"
  assert_exit 0 pod -- show --host -o json
  assert_eq '[]' "$(json 'd["unfinished"]')"
  assert_exit 0 pod -- set --host net.core.somaxconn net.ipv4.tcp_tw_reuse kernel.sem --window 0ms
  node_settings health_delay_ms=3000
done
