#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On every kind of node whose kubelet is the unit's own process an entry is added, seen in the live kubelet
# and undone byte for byte; and a list that the vendor's program writes over is missed afterwards.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in

# KIND of tests/nodes, the kind that `show` must tell, the unit.
kinds='gke gke kubelet.service
aks aks kubelet.service
aks-flags aks kubelet.service
minikube minikube kubelet.service
kind kind kubelet.service
kubespray kubespray kubelet.service
kubeadm-rpm kubeadm kubelet.service
kubeadm-config-dir kubeadm kubelet.service
cluster-api cluster-api kubelet.service
eks-al2 eks-al2 kubelet.service
gardener gardener kubelet.service
kops-1.36 kops kubelet.service
unknown unknown kubelet.service
eks-ubuntu eks-ubuntu snap.kubelet-eks.daemon.service
charmed charmed snap.kubelet.daemon.service'
abreast=4

unit() { node_run systemctl show "$UNIT" -p "$1" --value; }

# snapd's program starts the kubelet with what the snap's settings say.
snap_stand_in() {
  local config=$1 kubelet=/snap/current/kubelet
  install -D -m 0755 "$E2E_FAKE" "$NODE_ROOT$kubelet"
  rm -f "$NODE_ROOT/usr/bin/snap"
  printf '#!/bin/sh\nexec %s --config=%s\n' "$kubelet" "$config" >"$NODE_ROOT/usr/bin/snap"
  chmod 0755 "$NODE_ROOT/usr/bin/snap"
  mkdir -p "$NODE_ROOT/var/snap/kubelet/123" "$NODE_ROOT/var/snap/kubelet-eks/123"
}

# What brings the vendor's own bytes back, as a boot or an upgrade does.
lose_the_list() {
  local file=$1
  cp "$(kept "$file")" "$(node_path "$file")"
  assert_exit 6 tool show --exit-code -o json
  assert_eq '["list-lost"]' \
    "$(json '[f["id"] for f in d["findings"] if f["id"] == "list-lost"]')" "what show finds"
  assert_exit 6 tool doctor
  assert_contains "$OUT" 'list-lost'
}

try_kind() {
  local tree=$1 id=$2 before
  UNIT=$3
  # shellcheck disable=SC2034 # tool() writes to both
  OUT=$E2E_TMP/$tree.stdout ERR=$E2E_TMP/$tree.stderr
  node_new "$tree"
  case $tree in
    eks-ubuntu) snap_stand_in /etc/kubernetes/kubelet/kubelet-config.json ;;
    charmed) snap_stand_in /root/cdk/kubelet/config.yaml ;;
    eks-al2) cp "$NODE_ROOT"/etc/systemd/system/{containerd,sandbox-image}.service ;;
    cluster-api) chmod 0755 "$NODE_ROOT/usr/libexec/kubernetes/kubelet-resource-sizing.sh" ;;
  esac
  node_boot
  node_run systemctl start "$UNIT"
  node_wait_healthy
  before=$(node_sums)
  [ "$tree" != gke ] || keep /home/kubernetes/kubelet-config.yaml

  assert_exit 0 tool add net.ipv4.tcp_orphan_retries --window 1s -o json
  assert_eq applied "$(json 'd["outcome"]')" "the outcome on $tree"
  assert_eq "$(kubelet_pid)" "$(json 'd["evidence"]["pid"]')" "the process that was seen on $tree"
  case ,$(kubelet_list), in
    *,net.ipv4.tcp_orphan_retries,*) ;;
    *) fail "the kubelet of $tree runs with '$(kubelet_list)'" ;;
  esac
  assert_exit 0 tool show -o json
  assert_eq "$id" "$(json 'd["node"]["kind"]')" "the kind of $tree"
  assert_eq "$UNIT" "$(json 'd["node"]["unit"]')" "the unit of $tree"
  assert_eq true "$(json '"net.ipv4.tcp_orphan_retries" in d["running"]["entries"]')" "the running list of $tree"
  [ "$tree" != gke ] || lose_the_list /home/kubernetes/kubelet-config.yaml
  if [ "$tree" != gke ]; then
    assert_exit 0 tool undo --window 1s
    assert_eq "$before" "$(node_sums)" "the files of $tree after undo"
    case ,$(kubelet_list), in
      *,net.ipv4.tcp_orphan_retries,*) fail "undo left the kubelet of $tree with '$(kubelet_list)'" ;;
    esac
  fi
  node_kill
}

while read -r tree id name; do
  while [ "$(jobs -rp | wc -l)" -ge "$abreast" ]; do wait -n || true; done
  (
    set -e
    try_kind "$tree" "$id" "$name"
    touch "$E2E_TMP/$tree.ok"
  ) &
done <<<"$kinds"
wait
while read -r tree _; do
  [ -e "$E2E_TMP/$tree.ok" ] || fail "kind '$tree' failed, see above"
done <<<"$kinds"
