#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# On a MicroK8s node no process shows the kubelet's arguments, and its wrapper writes the files of arguments again at
# every start: the list is reported all the same, changed in its line, and seen once the program behind the script is
# younger than the files.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/hosts.sh"
needs_tool
needs_stand_in
file=/var/snap/microk8s/current/args/kubelet
node_new microk8s
stand_in_microk8s
chmod 0660 "$NODE_ROOT/var/snap/microk8s/8137/args/kubelet"
node_boot
host_start snap.microk8s.daemon-kubelite.service
node_wait_healthy
cp "$(node_path $file)" "$E2E_TMP/original"

assert_exit 0 tool show -o json
assert_eq microk8s "$(json 'd["node"]["kind"]')"
assert_eq '["net.core.somaxconn"]' "$(json '[e["entry"] for e in d["configured"]["entries"]]')"
assert_eq "$file:14" "$(json '"%s:%d" % (d["configured"]["entries"][0]["file"], d["configured"]["entries"][0]["line"])')"
assert_eq '["net.core.somaxconn"]' "$(json 'd["running"]["entries"]')"
starts=$(kubelet_starts)
assert_exit 0 tool add net.core.somaxconn -o json
assert_eq unchanged "$(json 'd["outcome"]')"
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"

assert_exit 0 tool add 'kernel.msg*' --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_contains "$OUT" "API server"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)" "the list the kubelet read"
sed 's/"net.core.somaxconn"/"net.core.somaxconn,kernel.msg*"/' "$E2E_TMP/original" >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq "660 8137" "$(stat -c %a "$(node_path /var/snap/microk8s/8137/args/kubelet)") $(readlink "$(node_path /var/snap/microk8s/current)")"
assert_exit 77 tool add --unchanged-exit-77 'kernel.msg*'

# A list that the kubelet dies of: the file is as before, and the old list was seen again.
assert_exit 4 tool add --force vm.swappiness --window 1s --timeout 20s
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)"

assert_exit 0 tool remove net.core.somaxconn 'kernel.msg*' --window 1s
sed '/allowed-unsafe-sysctls/d' "$E2E_TMP/original" >"$E2E_TMP/without"
assert_same_bytes "$E2E_TMP/without" "$(node_path $file)"
assert_eq "" "$(kubelet_list)"
assert_exit 0 tool undo --window 1s
assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
assert_eq 'net.core.somaxconn,kernel.msg*' "$(kubelet_list)"
