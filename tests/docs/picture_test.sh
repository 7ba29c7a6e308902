#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The picture in the README is that of a real run: plays its session and compares what is printed, colours
# included, with the recorded one; and the picture with what is drawn of that. Process ids, times and ids of
# changes are left out. Links of the documentation are inspected too.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
picture=$source_dir/docs/picture
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# plain FILE: the session without what differs from run to run.
plain() {
  sed -E -e 's/[0-9]{8}T[0-9]{6}Z-[0-9]+/ID/g' -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(Z|[+-][0-9:]{5})/TIME/g' \
    -e 's/\((now|[0-9]+ (s|min) ago)\)/(AGO)/g' \
    -e 's/\bpid [0-9]+/pid N/g' -e 's/\b[0-9]+(\.[0-9]+)? (ms|s|min)\b/DURATION/g' \
    -e 's/E[0-9]{4} [0-9:.]+ +[0-9]+ /EDATE TIME N /' "$1"
}

title=$(sed -n 's:.*<title>\(.*\)</title>.*:\1:p' "$picture/terminal.svg")
python3 "$source_dir/scripts/terminal_svg.py" "$title" <"$picture/session.ansi" |
  cmp - "$picture/terminal.svg" || {
  echo "FAILED: docs/picture/terminal.svg is not drawn of docs/picture/session.ansi" >&2
  exit 1
}

failed=0
for page in "$source_dir"/docs/*.md; do
  for link in $(grep -oE '\]\([^)#]+' "$page" | sed 's/^](//' | grep -v '://'); do
    [ -e "$source_dir/docs/$link" ] || { echo "FAILED: ${page##*/} links to '$link'" >&2; failed=1; }
  done
done
[ "$failed" = 0 ] || exit 1

status=0
"$picture/session.sh" >"$work/session" 2>"$work/errors" || status=$?
if [ "$status" -ne 0 ]; then
  cat "$work/session" "$work/errors" >&2
  exit "$status"
fi
diff <(plain "$picture/session.ansi") <(plain "$work/session") >&2 || {
  echo "FAILED: the session prints something else than the picture shows (< picture, > now)" >&2
  exit 1
}
