#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# With Type=notify and RestartMode=direct (systemd 254) a unit that ends again and again never fails, and 'systemctl
# restart' does not return. The loop is seen by the restart counter, and --timeout ends the wait for a kubelet that
# never says that it is up.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
file=/etc/sysconfig/kubelet
node_new kops
mkdir -p "$NODE_ROOT/etc/systemd/system/kubelet.service.d"
cat >"$NODE_ROOT/etc/systemd/system/kubelet.service.d/20-direct.conf" <<'END'
[Service]
Type=notify
Restart=always
RestartMode=direct
RestartSec=100ms
StartLimitIntervalSec=0
END
node_boot
release=$(node_run systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
[ "$release" -ge 254 ] || skip "RestartMode= is of systemd 254, and this is $release"
node_start
keep $file
took() { json "[one['milliseconds'] for one in d['steps'] if one['what'].startswith('restart')][0]"; }

for delay in 0 300; do
  node_settings "exit_after_ms=$delay" exit_code=7 only_when_list_contains=kernel.sem
  status=0
  tool add kernel.sem --window 1s --timeout 60s -o json || status=$?
  assert_eq 4 "$status" "exit of a change that loops"
  echo "the loop of $delay ms was seen after $(took) ms"
  [ "$(took)" -lt 2500 ] || fail "the loop was seen after $(took) ms only"
  assert_same_bytes "$(kept $file)" "$(node_path $file)"
  assert_eq ok "$(kubelet_health)"
done

node_settings never_ready=1 only_when_list_contains=kernel.sem
status=0
tool add kernel.sem --window 1s --timeout 4s -o json || status=$?
assert_eq 4 "$status" "exit of a change that never is up"
[[ $(took) -ge 3500 && $(took) -lt 7000 ]] || fail "--timeout 4s ended after $(took) ms"
assert_same_bytes "$(kept $file)" "$(node_path $file)"
assert_eq ok "$(kubelet_health)"
