#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A container that may not enter the node is reported what its manifest lacks, and changes nothing; neither
# does one that asks for a trial that nobody on the node could end.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_DIR/containers.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
node_new kops
image_new
node_boot
node_start
keep $file
pid=$(kubelet_pid)

# refused MESSAGE HINT OPTION...: exit code 1, on standard error and in the document.
refused() {
  local message=$1 hint=$2
  shift 2
  assert_exit 1 pod "$@" -- add --host kernel.sem
  assert_contains "$ERR" "$message"
  assert_contains "$ERR" "$hint"
  assert_exit 1 pod "$@" -- add --host kernel.sem -o json
  assert_eq true "$(json '"'"$message"'" in d["error"]["message"]')"
  assert_kept $file
}
refused 'a PID namespace of its own, where process 1 is '"'kubelet-sysctl'" "'hostPID: true'" --own-pid
refused 'this process lacks CAP_SYS_PTRACE' "'privileged: true'" --drop 19
refused 'this process lacks CAP_SYS_ADMIN' "'privileged: true'" --drop 21
refused 'this process lacks CAP_SYS_CHROOT' "'privileged: true'" --drop 18
refused 'this process lacks CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_SYS_ADMIN' "'privileged: true'" \
  --drop all
refused 'a seccomp filter is in force' "'privileged: true'" --seccomp
refused 'only root can enter the node' "'runAsUser: 0'" --uid 1000
refused 'in a user namespace of its own' "'hostUsers: false'" --own-user
assert_exit 2 pod -- show --host --root /proc
assert_contains "$ERR" "'--host' and '--root' do not go together"

# A trial: the timer needs this release on the node.
own=/usr/local/bin/kubelet-sysctl
assert_exit 3 pod -- add --host kernel.sem --trial 2s
assert_contains "$ERR" 'the node has no kubelet-sysctl'
printf '#!/bin/sh\necho kubelet-sysctl 0.0.9\n' >"$(node_path $own)"
chmod 0755 "$(node_path $own)"
assert_exit 3 pod -- add --host kernel.sem --trial 2s
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
cp "$(node_path "$E2E_IMAGE/kubelet-sysctl")" "$(node_path $own)"
assert_exit 0 pod -- add --host kernel.sem --trial 8s --window 300ms
assert_eq net.core.somaxconn,net.ipv4.tcp_tw_reuse,kernel.sem "$(kubelet_flag)"
is_ended() { [ "$(kubelet_flag)" = net.core.somaxconn,net.ipv4.tcp_tw_reuse ]; }
wait_until 30 is_ended || fail "the timer on the node did not end the trial"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
