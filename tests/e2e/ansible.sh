# SPDX-License-Identifier: Apache-2.0
# Plays against booted nodes with the real ansible-playbook; a script sources this file after lib.sh.
#
#   ansible_new             the collection, built and installed as a release brings it; skips without Ansible
#   ansible_node NAME       the current node can be reached under this name from now on
#   recap NODE COUNTER      what the last line of the play in $OUT counts for the node, '-' for a node that the
#                           play did not come to
#
# Ansible reaches the nodes by its own ssh plugin; in the place of the program ssh is one that enters a node.

E2E_COLLECTION=$E2E_SOURCE/examples/ansible/collection

ansible_new() {
  command -v ansible-playbook >/dev/null || skip "ansible-playbook is missing (package ansible-core)"
  export E2E_TMP E2E_GROUP HOME=$E2E_TMP/home
  export ANSIBLE_SSH_EXECUTABLE=$E2E_DIR/ssh.sh ANSIBLE_SSH_TRANSFER_METHOD=piped
  export ANSIBLE_CONFIG=$E2E_SOURCE/examples/ansible/ansible.cfg ANSIBLE_REMOTE_USER=root ANSIBLE_NOCOLOR=1
  export ANSIBLE_COLLECTIONS_PATHS=$E2E_TMP/collections
  ansible-galaxy collection build --output-path "$E2E_TMP" "$E2E_COLLECTION"
  ansible-galaxy collection install --offline --collections-path "$ANSIBLE_COLLECTIONS_PATHS" \
    "$E2E_TMP"/kubelet_sysctl-node-*.tar.gz
}

ansible_node() { echo "${E2E_LEADER[$NODE]}" >"$E2E_TMP/$1/leader"; }

recap() {
  local count
  count=$(sed -n "s/^$1 .*[: ]$2=\([0-9]*\).*/\1/p" "$OUT")
  echo "${count:--}"
}
