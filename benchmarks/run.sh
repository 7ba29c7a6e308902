#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures kubelet-sysctl beside systemctl and other ways to edit the list, in one run on a booted
# node.
#
#   sudo benchmarks/run.sh
#
# Prints one Markdown table; what it is doing goes to standard error. No test: a time is true for
# one machine at one moment, a ratio nearly so. Needs the packages of `scripts/packages.sh test`.
# Exit code 77 means that this machine cannot boot a node or lacks a program; it says why.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tests/e2e/lib.sh"
needs_tool
for program in hyperfine yq augtool ansible-playbook strace; do
  command -v $program >/dev/null || skip "$program is missing: scripts/packages.sh test"
done

kops=$here/../examples/nodes/kops
counts=(1000 10000 20000 100000)
rounds=3
one=net.core.somaxconn

# A tree whose configuration of the kubelet holds a list of $1 entries.
new_tree() {
  local root file
  root=$(node_path "/srv/$1")
  file=$root/var/lib/kubelet/kubelet.conf
  mkdir -p "$root"
  cp -r "$kops/root/." "$root"
  {
    sed '/^# the payments/,$d' "$kops/root/var/lib/kubelet/kubelet.conf"
    echo allowedUnsafeSysctls:
    seq -f '- net.ipv4.conf.eth%.0f.forwarding' 1 "$1"
  } >"$file"
}

# measure NAME RUNS COMMAND...: without a shell, after a few runs to warm up. Must exit with 0.
measure() {
  echo "round $round: $1" >&2
  node_run hyperfine --style none --shell none --warmup 2 --runs "$2" \
    --export-json "/srv/results/$1.$round.json" "${*:3}" 2>"$ERR" || fail "$1: $(cat "$ERR")"
}

# The most memory that the program itself held, in KiB: strace stops it at its exit until we have
# looked. Its child systemctl does not count.
peak_memory() {
  local strace pid seen peak=0
  node_run strace -f -qq -o /dev/null -e trace=exit_group -e inject=exit_group:delay_enter=500000 \
    kubelet-sysctl show >/dev/null &
  strace=$!
  while [ -d "/proc/$strace" ]; do
    for pid in $(node_run pidof kubelet-sysctl || true); do
      seen=$(awk '/^VmHWM:/ { print $2 }' "$(node_path "/proc/$pid/status")" || true)
      [ "${seen:-0}" -le "$peak" ] || peak=$seen
    done
  done 2>/dev/null
  wait "$strace"
  [ "$peak" -gt 0 ] || fail "the program ended before its memory was seen"
  echo "$peak"
}

node_up kops kops "$kops"
assert_exit 0 tool add "$one" 'kernel.msg*' --window 1s
mkdir "$(node_path /srv/results)"
for count in "${counts[@]}"; do new_tree "$count"; done
cp "$here/lineinfile.yml" "$(node_path /srv)"
# The others edit copies, so that no two of them race for one file.
cp "$(node_path /etc/sysconfig/kubelet)" "$(node_path /srv/sysconfig)"
cp "$(node_path /srv/1000/var/lib/kubelet/kubelet.conf)" "$(node_path /srv/kubelet.conf)"
sed -n "s|^DAEMON_ARGS=\(.*\)|set /files/srv/sysconfig/DAEMON_ARGS '\1'|p" \
  "$(node_path /srv/sysconfig)" >"$(node_path /srv/edit.aug)"
filter=".allowedUnsafeSysctls |= (. + [\"$one\"] | unique)"

# The cost of a plan grows linearly: where it does not, this ends here and not in hours.
for count in "${counts[@]}"; do
  node_run timeout 20 kubelet-sysctl add --dry-run --quiet --root "/srv/$count" "$one" ||
    fail "a plan for a list of $count entries takes more than 20 s"
done
for round in $(seq "$rounds"); do
  measure systemctl 30 systemctl show kubelet.service -p MainPID
  measure show 30 kubelet-sysctl show
  measure add 30 "kubelet-sysctl add $one 'kernel.msg*'"
  measure augtool 10 "augtool --noautoload --transform 'Shellvars incl /srv/sysconfig'" \
    --autosave --file /srv/edit.aug
  measure yq 5 "yq --yaml-output --in-place '$filter' /srv/kubelet.conf"
  measure ansible 3 ansible-playbook --inventory localhost, --connection local /srv/lineinfile.yml
  for count in "${counts[@]}"; do
    measure "plan-$count" 5 "kubelet-sysctl add --dry-run --quiet --root /srv/$count $one"
  done
done

"$here/table.py" "$(node_path /srv/results)" "$(stat -c %s "$E2E_TOOL")" "$(peak_memory)"
