#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --dry-run says what it would do and does none of it; it leaves no record either.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/etc/sysconfig/kubelet
node_up kops
keep $file
pid=$(kubelet_pid)

assert_exit 0 tool add --dry-run kernel.sem -o json
assert_eq planned "$(json 'd["outcome"]')"
assert_eq "$file" "$(json 'd["edits"][0]["file"]')"
assert_exit 0 tool add --dry-run --diff kernel.sem
assert_contains "$OUT" kernel.sem
assert_kept $file
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
assert_exit 3 tool add --dry-run vm.max_map_count
records=$(node_path /var/lib/kubelet-sysctl)
[ ! -d "$records" ] || assert_eq "" "$(find "$records" -mindepth 1 -type d)" "records of dry runs"
