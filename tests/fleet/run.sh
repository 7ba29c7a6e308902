#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A fleet of booted nodes of many kinds and several releases of systemd: the collection rolls an entry out in
# batches, past nodes that fail in different ways; prints what it cost, beside lineinfile and systemd.
#
#   tests/run.sh fleet
#
#   FLEET_NODES   how many nodes, a multiple of four (default: 24, or as many as the memory holds)
#   ROOTS         where `tests/run.sh matrix` keeps the roots of newer releases of Debian; without them every node
#                 has the systemd of this machine
#
# Four batches. In the first, one node goes before the others and one cannot be reached. In the second, another manager
# owns a node: one failure, which the play tolerates. In the third, the kubelet of one node dies of the entry and the
# disk of another is full: the play ends there, and the fourth is as it was. Then the faults are fixed and it runs again.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../e2e/lib.sh"
. "$E2E_DIR/ansible.sh"
needs_tool
needs_stand_in
mib_of_a_node=128 # twice what one takes
roots=${ROOTS:-${XDG_CACHE_HOME:-$HOME/.cache}/kubelet-sysctl/nodes}
entry=net.ipv4.tcp_orphan_retries
yaml_list="allowedUnsafeSysctls: [$entry]"

# KIND|where lineinfile puts the entry|after which line, or with '=' the line that it replaces|the line
kinds=(
  "kops|/etc/sysconfig/kubelet|=^(DAEMON_ARGS=\".*--allowed-unsafe-sysctls=)(?!.*$entry)(.*)\$|\\1$entry,\\2"
  "gardener|/var/lib/kubelet/config/kubelet|EOF|$yaml_list"
  "eks-al2023|/etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf|\"allowedUnsafeSysctls\"|\"$entry\","
  "cluster-api|/var/lib/kubelet/config.yaml|EOF|$yaml_list"
  "gke|/home/kubernetes/kubelet-config.yaml|^allowedUnsafeSysctls:|- $entry"
  "kubeadm-config-dir|/etc/kubernetes/kubelet.conf.d/20-sysctls.conf|^allowedUnsafeSysctls:|  - $entry"
  "aks|/etc/default/kubeletconfig.json|\"allowedUnsafeSysctls\"|\"$entry\","
  "kops-1.36|/var/lib/kubelet/kubelet.conf|^allowedUnsafeSysctls:|- $entry"
  "minikube|/var/lib/kubelet/config.yaml|EOF|$yaml_list"
)
owned="openshift|/etc/kubernetes/kubelet.conf|^allowedUnsafeSysctls:|- $entry"

free=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo)
count=${FLEET_NODES:-24}
[ $((count * mib_of_a_node)) -le "$free" ] || count=$((free / mib_of_a_node))
batch=$((count / 4))
[ "$batch" -ge 2 ] || skip "a fleet needs memory for eight nodes, $((8 * mib_of_a_node)) MiB; free are $free MiB"
count=$((batch * 4))
# One failure of a batch is tolerated, two are not.
tolerated=$((150 / batch))
name_of() { printf 'node-%02d' "$1"; }
canary=$(name_of 1)
unreachable=$(name_of 2)
foreign=$(name_of $((batch + 1)))
dies=$(name_of $((2 * batch + 1)))
full=$(name_of $((2 * batch + 2)))
last=$(name_of $((3 * batch + 1)))
nodes=()
inventory=$E2E_TMP/inventory.json
declare -A releases=()

# --- The nodes ---------------------------------------------------------------------------------

release_of() { # which release the node number $1 has
  local all=(this-machine) release
  for release in trixie sid; do
    # Ansible needs the whole of Python there.
    [ ! -e "$roots/$release/complete" ] || [ ! -x "$roots/$release/usr/bin/py3compile" ] || all+=("$release")
  done
  echo "${all[$1 % ${#all[@]}]}"
}

# new_node NUMBER: not booted; a line for the inventory.
new_node() {
  local name row release
  name=$(name_of "$1")
  row=${kinds[$1 % ${#kinds[@]}]}
  case $name in
    "$foreign") row=$owned ;;
    "$full") row=${kinds[0]} ;;
  esac
  release=$(release_of "$1")
  [ "$release" = this-machine ] || E2E_ROOT=$roots/$release
  node_new "${row%%|*}" "$name"
  E2E_ROOT=/
  case $row in
    cluster-api*) chmod 0755 "$NODE_ROOT/usr/libexec/kubernetes/kubelet-resource-sizing.sh" ;;
    openshift*) # its kubelet is started by a wrapper
      echo "[Unit]" >"$NODE_ROOT/etc/systemd/system/kubelet-dependencies.target"
      install -m 0755 "$E2E_FAKE" "$NODE_ROOT/usr/bin/kubelet"
      e2e_set_release v1.34.2 "$NODE_ROOT/usr/bin/kubelet"
      ;;
  esac
  nodes+=("$name")
  echo "$name|$row" >>"$E2E_TMP/inventory"
}

boot_node() {
  node_boot
  node_start
  ansible_node "$NODE"
  releases[$(node_run systemctl --version | awk 'NR == 1 { print $2 }')]=yes
}

make_inventory() {
  python3 - "$E2E_TMP/inventory" >"$inventory" <<'PYTHON'
import json, sys
hosts = {}
for line in open(sys.argv[1]):
    name, kind, path, where, text = line.rstrip("\n").split("|")
    edit = {"path": path, "line": text}
    edit["regexp" if where.startswith("=") else "insertafter"] = where.lstrip("=")
    hosts[name] = {"edit": edit, "ansible_python_interpreter": "/usr/bin/python3"}
print(json.dumps({"all": {"hosts": hosts}}))
PYTHON
}

# In MiB: what the processes of the node hold, shared pages by halves, and its files.
memory_of() {
  local pids
  pids=$(find "$(e2e_groups "$1" | head -n 1)" -name cgroup.procs -exec cat {} +)
  {
    for pid in $pids; do sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$pid/smaps_rollup" 2>/dev/null || true; done
    du -sk "$E2E_TMP/$1/upper" | cut -f 1
  } | awk '{ sum += $1 } END { printf "%.0f\n", sum / 1024 }'
}

small_disk() {
  node_run sh -c 'cp -a /etc/sysconfig /run/kept && mount -t tmpfs -o size=64k small /etc/sysconfig &&
    cp -a /run/kept/. /etc/sysconfig && { dd if=/dev/zero of=/etc/sysconfig/filler bs=1k 2>/dev/null || true; }'
}

# --- Plays -------------------------------------------------------------------------------------

# play STATUS RESULT PLAYBOOK OPTION...
play() {
  local status=$1 seen=0
  echo "\$ ansible-playbook ${3##*/} ${*:4}"
  "$here/measure.py" "$E2E_TMP/$2.json" ansible-playbook --inventory "$inventory" --forks "$batch" "$3" \
    -e batch="$batch" -e tolerated="$tolerated" "${@:4}" >"$OUT" 2>"$ERR" 9<&- || seen=$?
  cat "$ERR"
  grep -vE '^(ok|included|skipping): |^TASK|^$' "$OUT"
  assert_eq "$status" "$seen" "exit code of ansible-playbook"
}
roll_out() {
  play "$1" "$2" "$here/rollout.yml" -e "{\"kubelet_sysctl_entries\": [\"$entry\"]}" \
    -e kubelet_sysctl_window=1s -e kubelet_sysctl_canary=1 -e kubelet_sysctl_canary_window=4s "${@:3}"
}

has_entry() {
  node_use "$1"
  case ,$(kubelet_list), in
    *",$entry,"*) return 0 ;;
    *) return 1 ;;
  esac
}
remember() {
  local name
  for name in "$@"; do
    node_use "$name"
    node_sums >"$E2E_TMP/$name.sums"
  done
}
assert_as_before() {
  local name
  for name in "$@"; do
    node_use "$name"
    node_sums >"$E2E_TMP/seen"
    assert_same_bytes "$E2E_TMP/$name.sums" "$E2E_TMP/seen"
    kubelet_is_healthy || fail "the kubelet of $name is not healthy"
    ! has_entry "$name" || fail "the kubelet of $name has the entry"
  done
}
assert_has_entry() {
  local name
  for name in "$@"; do
    has_entry "$name" || fail "the kubelet of $name lacks the entry, it has '$(kubelet_list)'"
    kubelet_is_healthy || fail "the kubelet of $name is not healthy"
  done
}
# assert_named NODE TEXT: the play names the node with the cause.
assert_named() {
  grep -A 40 -E "^(fatal|failed): \[$1\]" "$OUT" | grep -qF -e "$2" ||
    fail "the play does not say '$2' of $1:"$'\n'"$(cat "$OUT")"
}
is_down() { ! kubelet_is_healthy; }
down() {
  local name sum=0
  for name in "${nodes[@]}"; do
    node_use "$name"
    kubelet_is_healthy || sum=$((sum + 1))
  done
  echo "$sum"
}
undo_all() {
  local name
  for name in "${well[@]}"; do
    node_use "$name"
    assert_exit 0 tool undo --window 0ms
  done
  mapfile -t untouched < <(others "$unreachable" "$full") # these have other files than when they were remembered
  assert_as_before "${untouched[@]}"
}
# Of all nodes but these.
others() { printf '%s\n' "${nodes[@]}" | grep -vxF "$(printf '%s\n' "$@")"; }

# --- The story ---------------------------------------------------------------------------------

ansible_new >/dev/null
began=$(now_ms)
for i in $(seq "$count"); do
  new_node "$i"
  [ "$NODE" = "$unreachable" ] || boot_node
done
make_inventory
mapfile -t reached < <(others "$unreachable")
echo "fleet: $count nodes, $((($(now_ms) - began) / 1000)) s to boot; systemd ${!releases[*]}; MiB of a node:" \
  "$(for name in "${reached[@]}"; do memory_of "$name"; done | sort -n | awk '
    { all[NR] = $1 } END { print "median", all[int((NR + 1) / 2)], "most", all[NR] }')"
node_use "$full"
small_disk
remember "${reached[@]}"

# The canary's kubelet dies later than the others would be watched: no node is changed.
node_use "$canary"
node_settings exit_after_ms=2500 only_when_list_contains=$entry "exit_message=no room for $entry"
roll_out 2 canary --limit "!$unreachable"
assert_named "$canary" "no room for $entry"
assert_contains "$OUT" "$canary goes first"
assert_as_before "${reached[@]}"
node_use "$canary"
node_settings

# The roll-out: it ends behind the third batch.
node_use "$dies"
node_settings exit_after_ms=100 only_when_list_contains=$entry "exit_message=no room for $entry"
roll_out 2 first
assert_contains "$OUT" "fatal: [$unreachable]: UNREACHABLE!"
assert_named "$foreign" "OpenShift"
assert_named "$foreign" "exit: 3"
assert_named "$dies" "no room for $entry"
assert_named "$dies" "exit: 4"
assert_named "$full" "No space left"
mapfile -t behind < <(printf '%s\n' "${nodes[@]}" | sed -n "/^$last\$/,\$p")
for name in "${behind[@]}"; do assert_eq - "$(recap "$name" changed)" "changed tasks of $name"; done
assert_as_before "$foreign" "$dies" "$full" "${behind[@]}"
mapfile -t well < <(others "$unreachable" "$foreign" "$dies" "$full" "${behind[@]}")
assert_has_entry "${well[@]}"
assert_contains "$ERR" "[WARNING]: node-"

# What was unreachable is there again, the kubelet has room, the disk too: the second run fixes the rest.
node_use "$unreachable"
boot_node
node_use "$dies"
node_settings
node_use "$full"
node_run umount /etc/sysconfig
node_use "$foreign"
roll_out 2 second
mapfile -t well < <(others "$foreign")
assert_has_entry "${well[@]}"
assert_as_before "$foreign"

# Nothing is left to do.
roll_out 0 nothing --limit "!$foreign"
assert_lacks "$OUT" "changed: ["
grep -q "changed=[1-9]" "$OUT" && fail "the run changed something although nothing was to do"

# From the same start once more without a fault, and by lineinfile, where the kubelet of one dies again.
undo_all
roll_out 0 all --limit "!$foreign"
undo_all
node_use "$dies"
node_settings exit_after_ms=100 only_when_list_contains=$entry "exit_message=no room for $entry"
play 0 lineinfile "$here/../../benchmarks/lineinfile.yml" --limit "!$foreign"
node_use "$dies"
wait_until 10 is_down || fail "the kubelet of $dies is healthy with the entry that it dies of"
left=$(down)
mapfile -t well < <(others "$foreign" "$dies")
assert_has_entry "${well[@]}"
play 0 again "$here/../../benchmarks/lineinfile.yml" --limit "!$foreign"

"$here/table.py" "$E2E_TMP/first.json=roll-out, stopped in the third batch=0" \
  "$E2E_TMP/all.json=roll-out, every node=0" "$E2E_TMP/nothing.json=nothing to do=0" \
  "$E2E_TMP/lineinfile.json=lineinfile and systemd=$left" "$E2E_TMP/again.json=the same, nothing to do=$(down)"
echo "fleet: $count nodes: healthy ones have the entry, failing ones are as before, the batch stopped where it should"
