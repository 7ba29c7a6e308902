#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Pods that run and set what a removal takes from the list: a static pod and a sandbox of containerd. The
# run is refused with their names before anything is written, and goes through with --evict-pods. Where
# nobody shows the pods, the run says so.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
manifest=/etc/kubernetes/manifests/proxy.yaml
task=/run/containerd/io.containerd.runtime.v2.task/k8s.io/4f1c0d
node_up kops
keep $file
pid=$(kubelet_pid)

# Nobody to ask: the removal is made, with a word on what could not be seen.
assert_exit 0 tool remove net.ipv4.tcp_tw_reuse --window 1s
assert_contains "$ERR" 'could not search for running pods that the new list refuses'
assert_exit 0 tool undo --window 1s
assert_same_bytes "$(kept $file)" "$(node_path $file)"

mkdir -p "$(dirname "$(node_path $manifest)")" "$(node_path $task)"
cat >"$(node_path $manifest)" <<'POD'
apiVersion: v1
kind: Pod
metadata:
  name: proxy
  namespace: kube-system
spec:
  hostNetwork: false
  securityContext:
    sysctls:
    - name: net.core.somaxconn
      value: "4096"
POD
# As containerd writes it: opencontainers/runtime-spec config-linux.md, pkg/cri/annotations.
cat >"$(node_path $task/config.json)" <<'JSON'
{"ociVersion":"1.1.0","annotations":{"io.kubernetes.cri.container-type":"sandbox",
"io.kubernetes.cri.sandbox-name":"web-7d4","io.kubernetes.cri.sandbox-namespace":"shop"},
"linux":{"sysctl":{"net.core.somaxconn":"1024","net.ipv4.ping_group_range":"0 2147483647"},
"namespaces":[{"type":"ipc"},{"type":"network","path":"/var/run/netns/cni-1"}]}}
JSON

keep $file
pid=$(kubelet_pid)
assert_exit 3 tool remove net.core.somaxconn
assert_contains "$ERR" 'would refuse 2 pods of this node'
assert_contains "$ERR" "kube-system/proxy sets net.core.somaxconn (seen in $manifest)"
assert_contains "$ERR" 'shop/web-7d4 sets net.core.somaxconn (seen in containerd)'
assert_contains "$ERR" --evict-pods
assert_exit 3 tool set --empty -o json
assert_eq refused "$(json 'd["error"]["kind"]')"
assert_eq 2 "$(json 'len(d["error"]["detail"].splitlines())')"
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"

# What no pod sets can go, and not a word of pods.
assert_exit 0 tool remove net.ipv4.tcp_tw_reuse --window 1s
assert_lacks "$OUT" pod
assert_eq net.core.somaxconn "$(kubelet_flag)"

# The sandbox ended: containerd removes its directory. The static pod is still there.
rm -r "$(node_path $task)"
assert_exit 3 tool remove net.core.somaxconn
assert_contains "$ERR" 'would refuse 1 pod of this node'
assert_exit 0 tool remove net.core.somaxconn --evict-pods --window 1s -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq '["pod-refused"]' \
  "$(json '[f["id"] for f in d["findings"] if f["id"].startswith("pod")]')"
assert_contains "$OUT" 'forbidden sysctl: \"net.core.somaxconn\" not allowlisted'
assert_eq "" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
