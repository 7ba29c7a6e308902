#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A name that the running kernel does not have is refused, and one that pods may set without an entry is left
# alone: the kubelet is not restarted for either.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
node_up kops
keep $file
pid=$(kubelet_pid)
for name in net.core.somaxcon net.core net.ipv4.tcp_fin_timout 'net.ipv4.tcp_keepaliv_*'; do
  assert_exit 3 tool add "$name"
  assert_kept $file
done
assert_exit 3 tool add net.core.somaxcon
assert_contains "$ERR" "did you mean 'net.core.somaxconn'?"
# Nothing is near this one, and the kernel does not have it.
assert_exit 3 tool add net.example.unheard_of
assert_exit 0 tool add net.ipv4.tcp_syncookies
assert_contains "$OUT" "unchanged"
assert_contains "$OUT" "without an entry"
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
# What is to be known is said before the write.
assert_exit 0 tool add 'net.ipv4.*' --window 0ms
assert_contains "$ERR" "wide-grant"
assert_lacks "$OUT" "wide-grant"
