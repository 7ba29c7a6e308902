#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plays fleet.yml with the real ansible-playbook against three booted nodes of different kinds.
#
#   sudo examples/ansible/run.sh
#
# Exit code 77 means that this machine cannot boot a node or has no Ansible; it says why.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/e2e/lib.sh"
. "$E2E_DIR/ansible.sh"
needs_tool
needs_stand_in

kinds=(kops eks-al2023 kubespray)
play_of=fleet.yml
nodes=(node-1.example.net node-2.example.net node-3.example.net)

cd "$here" || exit
# The collection, as a release brings it and as a repository of git has it.
ansible_new
if git -C "$here" rev-parse HEAD >/dev/null 2>&1; then
  ansible-galaxy collection install --collections-path "$E2E_TMP/of-git" \
    "git+file://$(git -C "$here" rev-parse --show-toplevel)#/examples/ansible/collection"
  diff -r -x MANIFEST.json -x FILES.json "$E2E_TMP/collections" "$E2E_TMP/of-git" ||
    fail "the collection from git is another one"
fi

# play STATUS CHANGED PLAYBOOK-OPTION...: one run; CHANGED has the changed tasks of each node, '-' for
# a node that the play did not come to.
play() {
  local status=$1 changed=$2 seen=0 counts="" node
  shift 2
  echo "\$ ansible-playbook ${play_of##*/} $*"
  ansible-playbook --inventory inventory.yml "$play_of" -e kubelet_sysctl_window=300ms "$@" >"$OUT" 2>"$ERR" 9<&- || seen=$?
  cat "$OUT" "$ERR"
  assert_eq "$status" "$seen" "exit code of ansible-playbook"
  for node in "${nodes[@]}"; do counts+=" $(recap "$node" changed)"; done
  assert_eq "$changed" "${counts# }" "changed tasks of each node"
}

# What a run must not touch: every file of the nodes, and the process of the kubelet.
state_of() {
  node_use "$1"
  node_run bash -O nullglob -c \
    "find /etc /usr/local/bin /var/lib/kubelet* -printf '%p %i %T@ %s\\n'" | sort
  echo "pid $(kubelet_pid)"
}
remember() { for node in "${nodes[@]}"; do state_of "$node" >"$E2E_TMP/$node.state"; done; }
assert_untouched() {
  for node in "$@"; do
    state_of "$node" >"$E2E_TMP/seen"
    assert_same_bytes "$E2E_TMP/$node.state" "$E2E_TMP/seen"
  done
}
# assert_lists LIST...: what the running kubelet of each node has read.
assert_lists() {
  local node
  for node in "${nodes[@]}"; do
    node_use "$node"
    assert_eq "$1" "$(kubelet_list)" "the list of the kubelet of $node"
    kubelet_is_healthy || fail "the kubelet of $node is not healthy"
    shift
  done
}

ansible-playbook --syntax-check fleet.yml
for i in 0 1 2; do
  node_up "${kinds[i]}" "${nodes[i]}"
  ansible_node "${nodes[i]}"
done
remember

# Check mode says of each node that it would change, shows how, and touches nothing.
play 0 "1 1 1" --check --diff
sed '/^PLAY RECAP/q' "$OUT" >"$E2E_TMP/foretold"
assert_contains "$E2E_TMP/foretold" \
  '+ --allowed-unsafe-sysctls=net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.msg*'
assert_contains "$E2E_TMP/foretold" '+++ /etc/kubernetes/kubelet/config.json.d/90-kubelet-sysctl.conf'
assert_contains "$E2E_TMP/foretold" '+- kernel.sem'
assert_untouched "${nodes[@]}"

# The run changes what was foretold, and the running kubelets have it.
play 0 "1 1 1" --diff
sed '/^PLAY RECAP/q' "$OUT" >"$E2E_TMP/done"
assert_same_bytes "$E2E_TMP/foretold" "$E2E_TMP/done"
lists=('net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.msg*' 'net.core.somaxconn,kernel.msg*'
  'net.core.somaxconn,kernel.msg*,kernel.sem')
assert_lists "${lists[@]}"

# Once more there is nothing to do: no write, no restart.
remember
play 0 "0 0 0"
assert_untouched "${nodes[@]}"

# A mistake in the variables is found before anything runs on a node.
play 2 "0 - -" -e kubelet_sysctl_state=exactly
assert_contains "$OUT" 'must be one of: present, exact, absent, got: exactly'
play 2 "0 - -" -e '{"kubelet_sysctl_state": "exact", "kubelet_sysctl_entries": []}'
assert_contains "$OUT" "would empty the list"
# An entry that would stop the kubelet is refused, in the kubelet's words.
play 2 "0 - -" -e '{"kubelet_sysctl_entries": ["vm.max_map_count"]}'
assert_contains "$OUT" 'not known to be namespaced'
assert_contains "$OUT" 'exit: 3'
assert_untouched "${nodes[@]}"

# The kubelet of the second node dies of the entry: that node has its old list back, and the play ends.
entry=net.ipv4.tcp_mtu_probing
node_use node-2.example.net
keep /etc/kubernetes/kubelet/config.json.d/90-kubelet-sysctl.conf
node_settings exit_after_ms=100 only_when_list_contains=$entry "exit_message=no room for $entry"
play 2 "1 0 -" -e "{\"kubelet_sysctl_entries\": [\"$entry\"]}"
assert_eq 1 "$(recap node-2.example.net failed)" "failed tasks of the second node"
assert_contains "$OUT" 'exit: 4'
assert_contains "$OUT" 'rolled back, the files are as before'
assert_contains "$OUT" "no room for $entry"
node_use node-2.example.net
assert_same_bytes "$(kept /etc/kubernetes/kubelet/config.json.d/90-kubelet-sysctl.conf)" \
  "$(node_path /etc/kubernetes/kubelet/config.json.d/90-kubelet-sysctl.conf)"
node_settings
assert_lists "${lists[0]},$entry" "${lists[@]:1}"
assert_untouched node-3.example.net

# A canary is watched for longer: its kubelet, which dies after the window of the others, is seen to die, and no
# other node is changed, although they are of the same batch.
remember
node_use node-1.example.net
node_settings exit_after_ms=1500 only_when_list_contains=kernel.shmall "exit_message=no room for kernel.shmall"
canary=(-e kubelet_sysctl_canary=1 -e kubelet_sysctl_canary_window=4s)
sed -e '/serial:/d' -e '/max_fail_percentage/d' fleet.yml >"$E2E_TMP/at-once.yml"
play_of=$E2E_TMP/at-once.yml
play 2 "0 0 0" "${canary[@]}" -e '{"kubelet_sysctl_entries": ["kernel.shmall"]}'
assert_contains "$OUT" "no room for kernel.shmall"
assert_contains "$OUT" "node-1.example.net goes first"
assert_untouched node-2.example.net node-3.example.net
node_settings
play 0 "0 0 0" "${canary[@]}" --check -e '{"kubelet_sysctl_entries": ["net.core.somaxconn"]}'
play_of=fleet.yml

# Only the node that has the entry loses it, and check mode knows which one that is.
remember
play 0 "1 0 0" --check -e kubelet_sysctl_state=absent -e "{\"kubelet_sysctl_entries\": [\"$entry\"]}"
assert_untouched "${nodes[@]}"
play 0 "1 0 0" -e kubelet_sysctl_state=absent -e "{\"kubelet_sysctl_entries\": [\"$entry\"]}"
assert_lists "${lists[@]}"

play 0 "1 1 1" -e kubelet_sysctl_state=exact -e '{"kubelet_sysctl_entries": ["net.core.somaxconn"]}'
assert_lists net.core.somaxconn net.core.somaxconn net.core.somaxconn

# A new node has no program yet: it is put there, by the way of files.
node_use node-1.example.net
rm "$(node_path /usr/local/bin/kubelet-sysctl)"
remember
play 2 "0 - -" --limit node-1.example.net
assert_contains "$OUT" "kubelet_sysctl_binary"
play 0 "1 - -" --limit node-1.example.net -e kubelet_sysctl_binary="$E2E_TOOL" --check
assert_untouched node-1.example.net
play 0 "2 - -" --limit node-1.example.net -e kubelet_sysctl_binary="$E2E_TOOL"
assert_same_bytes "$E2E_TOOL" "$(node_path /usr/local/bin/kubelet-sysctl)"
assert_lists net.core.somaxconn,kernel.msg\* net.core.somaxconn net.core.somaxconn

echo "ansible: check, change, no change, a refusal and a rollback did on three nodes what they should"
