#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A loader in front of the kubelet: the program that runs has another name, as in the packages of SUSE, and
# the node works. A change is seen, never called stranded.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
node_up kops
program=$(node_path /usr/local/bin/kubelet)
mv "$program" "$(node_path /usr/local/bin/program)"
entries=(kernel.sem kernel.msgmax kernel.msgmnb kernel.shmall)
for name in kubelet1.28 kubelet-v1.30.4 kubelet.real node-agent; do
  cp "$(node_path /usr/local/bin/program)" "$(node_path "/usr/local/bin/$name")"
  printf '#!/bin/sh\nexec /usr/local/bin/%s "$@"\n' "$name" >"$program"
  chmod 0755 "$program"
  node_run systemctl restart kubelet
  node_wait_healthy
  entry=${entries[0]}
  entries=("${entries[@]:1}")
  assert_exit 0 tool add "$entry" --window 1s --timeout 20s
  assert_contains <(kubelet_argv) "/usr/local/bin/$name"
  assert_contains <(kubelet_flag) "$entry"
  assert_exit 0 tool show -o json
  assert_eq false "$(json 'd["drift"]')"
done

# A program that is unknown by its name or its arguments: refused before anything is written.
printf '#!/bin/sh\nexec /usr/local/bin/node-agent --v=3 "$@"\n' >"$program"
node_run systemctl restart kubelet
node_wait_healthy
keep /etc/sysconfig/kubelet
starts=$(kubelet_starts)
assert_exit 3 tool add kernel.shmmni --window 1s
assert_contains "$ERR" "is not recognised as a kubelet"
assert_kept /etc/sysconfig/kubelet
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"
