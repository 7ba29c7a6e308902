#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A kubelet that is stopped, fails or is not healthy is the first thing that every command says.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
node_up kops

# said_first ID TEXT: by show, doctor and an add that has nothing to do.
said_first() {
  assert_exit 6 tool show --exit-code
  head -n 1 "$OUT" >"$E2E_TMP/first"
  assert_contains "$E2E_TMP/first" "$2"
  assert_exit 6 tool doctor -o json
  assert_eq "$1 error" "$(json 'd["findings"][0]["id"] + " " + d["findings"][0]["severity"]')"
}
nothing_to_add() {
  assert_exit 0 tool add net.core.somaxconn
  head -n 1 "$OUT" >"$E2E_TMP/first"
  assert_contains "$E2E_TMP/first" "$1"
  assert_exit 0 tool add net.core.somaxconn -o json
  assert_eq unchanged "$(json 'd["outcome"]')"
  assert_eq true "$(json 'd["wasDown"]')"
}

assert_exit 0 tool add net.core.somaxconn -o json
assert_eq false "$(json 'd["wasDown"]')"

node_run systemctl stop kubelet.service
said_first kubelet-stopped "the kubelet does not run: 'kubelet.service' is inactive"
nothing_to_add "the kubelet does not run"

node_settings never_healthy=1
node_run systemctl start kubelet.service
sleep 1
said_first not-healthy "is not healthy"
nothing_to_add "is not healthy"
