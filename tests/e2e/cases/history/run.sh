#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every change is in the history and in the system's log, each with who, what and why, and any of
# them can be undone by its id.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_new kops
node_settings bad_list_delay_ms=200 health_delay_ms=0
node_boot
node_start
keep $file

assert_exit 0 tool history
assert_exit 0 tool history -o json
assert_eq History "$(json 'd["kind"]')"
assert_eq '[]' "$(json 'd["transactions"]')"

assert_exit 0 tool add kernel.sem --window 0ms --reason 'ingress: "OPS-1412"' -o json
first=$(json 'd["transaction"]')
assert_exit 0 node_run env SUDO_USER=alice kubelet-sysctl add 'kernel.msg*' --window 0ms -o json \
  >"$OUT"
second=$(json 'd["transaction"]')
assert_exit 4 tool add --force vm.max_map_count --window 500ms -o json
third=$(json 'd["transaction"]')
assert_exit 0 tool add --no-restart 'kernel.shm*' -o json
fourth=$(json 'd["transaction"]')

assert_exit 0 tool history
for word in "$first" "$second" "$third" "$fourth" alice OPS-1412 rolled-back pending; do
  assert_contains "$OUT" "$word"
done
assert_exit 0 tool history -o json
assert_eq '["confirmed", "confirmed", "pending", "rolled-back"]' \
  "$(json 'sorted(t["state"] for t in d["transactions"])')"
assert_exit 0 tool history "$first"
assert_contains "$OUT" "OPS-1412"
assert_contains "$OUT" "$file"
grep -q "^ *+ --allowed-unsafe-sysctls=$list,kernel.sem\$" "$OUT" || fail "no diff: $(cat "$OUT")"

# The first one by its id, although others came after it: its entry goes, theirs stay.
assert_exit 0 tool undo "$first" --window 0ms -o json
fifth=$(json 'd["transaction"]')
assert_eq "$list,kernel.msg*,kernel.shm*" "$(kubelet_flag)"
assert_contains "$(node_path $file)" "=$list,kernel.msg*,kernel.shm* "
assert_exit 1 tool undo no-such-id

# One line in the log for each, with its fields.
node_run journalctl --no-pager -q -t kubelet-sysctl -o json >"$E2E_TMP/log"
cat >"$E2E_TMP/check.py" <<'PYTHON'
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
seen = [tuple(line.get("KUBELET_SYSCTL_" + name, "") for name in
              ("TRANSACTION", "VERB", "OUTCOME", "ADDED", "REMOVED", "REASON")) for line in lines]
first, second, third, fourth, fifth = sys.argv[2:]
wanted = [
    (first, "add", "applied", "kernel.sem", "", 'ingress: "OPS-1412"'),
    (second, "add", "applied", "kernel.msg*", "", ""),
    (third, "add", "rolled-back", "vm.max_map_count", "", ""),
    (fourth, "add", "pending", "kernel.shm*", "", ""),
    (fifth, "undo", "applied", "", "kernel.sem", ""),
]
if seen != wanted:
    sys.exit("the log has\n  %s\nexpected\n  %s" % ("\n  ".join(map(str, seen)),
                                                    "\n  ".join(map(str, wanted))))
for line, row in zip(lines, wanted):
    if row[0] not in line["MESSAGE"] or row[1] + " " not in line["MESSAGE"]:
        sys.exit("the message does not say it: " + line["MESSAGE"])
if "alice" not in lines[1]["KUBELET_SYSCTL_USER"] or "alice" not in lines[1]["MESSAGE"]:
    sys.exit("nobody learns that alice did it: %s" % lines[1])
PYTHON
assert_exit 0 python3 "$E2E_TMP/check.py" "$E2E_TMP/log" \
  "$first" "$second" "$third" "$fourth" "$fifth"
