#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The file says it and the process does not: nothing to write, the kubelet is restarted and seen.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
sed -i 's/net.ipv4.tcp_tw_reuse /net.ipv4.tcp_tw_reuse,kernel.sem /' "$(node_path $file)"
keep $file
old_pid=$(kubelet_pid)

assert_exit 0 tool show -o json
assert_eq true "$(json 'd["drift"]')"
assert_exit 0 tool add kernel.sem --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq true "$(json 'd["changed"]')"
assert_eq '[]' "$(json 'd["edits"]')"
assert_kept $file
[ "$(kubelet_pid)" != "$old_pid" ] || fail "the kubelet was not restarted"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem "$(kubelet_flag)"
assert_exit 0 tool show -o json
assert_eq false "$(json 'd["drift"]')"
