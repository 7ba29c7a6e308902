#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs at once: one waits for the other and both changes hold, fifty times. A holder of the lock
# that is killed does not keep the next one waiting, and anyone who gives up says who holds it.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_new kops
node_settings bad_list_delay_ms=0 health_delay_ms=0
node_boot
node_run strace -o /dev/null true 2>/dev/null || skip "no process can be traced here"
node_start
keep $file

# both VERB: two runs that start at once, each with an entry of its own; both exit with 0.
both() {
  run_start sem "$1" kernel.sem --window 0ms
  run_start shm "$1" 'kernel.shm*' --window 0ms
  run_end sem || fail "${round:-}, $1 kernel.sem: exit $STATUS: $(cat "$ERR")"
  run_end shm || fail "${round:-}, $1 kernel.shm*: exit $STATUS: $(cat "$ERR")"
}

for round in {1..25}; do
  both add
  case $(kubelet_flag) in
    "$list,kernel.sem,kernel.shm*" | "$list,kernel.shm*,kernel.sem") ;;
    *) fail "round $round: the kubelet has '$(kubelet_flag)'" ;;
  esac
  grep -qF -e "--allowed-unsafe-sysctls=$(kubelet_flag) " "$(node_path $file)" ||
    fail "round $round: the file and the kubelet differ: $(grep -o -e '--allowed[^ ]*' \
      "$(node_path $file)")"
  both remove
  assert_eq "$list" "$(kubelet_flag)" "round $round: the kubelet after both were removed"
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
done
assert_eq ok "$(kubelet_health)"
echo "races: 50 rounds, both entries seen after each"

# One that read the node just before the other began, and got the lock just after it ended, does not
# go by what it read: it is held where it lists the records of changes.
is_written() { grep -q kernel.sem "$(node_path $file)"; }
is_listing() {
  local pid
  for pid in $(node_run pidof kubelet-sysctl); do
    ! grep -q '^217 ' "$(node_path "/proc/$pid/syscall")" || return 0
  done
  return 1
}
node_run strace -qq -o /dev/null -e trace=getdents64 \
  -e inject=getdents64:delay_enter=1500000:when=1 \
  kubelet-sysctl add 'kernel.shm*' --window 0ms -o json >"$E2E_TMP/held" 2>&1 &
held=$!
wait_until 5 is_listing || fail "the run was not held"
node_settings health_delay_ms=2000
run_start quick add kernel.sem --window 0ms
wait_until 10 is_written || fail "nothing was written: $(cat "$(run_said quick)")"
assert_exit 0 run_end quick
node_settings health_delay_ms=0
assert_exit 0 wait "$held"
cp "$E2E_TMP/held" "$OUT"
assert_eq applied "$(json 'd["outcome"]')"
assert_eq "$list,kernel.sem,kernel.shm*" "$(kubelet_flag)"
both remove

# The holder is killed after its write, while another waits: that one brings the change to its end
# and then makes its own.
holds_lock() { grep -q "^$(run_pid "$1") " "$(node_path /var/lib/kubelet-sysctl/lock)"; }
node_settings health_delay_ms=2000
run_start first add kernel.sem --window 1s
wait_until 10 is_written || fail "the first run wrote nothing: $(cat "$(run_said first)")"
killed=$(change_newest)
run_start second add 'kernel.shm*' --window 200ms --lock-timeout 60s -o json
wait_until 10 run_is_at_lock second || fail "the second run does not ask for the lock"

# Meanwhile a third one that does not want to wait.
assert_exit 7 tool add kernel.msgmax --lock-timeout 200ms
assert_contains "$ERR" "process $(run_pid first) ('add kernel.sem')"
assert_lacks "$(node_path $file)" kernel.msgmax

run_signal first KILL
assert_exit 137 run_end first
wait_until 2 holds_lock second || fail "the lock was not free at once: $(cat "$(run_said second)")"
assert_exit 0 run_end second
assert_eq "[\"$killed\"]" "$(json 'd["recovered"]')"
assert_eq "$list,kernel.sem,kernel.shm*" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
assert_exit 0 tool recover
