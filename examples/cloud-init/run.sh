#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boots a node with this user data and the real cloud-init, then starts its kubelet.
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
  cat >"$NODE_ROOT/etc/cloud/cloud.cfg.d/99_container.cfg" <<'CONFIG'
datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [bootcmd, write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user, final-message]
CONFIG
  systemctl --quiet --root="$NODE_ROOT" enable kubelet.service cloud-init-local.service \
    cloud-init.service cloud-config.service cloud-final.service
}
cloud_init_status() { node_run timeout 120 cloud-init status --wait --long; }

cloud-init schema --config-file "$here/user-data"
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

echo "cloud-init: the first start has the entries, and a mistake is visible"
