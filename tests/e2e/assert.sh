# SPDX-License-Identifier: Apache-2.0
# What a case asks of a node, and how it says what it expected; part of lib.sh.

# --- What the node says ------------------------------------------------------------------------

# unit PROPERTY: one property of the kubelet's unit.
unit() { node_run systemctl show "$NODE_UNIT" -p "$1" --value; }

kubelet_pid() { unit MainPID; }

# The words of systemd's main process, one a line.
kubelet_argv() {
  local pid
  pid=$(kubelet_pid)
  [ "$pid" != 0 ] || return 1
  tr '\0' '\n' <"$(node_path "/proc/$pid/cmdline")"
}

# The list on the command line of the running kubelet.
kubelet_flag() { kubelet_argv | sed -n 's/^--allowed-unsafe-sysctls=//p'; }

# The list that the last started kubelet read, whatever way it came; and how many were started.
kubelet_list() { tail -n 1 "$(node_path /run/fake-kubelet.starts)" | cut -d ' ' -f 2-; }
kubelet_starts() { wc -l <"$(node_path /run/fake-kubelet.starts)"; }

# The body of GET /healthz; fails when nothing answers. Asked hundreds of times, hence one process. The head ends
# with a line of a carriage return alone.
kubelet_health() {
  nsenter --target "${E2E_LEADER[$NODE]}" --net -- bash -c 'exec 3<>/dev/tcp/127.0.0.1/10248 || exit 1
    printf "GET /healthz HTTP/1.0\r\n\r\n" >&3
    until [ ${#line} = 1 ]; do read -rt 2 line <&3 || exit 1; done
    read -rt 2 -d "" body <&3
    [ -n "$body" ] && printf %s "$body"' 2>/dev/null
}
kubelet_is_healthy() { [ "$(kubelet_health)" = ok ]; }

node_wait_healthy() {
  wait_until 20 kubelet_is_healthy || fail "the kubelet of node '$NODE' is not healthy"
}

kubelet_journal() { node_run journalctl --no-pager -q -u "$NODE_UNIT" -o cat; }

# For a case that failed: what the kubelet of the node said last.
node_report() {
  [ -n "$NODE" ] && [ -n "${E2E_LEADER[$NODE]:-}" ] || return 0
  echo "--- the last tool output (status $STATUS)"
  tail -n 40 "$OUT" "$ERR" 2>/dev/null || true
  echo "--- the kubelet of node '$NODE'"
  node_run systemctl show "$NODE_UNIT" -p ActiveState -p SubState -p Result -p MainPID \
    -p NRestarts -p NeedDaemonReload || true
  node_run journalctl --no-pager -q -n 30 -u "$NODE_UNIT" -o short-monotonic || true
}

# The bytes, mode and owner of all files that a kind of node has for its kubelet; no kind has all of these directories.
node_sums() {
  local root
  root=$(node_path "")
  (cd "$root" && { find etc/kubernetes etc/default etc/sysconfig etc/systemd/system etc/kube etc/conf.d \
    home/kubernetes root/cdk var/lib/kubelet -type f -printf '%p %m %U:%G ' -exec sha256sum {} \; 2>/dev/null || true; } |
    sort)
}

# --- The program under test --------------------------------------------------------------------

tool() {
  STATUS=0
  node_run kubelet-sysctl "$@" >"$OUT" 2>"$ERR" || STATUS=$?
  return "$STATUS"
}

# json EXPRESSION: of the document that the last run printed, as `d`; strings print bare.
json() {
  python3 -IS - "$OUT" "$1" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1]))
value = eval(sys.argv[2], {"d": d})
print(value if isinstance(value, str) else json.dumps(value))
PYTHON
}

# The id of the newest change in the records, and how far one came.
change_newest() {
  find "$(node_path /var/lib/kubelet-sysctl/transactions)" -mindepth 1 -maxdepth 1 -printf '%f\n' |
    sort -V | tail -n 1
}
change_state() {
  sed -n 's/^ "state": "\(.*\)",\?$/\1/p' \
    "$(node_path /var/lib/kubelet-sysctl/transactions)/$1/journal.json"
}

# --- Assertions --------------------------------------------------------------------------------

fail() {
  echo "FAILED ${BASH_SOURCE[-1]##*/cases/}:${BASH_LINENO[-2]}: $*" >&2
  exit 1
}

assert_eq() {
  [ "$1" = "$2" ] || fail "${3:-values differ}"$'\n  expected: '"$1"$'\n  seen:     '"$2"
}

# assert_exit CODE COMMAND...
assert_exit() {
  local expected=$1 seen=0
  shift
  "$@" || seen=$?
  [ "$seen" = "$expected" ] ||
    fail "'$*'"$'\n  expected exit: '"$expected"$'\n  seen exit:     '"$seen"
}

# assert_contains FILE TEXT / assert_lacks FILE TEXT
assert_contains() {
  grep -qF -e "$2" "$1" ||
    fail "${1##*/} lacks the text"$'\n  expected: '"$2"$'\n  seen:\n'"$(cat "$1")"
}
assert_lacks() {
  ! grep -qF -e "$2" "$1" || fail "${1##*/} has the text '$2':"$'\n'"$(cat "$1")"
}

# assert_same_bytes EXPECTED SEEN: two files; shows where they differ.
assert_same_bytes() {
  cmp -s "$1" "$2" || fail "'$2' differs from '$1':"$'\n'"$(diff -u "$1" "$2" || true)"
}

# keep PATH: remembers a file of the node; assert_kept PATH: it has the same bytes, inode and time.
keep() {
  mkdir -p "$E2E_TMP/kept/$NODE${1%/*}"
  cp -p "$(node_path "$1")" "$E2E_TMP/kept/$NODE$1"
  stat -c '%i %Y %y %a %u:%g' "$(node_path "$1")" >"$E2E_TMP/kept/$NODE$1.stat"
}
kept() { echo "$E2E_TMP/kept/$NODE$1"; }
assert_kept() {
  assert_same_bytes "$(kept "$1")" "$(node_path "$1")"
  assert_eq "$(cat "$(kept "$1").stat")" "$(stat -c '%i %Y %y %a %u:%g' "$(node_path "$1")")" \
    "'$1' was written although nothing was to change"
}
