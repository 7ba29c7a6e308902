#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The units of examples/prometheus on a node: the textfile before and after a change, on drift, with an
# expired wish, with a change that was killed, and when nothing is known. A parser reads every one.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
/usr/bin/python3 -c 'import prometheus_client.parser' 2>/dev/null || skip "python3-prometheus-client is missing"
textfile=/run/kubelet-sysctl-metrics/kubelet-sysctl.prom
list=net.core.somaxconn,net.ipv4.tcp_tw_reuse
service=kubelet-sysctl-metrics.service

# metric NAME [LABEL=VALUE...]: its value, as a parser of Prometheus reads it; nothing where it is absent.
metric() {
  /usr/bin/python3 - "$(node_path $textfile)" "$@" <<'PYTHON'
import sys
from prometheus_client.parser import text_string_to_metric_families
wanted = dict(pair.split("=", 1) for pair in sys.argv[3:])
with open(sys.argv[1], encoding="utf-8") as file:
    for family in text_string_to_metric_families(file.read()):
        for one in family.samples:
            if one.name == "kubelet_sysctl_" + sys.argv[2] and wanted.items() <= one.labels.items():
                print(f"{one.value:.10g}")
PYTHON
}
# The service runs once; with what exit code it ended.
take() {
  node_run systemctl start $service 2>/dev/null || true
  node_run systemctl show $service -p ExecMainStatus --value
}

node_new kops
cp "$E2E_SOURCE"/examples/prometheus/kubelet-sysctl-metrics.{service,timer} \
  "$NODE_ROOT/etc/systemd/system/"
node_boot
node_start
# The exporter's directory is its own user's, who put a link where an earlier form of the unit wrote.
theirs=$(node_path /var/lib/prometheus/node-exporter)
mkdir -p "$theirs"
ln -s /etc/target "$theirs/kubelet-sysctl.prom.new"
ln -s $textfile "$theirs/kubelet-sysctl.prom"
chown -R 4242:4242 "${theirs%/*}"

# 1. A node on which nothing was ever changed.
assert_eq 0 "$(take)"
assert_eq 1 "$(metric up)"
assert_eq "2 2" "$(metric configured_entries) $(metric running_entries)"
assert_eq "1 0 0" "$(metric running_known) $(metric drift) $(metric unfinished_changes)"
assert_eq "1 1" "$(metric kubelet_running) $(metric kubelet_healthy)"
assert_eq 1 "$(metric node_info kind=kops unit=kubelet.service)"
assert_eq 1 "$(metric entry entry=net.core.somaxconn state=running)"
assert_eq "" "$(metric last_change_timestamp_seconds)"
assert_eq "" "$(metric expired_entries)"
assert_eq 644 "$(stat -c %a "$(node_path $textfile)")"
assert_eq kubelet-sysctl.prom "$(ls -A "$(node_path ${textfile%/*})")" "files for the exporter"
[ ! -e "$(node_path /etc/target)" ] || fail "root wrote where another user's link leads"
assert_eq "0 755" "$(stat -c '%u %a' "$(node_path ${textfile%/*})")" "owner of the directory"
assert_eq 1 "$(node_run grep -c '^kubelet_sysctl_up 1' /var/lib/prometheus/node-exporter/kubelet-sysctl.prom)"
age=$(($(date +%s) - $(printf %.0f "$(metric last_run_timestamp_seconds)")))
[ "$age" -ge -1 ] && [ "$age" -le 60 ] || fail "the time of the run is $age s ago"

# 2. A user edits the file and does not restart.
node_run sed -i "s/$list/$list,kernel.sem/" /etc/sysconfig/kubelet
assert_eq 0 "$(take)"
assert_eq "1 3 2" "$(metric drift) $(metric configured_entries) $(metric running_entries)"
assert_eq "" "$(metric entry entry=kernel.sem state=running)"

# 3. A change, and a wish that is over.
printf 'kernel.sem owner=team-db expires=2020-01-31\nnet.core.somaxconn owner=team-web\n' \
  >"$(node_path /etc/kubelet-sysctl.conf)"
assert_exit 0 tool add 'kernel.msg*' --window 200ms -q
assert_eq 0 "$(take)"
assert_eq "0 4 4" "$(metric drift) $(metric configured_entries) $(metric running_entries)"
assert_eq 1 "$(metric entry 'entry=kernel.msg*' state=running)"
assert_eq 1 "$(metric last_change_state state=confirmed)"
assert_eq 0 "$(metric last_change_state state=stranded)"
assert_eq "1 2 1" "$(metric desired_list_known) $(metric desired_entries) $(metric expired_entries)"
assert_eq 1580515200 "$(metric desired_expiry_timestamp_seconds entry=kernel.sem)"

# 4. A run that is killed.
node_settings health_delay_ms=3000
is_written() { grep -q kernel.shm "$(node_path /etc/sysconfig/kubelet)"; }
run_start killed add 'kernel.shm*' --window 1s
wait_until 10 is_written || fail "nothing was written: $(cat "$(run_said killed)")"
run_signal killed KILL
assert_exit 137 run_end killed
assert_eq 0 "$(take)"
assert_eq 1 "$(metric unfinished_changes)"
assert_eq 0 "$(metric last_change_state state=confirmed)"
node_settings
assert_exit 0 tool recover --window 200ms -q
assert_eq 0 "$(take)"
assert_eq 0 "$(metric unfinished_changes)"

# 5. Nobody can determine: the old numbers go, an alert hears of it, and the unit has failed.
node_run sed -i '/^ExecStart=/d' /usr/lib/systemd/system/kubelet.service
node_run systemctl daemon-reload
assert_eq 1 "$(take)"
assert_eq "0 " "$(metric up) $(metric configured_entries)"
assert_eq 0 "$(metric unfinished_changes)"

# 6. The timer goes on after a failure.
node_run systemctl enable --now kubelet-sysctl-metrics.timer 2>/dev/null
assert_eq active "$(node_run systemctl is-active kubelet-sysctl-metrics.timer)"
next=$(node_run systemctl show kubelet-sysctl-metrics.timer -p NextElapseUSecRealtime --value)
[ -n "$next" ] && [ "$next" != n/a ] || fail "the timer fires no more"
