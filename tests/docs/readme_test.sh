#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tables of the README against what the program says of itself, and its links and paths.
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
program=${KUBELET_SYSCTL:-$source_dir/build/static/kubelet-sysctl}
readme=$source_dir/README.md
[ -x "$program" ] || { echo "skipped: no program at '$program': build it" >&2; exit 77; }

failed=0
# same WHAT EXPECTED SEEN
same() {
  [ -n "$2" ] || { echo "FAILED $1: nothing to compare with" >&2; failed=1; }
  [ "$2" = "$3" ] || { echo "FAILED $1 (< expected, > seen):" >&2
    diff <(echo "$2") <(echo "$3") >&2 || true; failed=1; }
}
# rows FILE HEAD: the rows below this line of a table.
rows() {
  awk -v head="$2" '$0 == head { inside = 1; next } inside && !/^\|/ { exit }
    inside && !/^\| ---/' "$1"
}
# section NAME: the lines of the help below "NAME:".
section() { "$program" --help | sed -E ':a;N;$!ba;s/\n {18,}/ /g' | awk -v head="$1:" '$0 == head { inside = 1; next }
  inside && /^$/ { exit } inside'; }

same "the commands of the README and of --help" \
  "$(section commands | sed -E 's/^  (.*[^ ])  +(.*)$/| `\1` | \2 |/')" \
  "$(rows "$readme" '| command | what it does |')"

codes=$(rows "$source_dir/docs/exit-codes.md" '| code | name | meaning |')
[ "$(wc -l <"$readme")" -lt 150 ] || { echo "FAILED the README has 150 lines or more" >&2; failed=1; }
same "the exit codes of docs/exit-codes.md and of --help" \
  "$(section 'exit codes' | sed -E 's/^ +([0-9]+)  ([^ ]+) +(.*)$/| \1 | \2 | \3 |/')" "$codes"

# Options that the README names: each is one of some command.
all_help=$(section commands | awk '{print $1}' |
  while read -r command; do "$program" "$command" --help-all; done)
for option in $(grep -o '`--[a-z0-9-]*' "$readme" | tr -d '`' | sort -u); do
  case $option in --allowed-unsafe-sysctls | --help | --version) continue ;; esac
  grep -qE -e "$option( |\$)" <<<"$all_help" ||
    { echo "FAILED no command takes the option '$option' of the README" >&2; failed=1; }
done

# Files that it links to.
for link in $(grep -oE '\]\([^)#]+' "$readme" | sed 's/^](//' | grep -v '://'); do
  [ -e "$source_dir/$link" ] || { echo "FAILED the README links to '$link', which is not there" >&2
    failed=1; }
done
exit "$failed"
