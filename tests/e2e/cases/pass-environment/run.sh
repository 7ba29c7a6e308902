#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Arguments in a variable that process 1 passes on: no edit takes them from the kubelet, and where their value
# cannot be known nothing is answered and nothing is written.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
node_new kops
mkdir -p "$NODE_ROOT/etc/systemd/system/kubelet.service.d"
cat >"$NODE_ROOT/etc/systemd/system/kubelet.service.d/10-pass.conf" <<'UNIT'
[Service]
PassEnvironment=KUBELET_EXTRA_ARGS
EnvironmentFile=
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/local/bin/kubelet --config=/var/lib/kubelet/kubelet.conf $KUBELET_EXTRA_ARGS
UNIT
rm -f "$NODE_ROOT/etc/default/kubelet"
NODE_SETENV=KUBELET_EXTRA_ARGS=--v=5
node_boot
node_start
assert_contains <(kubelet_argv) "--v=5"

assert_exit 0 tool explain
assert_contains "$OUT" "--v=5"
assert_exit 0 tool add kernel.sem --via args --window 1s
assert_contains <(kubelet_argv) "--v=5"
assert_eq kernel.sem "$(kubelet_flag)"
assert_exit 0 tool remove kernel.sem --window 1s
assert_contains <(kubelet_argv) "--v=5"
