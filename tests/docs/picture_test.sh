#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The session in the README, and its picture, are those of a real run: plays it and compares word by word what a
# terminal of 80 columns shows, colours included, with the recorded one; and README and picture with that.
# Process ids, times, ids of changes and the release of the kernel are left out. UPDATE_DOCS=1 records all three
# again. Links of the documentation are inspected too.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
picture=$source_dir/docs/picture
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The python3 of the package python3-pyte may not be the first one here.
python=python3
"$python" -c 'import pyte' 2>/dev/null || python=/usr/bin/python3
svg() { "$python" "$source_dir/scripts/terminal_svg.py" "$1"; }
title=$(sed -n 's:.*<title>\(.*\)</title>.*:\1:p' "$picture/terminal.svg")

# shown FILE: the session as text, the first block of the README.
shown() { sed -E 's/\x1b\[[0-9;]*m//g' "$1"; }
block() { awk '/^```$/ { exit } inside; /^```console$/ { inside = 1 }' "$source_dir/README.md"; }

# plain FILE: the words of the session without what differs from run to run.
plain() {
  tr -s ' \n' '\n\n' <"$1" | tr '\n' ' ' |
    sed -E -e 's/[0-9]{8}T[0-9]{6}Z-[0-9]+/ID/g' -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:]{8}(Z|[+-][0-9:]{5}| UTC)?/TIME/g' \
      -e 's/\((now|[0-9]+ (s|min) ago)\)/(AGO)/g' -e 's/kernel [0-9]\.[0-9.]+[^ ,;)]*/kernel RELEASE/g' \
      -e 's/\bpid [0-9]+/pid N/g' -e 's/\b[0-9]+(\.[0-9]+)? ?(ms|s|min)\b/DURATION/g' | tr ' ' '\n'
}

record() {
  local status=0
  "$picture/session.sh" >"$work/sent" 2>"$work/errors" || status=$?
  if [ "$status" -ne 0 ]; then
    cat "$work/sent" "$work/errors" >&2
    exit "$status"
  fi
  # As on a Debian 12, whatever kernel this machine has.
  sed "s/$(uname -r)/6.1.0-28-amd64/g" "$work/sent" | svg --screen >"$work/session"
}

if [ -n "${UPDATE_DOCS:-}" ]; then
  record
  cp "$work/session" "$picture/session.ansi"
  svg "$title" <"$picture/session.ansi" >"$work/terminal.svg"
  cp "$work/terminal.svg" "$picture/terminal.svg"
  shown "$picture/session.ansi" >"$work/shown"
  awk -v session="$work/shown" '/^```$/ && inside { inside = 0 } !inside
    /^```console$/ && !done { inside = done = 1; while ((getline line <session) > 0) print line }' \
    "$source_dir/README.md" >"$work/README.md"
  cp "$work/README.md" "$source_dir/README.md"
fi

failed=0
svg "$title" <"$picture/session.ansi" | cmp - "$picture/terminal.svg" || {
  echo "FAILED: docs/picture/terminal.svg is not drawn of docs/picture/session.ansi" >&2
  failed=1
}
diff <(shown "$picture/session.ansi") <(block) >&2 || {
  echo "FAILED: the first session of the README is not that of docs/picture/session.ansi (<)" >&2
  failed=1
}
for page in "$source_dir"/docs/*.md; do
  for link in $(grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -v '://'); do
    [ -e "$source_dir/docs/$link" ] || { echo "FAILED: ${page##*/} links to '$link'" >&2; failed=1; }
  done
done
[ "$failed" = 0 ] || exit 1

"$python" -c 'import pyte' 2>/dev/null || { echo "skipped: pyte is missing (package python3-pyte)" >&2; exit 77; }
record
diff <(plain "$picture/session.ansi") <(plain "$work/session") >&2 || {
  echo "FAILED: the session prints something else than the picture shows (< picture, > now)" >&2
  exit 1
}
