# A new unit file has to be read by a manager that knows an older one.
[ ! -d /run/systemd/system ] || systemctl daemon-reload >/dev/null 2>&1 || :
