#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A change that the kernel fails at any one of its system calls ends with the truth: 0 and the new
# list in file and kubelet, or 1 or 4 and the old one in both.
#
# FAULT_EVERY=N takes every Nth point only, every third one without it.
. "$(dirname "$0")/../../lib.sh"
needs_tool
needs_stand_in
errors=(ENOSPC EIO EROFS EINTR EPERM)
points=0
next=0

fail_at() {
  local at="$1 $2 $3 ($FAULT_FILE)" wanted=old truth left
  fault_run "$1" "$2" "error=$3"
  points=$((points + 1))
  case $STATUS in
    0) wanted=new ;;
    1 | 4) ;;
    3) [ "$3" = EROFS ] || fault_violation untrue "$at: exit 3" ;; # the list's file, mounted read-only
    5) fault_violation stranded "$at" ;;
    *) fault_violation untrue "$at: exit $STATUS" ;;
  esac
  truth=$(fault_truth)
  [ "$truth" = "$wanted" ] || fault_violation untrue "$at: exit $STATUS, and it is: $truth"
  left=$(fault_temporaries)
  [ -z "$left" ] || fault_violation untrue "$at: left: $left"
  if fault_is_open; then
    tool recover --window 0ms || fault_violation untrue "$at: then recover exits $STATUS"
    ! fault_is_open || fault_violation untrue "$at: a record is open after recover"
    truth=$(fault_truth)
  fi
  [ "$truth" != old ] || return 0
  if ! tool undo --window 0ms || [ "$(fault_truth)" != old ]; then fault_back; fi
}

walk() {
  fault_node "$@"
  local call number
  while read -r call number <&7; do
    fail_at "$call" "$number" "${errors[next++ % ${#errors[@]}]}"
  done 7< <(fault_points | awk -v every="${FAULT_EVERY:-3}" 'NR % every == 0')
}

walk kops /etc/sysconfig/kubelet add kernel.sem --window 200ms
node_kill
walk kubeadm-deb /var/lib/kubelet/config.yaml add kernel.sem --via config --window 200ms
fault_end "fault points: $points" untrue stranded
