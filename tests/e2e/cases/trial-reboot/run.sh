#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The node loses its power inside a trial: after the boot the old list is in force and seen, without
# anybody typing, and what was set up for the trial is gone.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
boot_unit=kubelet-sysctl-recover.service
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_up kops
node_run systemctl enable --quiet kubelet.service
keep $file

assert_exit 0 tool add --trial 1h kernel.sem --window 500ms -o json
id=$(json 'd["transaction"]')
assert_eq "$list,kernel.sem" "$(kubelet_flag)"
[ -e "$(node_path /etc/systemd/system/$boot_unit)" ] || fail "there is no unit for the next boot"

node_reboot
is_closed() { [ "$(change_state "$id")" = rolled-back ]; }
wait_until 30 is_closed || fail "the trial outlived the boot: it is $(change_state "$id")"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)" "the list after the boot"
assert_eq ok "$(kubelet_health)"
logged() { node_run journalctl --no-pager -q -t kubelet-sysctl -o cat; }
has_logged() { logged | grep -F -e "$1" >/dev/null; }
wait_until 10 has_logged "undo applied: -kernel.sem" || fail "logged: $(logged)"
is_gone() {
  [ -z "$(find "$(node_path /etc/systemd/system)" -name "$boot_unit")" ] &&
    [ -z "$(node_run systemctl list-units --all --plain --no-legend 'kubelet-sysctl-trial-*')" ]
}
wait_until 10 is_gone || fail "the unit for the boot is still there"
assert_exit 0 tool recover
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "nothing to recover"

# A second boot has nothing to do.
node_reboot
node_wait_healthy
assert_eq "$list" "$(kubelet_flag)" "the list after the second boot"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
