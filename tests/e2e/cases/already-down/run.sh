#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that a user stopped is not started behind their back: the change waits for its start.
. "$(dirname "$0")/../../lib.sh"
needs_tool
node_up kops
node_run systemctl stop kubelet.service
starts=$(kubelet_starts)

assert_exit 0 tool add kernel.sem -o json
assert_eq pending "$(json 'd["outcome"]')"
assert_eq true "$(json 'd["changed"]')"
assert_eq inactive "$(unit ActiveState)"
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"

node_start
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem "$(kubelet_flag)"
