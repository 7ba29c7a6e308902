# SPDX-License-Identifier: Apache-2.0
# Containers on a node, from an image that holds the static program and nothing else; a case that needs
# them sources this file after lib.sh.
#
#   image_new                       the image; the node itself has no kubelet-sysctl from then on
#   pod [OPTION...] -- ARGS...      runs the program in a container; see $STATUS and the files $OUT
#                                   and $ERR. The options are those of container.py.
#   pod_start NAME ARGS...          the same in the background: run_signal, run_end (runs.sh)
#   node_layout v1|hybrid|v2        before node_boot: how the node's control groups are mounted
#
# The container has namespaces of its own but for that of the processes, as with hostPID: true.

E2E_IMAGE=/var/lib/e2e-image

image_new() {
  mkdir -p "$NODE_ROOT$E2E_IMAGE"
  mv "$NODE_ROOT/usr/local/bin/kubelet-sysctl" "$NODE_ROOT$E2E_IMAGE/"
  cp "$E2E_DIR/container.py" "$NODE_ROOT$E2E_IMAGE/"
}

pod_command() { node_run /usr/bin/python3 "$E2E_IMAGE/container.py" "$@"; }

pod() {
  local options=()
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  STATUS=0
  pod_command "${options[@]}" "$E2E_IMAGE/kubelet-sysctl" "$@" >"$OUT" 2>"$ERR" || STATUS=$?
  return "$STATUS"
}

pod_start() {
  local name=$1
  shift
  rm -f "$(node_path "/run/e2e.$name.pid")"
  (pod_command --pid-file "/run/e2e.$name.pid" "$E2E_IMAGE/kubelet-sysctl" "$@" \
    >"$E2E_TMP/run.$name.out" 2>"$(run_said "$name")" 8>&- || exit $?) 2>/dev/null &
  E2E_RUN[$name]=$!
  wait_until 10 test -e "$(node_path "/run/e2e.$name.pid")" || fail "the run '$name' did not start"
}

# In v1 systemd keeps its units in the tree name=systemd, in hybrid in that and in v2, and the
# controllers are v1's; v2 is what lib.sh makes. systemd-nspawn follows what it finds, but prefers
# hybrid where both are there (systemd-nspawn(1), SYSTEMD_NSPAWN_UNIFIED_HIERARCHY).
node_layout() {
  local group
  [ "$1" != v2 ] || return 0
  mount -t tmpfs -o mode=0755 tmpfs "$E2E_CGROUPS"
  E2E_TREES=("$E2E_CGROUPS/unified" "$E2E_CGROUPS/systemd")
  mkdir "${E2E_TREES[@]}"
  mount -t cgroup2 cgroup2 "$E2E_CGROUPS/unified"
  mount -t cgroup -o none,name=systemd cgroup "$E2E_CGROUPS/systemd" 2>/dev/null ||
    skip "this kernel mounts no hierarchy of control groups v1"
  for group in "$E2E_CGROUPS/systemd/kubelet-sysctl-e2e".*; do
    [ -d "$E2E_CGROUPS/unified/${group##*/}" ] ||
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
  [ "$1" = hybrid ] || export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0
}
