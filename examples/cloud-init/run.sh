#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots nodes with this user data and the real cloud-init: one that fetches the program before it joins,
# one whose image has the package, one of EKS, and two with a mistake.
#
#   sudo examples/cloud-init/run.sh
#
# Exit code 77 means that this machine cannot boot a node or has no cloud-init; it says why.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/e2e/lib.sh"
needs_tool
for program in cloud-init curl; do
  command -v $program >/dev/null || skip "$program is missing (package $program)"
done

# new_machine NAME ENTRY: before kubeadm join, so with packages but no configuration of the kubelet.
# The entry takes the place of the first one of the user data.
new_machine() {
  node_new kubeadm-deb "$1"
  mkdir -p "$E2E_TMP/join.$1"
  mv "$NODE_ROOT"/var/lib/kubelet/{config.yaml,kubeadm-flags.env} "$E2E_TMP/join.$1"
  install "$E2E_TOOL" "$NODE_ROOT/srv/kubelet-sysctl"
  rm "$NODE_ROOT/usr/local/bin/kubelet-sysctl"
  rm -rf "$NODE_ROOT"/var/lib/cloud "$NODE_ROOT"/var/log/cloud-init*
  local seed=$NODE_ROOT/var/lib/cloud/seed/nocloud
  mkdir -p "$seed"
  sed -e 's|url=.*|url=file:///srv/kubelet-sysctl|' -e "s|net.core.somaxconn|$2|" \
    -e "s|sha256=.*|sha256=$(sha256sum "$E2E_TOOL" | cut -d ' ' -f 1)|" "$here/user-data" \
    >"$seed/user-data"
  echo "instance-id: $1" >"$seed/meta-data"
  # What only a machine with disks and a network of its own can do.
  cloud_init_on
  systemctl --quiet --root="$NODE_ROOT" enable kubelet.service
}

cloud_init_on() {
  cat >"$NODE_ROOT/etc/cloud/cloud.cfg.d/99_container.cfg" <<'CONFIG'
datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [bootcmd, write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user, final-message]
CONFIG
  systemctl --quiet --root="$NODE_ROOT" enable cloud-init-local.service cloud-init.service \
    cloud-config.service cloud-final.service
}

# seed NAME: a node's user data comes from standard input.
seed() {
  rm -rf "$NODE_ROOT"/var/lib/cloud "$NODE_ROOT"/var/log/cloud-init*
  mkdir -p "$NODE_ROOT/var/lib/cloud/seed/nocloud"
  cat >"$NODE_ROOT/var/lib/cloud/seed/nocloud/user-data"
  echo "instance-id: $1" >"$NODE_ROOT/var/lib/cloud/seed/nocloud/meta-data"
  cloud_init_on
}

# machine_with_package NAME ENTRY: a node that has joined and whose image has the package, with
# user-data.desired; the entry takes the place of the first one.
machine_with_package() {
  node_new kubeadm-deb "$1"
  rm "$NODE_ROOT/usr/local/bin/kubelet-sysctl"
  install "$E2E_TOOL" "$NODE_ROOT/usr/bin/kubelet-sysctl"
  install -m 0644 "$E2E_SOURCE/packaging/systemd/kubelet-sysctl-sync.service" \
    "$NODE_ROOT/usr/lib/systemd/system/"
  sed "s|net.core.somaxconn|$2|" "$here/user-data.desired" | seed "$1"
  systemctl --quiet --root="$NODE_ROOT" enable kubelet.service
}
cloud_init_log() { grep -v '^ci-info' "$(node_path /var/log/cloud-init-output.log)"; }
cloud_init_status() { node_run timeout 120 cloud-init status --wait --long; }

cloud-init schema --config-file "$here/user-data"
cloud-init schema --config-file "$here/user-data.desired"
"$here/parts.py" cloud-config "$here/ec2nodeclass.yaml" >"$E2E_TMP/part"
cloud-init schema --config-file "$E2E_TMP/part"
"$here/parts.py" same "$here/cluster-api.yaml" "$here/user-data.desired"
sed 's/^  - |/  commands: |/' "$here/user-data" >"$E2E_TMP/wrong"
assert_exit 1 cloud-init schema --config-file "$E2E_TMP/wrong" >"$OUT" 2>&1
assert_contains "$OUT" "is not of type 'array'"

echo "booting a machine with this user data ..."
new_machine good net.core.somaxconn
node_boot
assert_exit 0 cloud_init_status >"$OUT"
cat "$OUT"
log=$(node_path /var/log/cloud-init-output.log)
grep '^pending: ' "$log" || fail "the outcome was not 'pending':"$'\n'"$(cat "$log")"
[ ! -e "$(node_path /run/fake-kubelet.starts)" ] || fail "the kubelet was quicker than cloud-init"
node_run cat /etc/default/kubelet

echo "joining, which starts the kubelet for the first time ..."
cp "$E2E_TMP"/join.good/* "$(node_path /var/lib/kubelet)"
node_run systemctl restart kubelet.service
node_wait_healthy
assert_eq 1 "$(kubelet_starts)" "starts of the kubelet with a configuration"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_flag)" "the flag of the running kubelet"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)" "the list that the kubelet read"
node_run kubelet-sysctl show

echo "once more, as at the next boot ..."
node_run cloud-init single --name bootcmd --frequency always >"$OUT" 2>&1
assert_contains "$OUT" 'unchanged: '
assert_eq 1 "$(kubelet_starts)" "starts of the kubelet"
node_kill

echo "booting a machine whose user data has an entry that would stop the kubelet ..."
new_machine bad vm.max_map_count
keep_original=$(cat "$NODE_ROOT/etc/default/kubelet")
node_boot
assert_exit 1 cloud_init_status >"$OUT"
cat "$OUT"
assert_contains "$OUT" 'status: error'
assert_contains "$OUT" bootcmd
assert_contains "$(node_path /var/log/cloud-init-output.log)" 'not known to be namespaced'
assert_eq "$keep_original" "$(cat "$(node_path /etc/default/kubelet)")" "the operator's file"

node_kill

echo "booting a machine whose image has the package, with a desired list ..."
list='net.core.somaxconn,kernel.shm*,net.ipv4.tcp_max_syn_backlog,kernel.msg*'
machine_with_package desired net.ipv4.tcp_max_syn_backlog
node_boot
assert_exit 0 cloud_init_status >"$OUT"
cloud_init_log
node_wait_healthy
assert_eq "$list" "$(kubelet_list)" "the list that the running kubelet read"
node_run kubelet-sysctl show
node_run kubelet-sysctl history
keep /var/lib/kubelet/config.yaml

echo "booting it again: there is nothing to do ..."
node_reboot
node_wait_healthy
assert_kept /var/lib/kubelet/config.yaml
assert_eq 1 "$(kubelet_starts)" "starts of the kubelet since the boot"
assert_eq "$list" "$(kubelet_list)" "the list after the boot"
node_run journalctl --no-pager -q -u kubelet-sysctl-sync.service -o cat >"$OUT"
cat "$OUT"
assert_contains "$OUT" 'unchanged: the list is as desired'
node_kill

echo "booting one with an entry that would stop the kubelet ..."
machine_with_package desired-bad vm.max_map_count
node_boot
assert_exit 1 cloud_init_status >"$OUT"
cat "$OUT"
log=$(node_path /var/log/cloud-init-output.log)
cloud_init_log
assert_contains "$log" "/etc/kubelet-sysctl.conf:1:1: 'vm.max_map_count' would stop"
node_wait_healthy
assert_eq 'net.core.somaxconn,kernel.shm*' "$(kubelet_list)" "the list of the kubelet, which runs"
node_kill

# nodeadm is not here: what of it counts is that it writes the configuration before cloud-init and starts
# the kubelet after it.
echo "booting a node of EKS with what Karpenter hands over, and one entry more ..."
node_new eks-al2023 eks
rm "$NODE_ROOT/usr/local/bin/kubelet-sysctl"
install "$E2E_TOOL" "$NODE_ROOT/srv/kubelet-sysctl"
install "$here/parts.py" "$NODE_ROOT/usr/local/bin/parts.py"
cat >"$NODE_ROOT/usr/bin/nodeadm" <<'NODEADM'
#!/bin/sh
set -e
parts.py nodeadm /var/lib/cloud/seed/nocloud/user-data >/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf
case "$*" in *'--skip config'*) systemctl start kubelet.service ;; esac
NODEADM
chmod 0755 "$NODE_ROOT/usr/bin/nodeadm"
# The cloud-init of this machine begins before sysinit.target and ends after multi-user.target, that of Amazon
# Linux does not.
mkdir -p "$NODE_ROOT/etc/systemd/system/cloud-init.target.wants"
ln -s ../nodeadm-run.service "$NODE_ROOT/etc/systemd/system/cloud-init.target.wants/"
mkdir -p "$NODE_ROOT/etc/systemd/system/nodeadm-config.service.d"
printf '[Unit]\nDefaultDependencies=no\n' \
  >"$NODE_ROOT/etc/systemd/system/nodeadm-config.service.d/container.conf"
"$here/parts.py" user-data "$here/ec2nodeclass.yaml" |
  sed -e 's|url=.*|url=file:///srv/kubelet-sysctl|' \
    -e "s|sha256=.*|sha256=$(sha256sum "$E2E_TOOL" | cut -d ' ' -f 1)|" \
    -e 's|^\( *\)kernel.msg\* .*|&\n\1kernel.sem|' | seed eks
systemctl --quiet --root="$NODE_ROOT" enable nodeadm-config.service
node_boot
assert_exit 0 cloud_init_status >"$OUT"
cloud_init_log
node_wait_healthy
assert_eq 'net.core.somaxconn,kernel.msg*,kernel.sem' "$(kubelet_list)" "the list of the first start"
assert_eq 1 "$(kubelet_starts)" "starts of the kubelet"
node_run kubelet-sysctl show
echo "cloud-init: the first start has the entries, and a mistake is visible"
