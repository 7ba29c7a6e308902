#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Standard streams that take nothing, are not there, or bring too much, and descriptors of a careless parent:
# no run aborts, a change that was made is not called a failure, and no child gets what is not its own.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
node_up kops
list() { node_run sed -n 's/.*--allowed-unsafe-sysctls=\([^ "]*\).*/\1/p' /etc/sysconfig/kubelet; }
# shell COMMAND: in the node; prints its exit code, after a fork of its own so that a signal shows as 128 + N.
shell() { node_run sh -c "$1; echo \$?" | tail -n 1; }

# 1. Both outputs on a full device: looking fails, a change that was made keeps its exit code.
assert_eq 1 "$(shell 'kubelet-sysctl show >/dev/full 2>/dev/full')" "show"
assert_eq 3 "$(shell 'kubelet-sysctl add vm.swappiness >/dev/full 2>/dev/full')" "refused"
assert_eq 2 "$(shell 'kubelet-sysctl add >/dev/full 2>/dev/full')" "usage"
assert_eq 0 "$(shell 'kubelet-sysctl add kernel.sem --window 100ms >/dev/full 2>/dev/full')" "applied"
case $(list) in *,kernel.sem) ;; *) fail "the list is $(list)" ;; esac

# 2. Streams that are closed: nothing that is opened later becomes one of them.
assert_eq 1 "$(shell 'kubelet-sysctl show <&- >&- 2>&-')" "show, closed"
assert_eq 0 "$(shell 'kubelet-sysctl remove kernel.sem --evict-pods --window 100ms <&- >&- 2>&-')" "remove, closed"
case $(list) in *kernel.sem*) fail "the list is $(list)" ;; esac

# 3. A descriptor of the parent's reaches no child.
node_run sh -c 'printf "#!/bin/sh\nls -l /proc/self/fd >>/run/descriptors\nexec /usr/bin/systemctl.real \"\$@\"\n" \
  >/run/systemctl && chmod 755 /run/systemctl && cp /usr/bin/systemctl /usr/bin/systemctl.real && \
  mount --bind /run/systemctl /usr/bin/systemctl'
assert_eq 0 "$(shell 'kubelet-sysctl show 7</etc/shadow >/dev/null')" "show with a descriptor"
node_run umount /usr/bin/systemctl
node_run grep -q ' 0 -> ' /run/descriptors || fail "systemctl was not asked: the test sees nothing"
! node_run grep shadow /run/descriptors || fail "a descriptor on /etc/shadow reached systemctl"

# 4. Standard input without an end.
before=$(list)
assert_eq 2 "$(shell 'yes net.core.somaxconn | kubelet-sysctl add -f - >/run/out 2>&1')" "endless input"
node_run grep -q 'more than 16 MiB' /run/out || fail "said: $(node_run cat /run/out)"

# 5. A file that is no list is named, not shown.
node_run sh -c 'printf "root:\$y\$j9T\$secret:20000:0:99999:7:::\n" >/run/not-a-list'
for verb in add set check sync; do
  code=$(shell "kubelet-sysctl $verb -f /run/not-a-list >/run/out 2>&1")
  [ "$code" = 1 ] || [ "$code" = 2 ] || fail "$verb ends with $code"
  ! node_run grep -q secret /run/out || fail "$verb shows a line of the file: $(node_run cat /run/out)"
  node_run grep -q '/run/not-a-list:1:1: ' /run/out || fail "$verb does not name the line"
done
assert_eq "$before" "$(list)"

# 6. The log line: a name that no user can have is left out, the login uid is not the caller's to write.
node_run sh -c "SUDO_USER=\$(printf 'eve\\033[2J\\nroot did it') kubelet-sysctl add kernel.sem --window 100ms -q \
  --reason \"\$(printf 'a\\033[31mb')\""
line=$(node_run journalctl -t kubelet-sysctl -o cat -n 1)
case $line in *"by root"*) ;; *) fail "the log line: $line" ;; esac
case $line in *eve* | *blob*) fail "the log line: $line" ;; esac
reason=$(node_run journalctl -t kubelet-sysctl -o verbose -n 1 | sed -n 's/ *KUBELET_SYSCTL_REASON=//p')
assert_eq 'a\x1b[31mb' "$reason" "the reason, as text"
