#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An edit of a file that a flag hides is refused, and the message names the flag's file and line:
# the entry even is in that file already, without any effect.
. "$(dirname "$0")/../../lib.sh"
needs_tool
node_up kubeadm-rpm
keep /var/lib/kubelet/config.yaml
keep /etc/sysconfig/kubelet
pid=$(kubelet_pid)

assert_exit 3 tool add --via config net.core.somaxconn
assert_contains "$ERR" /etc/sysconfig/kubelet:2
assert_kept /var/lib/kubelet/config.yaml
assert_kept /etc/sysconfig/kubelet
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
