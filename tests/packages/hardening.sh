#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What makes a fault harder to use, read out of the program and of what it was linked from; and what the unit that
# runs as root may still do, as systemd counts it.
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"
[ -x "$packages_program" ] || packages_skip "no program at '$packages_program': build it"

work=$(mktemp)
trap 'rm -f "$work"' EXIT
readelf --wide --file-header --program-headers --dynamic "$packages_program" >"$work"
# has WHAT PATTERN
has() { grep -qE "$2" "$work" || complain "the program: $1"; }
has "is not position independent" 'Type: +DYN'
has "has tables that stay writable" 'GNU_RELRO'
has "binds functions late, so that their table stays writable" 'BIND_NOW|Flags:.* NOW'
has "says nothing of its stack" 'GNU_STACK'
! grep -qE '(GNU_STACK|LOAD) .* RWE' "$work" || complain "the program has memory that is written and executed"

# A stripped program has no names: the objects have.
objects=$(find "$packages_build/src" -path '*kubelet_sysctl_*' -name '*.o')
[ -n "$objects" ] || packages_skip "no objects in '$packages_build'"
# shellcheck disable=SC2086
nm --undefined-only $objects | awk '{ print $2 }' | sort -u >"$work"
has "has no guard behind its buffers" '^__stack_chk_fail$'
has "uses unchecked functions of libc" '^__(memcpy|read|snprintf|vsnprintf|memmove|memset|strcpy|pread|readlink)_chk$'
has "does not check the index of a vector" '^_ZSt21__glibcxx_assert_fail'
case $(uname -m) in
  x86_64)
    # shellcheck disable=SC2086
    readelf --wide --notes $objects 2>/dev/null | grep -c 'IBT, SHSTK' >"$work" || true
    [ "$(cat "$work")" -ge "$(wc -w <<<"$objects")" ] || complain "an object is without branch protection"
    ;;
esac

# Source: systemd-analyze(1), security: 0 is none, 10 is all that root may do.
unit=$packages_source/packaging/systemd/kubelet-sysctl-sync.service
if systemd-analyze security --offline=true "$unit" >"$work" 2>&1; then
  score=$(sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p' "$work")
  awk -v score="$score" 'BEGIN { exit !(score != "" && score <= 4.0) }' || complain "the unit scores '$score'"
  echo "exposure of the unit: $score"
else
  complain "systemd-analyze: $(tail -n 2 "$work")"
fi
exit "$packages_failed"
