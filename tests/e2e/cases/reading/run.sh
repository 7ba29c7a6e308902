#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Commands that only read start nothing but systemctl (journalctl for doctor), and never a script in the
# place of the kubelet: that may start anything.
. "$(dirname "$0")/../../lib.sh"
. "$(dirname "$0")/../../faults.sh"
needs_stand_in
needs_tool
command -v strace >/dev/null || skip "strace is missing"
node_up kops
node_run strace -o /dev/null true 2>/dev/null || skip "no process can be traced here"

# The programs that a command line starts, itself left out.
started() {
  node_run strace -f -qq -e trace=execve -e status=successful -o /run/e2e.execs kubelet-sysctl "$@" \
    >"$OUT" 2>"$ERR" || true
  sed -n 's/.*execve("\([^"]*\)".*/\1/p' "$(node_path /run/e2e.execs)" | sed 's|.*/||' |
    grep -v '^kubelet-sysctl$' | sort -u | tr '\n' ' '
}

looks() {
  assert_eq "systemctl " "$(started show)" "programs of show ($1)"
  assert_eq "systemctl " "$(started check kernel.sem)" "programs of check ($1)"
  assert_eq "" "$(started explain | sed 's/systemctl //')" "programs of explain ($1)"
  assert_eq "systemctl " "$(started doctor | sed 's/journalctl //')" "programs of doctor ($1)"
}

rm -f "$(node_path /run/kubelet-sysctl/kubelet-version)"
looks "a program"
assert_exit 0 tool show
assert_contains "$OUT" "kubelet 1.29.6"

# A script of that name: what it starts, nobody knows.
mv "$(node_path /usr/local/bin/kubelet)" "$(node_path /usr/local/bin/kubelet.real)"
cat >"$(node_path /usr/local/bin/kubelet)" <<'SCRIPT'
#!/bin/bash
[ "$1" != --version ] || touch /run/was-asked
/usr/local/bin/kubelet.real "$@" &
trap 'kill $!; wait; exit 0' TERM
wait
SCRIPT
chmod 0755 "$(node_path /usr/local/bin/kubelet)"
rm -f "$(node_path /run/kubelet-sysctl/kubelet-version)"
node_run systemctl restart kubelet
node_wait_healthy
looks "a script"
assert_exit 0 tool add kernel.sem --window 1s
[ ! -e "$(node_path /run/was-asked)" ] || fail "the script was run with --version"

# A k3s, whose kubelet's arguments are in its journal alone.
export NODE_UNIT=k3s.service
node_up k3s
looks "k3s"
