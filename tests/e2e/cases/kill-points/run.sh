#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A change that is killed at any of its system calls leaves the old bytes or the new ones; the next
# run says so, and `recover` brings file and kubelet together, on one list, with nothing left over.
# So does a second `recover` when the first was killed, and a trial still has its end or is undone.
#
# After every eighth kill the whole node loses its power too. KILL_EVERY=N takes every Nth point, every fourth one without it.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
args=/etc/sysconfig/kubelet
dropin=/etc/kubernetes/kubelet/config.json.d/90-kubelet-sysctl.conf
config=/var/lib/kubelet/config.yaml
points=0
missed=0

# The calls of runs differ a little, by what they wait for: a point that is not met is no kill.
count() {
  case $STATUS in
    137) points=$((points + 1)) ;;
    0) missed=$((missed + 1)) ;;
    *) fault_violation lost "$1: exit $STATUS" ;;
  esac
  [ $((points % 8)) != 0 ] || { node_reboot && node_wait_healthy; }
}

# What must hold after a kill; sets $truth.
check() {
  local at=$1 left
  [ "$(fault_found)" != mixed ] || fault_violation mixed "$at: neither old nor new bytes"
  tool show || fault_violation lost "$at: show exits $STATUS"
  if fault_is_open && ! grep -q "was not finished" "$ERR"; then
    fault_violation lost "$at: show does not report the open change"
  fi
  tool recover --window 200ms || :
  [ "$STATUS" != 5 ] || fault_violation stranded "$at: recover"
  [[ $STATUS = 0 || $STATUS = 5 ]] || fault_violation lost "$at: recover exits $STATUS"
  truth=$(fault_truth)
  case $truth in
    old | new) ;;
    mixed) fault_violation mixed "$at: after recover" ;;
    *) fault_violation lost "$at: after recover: $truth" ;;
  esac
  ! fault_is_open || fault_violation lost "$at: a record is open after recover"
  left=$(fault_temporaries)
  [ -z "$left" ] || fault_violation lost "$at: left: $left"
  if ! tool recover --window 200ms || ! grep -q "nothing to recover" "$OUT" "$ERR"; then
    fault_violation lost "$at: the second recover exits $STATUS"
  fi
}

undo() {
  [ "$truth" != old ] || return 0
  if ! tool undo --window 0ms || [ "$(fault_truth)" != old ]; then fault_back; fi
}

# each EVERY COMMAND...: for every such point of the run that was traced last.
each() {
  local every=$(($1 * ${KILL_EVERY:-4})) call number
  shift
  while read -r call number <&7; do
    "$@" "$call" "$number"
  done 7< <(fault_points | awk -v every="$every" 'NR % every == 0')
}

kill_change() {
  fault_run "$1" "$2" signal=KILL
  count "$1 $2 ($FAULT_FILE)"
  check "$1 $2 ($FAULT_FILE)"
  undo
}

# A change that is killed when its file is written and its kubelet has not heard of it.
half_done() {
  fault_run renameat2 4 signal=KILL
  assert_eq "137 new" "$STATUS $(fault_found)" "a change that is half done: $(cat "$ERR")"
}
kill_recover() {
  half_done
  fault_run "$1" "$2" signal=KILL recover --window 200ms
  count "recover, $1 $2"
  check "recover, $1 $2"
  undo
}

# Old, and nothing waits for an end of the trial; or new, and both its timer and the next boot do.
kill_trial() {
  local armed=0 boots=0
  fault_run "$1" "$2" signal=KILL "${FAULT_ARGS[@]}" --trial 1h
  [ "$STATUS" != 137 ] || points=$((points + 1))
  check "trial, $1 $2"
  [ -z "$(node_run systemctl list-units --plain --no-legend 'kubelet-sysctl-trial-*.timer')" ] ||
    armed=1
  [ ! -e "$(node_path /etc/systemd/system/kubelet-sysctl-recover.service)" ] || boots=1
  case $truth$armed$boots in
    old00 | new11) ;;
    *) fault_violation lost "trial, $1 $2: $truth, timers: $armed, units for the boot: $boots" ;;
  esac
  undo
}

fault_node kops $args add kernel.sem --window 200ms
each 1 kill_change
half_done
fault_trace recover --window 200ms
assert_eq old "$(fault_truth)" "recover of a change that is half done"
each 1 kill_recover
fault_trace "${FAULT_ARGS[@]}" --trial 1h
assert_exit 0 tool undo --window 0ms
each 4 kill_trial
node_kill
fault_node kubeadm-deb $config add kernel.sem --via config --window 200ms
each 3 kill_change
node_kill
# Here the change makes a file of its own.
fault_node eks-al2023 $dropin add kernel.sem --window 200ms
each 2 kill_change
# On a busy machine a run waits less or more often than the one that was traced, and so meets fewer calls.
[ "$points" -gt $((missed * 4)) ] || fail "killed at $points points, missed $missed"
fault_end "kill points: $points" lost mixed stranded
