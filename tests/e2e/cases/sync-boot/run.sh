#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The unit that applies the desired list before every start of the kubelet: at boot, after a user rewrote
# the configuration, beside our own restart, after a run that was killed, and before the node has joined.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
config=/var/lib/kubelet/config.yaml
desired=/etc/kubelet-sysctl.conf
sync=kubelet-sysctl-sync.service
old='net.core.somaxconn,kernel.shm*'
wish() { printf '%s\n' "$@" >"$(node_path $desired)"; }
sync_is() { node_run systemctl show $sync -p "$1" --value; }
sync_said() { node_run journalctl --no-pager -q -u $sync -o cat; }

# node_with_unit NAME: as the package and 'systemctl enable' leave it.
node_with_unit() {
  node_new kubeadm-deb "$1"
  install "$E2E_TOOL" "$NODE_ROOT/usr/bin/kubelet-sysctl"
  install -m 0644 "$E2E_SOURCE/packaging/systemd/$sync" "$NODE_ROOT/usr/lib/systemd/system/"
  systemctl --quiet --root="$NODE_ROOT" enable kubelet.service $sync
}

# The kubelet's first start at boot has the list; nothing restarted it.
node_with_unit boot
cp "$NODE_ROOT$config" "$E2E_TMP/config.yaml"
echo 'kernel.sem owner=team-db reason=postgres' >"$NODE_ROOT$desired"
node_boot
node_wait_healthy
assert_eq "$old,kernel.sem" "$(kubelet_list)" "the list of the first start"
assert_eq 1 "$(kubelet_starts)" "starts of the kubelet"
assert_eq success "$(sync_is Result)" "$(sync_said)"
assert_eq pending "$(change_state "$(change_newest)")" "the record of the change"
assert_exit 0 tool show --exit-code

# 'systemctl restart' runs it again; there is nothing to do.
keep $config
invocation=$(sync_is InvocationID)
node_run systemctl restart kubelet.service
node_wait_healthy
[ "$(sync_is InvocationID)" != "$invocation" ] || fail "the unit did not run before the restart"
assert_kept $config

# An upgrade that rewrote the configuration: its restart brings the list back, in one start.
starts=$(kubelet_starts)
cp "$E2E_TMP/config.yaml" "$(node_path $config)"
node_run systemctl restart kubelet.service
node_wait_healthy
assert_eq "$old,kernel.sem" "$(kubelet_list)" "the list after the upgrade"
assert_eq $((starts + 1)) "$(kubelet_starts)" "starts of the kubelet"

# Our own restart starts the unit as well, which must not wait for the lock that we hold.
invocation=$(sync_is InvocationID)
begin=$(now_ms)
assert_exit 0 tool add kernel.msgmax --window 500ms --timeout 20s
took=$(($(now_ms) - begin))
[ $took -lt 15000 ] || fail "the change took $took ms: the unit waited for the lock of that very run"
[ "$(sync_is InvocationID)" != "$invocation" ] || fail "the unit did not run beside our restart"
assert_eq success "$(sync_is Result)" "$(sync_said)"
sync_said | grep -qF 'nothing was inspected' || fail "the unit said: $(sync_said)"
assert_eq "$old,kernel.sem,kernel.msgmax" "$(kubelet_list)"

# A run that is killed beside its restart: the next start of the kubelet waits for nobody, undoes what that
# run left, and has what is desired.
run_start killed add kernel.msgmnb --window 60s
is_up() { [ "$(kubelet_list)" = "$old,kernel.sem,kernel.msgmax,kernel.msgmnb" ] && kubelet_is_healthy; }
wait_until 20 is_up || fail "the change did not begin: $(cat "$(run_said killed)")"
run_signal killed KILL
run_end killed || true
begin=$(now_ms)
node_run systemctl restart kubelet.service
node_wait_healthy
took=$(($(now_ms) - begin))
[ $took -lt 15000 ] || fail "the start of the kubelet took $took ms"
assert_eq "$old,kernel.sem,kernel.msgmax" "$(kubelet_list)" "the list after the killed run"
assert_eq rolled-back "$(change_state "$(change_newest)")" "the record of the killed run"

# A reboot with nothing to do but to end a trial, and that before the kubelet starts.
keep $config
assert_exit 0 tool add --trial 1h kernel.shmall --window 300ms
node_reboot
node_wait_healthy
assert_same_bytes "$(kept $config)" "$(node_path $config)"
assert_eq "$old,kernel.sem,kernel.msgmax" "$(kubelet_list)" "the list after the reboot"
assert_eq 1 "$(kubelet_starts)" "starts of the kubelet since the boot"
keep $config

# A mistake in the desired list fails the unit, and the kubelet runs.
wish 'vm.max_map_count owner=search'
node_run systemctl restart kubelet.service
node_wait_healthy
assert_eq exit-code "$(sync_is Result)"
sync_said | grep -qF "$desired:1:1: 'vm.max_map_count' would stop" || fail "the unit said: $(sync_said)"
assert_kept $config

# Without a desired list there is nothing to do, and no word of it.
rm "$(node_path $desired)"
node_run systemctl reset-failed $sync
node_run systemctl restart kubelet.service
node_wait_healthy
assert_eq no "$(sync_is ConditionResult)" "the condition of the unit"
assert_eq success "$(sync_is Result)"
node_kill

# Before 'kubeadm join': the kubelet cannot start, and no flag is written that would hide the list which the
# join brings. The start by the join has both.
node_with_unit join
mv "$NODE_ROOT$config" "$E2E_TMP/config.yaml"
echo 'kernel.sem' >"$NODE_ROOT$desired"
node_boot
has_run() { [ -n "$(sync_is InvocationID)" ] && [ "$(sync_is ActiveState)" = inactive ]; }
wait_until 20 has_run || fail "the unit did not run"
assert_eq success "$(sync_is Result)" "$(sync_said)"
sync_said | grep -qF 'pending: nothing was written' || fail "the unit said: $(sync_said)"
cp "$E2E_TMP/config.yaml" "$(node_path $config)"
node_run systemctl stop kubelet.service
node_run systemctl start kubelet.service
node_wait_healthy
assert_eq "$old,kernel.sem" "$(kubelet_list)" "the list of the start by the join"
assert_eq "" "$(kubelet_flag)" "the flag"

# What the unit may not do, it does not need: behind its walls the kernel and the node are seen as without them.
seen='check net.core.somaxconn net.core.rmem_max kernel.shmmax -o json'
# shellcheck disable=SC2086
node_run kubelet-sysctl $seen >"$E2E_TMP/outside" || true
node_run mkdir "/run/systemd/system/$sync.d"
printf '[Unit]\nConditionPathExists=|/\n[Service]\nExecStart=\nExecStart=-kubelet-sysctl %s\n' "$seen" \
  >"$(node_path "/run/systemd/system/$sync.d/check.conf")"
node_run systemctl daemon-reload
node_run systemctl start $sync
grep -q '"kernel":"writable"' "$E2E_TMP/outside" || fail "the kernel was not asked: $(cat "$E2E_TMP/outside")"
node_run journalctl --no-pager -q _SYSTEMD_INVOCATION_ID="$(sync_is InvocationID)" -o cat >"$E2E_TMP/inside"
assert_same_bytes "$E2E_TMP/outside" "$E2E_TMP/inside"
