#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The rule for sudo in examples/sudoers: sudo reads it, gives what it says and nothing beside it, and every command that
# it gives is one of the program.
#
# Exit code 77 where sudo is missing or this machine has no mount namespaces.
set -euo pipefail
rule=$(cd "$(dirname "$0")/../.." && pwd)/examples/sudoers/kubelet-sysctl
program=${KUBELET_SYSCTL:-build/static/kubelet-sysctl}
skip() { echo "skipped: $*" >&2; exit 77; }
if [ "${1-}" != inside ]; then
  command -v visudo >/dev/null || skip "visudo is missing (package sudo)"
  [ "$(id -u)" = 0 ] || skip "asking sudo what another user may do needs root"
  unshare --mount true 2>/dev/null || skip "this machine allows no mount namespace"
  visudo -c -q -f "$rule"
  exec unshare --mount --propagation private -- "$0" inside
fi

# The rule alone, in a file that only these processes see; for users in the place of the groups, and for a program that
# is there, since sudo looks.
scratch=$(mktemp -d)
mount -t tmpfs tmpfs "$scratch"
sed -e 's/^%kubelet-sysctl-read /nobody /' -e 's/^%kubelet-sysctl-change /daemon /' \
  -e "s,/usr/bin/kubelet-sysctl,$scratch/kubelet-sysctl," "$rule" >"$scratch/sudoers"
cp /bin/true "$scratch/kubelet-sysctl"
chmod 0440 "$scratch/sudoers"
mount --bind "$scratch/sudoers" /etc/sudoers
failed=0
# given yes|no USER ARGUMENT...
given() {
  local wanted=$1 user=$2 seen=yes
  shift 2
  sudo -n -l -U "$user" "$scratch/kubelet-sysctl" "$@" >/dev/null 2>&1 || seen=no
  [ "$seen" = "$wanted" ] && return
  echo "FAILED '$user' is given 'kubelet-sysctl $*': $seen, expected $wanted" >&2
  failed=1
}
# Each is a command line that the program takes: it does not end with 2, the exit code for wrong use.
is_taken() {
  local status=0
  "$program" "$@" --root "$scratch" >/dev/null 2>&1 || status=$?
  [ "$status" != 2 ] || { echo "FAILED the program does not take '$*'" >&2; failed=1; }
}
reads=("show" "show -o json" "show -v" "explain" "doctor" "doctor -o json" "history" "history 20261120T225726Z-1"
  "check net.core.somaxconn" "check kernel.msg* kernel.sem -o json")
changes=("add net.core.somaxconn" "add kernel.msg* kernel.sem" "remove net.core.somaxconn" "undo" "recover"
  "add --dry-run --diff net.core.somaxconn" "add --reason=OPS-1412 net.core.somaxconn")
set -f # a * of an entry is a *
for line in "${reads[@]}"; do
  # shellcheck disable=SC2086
  { given yes nobody $line; given yes daemon $line; is_taken $line; }
done
for line in "${changes[@]}" keep; do
  # shellcheck disable=SC2086
  { given no nobody $line; given yes daemon $line; }
done
for line in "${changes[@]:0:6}"; do
  # shellcheck disable=SC2086
  [[ $line == recover ]] || is_taken $line --dry-run
done
for line in "show --configz" "show --configz --kubeconfig /tmp/evil" "check -f /etc/shadow" "show --root /tmp/tree" \
  "doctor --fix" "history --purge 0" "history -o json --purge 0" "add --file /etc/passwd kernel.sem" \
  "add --reason=x --file /etc/passwd kernel.sem" "add --force vm.max_map_count" "add --allow-wide net.*" \
  "add --no-rollback kernel.sem" "add -f /etc/shadow" "set --empty" "sync" "add" ""; do
  # shellcheck disable=SC2086
  { given no nobody $line; given no daemon $line; }
done
exit "$failed"
