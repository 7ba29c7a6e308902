#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# AppArmor's own parser takes the profile of examples/apparmor, and every program that
# docs/security.md says is started is one that the profile lets it start. The profile is not loaded: a kernel of a test machine seldom has AppArmor.
#
# Exit code 77 where the parser is missing.
set -eu
source=$(cd "$(dirname "$0")/../.." && pwd)
profile=$source/examples/apparmor/usr.bin.kubelet-sysctl
command -v apparmor_parser >/dev/null || {
  echo "skipped: apparmor_parser is missing (package apparmor)" >&2
  exit 77
}
apparmor_parser --skip-kernel-load --skip-cache "$profile"
for program in systemctl journalctl systemd-run crictl kubectl curl; do
  grep -qF "\`$program\`" "$source/docs/security.md" || { echo "FAILED security.md lacks '$program'" >&2; exit 1; }
  grep -qE "[{,]$program[,}].* Ux,$" "$profile" || { echo "FAILED the profile does not let it start '$program'" >&2; exit 1; }
done
