# SPDX-License-Identifier: Apache-2.0
# bash completion for kubelet-sysctl; a test compares its words with the program's tables.

# The sysctls of this machine that live in the groups a kubelet can allow, as entries.
_kubelet_sysctl_entries() {
  local path
  for path in /proc/sys/net/** /proc/sys/fs/mqueue/* /proc/sys/kernel/{sem,msg*,shm*}; do
    [ -f "$path" ] || continue
    path=${path#/proc/sys/}
    printf '%s\n' "${path//\//.}"
  done
}

# The ids of the changes that are on record; only root can read them.
_kubelet_sysctl_changes() {
  ls -r /var/lib/kubelet-sysctl/transactions 2>/dev/null
}

_kubelet_sysctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]}
  local everywhere='--root --systemd-version --output --color --verbose --help'
  local changes='--dry-run --diff --no-restart --timeout --window --no-rollback --reason
    --lock-timeout --quiet'
  local edits='--from-file --via --file --unchanged-exit-77 --unit --trial --kubelet-version'
  local words=''
  COMPREPLY=()

  if [ "$COMP_CWORD" = 1 ]; then
    words='show explain check doctor add remove set history undo recover keep help --help --version'
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    return
  fi

  case $prev in
    --via) words='auto config args' ;;
    -o | --output) words='text json' ;;
    --color) words='auto always never' ;;
    --timeout | --window | --lock-timeout) words='0s 10s 30s 2m' ;;
    --trial) words='5m 10m 30m 1h' ;;
    --reason | --systemd-version | --kubelet-version) return ;;
    --end-trial) words=$(_kubelet_sysctl_changes) ;;
    -f | --from-file | --file)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    --root)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      return
      ;;
    --unit)
      words=$(systemctl list-unit-files --type=service --no-legend 2>/dev/null | cut -d ' ' -f 1)
      ;;
  esac
  if [ -n "$words" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    return
  fi

  case $command in
    show) words="$everywhere --unit --kubelet-version --exit-code" ;;
    explain) words="$everywhere --unit" ;;
    check) words="$everywhere --unit --kubelet-version --from-file --quiet" ;;
    doctor) words="$everywhere $changes --unit --kubelet-version --fix" ;;
    add) words="$everywhere $changes $edits --exact --force --allow-wide" ;;
    remove) words="$everywhere $changes $edits --evict-pods" ;;
    set) words="$everywhere $changes $edits --force --allow-wide --evict-pods" ;;
    history) words="$everywhere" ;;
    undo) words="$everywhere $changes --evict-pods" ;;
    recover) words="$everywhere --dry-run --timeout --window --lock-timeout --quiet --end-trial" ;;
    keep) words="$everywhere --lock-timeout --quiet" ;;
    help) words='show explain check doctor add remove set history undo recover keep' ;;
  esac
  case $command:$cur in
    *:-* | show:* | explain:* | doctor:* | recover:* | help:*) ;;
    history:* | undo:* | keep:*) words=$(_kubelet_sysctl_changes) ;;
    *) words=$(shopt -s globstar nullglob && _kubelet_sysctl_entries) ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _kubelet_sysctl kubelet-sysctl
