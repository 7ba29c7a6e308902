#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A file with two names, or that is a mount of its own, is written in place: killed in the middle of
# that it may hold a piece of both lists, and `recover` makes it whole, in the same inode.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_new kops
node_settings bad_list_delay_ms=0 health_delay_ms=0
node_boot
node_run strace -o /dev/null true 2>/dev/null || skip "no process can be traced here"
node_start
path=$(node_path $file)
points=0
halves=0
without=$E2E_TMP/without
with=$E2E_TMP/with
is_whole() { cmp -s "$path" "$without" || cmp -s "$path" "$with"; }

# killed WHERE CALL ARGS...: a run that is killed at the first such call on the file itself; then
# `recover`.
killed() {
  local where=$1 call=$2 status=0 seen
  shift 2
  (node_run strace -qq -o /dev/null -P $file -P "$where" -e "trace=$call" \
    -e "inject=$call:signal=KILL:when=1" kubelet-sysctl "$@" --window 0ms \
    >"$OUT" 2>"$ERR" || exit $?) 2>/dev/null || status=$?
  assert_eq 137 "$status" "$call: exit code of '$*': $(cat "$ERR")"
  points=$((points + 1))
  is_whole || halves=$((halves + 1))
  assert_exit 0 tool show
  assert_contains "$ERR" "was not finished"
  assert_exit 0 tool recover --window 0ms
  is_whole || fail "$call: neither old nor new bytes after recover: $(cat "$path")"
  seen=$(sed -n 's/.*--allowed-unsafe-sysctls=\([^ ]*\) .*/\1/p' "$path")
  assert_eq "$seen" "$(kubelet_flag)" "$call: the process and the file"
  assert_eq ok "$(kubelet_health)"
  assert_exit 0 tool recover
}

# walk WHERE: both directions, a kill at each call of the write, from each side.
walk() {
  local inode call
  cp "$path" "$without"
  assert_exit 0 tool add kernel.sem --window 0ms
  cp "$path" "$with"
  inode=$(stat -c %i "$path")
  for call in pwrite64 ftruncate fsync; do
    assert_exit 0 tool set --window 0ms ${list/,/ }
    killed "$1" $call add kernel.sem
    assert_exit 0 tool add kernel.sem --window 0ms
    killed "$1" $call remove kernel.sem
  done
  assert_exit 0 tool set --window 0ms ${list/,/ }
  assert_same_bytes "$without" "$path"
  assert_eq "$inode" "$(stat -c %i "$path")" "the inode"
}

# Two names. A copy first: a file of an overlay's lower layer gets its inode when it is written.
cp "$path" "$E2E_TMP/good"
node_run sh -c "rm $file && mkdir -p /srv/kubelet"
cp "$E2E_TMP/good" "$path"
node_run ln $file /srv/kubelet/name
walk /srv/kubelet/name
assert_eq 2 "$(stat -c %h "$path")" "names of the file"
assert_same_bytes "$path" "$(node_path /srv/kubelet/name)"

# A mount of its own.
node_run sh -c "rm /srv/kubelet/name && cp -p $file /srv/kubelet/args &&
  mount --bind /srv/kubelet/args $file"
walk /srv/kubelet/args
assert_same_bytes "$path" "$(node_path /srv/kubelet/args)"
[ "$halves" -gt 0 ] || fail "no kill left the file half written: this proves nothing"
echo "in-place kill points: $points, of them half written: $halves, all made whole"
