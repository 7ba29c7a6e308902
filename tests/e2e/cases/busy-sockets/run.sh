#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A node with 120,000 TCP sockets: the kernel's table of them is larger than any file that the program reads
# whole, and still a change is confirmed.
. "$(dirname "$0")/../../lib.sh"
needs_tool
command -v python3 >/dev/null || skip "python3 is missing"
# So many processes, since a machine may not let one have more than 20,000 open files.
processes=7
pairs=9000

cat_sockets() { node_run cat /proc/net/tcp | wc -c; }
holds_them() { [ "$(cat_sockets)" -gt $((16 << 20)) ]; }

node_up kops
list=$(kubelet_flag)
cat >"$(node_path /usr/local/bin/hold-sockets)" <<'PYTHON'
import resource, socket, sys, time
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("0.0.0.0", 0))
server.listen(4096)
held = []
for number in range(int(sys.argv[1])):
    client = socket.socket()
    client.connect(("127.0.0.1", server.getsockname()[1]))
    held += [client, server.accept()[0]]
time.sleep(100000)
PYTHON
for ((process = 0; process < processes; ++process)); do
  node_run systemd-run --quiet python3 /usr/local/bin/hold-sockets $pairs
done
wait_until 120 holds_them || skip "this machine holds no $((2 * pairs * processes)) sockets"

assert_exit 0 tool add kernel.sem --window 500ms -o json
assert_eq "applied ok" "$(json 'd["outcome"]') $(json 'd["evidence"]["health"]')"
assert_eq "$list,kernel.sem" "$(kubelet_flag)"
assert_exit 0 tool undo --window 500ms -o json
assert_eq applied "$(json 'd["outcome"]')"
assert_eq "$list" "$(kubelet_flag)"
