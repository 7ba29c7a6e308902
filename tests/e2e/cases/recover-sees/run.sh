#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `recover` says "recovered" when it saw the kubelet, and never before: a stranded change stays
# stranded while the kubelet is not healthy, dead or stopped.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
file=/etc/sysconfig/kubelet
node_up kops
keep $file
state() { node_run kubelet-sysctl history -o json | python3 -c \
  'import json, sys; print(json.load(sys.stdin)["transactions"][-1]["state"])'; }
quick=(--window 500ms --timeout 2s)
still_stranded() {
  assert_exit 5 tool recover "${quick[@]}"
  cat "$OUT" "$ERR" >"$E2E_TMP/said"
  assert_contains "$E2E_TMP/said" STRANDED
  assert_lacks "$E2E_TMP/said" "recovered:"
  assert_eq stranded "$(state)" "the record, $1"
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
}

# Even the old list does not give a healthy kubelet any more.
node_settings never_healthy=1
assert_exit 5 tool add kernel.sem "${quick[@]}"
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "holds the old bytes: $file"
assert_contains "$E2E_TMP/said" "  kubelet-sysctl recover"
assert_lacks "$E2E_TMP/said" "make it last"
assert_lacks "$E2E_TMP/said" "kops edit"
assert_lacks "$E2E_TMP/said" "cp /var/lib"
assert_eq stranded "$(state)"

still_stranded "while it runs and is not healthy"
assert_exit 5 tool recover "${quick[@]}" -o json
assert_eq stranded "$(json 'd["outcome"]')"
assert_eq "$file restored" "$(json 'd["onDisk"][0]["file"] + " " + d["onDisk"][0]["holds"]')"
assert_eq True "$(json '"kubelet-sysctl recover" in d["commands"]' | sed 's/true/True/')"
assert_eq None "$(json 'd["advice"]' | sed 's/null/None/')"

node_settings exit_after_ms=100
still_stranded "while it does not stay up"

node_run systemctl stop kubelet.service
starts=$(kubelet_starts)
still_stranded "while it is stopped"
assert_eq "$starts" "$(kubelet_starts)" "starts: what was stopped is not started"

# A file that another process wrote is left alone, and the kubelet must be seen all the same.
echo '# by hand' >>"$(node_path $file)"
keep $file
node_settings never_healthy=1
node_run systemctl start --no-block kubelet.service
sleep 1
still_stranded "while its file is another's"

node_settings
node_run systemctl restart kubelet.service
node_wait_healthy
assert_exit 0 tool recover "${quick[@]}"
assert_contains "$OUT" "recovered:"
assert_eq overtaken "$(state)"
assert_exit 0 tool show
assert_lacks "$ERR" "was not finished"

# With the kubelet well again, recover starts it again where that is what lacks.
node_settings never_healthy=1
assert_exit 5 tool add kernel.sem "${quick[@]}"
node_settings
assert_exit 0 tool recover "${quick[@]}"
assert_eq rolled-back "$(state)"
assert_eq ok "$(kubelet_health)"
assert_same_bytes "$(kept $file)" "$(node_path $file)"

# What --no-rollback left there is new, and the way back is one that works.
node_settings never_healthy=1 only_when_list_contains=kernel.sem
assert_exit 5 tool add kernel.sem --no-rollback "${quick[@]}"
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "holds the new bytes: $file"
undo=$(sed -n 's/^ *kubelet-sysctl \(undo .*\)$/\1/p' "$E2E_TMP/said")
[ -n "$undo" ] || fail "no way back is named: $(cat "$E2E_TMP/said")"
# shellcheck disable=SC2086
assert_exit 0 tool $undo "${quick[@]}"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq ok "$(kubelet_health)"

# A change that failed is not advertised either where it was rolled back.
assert_exit 4 tool add kernel.sem "${quick[@]}"
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_lacks "$E2E_TMP/said" "make it last"
assert_lacks "$E2E_TMP/said" "kops edit"
