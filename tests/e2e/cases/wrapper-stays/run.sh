#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A wrapper that stays the main process: its child is the kubelet. Where no process of the unit is one, the
# list is unknown, which is not the empty list.
. "$(dirname "$0")/../../lib.sh"
needs_stand_in
needs_tool
node_new kops
cat >"$NODE_ROOT/usr/local/bin/inhibit" <<'WRAPPER'
#!/bin/bash
shift
"$@" &
trap 'kill $!; wait; exit 0' TERM
wait
WRAPPER
chmod 0755 "$NODE_ROOT/usr/local/bin/inhibit"
mkdir -p "$NODE_ROOT/etc/systemd/system/kubelet.service.d"
wrap() {
  printf '[Service]\nExecStart=\nExecStart=/usr/local/bin/inhibit --what=shutdown %s $DAEMON_ARGS\n' "$1" \
    >"$2/etc/systemd/system/kubelet.service.d/10-wrap.conf"
}
wrap /usr/local/bin/kubelet "$NODE_ROOT"
node_boot
node_start

assert_exit 0 tool show
assert_contains "$OUT" "net.core.somaxconn"
assert_exit 0 tool show -o json
assert_eq flag "$(json 'd["configured"]["layer"]')"
assert_eq '["net.core.somaxconn", "net.ipv4.tcp_tw_reuse"]' "$(json 'd["running"]["entries"]')"
assert_exit 0 tool check net.core.somaxconn -o json
assert_eq true "$(json 'd["entries"][0]["listed"]')"
# No edit reaches the arguments, and no hint leads from one way that is refused to the other.
assert_exit 3 tool add kernel.sem
assert_lacks "$ERR" "--via config"
assert_exit 3 tool add kernel.sem --via config
assert_lacks "$ERR" "--via args"

# A program whose name and arguments say nothing.
cp "$(node_path /usr/local/bin/kubelet)" "$(node_path /usr/local/bin/hidden)"
wrap /usr/local/bin/hidden "$(node_path /)"
node_run systemctl daemon-reload
node_run systemctl restart kubelet
node_wait_healthy
assert_exit 0 tool show
assert_contains "$OUT" "unknown: a wrapper runs the kubelet"
assert_exit 0 tool show -o json
assert_eq unknown "$(json 'd["configured"]["layer"]')"
assert_eq null "$(json 'd["configured"]["entries"]')"
assert_eq null "$(json 'd["layers"]')"
assert_eq null "$(json 'd["drift"]')"
assert_eq null "$(json 'd["running"]["entries"]')"
assert_exit 6 tool doctor
assert_contains "$OUT" "list-unknown"
tool check net.core.somaxconn -o json || true
assert_eq null "$(json 'd["entries"][0]["listed"]')"
starts=$(kubelet_starts)
for route in auto config args; do
  assert_exit 3 tool add kernel.sem --via "$route"
  assert_contains "$ERR" "unknown"
done
# "Nothing to do" would be an answer too.
printf 'mode = additive\nkernel.sem\n' >"$(node_path /run/desired)"
for verb in "remove net.core.somaxconn" "set kernel.sem" "set --empty" "sync -f /run/desired"; do
  assert_exit 3 tool $verb
  assert_contains "$ERR" "unknown"
done
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"

# Down, it is started by nobody who does not know what for.
node_run systemctl stop kubelet
assert_exit 3 tool remove net.core.somaxconn
assert_contains "$ERR" "unknown"
assert_eq inactive "$(unit ActiveState)"
assert_eq "$starts" "$(kubelet_starts)" "starts of the kubelet"
