# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# A node with a real kubelet, Debian's containerd and images of busybox-static; story.sh sources it after lib.sh.
#
#   real_node VERSION           boots it, starts containerd and the kubelet
#   pod_new FILE NAME NAME=VALUE...  writes the manifest of a pod that sets these sysctls
#   pod_status NAME             what the kubelet says of the pod: phase, reason and message
#   pod_value NAME SYSCTL       the value inside the namespaces of the pod's container; fails without one
#   configz_list                the list that the kubelet itself says it runs with
REAL_DIR=$E2E_SOURCE/tests/kubelet-real
REAL_PACKAGES=(containerd runc containernetworking-plugins busybox-static)
REAL_PKI=/etc/e2e/pki

# Unpacked into the node only: this machine gets no container runtime.
real_packages() {
  local cache=${KUBELETS:-${XDG_CACHE_HOME:-$HOME/.cache}/kubelet-sysctl/kubelets}/packages name
  mkdir -p "$cache"
  for name in "${REAL_PACKAGES[@]}"; do
    compgen -G "$cache/${name}_*.deb" >/dev/null ||
      (cd "$cache" && apt-get -qq -o APT::Sandbox::User=root download "$name") ||
      skip "apt has no package '$name' here"
    # /lib and /bin are links.
    dpkg-deb --fsys-tarfile "$cache/${name}"_*.deb |
      tar --extract --keep-directory-symlink --directory "$NODE_ROOT"
  done
}

# The controllers of this machine, where it has them: a kubelet needs some, and older ones know version 1 alone.
real_controllers() {
  local tree names file
  if grep -qw memory "$E2E_CGROUPS/cgroup.controllers"; then
    skip "this machine has its controllers in control groups v2: not tried"
  fi
  # shellcheck source=tests/e2e/containers.sh
  . "$E2E_DIR/containers.sh"
  node_layout v1
  while read -r names; do
    tree=$E2E_CGROUPS/$names
    mkdir "$tree"
    mount -t cgroup -o "$names" cgroup "$tree"
    E2E_TREES+=("$tree")
    for tree in "$tree/${E2E_TMP##*/}" "$tree/${E2E_TMP##*/}/$NODE"; do
      mkdir "$tree"
      # A new one has no processor and no memory of its own, and takes no process.
      for file in cpuset.cpus cpuset.mems; do
        [ ! -e "$tree/$file" ] || cat "$tree/../$file" >"$tree/$file"
      done
    done
  done < <(cut -d : -f 2 /proc/self/cgroup | grep -v = | grep .)
}

# systemd-nspawn mounts them for reading.
real_controllers_writable() {
  # shellcheck disable=SC2016
  node_run sh -c 'mount -o remount,rw /sys/fs/cgroup
    cut -d : -f 2 /proc/self/cgroup | grep -v = | while read -r names; do
      [ -n "$names" ] || continue
      umount "/sys/fs/cgroup/$names" || mkdir -p "/sys/fs/cgroup/$names"
      mount -t cgroup -o "$names" cgroup "/sys/fs/cgroup/$names" || exit 1
    done'
}

# What the kubelet writes into the kernel at its start is this machine's: it finds it as it wants it.
real_kernel_settings() {
  # shellcheck disable=SC2016
  node_run sh -c 'while read -r path value; do
      [ -e "/proc/sys/$path" ] || continue
      mkdir -p "/run/e2e.sys/$path" && echo "$value" >"/run/e2e.sys/$path/value"
      mount --bind "/run/e2e.sys/$path/value" "/proc/sys/$path" || exit 1
    done' <<'SETTINGS'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
SETTINGS
  [ -e "$(node_path /dev/kmsg)" ] || mknod "$(node_path /dev/kmsg)" c 1 11
}

real_certificates() {
  mkdir -p "$NODE_ROOT$REAL_PKI"
  (
    cd "$NODE_ROOT$REAL_PKI" || exit 1
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 2 -subj /CN=e2e
    openssl req -newkey rsa:2048 -nodes -keyout admin.key -subj /CN=admin -out admin.csr
    openssl x509 -req -in admin.csr -CA ca.crt -CAkey ca.key -days 2 -out admin.crt
  ) 2>/dev/null
}

# image NAME COMMAND...: busybox and nothing else, as `docker save` writes it.
real_image() {
  python3 - "$NODE_ROOT" "$@" <<'PYTHON'
import hashlib, io, json, sys, tarfile
root, name, *command = sys.argv[1:]
def add(archive, path, data, mode=0o644):
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(data), mode
    archive.addfile(entry, io.BytesIO(data))
layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode='w') as archive:
    add(archive, 'bin/busybox', open(root + '/bin/busybox', 'rb').read(), 0o755)
layer = layer.getvalue()
config = json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {'Entrypoint': command},
                     'rootfs': {'type': 'layers',
                                'diff_ids': ['sha256:' + hashlib.sha256(layer).hexdigest()]}}).encode()
manifest = [{'Config': 'config.json', 'RepoTags': ['e2e.local/%s:1' % name], 'Layers': ['layer.tar']}]
with tarfile.open('%s/etc/e2e/%s.tar' % (root, name), 'w') as archive:
    add(archive, 'config.json', config)
    add(archive, 'layer.tar', layer)
    add(archive, 'manifest.json', json.dumps(manifest).encode())
PYTHON
}

pod_new() {
  local file=$1 name=$2 sysctl
  shift 2
  mkdir -p "$(dirname "$file")"
  {
    printf 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s\n  namespace: default\nspec:\n' "$name"
    printf '  terminationGracePeriodSeconds: 1\n  securityContext:\n    sysctls:\n'
    for sysctl; do printf '    - name: %s\n      value: "%s"\n' "${sysctl%%=*}" "${sysctl#*=}"; done
    printf '  containers:\n  - name: work\n    image: e2e.local/work:1\n    imagePullPolicy: Never\n'
  } >"$file.new"
  mv "$file.new" "$file"
}

real_node() {
  local image minor=${1#v1.}
  minor=${minor%%.*}
  node_new real real "$REAL_DIR/node"
  real_packages
  mkdir -p "$NODE_ROOT/etc/e2e/served"
  real_certificates
  real_image pause /bin/busybox sleep 1000000
  real_image work /bin/busybox sh -c 'trap "exit 0" TERM; while :; do /bin/busybox sleep 1; done'
  # Flags and fields that came and went.
  if [ "$minor" -lt 27 ]; then
    echo 'KUBELET_ARGS="--container-runtime=remote' \
      '--container-runtime-endpoint=unix:///run/containerd/containerd.sock"' >"$NODE_ROOT/etc/default/kubelet"
  else
    echo 'containerRuntimeEndpoint: unix:///run/containerd/containerd.sock'
    [ "$minor" -lt 31 ] || echo 'failCgroupV1: false'
  fi >>"$NODE_ROOT/var/lib/kubelet/config.yaml"
  real_controllers
  NODE_OPTIONS=(--capability=all '--system-call-filter=@keyring bpf')
  node_boot
  real_controllers_writable
  real_kernel_settings
  node_run systemctl start runtime.service manifests.service
  for image in pause work; do
    node_run ctr --namespace k8s.io images import --local "/etc/e2e/$image.tar" >"$OUT" 2>"$ERR" ||
      node_run ctr --namespace k8s.io images import "/etc/e2e/$image.tar" >"$OUT" 2>"$ERR" ||
      fail "containerd does not take the image '$image': $(cat "$OUT" "$ERR")"
  done
  node_start
}

# The port that wants a certificate: nobody else sees the kubelet's pods.
real_get() {
  nsenter --target "${E2E_LEADER[$NODE]}" --net curl --silent --max-time 3 --insecure \
    --cert "$(node_path $REAL_PKI/admin.crt)" --key "$(node_path $REAL_PKI/admin.key)" "https://127.0.0.1:10250$1"
}

pod_status() {
  real_get /pods | python3 -c '
import json, sys
for pod in json.load(sys.stdin)["items"] or []:
    if pod["metadata"]["name"] == sys.argv[1]:
        status = pod["status"]
        print(status.get("phase"), status.get("reason", ""), status.get("message", ""))' "$1-node-1"
}
# pod_is NAME START: so begins what the kubelet says of it.
pod_is() { [[ $(pod_status "$1") = "$2"* ]]; }

# The processes of a pod that containerd has: "TYPE PID".
pod_processes() {
  python3 - "$(node_path /run/containerd/io.containerd.runtime.v2.task/k8s.io)" "$1-node-1" <<'PYTHON'
import glob, json, sys
for path in glob.glob(sys.argv[1] + '/*/config.json'):
    notes = json.load(open(path)).get('annotations', {})
    if notes.get('io.kubernetes.cri.sandbox-name') == sys.argv[2]:
        print(notes['io.kubernetes.cri.container-type'], open(path[:-len('config.json')] + 'init.pid').read())
PYTHON
}
pod_value() {
  local pid
  pid=$(pod_processes "$1" | sed -n 's/^container //p' | head -n 1)
  [ -n "$pid" ] || return 1
  node_run nsenter --target "$pid" --net --ipc cat "/proc/sys/${2//.//}"
}
pod_has() { [ "$(pod_value "$1" "$2" 2>/dev/null)" = "$3" ]; }
pod_is_gone() { [ -z "$(pod_processes "$1" 2>/dev/null)" ]; }

configz_list() {
  real_get /configz | python3 -c 'import json, sys
print(",".join(json.load(sys.stdin)["kubeletconfig"].get("allowedUnsafeSysctls") or []))'
}
