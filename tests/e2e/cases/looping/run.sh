#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that restarts for ever. A change that does not fix it is put back, and no health is
# claimed that was not there; a change that does fix it is applied.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
file=/etc/sysconfig/kubelet
node_new kops
node_settings exit_after_ms=800
node_boot
is_looping() { [ "$(unit NRestarts)" -ge 1 ]; }
wait_until 10 is_looping || fail "the stand-in does not loop"
keep $file

status=0
tool add kernel.sem --window 2s --timeout 6s -o json || status=$?
[[ $status = 4 || $status = 5 ]] || fail "exit $status after a change that cannot be confirmed"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
[ "$(json 'd["outcome"]')" != applied ] || fail "claims to have applied it"
assert_eq false "$(json 'd["evidence"] is not None and d["evidence"]["health"] == "ok"')" \
  "health claimed for a kubelet that never was healthy"

node_settings
# Whether the way back was seen depends on when the loop was looked at. Where it was not, the change waits for its end,
# which can be seen now that the kubelet stays up.
[ $status = 4 ] || assert_exit 0 tool recover --window 500ms --timeout 20s
sed -i 's/=net.core.somaxconn,/=vm.max_map_count,net.core.somaxconn,/' "$(node_path $file)"
node_run systemctl restart kubelet.service
wait_until 10 is_looping || fail "the stand-in took a bad list"
assert_exit 0 tool remove vm.max_map_count --window 2s --timeout 20s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
