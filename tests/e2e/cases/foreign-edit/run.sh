#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Another process edits the file: before the commit, between write and rollback, or before an undo.
# Their bytes are never lost, and the run says what it did not do.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_up kops
node_run strace -o /dev/null true 2>/dev/null || skip "no process can be traced here"
keep $file
path=$(node_path $file)
edit() { sed -i "$1" "$path"; }
is_written() { grep -q kernel.sem "$path"; }

# 1. Between the reading and the commit, when the new bytes lie ready beside the file: every look
# into its directory is held for a second, so the last one too.
(node_run strace -qq -o /dev/null -P /etc/sysconfig -e trace=newfstatat \
  -e inject=newfstatat:delay_enter=1000000 kubelet-sysctl add kernel.sem --window 0ms \
  >"$OUT" 2>"$ERR" || exit $?) 2>/dev/null &
held=$!
is_staged() { compgen -G "${path%/*}/.kubelet.kubelet-sysctl~*"; }
wait_until 10 is_staged || fail "nothing was made ready: $(cat "$ERR")"
edit 's/^HOME=.*/HOME="\/srv"/'
cp "$path" "$E2E_TMP/theirs"
pid=$(kubelet_pid)
assert_exit 1 wait "$held"
assert_same_bytes "$E2E_TMP/theirs" "$path"
assert_contains "$ERR" "$file"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after a conflict"
! is_staged >/dev/null || fail "the temporary file was left"
assert_exit 0 tool show
assert_lacks "$ERR" "was not finished"

# 2. Between the write and the rollback: what they wrote stays, with the commands for a person.
cp "$(kept $file)" "$path"
node_settings exit_after_ms=1500 only_when_list_contains=kernel.sem
run_start late add kernel.sem --window 4s -o json
wait_until 10 is_written || fail "nothing was written"
edit 's/^HOME=.*/HOME="\/srv"/'
cp "$path" "$E2E_TMP/theirs"
assert_exit 5 run_end late
assert_eq stranded "$(json 'd["outcome"]')"
assert_same_bytes "$E2E_TMP/theirs" "$path"
assert_contains "$OUT" "cp /var/lib/kubelet-sysctl/transactions/"
# `recover` does not touch them either: the record is closed as overtaken, once a healthy kubelet was seen.
node_settings
node_run systemctl reset-failed kubelet.service
node_run systemctl restart kubelet.service
node_wait_healthy
assert_exit 0 tool recover --window 200ms
assert_same_bytes "$E2E_TMP/theirs" "$path"
assert_exit 0 tool show
assert_lacks "$ERR" "was not finished"

# 3. An undo after a user added an entry of their own: only ours goes.
cp "$(kept $file)" "$path"
node_run systemctl restart kubelet.service
node_wait_healthy
assert_exit 0 tool add kernel.sem --window 0ms
edit "s/$list,kernel.sem/$list,kernel.sem,kernel.msgmax/"
assert_exit 0 tool undo --window 200ms
sed "s/$list/$list,kernel.msgmax/" "$(kept $file)" >"$E2E_TMP/expected"
assert_same_bytes "$E2E_TMP/expected" "$path"
assert_eq "$list,kernel.msgmax" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"

# 4. An undo when they changed the very entry: refused with a diff, nothing written.
assert_exit 0 tool add kernel.sem --window 0ms
edit 's/,kernel.sem /,kernel.shm* /'
keep $file
pid=$(kubelet_pid)
assert_exit 1 tool undo --window 200ms
assert_contains "$ERR" "$file"
assert_contains "$ERR" "- --allowed-unsafe-sysctls=$list,kernel.msgmax,kernel.sem"
assert_contains "$ERR" "+ --allowed-unsafe-sysctls=$list,kernel.msgmax,kernel.shm*"
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
