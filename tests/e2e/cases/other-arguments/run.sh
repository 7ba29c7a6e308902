#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that comes up with other arguments than the files give is not taken for a success.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
keep $file
# A wrapper in the place of the program, which loses what it does not know.
mv "$(node_path /usr/local/bin/kubelet)" "$(node_path /usr/local/bin/kubelet.real)"
cat >"$(node_path /usr/local/bin/kubelet)" <<'WRAPPER'
#!/bin/bash
words=("$@")
for i in "${!words[@]}"; do
  [ "${words[i]}" != "${words[i]%,kernel.sem}" ] && words[i]=${words[i]%,kernel.sem}
done
exec -a /usr/local/bin/kubelet /usr/local/bin/kubelet.real "${words[@]}"
WRAPPER
chmod 0755 "$(node_path /usr/local/bin/kubelet)"

assert_exit 4 tool add kernel.sem --window 1s --timeout 20s
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "other arguments"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
