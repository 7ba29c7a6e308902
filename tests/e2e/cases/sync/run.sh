#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The desired list: what it names comes into force, who desired it is in the history, what is expired is
# told of and goes only when that is asked for, and a mistake in it touches nothing.
. "$(dirname "$0")/../../lib.sh"
needs_tool
config=/var/lib/kubelet/config.yaml
desired=/etc/kubelet-sysctl.conf
wish() { printf '%s\n' "$@" >"$(node_path $desired)"; }
node_up kubeadm-deb
old='net.core.somaxconn,kernel.shm*'

# No desired list is a mistake of anyone who types it.
assert_exit 1 tool sync
assert_contains "$ERR" "there is no desired list: neither '$desired' nor a file of '$desired.d'"

wish 'net.ipv4.tcp_max_syn_backlog owner=team-web expires=2099-12-31 reason="ticket 1412: many short calls"' \
  'net.core.somaxconn owner=team-web'
mkdir -p "$(node_path $desired.d)"
echo 'kernel.sem owner=team-db reason=postgres' >"$(node_path $desired.d/50-db.conf)"
keep $config
assert_exit 6 tool show --exit-code
assert_contains "$OUT" "the list lacks 'net.ipv4.tcp_max_syn_backlog', 'kernel.sem', which is desired"
assert_exit 0 tool sync --dry-run --diff
assert_contains "$OUT" '+- kernel.sem'
assert_kept $config

assert_exit 0 tool sync --window 500ms -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq sync "$(json 'd["verb"]')" "the verb"
id=$(json 'd["transaction"]')
assert_eq "$old,net.ipv4.tcp_max_syn_backlog,kernel.sem" "$(kubelet_list)"
assert_exit 0 tool history "$id"
assert_contains "$OUT" 'net.ipv4.tcp_max_syn_backlog (team-web): ticket 1412: many short calls; kernel.sem (team-db): postgres'
assert_exit 0 tool show --exit-code

# Again there is nothing to do.
keep $config
pid=$(kubelet_pid)
assert_exit 77 tool sync --unchanged-exit-77
assert_kept $config
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"

# What is expired is reported and stays.
sed -i 's/2099-12-31/2026-01-31/' "$(node_path $desired)"
assert_exit 0 tool sync
assert_contains "$OUT" "$desired:1: the desired entry 'net.ipv4.tcp_max_syn_backlog' expired at 2026-02-01T00:00:00Z"
assert_contains "$OUT" "by team-web, for 'ticket 1412: many short calls'"
assert_kept $config
assert_exit 6 tool show --exit-code
assert_contains "$OUT" "expired at 2026-02-01T00:00:00Z"

# Only when it is asked for, it goes.
assert_exit 0 tool sync --drop-expired --window 500ms
assert_eq "$old,kernel.sem" "$(kubelet_list)"
assert_exit 0 tool sync --drop-expired
assert_contains "$OUT" 'unchanged: '

# By hand against the wish: it works, and says who undoes it.
assert_exit 0 tool remove kernel.sem --window 500ms
assert_contains "$ERR" "'kernel.sem' is still desired by team-db, for 'postgres': the next sync adds it again"
assert_eq "$old" "$(kubelet_list)"

# A mistake is refused with its place, and nothing is touched.
keep $config
pid=$(kubelet_pid)
wish 'kernel.msgmax' '  vm.max_map_count owner=search'
assert_exit 3 tool sync
assert_contains "$ERR" "$desired:2:3: 'vm.max_map_count' would stop"
wish 'kernel.msgmax expires=2027-02-30'
assert_exit 1 tool sync
assert_contains "$ERR" "$desired:1:23: '2027-02-30' is no date"
assert_exit 0 tool show
assert_kept $config
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"

# Exactly these.
wish 'mode = exact' 'kernel.msgmax'
rm "$(node_path $desired.d/50-db.conf)"
assert_exit 0 tool sync --window 500ms
assert_eq kernel.msgmax "$(kubelet_list)"
# A list from elsewhere takes the place of the node's own.
echo 'mode = exact
kernel.sem' | node_run kubelet-sysctl sync -f - --window 500ms >"$OUT"
assert_eq kernel.sem "$(kubelet_list)"
