#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A change that another run is making is reported as what it is, and is broken only when that run died.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
is_written() { grep -q kernel.sem "$(node_path $file)"; }

run_start slow add kernel.sem --window 20s
wait_until 10 is_written || fail "nothing was written: $(cat "$(run_said slow)")"
holder=$(cut -d' ' -f1 "$(node_path /var/lib/kubelet-sysctl/lock)")
line="in progress: add kernel.sem, pid $holder, since "
tool show || :
assert_contains "$OUT" "$line"
assert_lacks "$ERR" "was not finished"
tool show -o json || :
assert_eq 0 "$(json 'len(d["unfinished"])')"
assert_eq "add kernel.sem, pid $holder" "$(json 'd["inProgress"].split(", since")[0]')"
tool doctor || :
assert_contains "$OUT" "$line"
assert_lacks "$OUT" unfinished-change
tool history || :
assert_contains "$OUT" "in progress"
assert_contains "$ERR" "$line"
assert_lacks "$ERR" "was not finished"
tool show -o prometheus || :
assert_contains "$OUT" "kubelet_sysctl_unfinished_changes 0"
assert_contains "$OUT" "kubelet_sysctl_change_in_progress 1"
assert_exit 0 tool recover --dry-run
assert_lacks "$OUT" "would be"

# The run dies: what it leaves behind is unfinished from then on, though the lock file still names it.
node_run kill -KILL "$holder"
wait_until 5 test ! -d "$(node_path "/proc/$holder")" || fail "the run lives on"
tool show || :
assert_lacks "$OUT" "in progress"
assert_contains "$ERR" "was not finished"
tool show -o prometheus || :
assert_contains "$OUT" "kubelet_sysctl_unfinished_changes 1"
assert_contains "$OUT" "kubelet_sysctl_change_in_progress 0"
