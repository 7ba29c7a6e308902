#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes every package twice, in two directories and at two times: the bytes are the same.
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"
[ -x "$packages_program" ] || packages_skip "no program at '$packages_program': build it"

# The one thing of a shell that packages do depend on: cpack's own files take their modes from it.
umask 022
packages_make "$packages_directory"
# What depends on the clock shows only when the second of it has changed.
second=$(date +%s)
again=$packages_directory.again/and-deeper
mkdir -p "$again"
until [ "$(date +%s)" != "$second" ]; do sleep 0.05; done
TZ=Asia/Kathmandu LC_ALL=C packages_make "$again"

count=0
for file in "$packages_directory"/kubelet-sysctl*; do
  cmp "$file" "$again/${file##*/}" || complain "two makings of '${file##*/}' differ"
  count=$((count + 1))
done
[ "$count" -ge 3 ] || complain "only $count files were made: $(ls "$packages_directory")"
rm -rf "$packages_directory.again"
ls -l "$packages_directory"
exit "$packages_failed"
