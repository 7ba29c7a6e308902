#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A trial ends by itself, with nobody logged in, and the old list is seen in force; `keep` makes it
# stay; a change that came in between outlives the end of the trial.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
boot_unit=kubelet-sysctl-recover.service
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_up kops
keep $file

has_state() { [ "$(change_state "$1")" = "$2" ]; }
logged() { node_run journalctl --no-pager -q -t kubelet-sysctl -o cat; }
units_left() { node_run systemctl list-units --all --plain --no-legend 'kubelet-sysctl-*'; }
nothing_armed() {
  [ -z "$(units_left)" ] && [ ! -e "$(node_path /etc/systemd/system/$boot_unit)" ] &&
    [ -z "$(find "$(node_path /etc/systemd/system)" -name "$boot_unit")" ]
}

assert_exit 1 tool keep
assert_contains "$ERR" trial

# 1. A user tries it over ssh, sees that it works, and the connection breaks.
session_start sh -c 'kubelet-sysctl add --trial 6s kernel.sem --window 1s
  echo $? >/run/trial.exit; exec sleep 600'
wait_until 20 test -s "$(node_path /run/trial.exit)" || fail "the trial did not begin"
assert_eq 0 "$(cat "$(node_path /run/trial.exit)")" "exit code: $(cat "$(session_said)")"
session_hangup
id=$(change_newest)
assert_eq trial "$(change_state "$id")"
assert_eq "$list,kernel.sem" "$(kubelet_flag)"
assert_eq active "$(node_run systemctl is-active "kubelet-sysctl-trial-$id.timer")"
assert_eq enabled "$(node_run systemctl is-enabled $boot_unit)"
assert_exit 0 tool show
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "ON TRIAL"
assert_contains "$E2E_TMP/said" "$id"
assert_contains "$E2E_TMP/said" "kubelet-sysctl keep"
wait_until 45 has_state "$id" rolled-back || fail "the trial did not end: $(logged)"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)" "the list after the trial"
assert_eq ok "$(kubelet_health)"
has_logged() { logged | grep -F -e "$1" >/dev/null; }
has_logged "add applied on trial: +kernel.sem, transaction $id" || fail "logged: $(logged)"
wait_until 10 has_logged "undo applied: -kernel.sem" || fail "logged: $(logged)"
wait_until 10 nothing_armed || fail "left over: $(units_left)"

# 2. Kept in time.
assert_exit 0 tool add --trial 4s kernel.sem --window 200ms -o json
id=$(json 'd["transaction"]')
ends=$(($(now_ms) + 4000))
assert_exit 0 tool keep -o json
assert_eq confirmed "$(change_state "$id")"
nothing_armed || fail "left over after keep: $(units_left)"
is_over() { [ "$(now_ms)" -gt $((ends + 500)) ]; }
wait_until 10 is_over
assert_exit 0 tool recover
assert_eq "$list,kernel.sem" "$(kubelet_flag)" "the list that was kept"
assert_exit 1 tool keep
assert_exit 0 tool undo --window 0ms
assert_same_bytes "$(kept $file)" "$(node_path $file)"

# 3. The run is killed before it saw its end: the timer was armed before the first write.
node_settings health_delay_ms=2000
is_written() { grep -q kernel.sem "$(node_path $file)"; }
run_start killed add --trial 4s kernel.sem --window 1s
wait_until 10 is_written || fail "nothing was written: $(cat "$(run_said killed)")"
id=$(change_newest)
run_signal killed KILL
assert_exit 137 run_end killed
node_settings
wait_until 45 has_state "$id" rolled-back || fail "it was not taken back: $(logged)"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
wait_until 10 nothing_armed || fail "left over: $(units_left)"

# 4. The trial ends while another run is at work on the same file: the end waits, and takes back its
# own entry only.
assert_exit 0 tool add --trial 3s kernel.sem --window 200ms -o json
id=$(json 'd["transaction"]')
ends=$(($(now_ms) + 3000))
node_settings health_delay_ms=4000
run_start other add 'kernel.shm*' --window 200ms
wait_until 10 is_over
assert_eq trial "$(change_state "$id")" "the trial while another run has the lock"
assert_exit 0 run_end other
node_settings
wait_until 45 has_state "$id" rolled-back || fail "the trial did not end: $(logged)"
assert_eq "$list,kernel.shm*" "$(kubelet_flag)"
assert_contains "$(node_path $file)" "=$list,kernel.shm* "
assert_eq ok "$(kubelet_health)"
wait_until 10 nothing_armed || fail "left over: $(units_left)"

# The next start is what the files say: neither what a trial left, nor links that another process makes without
# a reload, for which systemd 257 and later want one of every unit, is called a difference.
assert_exit 0 tool show --exit-code
printf '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n' \
  >"$(node_path /etc/systemd/system/foreign.service)"
node_run systemctl enable --quiet --no-reload foreign.service
assert_exit 0 tool show --exit-code
