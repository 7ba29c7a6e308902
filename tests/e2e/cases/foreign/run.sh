#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where a change cannot be made, the tool says why and exits with 1 before it writes: no root, no
# systemctl, a masked unit, no unit, a chroot, a machine without systemd.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
keep $file
pid=$(kubelet_pid)

# cannot WORD COMMAND...: exits with 1, a sentence that holds the word, and nothing written.
cannot() {
  local word=$1 status=0
  shift
  "$@" >"$OUT" 2>"$ERR" || status=$?
  assert_eq 1 "$status" "exit code of '$*': $(cat "$ERR")"
  assert_contains "$ERR" "$word"
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
}

cannot root node_run setpriv --reuid 65534 --regid 65534 --clear-groups \
  kubelet-sysctl add kernel.sem

mv "$(node_path /usr/bin/systemctl)" "$(node_path /usr/bin/systemctl.away)"
cannot systemctl node_run kubelet-sysctl add kernel.sem
mv "$(node_path /usr/bin/systemctl.away)" "$(node_path /usr/bin/systemctl)"

# In a chroot systemctl ignores every verb and exits with 0: success there would be a lie. The root
# needs an inode of its own to be one, hence not a bind mount of the whole.
node_run sh -c 'mkdir -p /run/jail/run/systemd && cd /run/jail &&
  ln -s usr/bin usr/sbin usr/lib usr/lib64 . && mkdir usr etc var proc &&
  for path in usr etc var proc run/systemd; do mount --rbind "/$path" "$path"; done'
assert_exit 0 node_run chroot /run/jail systemctl restart kubelet.service 2>"$ERR"
assert_contains "$ERR" "Running in chroot"
cannot chroot node_run chroot /run/jail kubelet-sysctl add kernel.sem

assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"

node_run systemctl mask kubelet.service
cannot masked node_run kubelet-sysctl add kernel.sem
node_run systemctl unmask kubelet.service

node_run systemctl stop kubelet.service
rm "$(node_path /usr/lib/systemd/system/kubelet.service)"
node_run systemctl daemon-reload
cannot kubelet.service node_run kubelet-sysctl add kernel.sem
node_kill

# A machine that was not booted with systemd: the same tree, never booted.
node_new kops bare
rm -rf "$NODE_ROOT/run/systemd"
status=0
unshare --mount --pid --fork -- chroot "$NODE_ROOT" \
  sh -c 'mount -t proc proc /proc && exec kubelet-sysctl add kernel.sem' \
  >"$OUT" 2>"$ERR" 9<&- || status=$?
assert_eq 1 "$status" "exit code without systemd: $(cat "$ERR")"
assert_contains "$ERR" systemd
assert_lacks "$NODE_ROOT$file" kernel.sem
