# SPDX-License-Identifier: Apache-2.0
# Stand-ins for the programs that run a kubelet: each does with the stand-in kubelet what the real one does with
# its own, as far as arguments, files and processes go. A case sources this file after lib.sh.
#
#   program PATH            makes an executable of the node from standard input, before it boots
#   stand_in_microk8s, stand_in_k8s_snap, stand_in_k0s, stand_in_podman, stand_in_docker
#   host_start UNIT         starts the unit that runs the kubelet and waits until that has read its list
#   host_pid                the number of the stand-in kubelet that was started last
#   host_argv               the words of the live stand-in kubelet, one a line

program() {
  rm -f "$NODE_ROOT$1"
  install -D -m 0755 /dev/stdin "$NODE_ROOT$1"
}

kubelet_at() { install -D -m 0755 "$E2E_FAKE" "$NODE_ROOT$1"; }

# A snap is a file system of its own, mounted by a unit that its services require.
e2e_snap_mount() {
  mkdir -p "$NODE_ROOT/snap/$1/$2"
  printf '[Mount]\nWhat=/opt/%s\nWhere=/snap/%s/%s\nType=none\nOptions=bind\n' "$1" "$1" "$2" \
    >"$NODE_ROOT/etc/systemd/system/snap-$1-$2.mount"
}

# canonical/microk8s microk8s-resources/wrappers/run-kubelite-with-args: both files are written again at every
# start, by the script that then becomes kubelite.
stand_in_microk8s() {
  program /usr/bin/snap <<'STUB'
#!/bin/bash
[ "$*" = "run microk8s.daemon-kubelite" ] || exit 46
export SNAP=/snap/microk8s/8137 SNAP_DATA=/var/snap/microk8s/8137 SNAP_COMMON=/var/snap/microk8s/common
exec "$SNAP/run-kubelite-with-args"
STUB
  program /opt/microk8s/run-kubelite-with-args <<'STUB'
#!/bin/bash
set -e
sed -i "s@^--start-control-plane=.*@--start-control-plane=true@" "$SNAP_DATA/args/kubelite"
sed -i 's,DevicePlugins=true,,' "$SNAP_DATA/args/kubelet"
sleep 0.1 # the real one searches for routes, rules and modules here
declare -a args="($(cat "$SNAP_DATA/args/kubelite"))"
exec "$SNAP/kubelite" "${args[@]}"
STUB
  kubelet_at /opt/microk8s/kubelite
  e2e_snap_mount microk8s 8137
}

# canonical/k8s-snap k8s/wrappers/services/kubelet, k8s/lib.sh.
stand_in_k8s_snap() {
  program /usr/bin/snap <<'STUB'
#!/bin/bash
[ "$*" = "run k8s.kubelet" ] || exit 46
export SNAP=/snap/k8s/3142 SNAP_DATA=/var/snap/k8s/3142 SNAP_COMMON=/var/snap/k8s/common
exec "$SNAP/wrappers/services/kubelet"
STUB
  program /opt/k8s/wrappers/services/kubelet <<'STUB'
#!/usr/bin/env bash
declare -a args="($(cat "${SNAP_COMMON}/args/kubelet"))"
set -xe
exec "${SNAP}/bin/kubelet" "${args[@]}"
STUB
  mkdir -p "$NODE_ROOT/var/snap/k8s/3142"
  kubelet_at /opt/k8s/bin/kubelet
  e2e_snap_mount k8s 3142
}

# k0sproject/k0s: the configuration is written from the profile at every start, extra arguments are a map.
stand_in_k0s() {
  mkdir -p "$NODE_ROOT/etc/k0s"
  cp "$E2E_SOURCE/tests/nodes/k0s/root/run/k0s/kubelet/config.yaml" "$NODE_ROOT/etc/k0s/profile.yaml"
  program /usr/local/bin/k0s <<'STUB'
#!/bin/bash
[ "$1" != version ] || { echo v1.33.4+k0s.0; exit 0; }
declare -A flags=([--config]=/run/k0s/kubelet/config.yaml [--root-dir]=/var/lib/k0s/kubelet [--v]=1)
for word in "$@"; do
  case $word in --kubelet-extra-args=*) extra=${word#*=} ;; esac
done
set -f
for pair in ${extra-}; do
  case $pair in *=*) flags[${pair%%=*}]=${pair#*=} ;; *) flags[$pair]= ;; esac
done
words=()
while IFS= read -r name; do words+=("$name=${flags[$name]}"); done < <(printf '%s\n' "${!flags[@]}" | LC_ALL=C sort)
mkdir -p /run/k0s/kubelet
install -m 0600 /etc/k0s/profile.yaml /run/k0s/kubelet/config.yaml.new
mv /run/k0s/kubelet/config.yaml.new /run/k0s/kubelet/config.yaml
/var/lib/k0s/bin/kubelet "${words[@]}" &
child=$!
echo "$child" >/run/k0s/kubelet.pid
trap 'kill "$child"; wait "$child"; exit 0' TERM
while :; do
  status=0
  wait "$child" || status=$?
  [ -d "/proc/$child" ] || exit "$status"
done
STUB
  kubelet_at /var/lib/k0s/bin/kubelet
}

# A container as far as its control group goes: the kubelet of the image, with the words behind the image.
e2e_container_functions() {
  cat <<'STUB'
image_words() {
  while [ "$1" != quay.io/poseidon/kubelet:v1.29.3 ]; do shift; done
  shift
  words=("$@")
}
start_container() {
  mkdir -p "$group"
  (echo "$BASHPID" >"$group/cgroup.procs"; exec /opt/image/kubelet "${words[@]}") &
  child=$!
  echo "$child" >/run/container.pid
  until grep -qx "$child" "$group/cgroup.procs" || [ ! -d "/proc/$child" ]; do sleep 0.02; done
}
stop_container() {
  [ -e /run/container.pid ] || return 0
  kill "$(cat /run/container.pid)" 2>/dev/null
  while [ -d "/proc/$(cat /run/container.pid)" ]; do sleep 0.02; done
  rm -f /run/container.pid
}
STUB
}

stand_in_podman() {
  {
    echo '#!/bin/bash'
    echo 'group=/sys/fs/cgroup/machine.slice/libpod-4f2a.scope'
    e2e_container_functions
    cat <<'STUB'
case $1 in
  run) image_words "$@"; start_container; trap 'kill "$child"' TERM
    while [ -d "/proc/$child" ]; do wait "$child"; status=$?; done; exit "$status" ;;
  stop) stop_container ;;
esac
STUB
  } | program /usr/bin/podman
  kubelet_at /opt/image/kubelet
  e2e_metadata afterburn
}

# 'docker run -d' leaves the container to a daemon: systemd would end what it finds in the unit's control group.
stand_in_docker() {
  rm -f "$NODE_ROOT"/usr/local/{,s}bin/docker "$NODE_ROOT"/usr/{,s}bin/docker
  {
    echo '#!/bin/bash'
    echo 'group=/sys/fs/cgroup/system.slice/docker-4f2a.scope'
    e2e_container_functions
    cat <<'STUB'
case $1 in
  run) image_words "$@"; start_container >/run/container.log 2>&1 ;;
  logs) exec tail --pid="$(cat /run/container.pid)" -n +1 -f /run/container.log ;;
  stop) stop_container ;;
esac
exit 0
STUB
  } | program /usr/bin/docker
  kubelet_at /opt/image/kubelet
  printf '[Service]\nExecStart=/bin/sleep infinity\n' >"$NODE_ROOT/etc/systemd/system/docker.service"
  e2e_metadata coreos-metadata coreos
}

# The metadata that the unit reads is below /run: made at every boot.
e2e_metadata() {
  local file=/run/metadata/${2:-$1}
  program /opt/metadata <<STUB
#!/bin/sh
mkdir -p /run/metadata
printf '%s\n' AFTERBURN_AWS_AVAILABILITY_ZONE=us-test-1a COREOS_EC2_AVAILABILITY_ZONE=us-test-1a >$file
STUB
  printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/opt/metadata\n' \
    >"$NODE_ROOT/etc/systemd/system/$1.service"
  mkdir -p "$NODE_ROOT/etc/kubernetes"
  : >"$NODE_ROOT/etc/kubernetes/kubeconfig"
}

# host_start UNIT: starts it and waits until the stand-in kubelet has read its list.
host_start() {
  node_run systemctl start "$1"
  wait_until 20 test -s "$(node_path /run/fake-kubelet.starts)" || fail "no kubelet came up"
}

host_pid() { tail -n 1 "$(node_path /run/fake-kubelet.starts)" | cut -d ' ' -f 1; }
host_argv() { tr '\0' '\n' <"$(node_path "/proc/$(host_pid)/cmdline")"; }
