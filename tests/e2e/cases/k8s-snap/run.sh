#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a node of Canonical Kubernetes a shell reads the kubelet's arguments: a pattern goes in in quotes, what only
# the shell can determine is refused with its place, and the process that the script became is what is seen.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/hosts.sh"
needs_tool
needs_stand_in
file=/var/snap/k8s/common/args/kubelet
node_new k8s-snap
stand_in_k8s_snap
node_boot
host_start snap.k8s.kubelet.service
node_wait_healthy
cp "$(node_path $file)" "$E2E_TMP/original"

assert_exit 0 tool show -o json
assert_eq k8s-snap "$(json 'd["node"]["kind"]')"
assert_eq '[]' "$(json 'd["configured"]["entries"]')"

assert_exit 0 tool add net.core.somaxconn --window 1s
assert_eq net.core.somaxconn "$(kubelet_list)"
assert_exit 0 tool add 'kernel.msg*' --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq true "$(json 'd["evidence"]["argv"]')"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)" "the list the kubelet read"
{
  cat "$E2E_TMP/original"
  echo "--allowed-unsafe-sysctls='net.core.somaxconn,kernel.msg*'"
} >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"

assert_exit 4 tool add --force vm.swappiness --window 1s --timeout 20s
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)"

# Only the shell can determine: shown from the process, and not edited.
sed -i "s/^--allowed.*/--allowed-unsafe-sysctls=\$(cat \/etc\/list)/" "$(node_path $file)"
assert_exit 0 tool show -o json
assert_eq '["net.core.somaxconn", "kernel.msg*"]' "$(json 'd["running"]["entries"]')"
assert_exit 3 tool add kernel.sem
assert_contains "$ERR" "$file:21:26"
cp "$E2E_TMP/expected" "$(node_path $file)"

assert_exit 0 tool undo --window 1s
assert_eq net.core.somaxconn "$(kubelet_list)"
assert_exit 0 tool remove net.core.somaxconn --window 1s
assert_same_bytes "$E2E_TMP/original" "$(node_path $file)"
assert_eq "" "$(kubelet_list)"
