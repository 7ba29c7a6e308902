#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The harness itself: nodes of three kinds boot, and the stand-in behaves as a kubelet there.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in

# A kOps node: the flag comes out of "$DAEMON_ARGS".
node_up kops kops
assert_eq active "$(unit ActiveState)"
assert_eq /usr/local/bin/kubelet "$(kubelet_argv | head -n 1)"
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse "$(kubelet_flag)"
assert_eq --runtime-request-timeout=15m "$(kubelet_argv | grep -F -e --runtime-request)"
assert_eq ok "$(kubelet_health)"
assert_eq "$(kubelet_pid) net.core.somaxconn,net.ipv4.tcp_tw_reuse" \
  "$(cat "$(node_path /run/fake-kubelet.starts)")" "the starts recorded"

# A bad entry: `restart` succeeds, the kubelet dies late, and its own words are in the journal.
sed -i 's/=net.core.somaxconn,/=vm.max_map_count,net.core.somaxconn,/' \
  "$(node_path /etc/sysconfig/kubelet)"
assert_exit 0 node_run systemctl restart kubelet.service
assert_eq active "$(unit ActiveState)" "just after a restart that is going to fail"
is_looping() { [ "$(unit SubState)" = auto-restart ]; }
wait_until 5 is_looping || fail "the kubelet took a bad list"
kubelet_journal >"$E2E_TMP/journal"
assert_contains "$E2E_TMP/journal" \
  'failed to create kubelet: the sysctls \"vm.max_map_count\" are not known to be namespaced'
node_kill

# Three nodes at once, each in its own network: the health port is the same on all.
node_new kubeadm-deb deb
node_boot
node_new kubeadm-rpm rpm
node_boot
node_new eks-al2023 eks
node_boot
node_use deb
node_start
assert_eq 'net.core.somaxconn,kernel.shm*' "$(kubelet_list)" "the list of config.yaml"
assert_eq "" "$(kubelet_flag)"
node_use rpm
node_start
assert_eq 'kernel.msg*,kernel.sem' "$(kubelet_list)" "the flag hides the list of config.yaml"
node_use eks
node_start
assert_eq net.core.somaxconn "$(kubelet_list)" "the list of the drop-in directory"
dropins=/etc/kubernetes/kubelet/config.json.d
printf '{"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
  "allowedUnsafeSysctls": ["kernel.sem"]}' >"$(node_path $dropins/90-later.conf)"
assert_exit 0 node_run systemctl restart kubelet.service
node_wait_healthy
assert_eq kernel.sem "$(kubelet_list)" "a later drop-in replaces the list"

# Knobs: misbehaviour that needs an entry leaves the old list alone.
node_settings exit_after_ms=100 only_when_list_contains=kernel.sem
assert_exit 0 node_run systemctl restart kubelet.service
wait_until 5 is_looping || fail "the knob exit_after_ms has no effect"
rm "$(node_path $dropins/90-later.conf)"
assert_exit 0 node_run systemctl restart kubelet.service
node_wait_healthy
