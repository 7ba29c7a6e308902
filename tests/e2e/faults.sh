# SPDX-License-Identifier: Apache-2.0
# A change that is killed, or that the kernel fails, at one system call after the other; part of
# lib.sh.
#
#   fault_node KIND FILE ARGS...  a node where `kubelet-sysctl ARGS...` changes FILE; makes that
#                                 change once undisturbed and undoes it, so that the old bytes,
#                                 the new ones and the calls are known
#   fault_trace ARGS...           makes another run undisturbed, so that its calls are known
#   fault_points                  the calls by which that run changes anything: lines "CALL NUMBER"
#   fault_run CALL NUMBER WHAT [ARGS...]  the first run, or another, with
#                                 `strace --inject=CALL:WHAT:when=NUMBER`
#   fault_found                   how FILE is: old, new or mixed
#   fault_truth                   FILE and the kubelet together: old, new, or what is wrong
#   fault_is_open                 succeeds while the journal has a change without an end
#   fault_back                    the node as fault_node left it, by force
#   fault_violation KIND TEXT     counts one, with the state of the node
#   fault_end WHAT KIND...        prints and records the counts; fails if there were violations

FAULT_WRITES=write,pwrite64,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat
FAULT_WRITES+=,ftruncate,fallocate,fchmod,fchown,fsetxattr,mkdir,mkdirat,rmdir,symlinkat,flock
# What it hands to others: children are started, and the journal is sent to.
FAULT_OTHERS=clone,clone3,vfork,sendmsg,sendto,pidfd_open
FAULT_STATE=/var/lib/kubelet-sysctl
declare -A FAULT_COUNTED=()

fault_node() {
  local kind=$1
  FAULT_FILE=$2
  shift 2
  FAULT_ARGS=("$@")
  command -v strace >/dev/null || skip "strace is missing"
  FAULT_OLD=$E2E_TMP/$kind.old
  FAULT_NEW=$E2E_TMP/$kind.new
  node_new "$kind"
  node_settings bad_list_delay_ms=0 health_delay_ms=0
  node_boot
  node_run strace -o /dev/null true 2>/dev/null || skip "no process can be traced here"
  node_run systemctl enable --quiet kubelet.service
  node_start
  fault_copy "$(node_path "$FAULT_FILE")" "$FAULT_OLD"
  FAULT_OLD_LIST=$(kubelet_list)
  fault_trace "${FAULT_ARGS[@]}"
  fault_copy "$(node_path "$FAULT_FILE")" "$FAULT_NEW"
  FAULT_NEW_LIST=$(kubelet_list)
  assert_exit 0 tool undo --window 0ms
  assert_eq old "$(fault_truth)" "the node after undo"
}

# A file that is not there is a state as any other.
fault_copy() {
  rm -f "$2"
  [ ! -e "$1" ] || cp "$1" "$2"
}
fault_same() { cmp -s "$1" "$2" || { [ ! -e "$1" ] && [ ! -e "$2" ]; }; }

fault_trace() {
  assert_exit 0 node_run strace -qq -o /run/e2e.calls \
    -e "trace=$FAULT_WRITES,$FAULT_OTHERS,openat" kubelet-sysctl "$@" >"$OUT" 2>"$ERR"
  cp "$(node_path /run/e2e.calls)" "$E2E_TMP/calls"
}

# strace counts each call by itself. Files are opened for reading by the hundred: of those each 40th.
fault_points() {
  awk -F '(' '{ count[$1]++ }
    $1 == "openat" && !/O_CREAT/ && count[$1] % 40 != 0 { next }
    { print $1, count[$1] }' <(grep -E '^[a-z0-9_]+\(' "$E2E_TMP/calls")
}

fault_run() {
  local call=$1 number=$2 what=$3
  shift 3
  [ $# -gt 0 ] || set -- "${FAULT_ARGS[@]}"
  STATUS=0
  (node_run strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:$what:when=$number" \
    kubelet-sysctl "$@" >"$OUT" 2>"$ERR" || exit $?) 2>/dev/null || STATUS=$?
}

fault_found() {
  local file
  file=$(node_path "$FAULT_FILE")
  if fault_same "$FAULT_OLD" "$file"; then
    echo old
  elif fault_same "$FAULT_NEW" "$file"; then
    echo new
  else
    echo mixed
  fi
}

# The last start that was recorded is the process that systemd has, and it read what the file says.
fault_truth() {
  local found list pid
  found=$(fault_found)
  case $found in
    old) list=$FAULT_OLD_LIST ;;
    new) list=$FAULT_NEW_LIST ;;
    *) echo mixed; return ;;
  esac
  pid=$(kubelet_pid)
  if [ "$pid $list" != "$(tail -n 1 "$(node_path /run/fake-kubelet.starts)")" ]; then
    echo "$found in the file; the kubelet, process $pid, has '$(kubelet_list)'"
  elif ! kubelet_is_healthy; then
    echo "$found, and the kubelet is not healthy"
  else
    echo "$found"
  fi
}

fault_is_open() {
  grep -qrE --include=journal.json '^ "state": "(planned|written|restarted|stranded)"' \
    "$(node_path $FAULT_STATE)"
}

# Names of temporary files that were left, which are taken away: each is one violation.
fault_temporaries() {
  find "$(node_path "${FAULT_FILE%/*}")" -maxdepth 1 -name '.*.kubelet-sysctl~*' \
    -printf '%f ' -delete
}

fault_back() {
  fault_copy "$FAULT_OLD" "$(node_path "$FAULT_FILE")"
  rm -rf "$(node_path $FAULT_STATE)"
  find "$(node_path "${FAULT_FILE%/*}")" -maxdepth 1 -name '.*.kubelet-sysctl~*' -delete
  node_run systemctl reset-failed kubelet.service 2>/dev/null || true
  node_run systemctl restart kubelet.service
  node_wait_healthy
}

fault_violation() {
  FAULT_COUNTED[$1]=$((${FAULT_COUNTED[$1]:-0} + 1))
  {
    echo "VIOLATION ($1) $2"
    sed 's/^/  | /' "$OUT" "$ERR"
  } | tee -a "$E2E_TMP/violations" >&2
  [ "$(grep -c ^VIOLATION "$E2E_TMP/violations")" -lt "${FAULT_MOST:-5}" ] ||
    fail "too many violations"
}

fault_end() {
  local line=$1 kind
  shift
  for kind in "$@"; do line+=", $kind ${FAULT_COUNTED[$kind]:-0}"; done
  echo "$line"
  [ -z "${FAULT_COUNTS:-}" ] || echo "$line" >>"$FAULT_COUNTS"
  [ ! -s "$E2E_TMP/violations" ] || fail "$line"
}
