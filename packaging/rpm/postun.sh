# The records in /var/lib/kubelet-sysctl stay: they hold the files as they were.
[ ! -d /run/systemd/system ] || systemctl daemon-reload >/dev/null 2>&1 || :
