# Before the program goes, and not at an upgrade: nothing may be left that would run it later.
if [ "$1" -eq 0 ]; then
  # This unit is there while a trial runs: its timer starts the program, and the program undoes the change.
  if [ -e /etc/systemd/system/kubelet-sysctl-recover.service ]; then
    echo "kubelet-sysctl: a change is on trial, and only this program can undo it when its time is over." >&2
    echo "hint: first run 'kubelet-sysctl keep', or 'kubelet-sysctl undo'" >&2
    exit 1
  fi
  # Warns of a change that was not finished; that one can be ended by hand.
  /usr/bin/kubelet-sysctl history >/dev/null || :
  if [ -e /usr/lib/systemd/system/kubelet-sysctl-sync.service ]; then
    systemctl --no-reload disable kubelet-sysctl-sync.service >/dev/null 2>&1 || :
    [ ! -d /run/systemd/system ] || systemctl stop kubelet-sysctl-sync.service || :
  fi
fi
