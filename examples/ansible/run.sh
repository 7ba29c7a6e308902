#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plays add-sysctls.yml against a booted node: check mode, the change, and once more.
#
#   sudo examples/ansible/run.sh
#
# Exit code 77 means that this machine cannot boot a node or has no Ansible; it says why.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/e2e/lib.sh"
needs_tool
command -v ansible-playbook >/dev/null || skip "ansible-playbook is missing (package ansible-core)"

# play EXPECTED-CHANGED OPTION...: one run of the playbook in the node, which is in the inventory and
# which Ansible reaches without SSH.
play() {
  local expected=$1 status=0
  shift
  echo "\$ ansible-playbook add-sysctls.yml $*"
  node_run ansible-playbook -i /root/play/inventory.yml --limit node-1.example.net \
    -e ansible_connection=local -e kubelet_sysctl_window=1s /root/play/add-sysctls.yml "$@" \
    >"$OUT" 2>"$ERR" || status=$?
  cat "$OUT" "$ERR"
  assert_eq 0 "$status" "exit code of ansible-playbook"
  assert_eq "$expected" "$(recap changed)" "changed tasks"
  assert_eq 0 "$(recap failed)" "failed tasks"
}
recap() { sed -n "s/^node-1.*[: ]$1=\([0-9]*\).*/\1/p" "$OUT"; }

file=/etc/sysconfig/kubelet
node_up kops kops "$here/../nodes/kops"
mkdir -p "$(node_path /root/play)"
cp "$here"/{add-sysctls,inventory}.yml "$(node_path /root/play)"
keep $file
pid=$(kubelet_pid)

# Check mode says that it would change, shows how, and changes nothing.
play 1 --check
assert_contains "$OUT" '--allowed-unsafe-sysctls=net.core.somaxconn,kernel.msg*'
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after check mode"

# The first run changes one thing, and the running kubelet has it.
play 1
assert_contains "$OUT" '--allowed-unsafe-sysctls=net.core.somaxconn,kernel.msg*'
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_flag)" "the flag of the running kubelet"
kubelet_is_healthy || fail "the kubelet is not healthy"

# The second run has nothing to do.
keep $file
pid=$(kubelet_pid)
play 0
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after the second run"

# A refusal fails the play, with the kubelet's reason where the operator sees it.
assert_exit 2 node_run ansible-playbook -i /root/play/inventory.yml --limit node-1.example.net \
  -e ansible_connection=local -e '{"kubelet_sysctl_entries": ["vm.max_map_count"]}' \
  /root/play/add-sysctls.yml >"$OUT"
assert_contains "$OUT" 'not known to be namespaced'
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after a refusal"

echo "ansible: check mode, change and no change did what they should"
