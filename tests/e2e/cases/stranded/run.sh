#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# When even the way back fails the run exits with 5 and says what to type; typed by a person once
# the obstacle is gone, that fixes the node, and `recover` closes the record.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_up kops
keep $file
is_written() { grep -q kernel.sem "$(node_path $file)"; }
# A mount of its own on top: one that a run has files open in cannot become read-only.
forbid_writing() {
  node_run sh -c 'mount --bind /etc/sysconfig /etc/sysconfig &&
    mount -o remount,bind,ro /etc/sysconfig'
}
allow_writing() { node_run umount /etc/sysconfig; }

# stranded: a run whose kubelet ends late, when the directory became read-only after the write.
stranded() {
  node_settings exit_after_ms=1000 only_when_list_contains=kernel.sem
  run_start late add kernel.sem --window 3s "$@"
  wait_until 10 is_written || fail "nothing was written: $(cat "$(run_said late)")"
  forbid_writing
  assert_exit 5 run_end late
  grep -q kernel.sem "$(node_path $file)" || fail "the file was to be stuck with the new list"
}

# 1. The commands as they are on the screen.
stranded
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" STRANDED
assert_contains "$E2E_TMP/said" "ead-only"
sed -n 's/^ *\(\(cp\|systemctl\) .*\)$/\1/p' "$E2E_TMP/said" >"$(node_path /run/typed)"
assert_contains "$(node_path /run/typed)" "cp /var/lib/kubelet-sysctl/transactions/"
assert_contains "$(node_path /run/typed)" "systemctl restart kubelet.service"
assert_exit 0 tool show
assert_contains "$ERR" "was not finished"
allow_writing
assert_exit 0 node_run sh -e /run/typed
node_wait_healthy
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)" "the list after the commands were typed"
pid=$(kubelet_pid)
assert_exit 0 tool recover --window 200ms
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process: it has the old list already"
assert_exit 0 tool show
assert_lacks "$ERR" "was not finished"

# 2. Nobody types: `recover` itself does it, as soon as it can.
stranded -o json
assert_eq stranded "$(json 'd["outcome"]')"
tool recover --window 2s -o json || :
[[ $STATUS = 3 || $STATUS = 5 ]] || fail "recover exits $STATUS on a read-only directory"
allow_writing
assert_exit 0 tool recover --window 200ms
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
assert_exit 0 tool recover
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "nothing to recover"

# 3. The list before was no better: the old bytes are back, and no health is claimed for them.
node_settings exit_after_ms=700
node_run systemctl restart kubelet.service
is_looping() { [ "$(unit SubState)" = auto-restart ]; }
wait_until 10 is_looping || fail "the stand-in does not loop"
keep $file
tool add kernel.sem --window 2s --timeout 5s || :
[[ $STATUS = 4 || $STATUS = 5 ]] || fail "exit $STATUS"
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "not healthy before this run"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
