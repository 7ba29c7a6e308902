#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a bare Debian 12 to a changed allowlist: builds the release, boots a node, runs the commands.
#
#   sudo examples/quickstart.sh
#
# The node is a container with real systemd on an overlay of this machine, which is not changed:
# neither its services nor its files, save for the packages of the build. In place of a kubelet runs
# a small stand-in that reads its flags and files as a kubelet does and dies of what a kubelet does.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD_DIR:-$source_dir/build/static}
export KUBELET_SYSCTL=${KUBELET_SYSCTL:-$build/kubelet-sysctl}
export FAKE_KUBELET=${FAKE_KUBELET:-$build/fake-kubelet}

# quietly WHAT COMMAND...: shows the output only when the command fails.
quietly() {
  local what=$1 log
  shift
  log=$(mktemp)
  echo "$what ..."
  "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    rm -f "$log"
    echo "quickstart.sh: error: this failed: $what" >&2
    exit 1
  }
  rm -f "$log"
}

# lib.sh starts this script again inside its own namespaces; only the first pass builds.
if [ -z "${E2E_INNER:-}" ] && ! { [ -x "$KUBELET_SYSCTL" ] && [ -x "$FAKE_KUBELET" ]; }; then
  [ "$(id -u)" = 0 ] || { echo "quickstart.sh: error: needs root" >&2; exit 1; }
  quietly "installing what the build and the node need" "$source_dir/scripts/packages.sh" node
  cd "$source_dir"
  quietly "configuring the release" cmake --preset static -D KUBELET_SYSCTL_TESTS=ON -B "$build"
  quietly "building the release" cmake --build "$build" --target kubelet-sysctl fake-kubelet
fi
. "$source_dir/tests/e2e/lib.sh"

# step EXIT COMMAND: prints the command as a user types it, runs it in the node, checks its exit.
step() {
  local expected=$1 command=$2 seen=0
  printf '\n$ %s\n' "$command"
  node_run bash -c "$command" 2>&1 | tee "$E2E_TMP/step" || seen=$?
  [ "$seen" = "$expected" ] || fail "exit code $seen where $expected was expected"
}
shows() { grep -qF -e "$1" "$E2E_TMP/step" || fail "the output does not show '$1'"; }

file=/etc/sysconfig/kubelet
echo "booting a node with systemd ..."
node_new kops kops "$source_dir/examples/nodes/kops"
node_boot
node_start
keep $file

printf '\n# Which list is in force? The one in kubelet.conf is spelt wrongly, so: none.\n'
step 0 "kubelet-sysctl show"
assert_eq "" "$(kubelet_list)" "the list before"

printf '\n# Allow two entries. The kubelet is restarted, watched, and seen with them.\n'
step 0 "kubelet-sysctl add 'kernel.msg*' net.core.somaxconn --window 2s"
assert_eq 'kernel.msg*,net.core.somaxconn' "$(kubelet_list)" "the list after add"
kubelet_is_healthy || fail "the kubelet is not healthy after add"

printf '\n# The proof, without our help.\n'
step 0 "ps -C kubelet -o args= | tr ' ' '\n' | grep allowed-unsafe"
shows '--allowed-unsafe-sysctls=kernel.msg*,net.core.somaxconn'

printf '\n# Again: there is nothing to do, so nothing is written and nothing restarts.\n'
pid=$(kubelet_pid)
step 0 "kubelet-sysctl add 'kernel.msg*' net.core.somaxconn"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"

printf '\n# An entry that would stop the kubelet never reaches a file.\n'
step 3 "kubelet-sysctl add vm.max_map_count"
shows 'are not known to be namespaced'
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"

printf '\n# Back to where we were, byte for byte.\n'
step 0 "kubelet-sysctl undo --window 2s"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "" "$(kubelet_list)" "the list after undo"
kubelet_is_healthy || fail "the kubelet is not healthy after undo"

printf '\nquickstart: every step did what it should\n'
