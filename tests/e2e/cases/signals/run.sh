#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A signal before the first write ends the run with 1 and nothing changed; after it the run comes to
# its end, one way or the other, and says so at once. What a second one does is in the case screen.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_up kops
keep $file
is_written() { grep -q -e "$1" "$(node_path $file)"; }
is_back() { cmp -s "$(kept $file)" "$(node_path $file)"; }

# Before: they wait for the lock of a run whose kubelet is slow.
node_settings health_delay_ms=6000
run_start slow add kernel.sem --window 500ms -o json
wait_until 10 is_written kernel.sem || fail "the slow run wrote nothing"
keep $file
for signal in INT TERM HUP; do
  run_start waiting add 'kernel.shm*' --lock-timeout 60s
  wait_until 10 run_is_at_lock waiting || fail "it does not ask for the lock"
  run_signal waiting $signal
  assert_exit 1 run_end waiting
  assert_contains "$ERR" interrupted
done
assert_kept $file
session_start kubelet-sysctl add 'kernel.shm*' --lock-timeout 60s
is_waiting() { grep -q "waiting" "$(session_said)"; }
wait_until 10 is_waiting || fail "nothing on the terminal says that it waits"
session_type '\003'
assert_exit 1 session_end
assert_kept $file

# After: the same slow run is now told to stop, in one breath as timeout(1) does. It answers, and ends as if
# nobody had.
run_signal slow TERM
run_signal slow TERM
assert_exit 0 run_end slow
assert_eq applied "$(json 'd["outcome"]')"
assert_eq true "$(json '"signal-after-write" in [f["id"] for f in d["findings"]]')" "the warning"
assert_eq "$list,kernel.sem" "$(kubelet_flag)"
assert_contains "$ERR" "press again to roll back now"
assert_eq ok "$(kubelet_health)"
node_settings
assert_exit 0 tool undo --window 0ms

# Ctrl-C on the terminal goes to every process of it, systemctl too; and a terminal that goes away.
keep $file
for interruption in "session_type \003" session_hangup; do
  node_settings health_delay_ms=1500
  session_start kubelet-sysctl add kernel.sem --window 500ms
  wait_until 10 is_written kernel.sem || fail "nothing was written: $(cat "$(session_said)")"
  $interruption
  # A terminal that is gone takes no words, so this exit code has no reader either.
  session_end 20 || [ "$interruption" = session_hangup ] ||
    fail "exit $STATUS after Ctrl-C: $(cat "$(session_said)")"
  assert_eq "$list,kernel.sem" "$(kubelet_flag)" "the list after $interruption"
  assert_eq ok "$(kubelet_health)"
  [ "$interruption" = session_hangup ] ||
    assert_contains "$(session_said)" signal-after-write
  node_settings
  assert_exit 0 tool undo --window 0ms
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
done

# A change that fails after the signal is rolled back all the same.
for signal in INT TERM HUP; do
  run_start bad add --force vm.max_map_count --window 2s -o json
  wait_until 10 is_written vm.max_map_count || fail "nothing was written"
  run_signal bad $signal
  assert_exit 4 run_end bad
  assert_eq rolled-back "$(json 'd["outcome"]')"
  assert_eq true "$(json '"signal-after-write" in [f["id"] for f in d["findings"]]')" "the warning"
  is_back || fail "the old bytes are not back after $signal"
  assert_eq "$list" "$(kubelet_flag)" "the list after $signal"
  assert_eq ok "$(kubelet_health)"
done
assert_exit 0 tool recover
