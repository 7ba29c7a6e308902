#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A unit without the flag and without a variable gets a drop-in of our own; undo takes it away
# again, with the directory that was made for it.
. "$(dirname "$0")/../../lib.sh"
needs_tool
tree=$E2E_TMP/plain
mkdir -p "$tree/root/usr/lib/systemd/system" "$tree/root/var/lib/kubelet"
cat >"$tree/root/usr/lib/systemd/system/kubelet.service" <<'UNIT'
[Unit]
Description=kubelet

[Service]
ExecStart=/usr/local/bin/kubelet --config=/var/lib/kubelet/config.yaml --v=2
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
UNIT
printf 'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n' \
  >"$tree/root/var/lib/kubelet/config.yaml"
node_new plain plain-node "$tree"
node_boot
node_start
unit_file=/usr/lib/systemd/system/kubelet.service
directory=/etc/systemd/system/kubelet.service.d
keep $unit_file
assert_eq "" "$(kubelet_flag)"

assert_exit 0 tool add --via args kernel.sem --window 1s
[ -f "$(node_path $directory/90-kubelet-sysctl.conf)" ] || fail "no drop-in was made"
assert_eq kernel.sem "$(kubelet_flag)"
words="/usr/local/bin/kubelet --config=/var/lib/kubelet/config.yaml --v=2"
assert_eq "$words --allowed-unsafe-sysctls=kernel.sem " "$(kubelet_argv | tr '\n' ' ')"
assert_eq no "$(unit NeedDaemonReload)"
assert_eq ok "$(kubelet_health)"
assert_kept $unit_file

assert_exit 0 tool undo --window 1s
[ ! -e "$(node_path $directory)" ] || fail "undo left '$directory'"
assert_eq "" "$(kubelet_flag)"
assert_eq no "$(unit NeedDaemonReload)"
assert_eq ok "$(kubelet_health)"
