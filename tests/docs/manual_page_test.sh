#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The manual page is read without a warning by groff, by man and by mandoc, whichever are here.
set -euo pipefail
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/kubelet-sysctl.8
readers=0
failed=0

# silent COMMAND...: it says nothing on standard error. Its output is the page.
silent() {
  command -v "$1" >/dev/null || return 0
  readers=$((readers + 1))
  local said
  said=$("$@" 2>&1 >/dev/null) || said+=" (exit $?)"
  [ -z "$said" ] || { echo "FAILED $*: $said" >&2; failed=1; }
}

silent groff -man -ww -Tutf8 "$page"
silent man --warnings -E UTF-8 -l -Tutf8 -Z "$page"
if command -v mandoc >/dev/null; then
  readers=$((readers + 1))
  # It finds fault with a line of more than 80 bytes, which is a matter of style.
  mandoc -Tlint -W warning "$page" >&2 || failed=1
fi
[ "$readers" -gt 0 ] || { echo "skipped: neither groff nor man nor mandoc is here" >&2; exit 77; }
exit "$failed"
