#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Plays the session of the README on a booted node, on a terminal of 80 columns, and prints what a terminal is sent.
#
#   sudo UPDATE_DOCS=1 tests/docs/picture_test.sh   records it again: session.ansi, terminal.svg and README
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/e2e/lib.sh"
needs_stand_in
needs_tool

# step EXIT COMMAND: prints the command as a user types it, runs it on a terminal in the node, checks its exit.
step() {
  local expected=$1 command=$2 seen=0
  printf '\n$ %s\n' "$command"
  TERM=xterm-256color node_run script -qec "cd; stty cols 80 rows 40; $command" /dev/null || seen=$?
  [ "$seen" = "$expected" ] || fail "exit code $seen where $expected was expected: $command"
}

node_new eks-al2023
node_boot
node_start
# A pod that runs, as containerd records it: undo searches for pods that need what it takes away.
task=$(node_path /run/containerd/io.containerd.runtime.v2.task/k8s.io/4f1c0d)
mkdir -p "$task"
echo '{"ociVersion":"1.1.0","annotations":{"io.kubernetes.cri.container-type":"sandbox",
"io.kubernetes.cri.sandbox-name":"coredns","io.kubernetes.cri.sandbox-namespace":"kube-system"}}' >"$task/config.json"
cat >"$(node_path /root/pod.yaml)" <<'YAML'
apiVersion: v1
kind: Pod
metadata:
  name: postgres
spec:
  securityContext:
    sysctls:
    - name: kernel.sem
      value: "250 32000 100 128"
YAML
printf '# Why is this pod refused, and what would let it in?'
step 6 'kubelet-sysctl check -f pod.yaml'
printf '\n# Do that. The kubelet is restarted, watched, and seen with the new list.'
step 0 'kubelet-sysctl add kernel.sem'
printf '\n# Back to the files as they were.'
step 0 'kubelet-sysctl undo'
