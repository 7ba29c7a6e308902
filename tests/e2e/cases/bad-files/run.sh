#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Files of arguments that are odd: put together, a pipe, huge, a link, bind-mounted, read-only.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
unit=/usr/lib/systemd/system/kubelet.service
node_up kops
cp "$(node_path $file)" "$E2E_TMP/good"
pid=$(kubelet_pid)
add() { tool add kernel.sem --window 1s; }
same_process() { assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after: $1"; }

# No ExecStart= at all: systemd would not load the unit.
mv "$(node_path $unit)" "$E2E_TMP/unit"
unit=/etc/systemd/system/kubelet.service
sed /^ExecStart=/d "$E2E_TMP/unit" >"$(node_path $unit)"
assert_exit 1 add
assert_contains "$ERR" ExecStart
# The list comes from two places: no single one holds it.
sed 's|^ExecStart=.*|ExecStart=/usr/local/bin/kubelet --allowed-unsafe-sysctls=kernel.msg*,${MORE}|' \
  "$E2E_TMP/unit" >"$(node_path $unit)"
printf 'MORE=net.core.somaxconn\n' >"$(node_path $file)"
keep $file
assert_exit 3 add
assert_contains "$ERR" '${MORE}'
assert_kept $file
cp "$E2E_TMP/unit" "$(node_path $unit)"

# A pipe would block systemd and us; 1 GiB is no file of arguments. Both are refused, unread.
rm "$(node_path $file)"
mkfifo "$(node_path $file)"
assert_exit 3 node_run timeout 20 kubelet-sysctl add kernel.sem 2>"$ERR"
assert_contains "$ERR" "pipe"
rm "$(node_path $file)"
truncate -s 1G "$(node_path $file)"
assert_exit 3 node_run timeout 20 kubelet-sysctl add kernel.sem 2>"$ERR"
assert_contains "$ERR" "$file"
rm "$(node_path $file)"
same_process "a pipe and 1 GiB"

# A link stays a link; what it leads to is edited.
node_run mkdir -p /srv/kubelet
cp "$E2E_TMP/good" "$(node_path /srv/kubelet/args)"
ln -s /srv/kubelet/args "$(node_path $file)"
assert_exit 0 add
assert_eq /srv/kubelet/args "$(readlink "$(node_path $file)")" "the link"
assert_contains "$(node_path /srv/kubelet/args)" net.ipv4.tcp_tw_reuse,kernel.sem
assert_exit 0 tool undo --window 1s
assert_same_bytes "$E2E_TMP/good" "$(node_path /srv/kubelet/args)"
rm "$(node_path $file)"

# A file that is a mount of its own cannot be renamed over; it is written in place.
cp "$E2E_TMP/good" "$(node_path $file)"
node_run sh -c "mount --bind /srv/kubelet/args $file"
assert_exit 0 add
assert_contains "$(node_path /srv/kubelet/args)" net.ipv4.tcp_tw_reuse,kernel.sem
assert_exit 0 tool undo --window 1s
assert_same_bytes "$E2E_TMP/good" "$(node_path /srv/kubelet/args)"
node_run umount $file

# A read-only file system: refused, nothing lost, nothing restarted.
pid=$(kubelet_pid)
node_run sh -c 'mount --bind /etc/sysconfig /etc/sysconfig && mount -o remount,bind,ro /etc/sysconfig'
keep $file
assert_exit 3 add
assert_contains "$ERR" "$file"
assert_contains "$ERR" "ead-only"
assert_kept $file
same_process "a read-only file system"
node_run umount /etc/sysconfig

# The state directory on one: the machine's no.
node_run sh -c 'mkdir -p /var/lib/kubelet-sysctl && mount --bind /var/lib/kubelet-sysctl /var/lib/kubelet-sysctl &&
  mount -o remount,bind,ro /var/lib/kubelet-sysctl'
keep $file
assert_exit 1 add
assert_contains "$ERR" "ead-only"
assert_kept $file
same_process "a read-only state directory"
node_run umount /var/lib/kubelet-sysctl

# A full disk under the file: the same.
node_run sh -c 'mkdir /small && mount -t tmpfs -o size=64k small /small && mkdir /small/x &&
  cp -a /etc/sysconfig/kubelet /small/kubelet && mount --bind /small /etc/sysconfig &&
  { head -c 1M /dev/zero >/small/x/fill; true; }' 2>/dev/null
keep $file
assert_exit 1 add
assert_contains "$ERR" "No space left"
assert_kept $file
assert_eq "kubelet x" "$(ls -A "$(node_path /etc/sysconfig)" | tr '\n' ' ' | sed 's/ $//')" "files left"
same_process "a full disk"
