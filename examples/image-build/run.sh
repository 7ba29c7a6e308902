#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds two images with a desired list: one that holds the kubelet's configuration, and one of kubeadm that
# gets it with the join. The second is booted.
#
#   sudo examples/image-build/run.sh
#
# Exit code 77 means that this machine cannot boot a node; it says why.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/e2e/lib.sh"
needs_tool

# image KIND NAME: a mounted tree with the package in it.
image() {
  node_new "$1" "$2"
  rm "$NODE_ROOT/usr/local/bin/kubelet-sysctl"
  install "$E2E_TOOL" "$NODE_ROOT/usr/bin/kubelet-sysctl"
  install -m 0644 "$E2E_SOURCE/packaging/systemd/kubelet-sysctl-sync.service" \
    "$NODE_ROOT/usr/lib/systemd/system/"
}
mkdir "$E2E_TMP/bin"
install "$E2E_TOOL" "$E2E_TMP/bin/kubelet-sysctl"
PATH=$E2E_TMP/bin:$PATH

echo "building an image that holds the kubelet's configuration ..."
image kubespray with-configuration
config=$NODE_ROOT/etc/kubernetes/kubelet-config.yaml
"$here/apply.sh" "$NODE_ROOT"
list=$(python3 -c 'import sys, yaml; print(yaml.safe_load(open(sys.argv[1]))["allowedUnsafeSysctls"])' "$config")
assert_eq "['net.core.somaxconn', 'kernel.msg*']" "$list" "the list in the image"
kubelet-sysctl show --root "$NODE_ROOT"
cp "$config" "$E2E_TMP/config"
"$here/apply.sh" "$NODE_ROOT" | grep 'unchanged: '
assert_same_bytes "$E2E_TMP/config" "$config"

echo "building one with an entry that would stop the kubelet ..."
echo 'vm.max_map_count' >"$NODE_ROOT/etc/kubelet-sysctl.conf"
assert_exit 3 kubelet-sysctl sync --root "$NODE_ROOT"
assert_same_bytes "$E2E_TMP/config" "$config"

echo "building one for kubeadm, and booting it ..."
image kubeadm-deb kubeadm
mv "$NODE_ROOT/var/lib/kubelet/config.yaml" "$E2E_TMP/config.yaml"
"$here/apply.sh" "$NODE_ROOT" | grep 'pending: nothing was written'
node_boot
# As kubeadm's join: it stops the kubelet of the boot, writes its configuration, and starts it.
node_run systemctl stop kubelet.service kubelet-sysctl-sync.service
cp "$E2E_TMP/config.yaml" "$(node_path /var/lib/kubelet/config.yaml)"
node_start
assert_eq 'net.core.somaxconn,kernel.shm*,kernel.msg*' "$(kubelet_list)" "the list of the first start"
assert_eq 1 "$(kubelet_starts)" "starts of the kubelet"
node_run kubelet-sysctl show

echo "image-build: the list is in the image, or in the first start"
