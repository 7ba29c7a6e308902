#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The DEB and the RPM on a node: installed, used by the installed path, removed. What removal leaves are
# the records alone, what a purge leaves is nothing, and a trial that only the program can end stops it.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_SOURCE/tests/packages/lib.sh"
needs_tool
needs_stand_in
command -v cpack >/dev/null || skip "no cpack here"
# Before the first node: packages_skip and skip do the same, and the build is seen from here only.
if ! compgen -G "$packages_directory/kubelet-sysctl_*.deb" >/dev/null; then
  packages_directory=$E2E_TMP/packages
  packages_make "$packages_directory"
fi
deb=$(echo "$packages_directory"/kubelet-sysctl_*.deb)
rpm=$(compgen -G "$packages_directory/kubelet-sysctl-*.rpm" || :)
sync_unit=kubelet-sysctl-sync.service
ships_unit() { [ -e "$E2E_SOURCE/packaging/systemd/$sync_unit" ]; }
file=/etc/sysconfig/kubelet
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse

# typed COMMAND...: runs it in the node and shows it as on a screen.
typed() {
  local status=0
  echo "# $*"
  node_run "$@" >"$E2E_TMP/typed" 2>&1 || status=$?
  cat "$E2E_TMP/typed"
  [ "$status" = 0 ] || echo "(exit $status)"
  return "$status"
}

# Whatever of ours lies on the node's disk, but the copy of the package itself.
of_ours() {
  local upper=$E2E_TMP/$NODE/upper
  (cd "$upper" && find . -name '*kubelet-sysctl*' ! -type c ! -path './root/*' |
    { grep -vE '^./var/(log|cache|lib/dpkg|lib/rpm-of-node)/' || :; } | sort)
}
new_of_ours() { of_ours | comm -13 "$E2E_TMP/before" -; }
dangling_links() { node_run find /etc/systemd -xtype l -name '*kubelet-sysctl*'; }

new_node() {
  node_new kops "$1"
  # Only the package brings the program; what a container image excludes is a node's to have.
  rm -f "$NODE_ROOT/usr/local/bin/kubelet-sysctl" "$NODE_ROOT"/etc/dpkg/dpkg.cfg.d/*
  cp "$2" "$NODE_ROOT/root/"
  node_settings health_delay_ms=0
  node_boot
  node_start
  keep $file
  of_ours >"$E2E_TMP/before"
}

# The part that is the same for both.
use_it() {
  assert_exit 0 typed kubelet-sysctl show
  assert_contains "$E2E_TMP/typed" net.ipv4.tcp_tw_reuse
  assert_eq /usr/bin/kubelet-sysctl "$(node_run sh -c 'command -v kubelet-sysctl')"
  assert_exit 0 typed kubelet-sysctl add kernel.sem --window 0ms
  assert_eq "$list,kernel.sem" "$(kubelet_flag)"
  assert_exit 0 typed kubelet-sysctl undo --window 0ms
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
  node_run gzip -t /usr/share/man/man8/kubelet-sysctl.8.gz
  if node_run sh -c 'command -v man' >"$E2E_TMP/typed"; then
    assert_exit 0 typed man --where 8 kubelet-sysctl
  fi
  if ships_unit; then
    node_run sh -c 'echo kernel.sem >/etc/kubelet-sysctl.conf'
    assert_exit 0 typed systemctl enable --now $sync_unit
    assert_eq enabled "$(node_run systemctl is-enabled $sync_unit)"
    assert_exit 0 typed systemctl restart kubelet.service
    node_wait_healthy
    assert_eq "$list,kernel.sem" "$(kubelet_flag)" "the desired list after a start of the kubelet"
    rm "$(node_path /etc/kubelet-sysctl.conf)"
  fi
}

# refuses_while_on_trial COMMAND...: removal stops until the trial has an end.
refuses_while_on_trial() {
  assert_exit 0 typed kubelet-sysctl add 'kernel.msg*' --trial 10m --window 0ms
  ! typed "$@" || fail "the package went while its program had a change to undo"
  assert_contains "$E2E_TMP/typed" "on trial"
  assert_exit 0 node_run test -x /usr/bin/kubelet-sysctl
  assert_exit 0 typed kubelet-sysctl undo --window 0ms
}

# A change that is killed when its bytes are in the file and the kubelet is starting.
leave_unfinished() {
  local starts
  starts=$(kubelet_starts)
  has_restarted() { [ "$(kubelet_starts)" -gt "$starts" ]; }
  node_settings health_delay_ms=1500
  run_start first add net.ipv4.tcp_dsack --window 1s
  wait_until 10 has_restarted || fail "nothing was restarted: $(cat "$(run_said first)")"
  run_signal first KILL
  assert_exit 137 run_end first
  node_settings health_delay_ms=0
}

echo "--- the DEB"
new_node debian "$deb"
assert_exit 0 typed dpkg -i "/root/${deb##*/}"
use_it
refuses_while_on_trial dpkg -r kubelet-sysctl
leave_unfinished
assert_exit 0 typed dpkg -r kubelet-sysctl
assert_contains "$E2E_TMP/typed" "was not finished"
assert_eq "" "$(dangling_links)" "links to nowhere"
assert_eq "" "$(new_of_ours | sed '\,^./var/lib/kubelet-sysctl,d')" \
  "left after the removal"
assert_exit 0 node_run test -d "/var/lib/kubelet-sysctl/transactions"
assert_exit 0 typed dpkg -i "/root/${deb##*/}"
assert_exit 0 typed kubelet-sysctl recover --window 0ms
assert_exit 0 typed dpkg -P kubelet-sysctl
assert_eq "" "$(new_of_ours)" "left after the purge"
assert_eq "" "$(dangling_links)" "links to nowhere"
node_kill

if [ -z "$rpm" ] || ! command -v rpm >/dev/null; then
  skip "the DEB is right; of the RPM nothing is known: no rpmbuild here"
fi
echo "--- the RPM"
new_node redhat "$rpm"
rpm_in_node() { typed rpm --dbpath /var/lib/rpm-of-node "$@"; }
node_run rpm --dbpath /var/lib/rpm-of-node --initdb
# --force-debian: the rpm of Debian warns anyone who means alien. No systemd is in this database.
assert_exit 0 rpm_in_node -i --force-debian --nodeps "/root/${rpm##*/}"
use_it
refuses_while_on_trial rpm --dbpath /var/lib/rpm-of-node -e --force-debian kubelet-sysctl
leave_unfinished
assert_exit 0 rpm_in_node -e --force-debian kubelet-sysctl
assert_contains "$E2E_TMP/typed" "was not finished"
assert_eq "" "$(new_of_ours | sed '\,^./var/lib/kubelet-sysctl,d')" \
  "left after the removal"
assert_eq "" "$(dangling_links)" "links to nowhere"
