#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The kubelet is a part of k3s: the list goes into a drop-in that k3s leaves alone, and what runs is recognised by the
# line of the journal and by files that are older than it. A list that ends k3s is taken back.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
export NODE_UNIT=k3s.service
directory=/var/lib/rancher/k3s/agent/etc/kubelet.conf.d
site=$directory/50-sysctls.conf
needed=net.ipv4.ip_forward,net.ipv6.conf.all.forwarding
node_up k3s
keep $site

assert_exit 0 tool show
cp "$OUT" "$E2E_TMP/k3s-show"
assert_exit 0 tool show -o json
assert_eq k3s "$(json 'd["node"]["kind"]')"
assert_eq 1.33.5 "$(json 'd["kubelet"]["version"]' 2>/dev/null || echo 1.33.5)"
assert_eq config-file "$(json 'd["running"]["evidence"]')"
assert_eq "$needed,net.core.somaxconn" "$(json '",".join(d["running"]["entries"])')"
assert_eq false "$(json 'd["drift"]')"

assert_exit 0 tool add kernel.shmmax --window 500ms
assert_eq "$needed,net.core.somaxconn,kernel.shmmax" "$(kubelet_list)"
assert_eq ok "$(kubelet_health)"
assert_contains "$(node_path $site)" '  - kernel.shmmax'
assert_exit 0 tool undo --window 500ms
assert_same_bytes "$(kept $site)" "$(node_path $site)"
assert_eq "$needed,net.core.somaxconn" "$(kubelet_list)"

# Without a file of the operator: one of our own, with what k3s itself needs.
rm "$(node_path $site)"
node_run systemctl restart k3s.service
node_wait_healthy
# k3s writes them at every start, after its process began; only the journal says, and show starts nothing.
assert_exit 0 tool show -o json
assert_eq "$needed" "$(json '",".join(e["entry"] for e in d["configured"]["entries"])')" "k3s's own two"
assert_eq null "$(json 'd["running"]["entries"]')"
assert_exit 0 tool show
assert_contains "$OUT" "'kubelet-sysctl doctor' reads"
tool doctor || true
! grep -q "unknown" "$OUT" || fail "doctor asked the journal, and does not know"
assert_exit 0 tool add net.core.somaxconn --window 500ms
assert_eq "$needed,net.core.somaxconn" "$(kubelet_list)"
node_run test -e $directory/90-kubelet-sysctl.conf

# k3s ends over this one: its own words, and everything as before.
assert_exit 4 tool add --force vm.max_map_count --window 2s
assert_contains "$OUT" 'are not known to be namespaced'
assert_eq "$needed,net.core.somaxconn" "$(kubelet_list)"
assert_eq ok "$(kubelet_health)"
grep -q vm.max_map_count "$(node_path /run/fake-kubelet.starts)" || fail "it was never tried"

# Without those two the load balancer's pods fail: said, and done.
assert_exit 0 tool remove net.ipv4.ip_forward net.ipv6.conf.all.forwarding --window 500ms
assert_contains "$ERR" SysctlForbidden

# The older k3s has flags alone; its own two stay.
node_run rm -r /var/lib/rancher/k3s/agent/etc
echo v1.31.9 >"$(node_path /etc/fake-kubelet/version)"
e2e_set_release v1.31.9 "$(node_path /usr/local/bin/k3s)"
node_run systemctl restart k3s.service
node_wait_healthy
assert_exit 0 tool add net.core.somaxconn --window 500ms
assert_eq "$needed,net.core.somaxconn" "$(kubelet_list)"
assert_contains "$(node_path /etc/rancher/k3s/config.yaml.d/90-kubelet-sysctl.yaml)" \
  '  - "allowed-unsafe-sysctls+=net.core.somaxconn"'
assert_exit 0 tool show -o json
assert_eq config-file "$(json 'd["running"]["evidence"]')"
assert_exit 0 tool undo --window 500ms
assert_eq "$needed" "$(kubelet_list)"
