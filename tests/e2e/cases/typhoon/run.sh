#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where the unit runs the kubelet in a container, the list goes into the configuration that the container sees, and
# the kubelet is found in the container's control group: under podman, and under a docker that only its log follows.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/hosts.sh"
needs_tool
needs_stand_in
file=/etc/kubernetes/kubelet.yaml

changes() {
  host_start kubelet.service
  cp "$(node_path $file)" "$E2E_TMP/original"
  assert_exit 0 tool show -o json
  assert_eq typhoon "$(json 'd["node"]["kind"]')"
  assert_eq '[]' "$(json 'd["running"]["entries"]')"
  assert_exit 3 tool add kernel.sem --via args
  assert_contains "$ERR" "--via config"

  assert_exit 0 tool add net.core.somaxconn --window 1s -o json
  assert_eq applied "$(json 'd["outcome"]')"
  assert_eq "$(host_pid)" "$(json 'd["evidence"]["pid"]')"
  assert_eq "$file" "$(json 'd["evidence"]["configFile"]')"
  assert_eq net.core.somaxconn "$(kubelet_list)" "the list the kubelet read"
  assert_exit 77 tool add --unchanged-exit-77 net.core.somaxconn

  cp "$(node_path $file)" "$E2E_TMP/expected"
  assert_exit 4 tool add --force vm.swappiness --window 1s --timeout 20s
  assert_same_bytes "$E2E_TMP/expected" "$(node_path $file)"
  assert_eq net.core.somaxconn "$(kubelet_list)"
  assert_exit 0 tool undo --window 1s
  assert_same_bytes "$E2E_TMP/original" "$(node_path $file)"
  assert_eq "" "$(kubelet_list)"
}

node_new typhoon
stand_in_podman
node_boot
changes
node_kill
node_new typhoon-flatcar
stand_in_docker
node_boot
changes
