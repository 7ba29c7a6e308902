# SPDX-License-Identifier: Apache-2.0
# Runs of the program that a case does not wait for: in the background, and on a terminal that can
# be hung up; part of lib.sh.
#
#   run_start NAME ARGS...     starts kubelet-sysctl in the node, deaf to no signal
#   run_signal NAME SIGNAL     sends it one
#   run_end NAME               waits for its end; sets $STATUS, and what it said is in $OUT and $ERR
#   run_pid NAME               its process id in the node
#   run_is_at_lock NAME        succeeds once it asks for the lock
#   run_said NAME              the file that gets what it says on standard error
#   session_start COMMAND...   starts a command of the node in a session of its own on a terminal
#                              of its own, as over ssh
#   session_type TEXT          presses keys there, as printf(1) writes them
#   session_hangup             takes the terminal away; the kernel sends SIGHUP
#   session_end [SECONDS]      waits until the command ended, hung up or not; sets $STATUS
#   session_said               the file that gets what appears on the terminal

declare -A E2E_RUN=()

run_said() { echo "$E2E_TMP/run.$1.err"; }
run_pid() { cat "$(node_path "/run/e2e.$1.pid")"; }

# env: a shell has its background jobs ignore the signals of the keyboard.
run_start() {
  local name=$1
  shift
  rm -f "$(node_path "/run/e2e.$name.pid")"
  # The shell around it speaks of a child that was killed; the case knows.
  # shellcheck disable=SC2016
  (node_run env --default-signal=INT,QUIT,HUP,TERM sh -c \
    'echo $$ >"$1.new" && mv "$1.new" "$1" && shift && exec kubelet-sysctl "$@"' \
    sh "/run/e2e.$name.pid" "$@" >"$E2E_TMP/run.$name.out" 2>"$(run_said "$name")" 8>&- ||
    exit $?) 2>/dev/null &
  E2E_RUN[$name]=$!
  wait_until 10 test -e "$(node_path "/run/e2e.$name.pid")" || fail "the run '$name' did not start"
}

# It has opened the lock, so it does not die of a signal any more; another run holds it.
run_is_at_lock() {
  local fd
  for fd in "$(node_path "/proc/$(run_pid "$1")/fd")"/*; do
    [[ $(readlink "$fd") != */kubelet-sysctl/lock ]] || return 0
  done
  return 1
}

run_signal() { node_run kill "-$2" "$(run_pid "$1")"; }

run_end() {
  STATUS=0
  wait "${E2E_RUN[$1]}" || STATUS=$?
  cp "$E2E_TMP/run.$1.out" "$OUT"
  cp "$(run_said "$1")" "$ERR"
  return "$STATUS"
}

session_said() { echo "$E2E_TMP/session.said"; }

# script(1) holds the master of the terminal. The shell in between writes down the exit code; it
# traps the signals, so it outlives the hang-up, and its command does not inherit that.
session_start() {
  local state
  state=$(node_path /run)
  rm -f "$state"/session.{pid,exit} "$E2E_TMP/keyboard"
  mkfifo "$E2E_TMP/keyboard"
  cat >"$state/session.sh" <<'SESSION'
trap : HUP INT TERM
status=0
bash /run/session.command || status=$?
echo $status >/run/session.new
mv /run/session.new /run/session.exit
SESSION
  { printf 'exec'; printf ' %q' "$@"; echo; } >"$state/session.command"
  # shellcheck disable=SC2016
  (node_run env --default-signal=INT,QUIT,HUP,TERM sh -c \
    'echo $$ >/run/session.pid; exec script -q -f -c "sh /run/session.sh" /dev/null' \
    <"$E2E_TMP/keyboard" >"$(session_said)" 2>&1 || exit $?) 2>/dev/null &
  E2E_SESSION=$!
  exec 8>"$E2E_TMP/keyboard"
}

# shellcheck disable=SC2059
session_type() { printf "$1" >&8; }

session_hangup() {
  node_run kill -KILL "$(cat "$(node_path /run/session.pid)")"
  wait "$E2E_SESSION" || true
}

session_end() {
  local ended
  ended=$(node_path /run/session.exit)
  wait_until "${1:-30}" test -e "$ended" || fail "the command on the terminal did not end"
  STATUS=$(cat "$ended")
  exec 8>&-
  return "$STATUS"
}
