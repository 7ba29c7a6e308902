#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a person sees on a terminal of 80 columns while a change waits: steps in the past tense, a counter
# that moves, the answer to Ctrl-C, and the way back that a second Ctrl-C takes. Without a terminal that can
# redraw, one line a step.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
/usr/bin/python3 -c "import pyte" 2>/dev/null || skip "pyte is missing (package python3-pyte)"
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
node_up kops
keep $file

screen() { /usr/bin/python3 "$E2E_DIR/screen.py" <"$(session_said)"; }
shows() { screen | grep -qE -e "$1"; }
# seen WHAT PATTERN: waits for it and prints the screen.
seen() {
  wait_until 10 shows "$2" || fail "$1 is not on the screen: $(screen)"
  echo "--- $1"
  screen
}
# at_terminal TERM ARGS...: types the program's command there.
at_terminal() {
  session_start sh -c "stty cols 80 rows 24; NO_COLOR=1 TERM=$1 exec kubelet-sysctl ${*:2}"
}

at_terminal xterm add kernel.sem --window 4s
seen "the first moment" 'watching health [01]s of 4s, Ctrl-C is safe'
seen "the second" 'watching health 2s of 4s, Ctrl-C is safe'
seen "the third" 'watching health 3s of 4s, Ctrl-C is safe'
assert_exit 0 session_end
screen >"$E2E_TMP/screen"
cat "$E2E_TMP/screen"
assert_contains "$E2E_TMP/screen" "saved originals"
assert_contains "$E2E_TMP/screen" "wrote $file"
assert_contains "$E2E_TMP/screen" "restarted kubelet (pid $(kubelet_pid))"
assert_contains "$E2E_TMP/screen" "watched health for 4.0 s"
assert_lacks "$E2E_TMP/screen" "Ctrl-C"
assert_eq "$list,kernel.sem" "$(kubelet_flag)"
assert_exit 0 tool undo --window 0ms

# The first Ctrl-C is answered at once; the run ends as it would have.
at_terminal xterm add kernel.sem --window 3s
wait_until 10 shows 'watching health' || fail "no window: $(screen)"
session_type '\003'
seen "Ctrl-C" 'files are written; finishing \(at most [123] s\), press again to roll back now'
assert_exit 0 session_end
assert_eq "$list,kernel.sem" "$(kubelet_flag)"
assert_exit 0 tool undo --window 0ms
assert_same_bytes "$(kept $file)" "$(node_path $file)"

# The second one rolls back, long before the window would have ended.
at_terminal xterm add kernel.sem --window 5s
wait_until 10 shows 'watching health' || fail "no window: $(screen)"
new=$(kubelet_pid)
session_type '\003'
seen "Ctrl-C, once" 'press again to roll back now'
sleep 0.5
session_type '\003'
seen "Ctrl-C, twice" "rolling back now"
assert_exit 4 session_end
seen "the end" 'rolled back: a second signal asked for it; the files are as before'
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)"
assert_eq ok "$(kubelet_health)"
[ "$(kubelet_pid)" != "$new" ] || fail "the kubelet was not started again"
assert_eq rolled-back "$(change_state "$(change_newest)")"

# So it does while the restart itself is waited for.
node_settings stop_delay_ms=4000
node_run systemctl restart kubelet.service
at_terminal xterm add kernel.sem --window 1s
wait_until 10 shows 'restarting kubelet [0-9]+s of at most' || fail "no restart: $(screen)"
session_type '\003'
wait_until 2 shows 'press again to roll back now' || fail "no answer: $(screen)"
sleep 0.5
session_type '\003'
assert_exit 4 session_end
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq "$list" "$(kubelet_flag)"
node_settings

# The cause of a failure is the second line, and of the kubelet's words the one that matters is there.
at_terminal xterm add --force vm.max_map_count --window 1s
assert_exit 4 session_end
tr -d '\r' <"$(session_said)" >"$E2E_TMP/screen"
cat "$E2E_TMP/screen"
# The verdict has two lines at 80 columns.
sed -n '/^rolled back: /,$p' "$E2E_TMP/screen" | sed -n 3p >"$E2E_TMP/second"
assert_contains "$E2E_TMP/second" "  cause: the kubelet ended with status 1"
assert_eq 1 "$(grep -c 'cause: ' "$E2E_TMP/screen")" "how often the cause is given"
assert_eq 1 "$(grep -c '| E[0-9]' "$E2E_TMP/screen")" "lines of the kubelet's last words"

# A terminal that cannot redraw, and none at all: one line a step, no carriage return but that of a line end.
at_terminal dumb add kernel.sem --window 1s
assert_exit 0 session_end
cr=$(printf '\r')
sed "s/$cr\$//" "$(session_said)" >"$E2E_TMP/plain"
assert_lacks "$E2E_TMP/plain" "$cr"
assert_lacks "$E2E_TMP/plain" "watching"
assert_exit 0 tool undo --window 0ms
assert_contains "$ERR" "wrote $file"
assert_contains "$ERR" "restarted kubelet (pid $(kubelet_pid))"
assert_lacks "$ERR" "$cr"
