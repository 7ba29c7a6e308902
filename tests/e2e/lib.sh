# SPDX-License-Identifier: Apache-2.0
# Nodes that really boot: systemd as process 1 on an overlay of this machine, a stand-in kubelet.
#
# A script sources this file first. It is then started again in its own mount and PID namespaces, so
# that nothing it starts or mounts can outlive it, not even after kill -9.
#
#   node_new KIND [NAME]    a node from tests/nodes/KIND or examples/nodes/KIND, not booted; the
#                           current one from now on
#   node_settings LINE...   knobs of the stand-in kubelet (fake_kubelet_knobs.hpp)
#   node_boot               boots it and waits for its manager
#   node_start              starts the kubelet, enabled or not, and waits until it is healthy
#   node_up KIND [NAME]     node_new, node_boot, node_start
#   node_run COMMAND...     runs a command in the node
#   node_path PATH          a file of the node, seen from here
#   node_use NAME           makes another node the current one
#   node_kill               ends the current node; the end of the script ends all
#   node_reboot             ends every process of the node at once and boots the same disk again
#   tool ARGS...            runs kubelet-sysctl in the node; see $STATUS and the files $OUT and $ERR
#
# The assertions are in assert.sh; runs in the background and on a terminal are in runs.sh, runs
# that are killed at a system call in faults.sh.
#
# Needs root and systemd-nspawn; exits with 77 and says why where a node cannot boot.
#
# From the environment:
#   KUBELET_SYSCTL_BIN   the program under test (default: build/static/kubelet-sysctl)
#   FAKE_KUBELET_BIN     the stand-in (default: build/static/fake-kubelet)
#   KUBELET_BIN          a real kubelet instead; cases that need the stand-in skip then
#   E2E_ROOT             the root file system under every node (default: that of this machine)
#   E2E_BOOT_SECONDS     how long a node may take to boot (default: 60)

set -euo pipefail

# What Debian's packages bring comes first: a wrapper, as pyenv has one around python3, costs more than what it starts.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH
E2E_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
E2E_SOURCE=$(cd "$E2E_DIR/../.." && pwd)
E2E_TOOL=${KUBELET_SYSCTL_BIN:-${KUBELET_SYSCTL:-$E2E_SOURCE/build/static/kubelet-sysctl}}
E2E_FAKE=${FAKE_KUBELET_BIN:-${FAKE_KUBELET:-$E2E_SOURCE/build/static/fake-kubelet}}
E2E_ROOT=${E2E_ROOT:-/}
E2E_BOOT_SECONDS=${E2E_BOOT_SECONDS:-60}
E2E_CGROUPS=/sys/fs/cgroup
# The unit that runs the kubelet; a case of another one says so.
NODE_UNIT=kubelet.service
# Further options of systemd-nspawn, for a node that needs them.
NODE_OPTIONS=()
E2E_TREES=("$E2E_CGROUPS")

skip() {
  echo "skipped: $*" >&2
  exit 77
}

# --- Isolation ---------------------------------------------------------------------------------

# The outer half: starts the script again inside and waits. If it is killed, the inner half dies
# with it; what namespaces do not remove, an empty directory and control group, goes with the next
# run.
e2e_outer() {
  [ "$(id -u)" = 0 ] || skip "booting a node needs root"
  command -v systemd-nspawn >/dev/null ||
    skip "systemd-nspawn is missing (package systemd-container)"
  unshare --mount --pid --fork --propagation private true 2>/dev/null ||
    skip "this machine allows no mount and PID namespaces"
  local base=${TMPDIR:-/tmp}/kubelet-sysctl-e2e left pid
  for left in "$base".*; do
    pid=${left#"$base".}
    [ ! -d "$left" ] || [ -d "/proc/${pid%%.*}" ] || rmdir "$left" 2>/dev/null || true
  done
  E2E_TMP=$(mktemp -d "$base.$$.XXXXXX")
  export E2E_TMP
  # setpriv: a signal that nothing can trap still ends the inner half.
  setpriv --pdeathsig KILL unshare --mount --propagation private --pid --fork \
    --kill-child --mount-proc -- "$BASH" "$0" "$@" <&0 &
  local child=$! status=0
  # The terminal sends its signals to both halves; one that came from elsewhere is passed on.
  trap 'kill -TERM $(cat "/proc/$child/task/$child/children") 2>/dev/null || :' INT TERM HUP
  while :; do
    status=0
    wait "$child" || status=$?
    [ -d "/proc/$child" ] || break
  done
  rmdir "$E2E_TMP" 2>/dev/null || true
  exit "$status"
}

# A control group of its own for each run, in a cgroup2 tree that only this mount namespace sees: so
# a node is the same on a machine with the old hierarchies. Its lock says live runs from dead ones.
e2e_cgroup() {
  mount -t cgroup2 cgroup2 "$E2E_CGROUPS" 2>/dev/null ||
    [ -e "$E2E_CGROUPS/cgroup.controllers" ] || skip "no cgroup2 hierarchy can be mounted"
  local group
  for group in "$E2E_CGROUPS"/kubelet-sysctl-e2e.*; do
    [ ! -d "$group" ] || flock -n "$group" find "$group" -depth -type d -exec rmdir {} + \
      2>/dev/null || true
  done
  E2E_GROUP=$E2E_CGROUPS/${E2E_TMP##*/}
  mkdir "$E2E_GROUP" || skip "no control group can be made in $E2E_CGROUPS"
  exec 9<"$E2E_GROUP"
  flock 9
}

# The control groups of this run, one in each tree; of a node, with its name.
e2e_groups() { printf "%s/${E2E_TMP##*/}${1:+/$1}\n" "${E2E_TREES[@]}"; }
e2e_remove_groups() {
  e2e_groups "$@" | xargs -I GROUP find GROUP -depth -type d -exec rmdir {} + 2>/dev/null || true
}

e2e_inner() {
  unset E2E_INNER
  OUT=$E2E_TMP/stdout
  ERR=$E2E_TMP/stderr
  STATUS=0
  mount -t tmpfs -o mode=0755 tmpfs "$E2E_TMP" || skip "no tmpfs can be mounted"
  e2e_cgroup
  # Process 1 of a PID namespace is deaf to every signal that it does not trap.
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap 'e2e_end $?' EXIT
}

declare -A E2E_LEADER=() E2E_SUPERVISOR=()
NODE=""

e2e_end() {
  local status=$1 name
  trap - EXIT
  trap '' INT TERM HUP
  if [ "$status" -ne 0 ] && [ "$status" -ne 77 ] && [ "$status" -lt 129 ]; then node_report >&2; fi
  for name in "${!E2E_SUPERVISOR[@]}"; do
    NODE=$name
    node_kill
  done
  exec 9<&- 6<&-
  e2e_remove_groups
  umount --lazy "$E2E_TMP" 2>/dev/null || true
  exit "$status"
}

# --- Deadlines ---------------------------------------------------------------------------------

exec 6<> <(:) # nothing ever comes from it
now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# wait_until SECONDS COMMAND...: polls until the command succeeds; fails at the deadline.
wait_until() {
  local deadline=$((${EPOCHREALTIME/./} + $1 * 1000000))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "${EPOCHREALTIME/./}" -lt "$deadline" ] || return 1
    e2e_pause
  done
}
# Between two looks, without a process of its own: a hundred nodes wait on two processors.
e2e_pause() { read -rt 0.06 -u 6 || true; }

# --- Nodes -------------------------------------------------------------------------------------

node_use() {
  NODE=$1
  NODE_ROOT=$E2E_TMP/$1/root
}

# Where the tree of a kind lies. E2E_NODES names another directory to look in.
node_source() {
  local base
  for base in ${E2E_NODES:+"$E2E_NODES"} "$E2E_SOURCE/tests/nodes" "$E2E_SOURCE/examples/nodes"; do
    [ ! -d "$base/$1/root" ] || { echo "$base/$1"; return; }
  done
  echo "lib.sh: error: no tree for a node of kind '$1'" >&2
  return 1
}

# node_new KIND [NAME [SOURCE]]
node_new() {
  local kind=$1 name=${2:-$1} source=${3:-}
  [ -n "$source" ] || source=$(node_source "$kind")
  local base=$E2E_TMP/$name
  mkdir -p "$base/upper" "$base/work" "$base/root"
  # The upper layer is on the tmpfs of this run: an overlay cannot be the upper layer of another,
  # nor can a directory below the lower one.
  mount -t overlay overlay -o "lowerdir=$E2E_ROOT,upperdir=$base/upper,workdir=$base/work" "$base/root" ||
    skip "no overlay of $E2E_ROOT can be mounted"
  node_use "$name"
  e2e_quieten
  e2e_copy_tree "$source/root"
  e2e_install_programs "$source"
  e2e_stand_ins
}

# The overlay shows everything this machine would start. A node starts its journal, its message bus
# and what its tree enables.
e2e_quieten() {
  local units=$NODE_ROOT/etc/systemd/system
  rm -rf "${units:?}"
  mkdir -p "$units" "$NODE_ROOT/etc/systemd/journald.conf.d"
  ln -s /usr/lib/systemd/system/multi-user.target "$units/default.target"
  # An empty unit file masks a unit as a link to /dev/null does (systemd.unit(5)), and one process makes them all.
  (cd "$units" && touch getty.target systemd-logind.service systemd-update-utmp.service \
    systemd-update-utmp-runlevel.service systemd-ask-password-wall.path \
    systemd-ask-password-console.path systemd-sysctl.service systemd-sysusers.service \
    systemd-tmpfiles-clean.timer systemd-journal-flush.service systemd-remount-fs.service \
    systemd-user-sessions.service systemd-initctl.socket systemd-timesyncd.service \
    systemd-networkd.service systemd-networkd.socket systemd-resolved.service dev-hugepages.mount \
    systemd-udevd.service systemd-udev-trigger.service systemd-udevd-control.socket \
    systemd-udevd-kernel.socket systemd-modules-load.service systemd-binfmt.service \
    systemd-random-seed.service systemd-hwdb-update.service rc-local.service ssh.service \
    modprobe@.service)
  # What this machine generates is no unit of a node; cloud-init is an example's.
  find "$NODE_ROOT/usr/lib/systemd/system-generators" -type f ! -name 'cloud-init*' -delete
  # Nothing else hooks itself in from /usr/lib and no unit of this machine has the kubelet's name.
  rm -rf "$NODE_ROOT"/usr/lib/systemd/system/{multi-user,graphical}.target.wants \
    "$NODE_ROOT"/usr/lib/systemd/system/kubelet.service{,.d} \
    "$NODE_ROOT"/var/lib/kubelet "$NODE_ROOT"/etc/kubernetes "$NODE_ROOT"/var/lib/kubelet-sysctl \
    "$NODE_ROOT"/etc/sysconfig "$NODE_ROOT"/etc/default/kubelet \
    "$NODE_ROOT"/etc/rancher "$NODE_ROOT"/var/lib/rancher
  echo node-1 >"$NODE_ROOT/etc/hostname"
  printf '[Journal]\nStorage=volatile\nRateLimitIntervalSec=0\n' \
    >"$NODE_ROOT/etc/systemd/journald.conf.d/e2e.conf"
  mkdir -p "$NODE_ROOT/usr/lib/systemd/system/multi-user.target.wants"
  ln -s ../dbus.service "$NODE_ROOT/usr/lib/systemd/system/multi-user.target.wants/"
}

# Links stay links. A tree that went through a store without links holds small files in their place:
# 'lib' and everything below *.wants.
e2e_copy_tree() {
  local source=$1 path
  (cd "$source" && find . -mindepth 1 -printf '%P\0') | while IFS= read -r -d '' path; do
    case $path in
      lib | bin | sbin) ;;
      *)
        if [ -L "$source/$path" ]; then
          cp -a --remove-destination "$source/$path" "$NODE_ROOT/$path"
        elif [ -d "$source/$path" ]; then
          mkdir -p "$NODE_ROOT/$path"
        elif [[ $path == *.wants/* ]]; then
          ln -s "$(cat "$source/$path")" "$NODE_ROOT/$path"
        else
          install -D -m 0644 "$source/$path" "$NODE_ROOT/$path"
        fi
        ;;
    esac
  done
}

# The paths that the unit's ExecStart= lines begin with.
e2e_kubelet_paths() {
  cat "$NODE_ROOT"/{usr/lib,etc}/systemd/system/kubelet.service{,.d/*.conf} 2>/dev/null |
    sed -n 's/^ExecStart=[-@:+!]*\(\/[^ ]*\/kubelet\)\( .*\)\?$/\1/p' | sort -u
}

# The stand-in is k3s and RKE2 too, under their names.
e2e_host_paths() {
  [ ! -d "$NODE_ROOT/etc/rancher/k3s" ] || echo /usr/local/bin/k3s
  [ ! -d "$NODE_ROOT/etc/rancher/rke2" ] ||
    echo /usr/local/bin/rke2 /var/lib/rancher/rke2/data/v1/bin/kubelet
}

e2e_install_programs() {
  local source=$1 path version=1.29.6 kubelet=${KUBELET_BIN:-$E2E_FAKE}
  [ -x "$kubelet" ] || skip "no kubelet at '$kubelet': build it, or set FAKE_KUBELET_BIN"
  for path in $(e2e_kubelet_paths) $(e2e_host_paths); do
    install -D -m 0755 "$kubelet" "$NODE_ROOT$path"
  done
  if [ -e "$source/node.json" ]; then
    version=$(sed -n 's/.*"kubernetes_version": "\([^"]*\)".*/\1/p' "$source/node.json")
  fi
  mkdir -p "$NODE_ROOT/etc/fake-kubelet"
  echo "v$version" >"$NODE_ROOT/etc/fake-kubelet/version"
  for path in $(e2e_kubelet_paths) $(e2e_host_paths); do
    e2e_set_release "v$version" "$NODE_ROOT$path"
  done
  # Never the build machine's own: without the program there is nothing to test.
  rm -f "$NODE_ROOT"/usr/{,local/}{,s}bin/kubelet-sysctl
  [ ! -x "$E2E_TOOL" ] || install -m 0755 "$E2E_TOOL" "$NODE_ROOT/usr/local/bin/kubelet-sysctl"
}

# The release of the stand-in, of the version `vX.Y.Z`: where it says it, and where a linker puts it, so
# that it can be read without starting it. Further arguments are the programs.
e2e_set_release() {
  local release=$1 program
  shift
  for program in "$@"; do
    python3 -IS - "$program" "$release" <<'PYTHON'
import os, re, sys
path, release = sys.argv[1], sys.argv[2].encode()
with open(path, 'rb') as program:
    data = program.read()
places = [m.start() for m in re.finditer(rb'v1\.\d+\.\d+\0{10,}', data) if m.start() % 8 == 0]
if len(places) == 1:
    data = data[:places[0]] + release.ljust(24, b'\0') + data[places[0] + 24:]
    with open(path + '.new', 'wb') as program:
        program.write(data)
    os.chmod(path + '.new', 0o755)
    os.rename(path + '.new', path)
PYTHON
  done
}

# What the units of the trees lean on and a bare machine does not have.
e2e_stand_ins() {
  printf '[Unit]\nDescription=Stand-in\n[Service]\nExecStart=/bin/sleep infinity\n' |
    tee "$NODE_ROOT/etc/systemd/system/containerd.service" \
      >"$NODE_ROOT/etc/systemd/system/crio.service"
  local program
  for program in usr/sbin/iptables usr/local/bin/kubenswrapper; do
    rm -f "$NODE_ROOT/$program"
  done
  printf '#!/bin/sh\nexit 0\n' >"$NODE_ROOT/usr/sbin/iptables"
  printf '#!/bin/sh\nexec "$@"\n' >"$NODE_ROOT/usr/local/bin/kubenswrapper"
  chmod 0755 "$NODE_ROOT/usr/sbin/iptables" "$NODE_ROOT/usr/local/bin/kubenswrapper"
}

# Knobs for the next start of the stand-in; without arguments it behaves again.
node_settings() {
  local settings=$NODE_ROOT/etc/fake-kubelet/settings
  [ -z "${E2E_LEADER[$NODE]:-}" ] || settings=$(node_path /etc/fake-kubelet/settings)
  printf '%s\n' "$@" >"$settings"
}

# A case whose point is how the kubelet misbehaves cannot use a real one.
needs_stand_in() {
  [ -z "${KUBELET_BIN:-}" ] || skip "needs the stand-in kubelet, not KUBELET_BIN"
}

needs_tool() {
  [ -x "$E2E_TOOL" ] || skip "no program at '$E2E_TOOL': build it, or set KUBELET_SYSCTL_BIN"
}

node_boot() {
  local group console=$E2E_TMP/$NODE/console
  (
    for group in $(e2e_groups "$NODE"); do
      mkdir -p "$group"
      echo 0 >"$group/cgroup.procs"
    done
    # setsid: the terminal's Ctrl-C is for the script, which then ends the node.
    exec setsid systemd-nspawn --quiet --register=no --keep-unit --private-network \
      --link-journal=no --resolv-conf=off --timezone=off --machine="e2e-$NODE" --hostname=node-1 \
      ${NODE_SETENV:+"--setenv=$NODE_SETENV"} "${NODE_OPTIONS[@]}" --directory="$NODE_ROOT" --boot 9<&- 6<&-
  ) </dev/null >"$console" 2>&1 &
  E2E_SUPERVISOR[$NODE]=$!
  local deadline=$((${EPOCHREALTIME/./} + E2E_BOOT_SECONDS * 1000000)) trouble=""
  until e2e_is_booted 2>/dev/null; do
    [ -d "/proc/${E2E_SUPERVISOR[$NODE]}" ] || trouble="systemd-nspawn cannot start one here"
    [ "${EPOCHREALTIME/./}" -lt "$deadline" ] ||
      trouble="the node did not boot in $E2E_BOOT_SECONDS s"
    if [ -n "$trouble" ]; then
      tail -n 20 "$console" >&2
      skip "$trouble"
    fi
    e2e_pause
  done
  # As on a node: systemd-nspawn makes /proc/sys read-only, all but net.
  node_run mount -o remount,bind,rw /proc/sys
}

e2e_is_booted() {
  local supervisor=${E2E_SUPERVISOR[$NODE]} leader
  leader=$(cat "/proc/$supervisor/task/$supervisor/children") || return 1
  leader=${leader%% *}
  [ -n "$leader" ] || return 1
  E2E_LEADER[$NODE]=$leader
  # It says "offline" as long as nothing answers, and then waits: one question costs more than the wait.
  case $(node_run timeout "$E2E_BOOT_SECONDS" systemctl is-system-running --wait) in
    running | degraded) ;;
    *) return 1 ;;
  esac
}

node_up() {
  node_new "$@"
  node_boot
  node_start
}

node_start() {
  node_run systemctl start "$NODE_UNIT"
  node_wait_healthy
}

# In the control group of the node's process 1, as far as there is one yet: not from outside.
node_run() (
  exec 9<&- 6<&-
  for scope in $(e2e_groups "$NODE/payload/init.scope"); do
    [ ! -e "$scope" ] || echo 0 >"$scope/cgroup.procs"
  done
  exec nsenter --target "${E2E_LEADER[$NODE]}" --mount --uts --ipc --net --pid --cgroup -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
    LANG=C.UTF-8 TERM="${TERM:-dumb}" "$@"
)

node_path() { echo "/proc/${E2E_LEADER[$NODE]}/root$1"; }

# The power goes: no process of the node has a last word. What the kernel holds of the disk stays,
# as if it had been synced; whether it was is a question for the calls that are made.
e2e_power_off() {
  local supervisor=${E2E_SUPERVISOR[$NODE]:-}
  if [ -n "$supervisor" ]; then
    # The leader is process 1 of the node: with it goes every process of the node.
    [ -z "${E2E_LEADER[$NODE]:-}" ] || kill -KILL "${E2E_LEADER[$NODE]}" 2>/dev/null || true
    wait_until 5 test ! -d "/proc/$supervisor" || kill -KILL "$supervisor" 2>/dev/null || true
    wait "$supervisor" 2>/dev/null || true
  fi
  unset "E2E_SUPERVISOR[$NODE]" "E2E_LEADER[$NODE]"
  e2e_remove_groups "$NODE"
}

node_kill() {
  e2e_power_off
  umount --recursive "$NODE_ROOT" 2>/dev/null || true
}

# Each boot has a /run and a boot id of its own: systemd-nspawn mounts both.
node_reboot() {
  local boot_id
  boot_id=$(node_run cat /proc/sys/kernel/random/boot_id)
  e2e_power_off
  node_boot
  [ "$(node_run cat /proc/sys/kernel/random/boot_id)" != "$boot_id" ] ||
    fail "the node has the same boot id after it was booted again"
}

# shellcheck source=tests/e2e/assert.sh
. "$E2E_DIR/assert.sh"
# shellcheck source=tests/e2e/runs.sh
. "$E2E_DIR/runs.sh"
# shellcheck source=tests/e2e/faults.sh
. "$E2E_DIR/faults.sh"

if [ -z "${E2E_INNER:-}" ]; then
  export E2E_INNER=1
  e2e_outer "$@"
fi
e2e_inner
