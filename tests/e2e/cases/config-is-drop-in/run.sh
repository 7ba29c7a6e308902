#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A configuration of the kubelet that systemd reads as a drop-in too, as on the page of kubeadm about
# etcd: systemd reads it again before the restart, on the way there and on every way back.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
tree=$E2E_TMP/both
drop_ins=/etc/systemd/system/kubelet.service.d
file=$drop_ins/kubelet.conf
mkdir -p "$tree/root/usr/lib/systemd/system" "$tree/root$drop_ins"
cat >"$tree/root/usr/lib/systemd/system/kubelet.service" <<'UNIT'
[Service]
ExecStart=/usr/bin/kubelet
Restart=always
RestartSec=1
UNIT
cat >"$tree/root$drop_ins/20-etcd-service-manager.conf" <<UNIT
[Service]
ExecStart=
ExecStart=/usr/bin/kubelet --config=$file
UNIT
printf 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n' \
  >"$tree/root$file"
node_new both both-node "$tree"
node_boot
node_start
keep $file
# What systemd last read is what is there, and nothing is left to be said of it.
is_read() {
  assert_eq no "$(unit NeedDaemonReload)" "NeedDaemonReload after $1"
  assert_exit 0 tool show --exit-code
}

assert_exit 0 tool add kernel.sem --window 500ms
assert_contains "$(node_path $file)" kernel.sem
is_read add
assert_exit 0 tool undo --window 500ms
assert_same_bytes "$(kept $file)" "$(node_path $file)"
is_read undo

node_settings exit_after_ms=300 only_when_list_contains=kernel.sem
assert_exit 4 tool add kernel.sem --window 2s --timeout 5s
assert_same_bytes "$(kept $file)" "$(node_path $file)"
is_read "a rollback"

node_settings
run_start killed add kernel.sem --window 20s
is_written() { grep -q kernel.sem "$(node_path $file)"; }
wait_until 10 is_written || fail "nothing was written"
run_signal killed KILL
run_end killed || :
assert_exit 0 tool recover --window 500ms
is_read recover
