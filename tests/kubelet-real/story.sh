#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One real kubelet, from SysctlForbidden to a change that is killed: what it says, what its pods have, and what
# kubelet-sysctl makes of it. KUBELET_BIN names it. Every step asserts; run.sh runs it.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
# shellcheck source=tests/kubelet-real/node.sh
. "$(dirname "$0")/node.sh"
needs_tool
for program in curl openssl python3 dpkg-deb; do
  command -v $program >/dev/null || skip "$program is missing"
done
version=$("$KUBELET_BIN" --version | sed -n 's/^Kubernetes //p')
[ -n "$version" ] || fail "'$KUBELET_BIN' does not say its version"
config=/var/lib/kubelet/config.yaml
manifest=/etc/kubernetes/manifests/tuned.yaml
remote=/etc/e2e/served/remote.yaml
both=(net.core.somaxconn kernel.msgmax)
list=net.core.somaxconn,kernel.msgmax
quick=(--window 2s)
asked=(--configz --client-certificate "$REAL_PKI/admin.crt" --client-key "$REAL_PKI/admin.key")
# The port of --configz answers a little after the health endpoint does.
list_is() { [ "$(configz_list 2>/dev/null || echo none)" = "$1" ]; }
assert_list() { wait_until 20 list_is "$1" || assert_eq "$1" "$(configz_list)" "the kubelet's list"; }
step() { echo "$((${EPOCHREALTIME/./} / 1000000 - begun)) s: $*"; }
begun=$((${EPOCHREALTIME/./} / 1000000))

real_node "$version"
step "kubelet $version is healthy"
keep $config
assert_list ""

pod_new "$(node_path $manifest)" tuned net.core.somaxconn=4096
pod_new "$(node_path $remote)" remote kernel.msgmax=65536
for pod in tuned remote; do
  wait_until 30 pod_is $pod 'Failed SysctlForbidden ' || fail "the pod '$pod': $(pod_status $pod)"
done
words=$(pod_status tuned)
words=${words#*SysctlForbidden }
step "SysctlForbidden: $words"

assert_exit 6 tool check -f $manifest
cat "$OUT" "$ERR" >"$E2E_TMP/said"
assert_contains "$E2E_TMP/said" "${words#*forbidden sysctl: }"
step "check -f says the same words"

assert_exit 0 tool add "${both[@]}" "${quick[@]}" -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_list "$list"
for pod in tuned remote; do
  wait_until 60 pod_is $pod 'Running ' || fail "the pod '$pod': $(pod_status $pod)"
done
wait_until 10 pod_has tuned net.core.somaxconn 4096 || fail "seen: $(pod_value tuned net.core.somaxconn)"
wait_until 10 pod_has remote kernel.msgmax 65536 || fail "seen: $(pod_value remote kernel.msgmax)"
assert_exit 0 tool check -f $manifest
step "added, both pods are Running; inside: net.core.somaxconn $(pod_value tuned net.core.somaxconn)," \
  "kernel.msgmax $(pod_value remote kernel.msgmax)"

pid=$(kubelet_pid)
cp "$(node_path $config)" "$E2E_TMP/added.yaml"
assert_exit 77 tool add "${both[@]}" "${quick[@]}" --unchanged-exit-77
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
assert_same_bytes "$E2E_TMP/added.yaml" "$(node_path $config)"
step "the second add changes nothing, the kubelet is not restarted"

assert_exit 0 tool show "${asked[@]}" -o json
assert_eq ok "$(json 'd["running"]["configz"]')"
assert_eq "$list" "$(json '",".join(d["running"]["entries"])')"
step "the kubelet says the same list as show --configz"

assert_exit 3 tool remove "${both[@]}" "${quick[@]}"
assert_contains "$ERR" 'would refuse 2 pods of this node'
assert_contains "$ERR" "default/tuned sets net.core.somaxconn (seen in $manifest)"
assert_contains "$ERR" "default/remote-node-1 sets kernel.msgmax (seen in containerd)"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
step "a removal is refused: $(grep -o 'default/remote.*' "$ERR" | head -n 1)"

assert_exit 0 tool remove "${both[@]}" "${quick[@]}" --evict-pods
assert_list ""
for pod in tuned remote; do
  wait_until 60 pod_is_gone $pod || fail "the pod '$pod' still has $(pod_processes $pod)"
  wait_until 30 pod_is $pod 'Failed SysctlForbidden ' || fail "the pod '$pod': $(pod_status $pod)"
done
step "removed with --evict-pods: both pods ended"

assert_exit 0 tool undo "${quick[@]}"
assert_same_bytes "$E2E_TMP/added.yaml" "$(node_path $config)"
assert_list "$list"
wait_until 60 pod_has tuned net.core.somaxconn 4096 || fail "the pod: $(pod_status tuned)"
wait_until 60 pod_has remote kernel.msgmax 65536 || fail "the pod: $(pod_status remote)"
step "undone: both pods run again"

# The words of the kubelet itself: our own warning of such an entry has nearly the same.
assert_exit 4 tool add --force vm.swappiness "${quick[@]}" -o json
words=$(json 'd["lastWords"][0]')
[[ $words == *'are not known to be namespaced'* ]] || fail "the first of the last words: $words"
assert_same_bytes "$E2E_TMP/added.yaml" "$(node_path $config)"
assert_list "$list"
step "rolled back: ${words:0:300}"

assert_exit 0 tool add --trial 20s kernel.sem "${quick[@]}" -o json
id=$(json 'd["transaction"]')
assert_list "$list,kernel.sem"
trial_is_over() { [ "$(change_state "$id")" = rolled-back ]; }
wait_until 90 trial_is_over || fail "the trial did not end"
assert_same_bytes "$E2E_TMP/added.yaml" "$(node_path $config)"
assert_list "$list"
step "the trial reverted by itself"

assert_exit 0 tool add kernel.sem "${quick[@]}" "${asked[@]}" -o json
assert_eq 'applied ok' "$(json 'd["outcome"]') $(json 'd["evidence"]["configz"]')"
cp "$(node_path $config)" "$E2E_TMP/new.yaml"
assert_exit 0 tool undo "${quick[@]}"
step "--configz agrees after a change"

# Nine moments of one run, in thousandths of it: before the write, while the kubelet starts, in the window.
began=$(now_ms)
assert_exit 0 tool add kernel.sem "${quick[@]}"
takes=$(($(now_ms) - began))
assert_exit 0 tool undo "${quick[@]}"
for moment in 5 20 50 150 300 450 600 750 900; do
  run_start killed add kernel.sem "${quick[@]}"
  read -rt "$(awk "BEGIN { print $takes * $moment / 1000000 }")" -u 6 || true
  run_signal killed KILL
  assert_exit 137 run_end killed
  assert_exit 0 tool recover "${quick[@]}"
  if cmp -s "$E2E_TMP/added.yaml" "$(node_path $config)"; then
    found=old expected=$list
  else
    assert_same_bytes "$E2E_TMP/new.yaml" "$(node_path $config)"
    found=new expected=$list,kernel.sem
  fi
  node_wait_healthy
  assert_list "$expected"
  assert_exit 0 tool recover "${quick[@]}"
  cat "$OUT" "$ERR" >"$E2E_TMP/said"
  assert_contains "$E2E_TMP/said" 'nothing to recover'
  [ $found = old ] || assert_exit 0 tool undo "${quick[@]}"
  step "killed after $((takes * moment / 1000)) ms of $takes: recovered, $found"
done
wait_until 60 pod_has tuned net.core.somaxconn 4096 || fail "the pod: $(pod_status tuned)"
assert_same_bytes "$E2E_TMP/added.yaml" "$(node_path $config)"
step "the node is as it was; the pod still has its sysctl"
