#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `undo` on a live node on which another file of the kubelet was broken meanwhile: the bytes come back, and the
# kubelet that runs is not restarted, since it would not start.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/default/kubelet
config=/var/lib/kubelet/config.yaml
node_up kubeadm-deb
keep $file
assert_exit 0 tool add kernel.sem --via args --window 300ms -o json
assert_eq applied "$(json 'd["outcome"]')"
pid=$(kubelet_pid)
echo 'x: [' >>"$(node_path $config)"
cp "$(node_path $config)" "$E2E_TMP/broken"
assert_exit 0 tool undo --window 300ms -o json
assert_eq "pending True" "$(json 'd["outcome"]') $(json 'd["changed"]' | sed 's/true/True/')"
assert_contains "$OUT" "node-not-read"
assert_contains "$OUT" "systemctl restart kubelet.service"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_same_bytes "$E2E_TMP/broken" "$(node_path $config)"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
assert_eq ok "$(kubelet_health)"
