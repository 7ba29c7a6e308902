#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The story this program began with: a list under the flag's name in the configuration file of a kOps node.
# doctor names the file, the line, the key and the fix, --fix makes the fix and nothing else, and the
# kernel is asked. Then a kubelet that falls, a user who is not root, and a lock file that nobody opens.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/var/lib/kubelet/kubelet.conf
node_up kops-misspelt
keep $file
pid=$(kubelet_pid)
values() { node_run sh -c 'cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax'; }
node_values=$(values)

assert_exit 6 tool doctor
line=$(grep -n '^allowed-unsafe-sysctls:' "$(kept $file)" | cut -d : -f 1)
assert_contains "$OUT" "$file:$line: the kubelet ignores the key 'allowed-unsafe-sysctls' with 3 entries"
assert_contains "$OUT" "'kubelet-sysctl doctor --fix'"
assert_exit 6 tool doctor -o json
assert_eq misspelt-key "$(json 'd["findings"][0]["id"]')"
assert_exit 6 tool show --exit-code
assert_exit 0 tool doctor --fix --dry-run --diff
assert_contains "$OUT" "+allowedUnsafeSysctls:"
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after looking"

assert_exit 0 tool doctor --fix --window 1s --reason "ticket 7"
kernel=$(uname -r)
assert_contains "$ERR" "'net.core.netdev_max_backlog' is absent for pods in this kernel ($kernel)"
assert_contains "$ERR" "'kernel.msg*' covers"
sed 's/^allowed-unsafe-sysctls:/allowedUnsafeSysctls:/' "$(kept $file)" >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq 'kernel.msg*,net.core.somaxconn,net.core.netdev_max_backlog' "$(kubelet_list)"
assert_eq ok "$(kubelet_health)"
# show reports the entry that no pod can set, and that is what its exit code stands for: no drift.
assert_exit 6 tool show --exit-code
assert_contains "$OUT" "$file:$((line + 1))"
assert_contains "$OUT" "ok: the kubelet is healthy and has the configured list"
assert_contains "$OUT" "$file:$((line + 3)): 'net.core.netdev_max_backlog' is absent for pods in this kernel"
assert_exit 6 tool doctor
assert_contains "$OUT" "$file:$((line + 3)): 'net.core.netdev_max_backlog' is absent for pods"
assert_lacks "$OUT" misspelt
assert_eq "$node_values" "$(values)" "the node's own sysctls"

# Nothing left that needs no decision: nothing is written, nothing restarts.
pid=$(kubelet_pid)
assert_exit 0 tool doctor --fix
assert_contains "$OUT" "unchanged:"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after a second --fix"
assert_exit 0 tool undo --window 1s
assert_same_bytes "$(kept $file)" "$(node_path $file)"

# Drift ends with 6; the fix leaves it alone.
sed -i 's/^allowed-unsafe-sysctls:/allowedUnsafeSysctls:/' "$(node_path $file)"
assert_exit 6 tool show --exit-code
assert_exit 6 tool doctor
assert_contains "$OUT" "[newer-file]"
pid=$(kubelet_pid)
assert_exit 0 tool doctor --fix
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after --fix of drift alone"

# A user who is not root sees what may be seen, and hears what not.
node_run chmod 0600 $file
STATUS=0
node_run setpriv --reuid 65534 --regid 65534 --clear-groups kubelet-sysctl doctor >"$OUT" 2>"$ERR" ||
  STATUS=$?
[ "$STATUS" = 0 ] || [ "$STATUS" = 6 ] || fail "exit $STATUS for a user who is not root: $(cat "$ERR")"
assert_contains "$OUT" "not inspected: $file"
assert_lacks "$OUT" "[config-broken]"
node_run chmod 0644 $file

# A kubelet that falls: why, in words.
arguments=/etc/sysconfig/kubelet
cp "$(node_path $arguments)" "$E2E_TMP/arguments"
sed -i 's|^DAEMON_ARGS="|&--allowed-unsafe-sysctls=kernel.sem, vm.swappiness |' "$(node_path $arguments)"
node_run systemctl restart kubelet.service
is_looping() { [ "$(unit NRestarts)" -ge 1 ]; }
wait_until 20 is_looping || fail "the kubelet took a stray argument"
assert_exit 6 tool doctor
assert_contains "$OUT" "[restart-loop]"
assert_contains "$OUT" "its last words mean: a stray argument"
assert_contains "$OUT" "$arguments:1: a blank splits the list at 'vm.swappiness'"
# Joined it would hold an entry that no kubelet takes: refused, and nothing is written.
keep $arguments
assert_exit 3 tool doctor --fix
assert_contains "$ERR" "are not known to be namespaced"
assert_kept $arguments
sed -i 's/vm.swappiness/net.core.somaxconn/' "$(node_path $arguments)"
assert_exit 0 tool doctor --fix --window 1s
assert_eq kernel.sem,net.core.somaxconn "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
