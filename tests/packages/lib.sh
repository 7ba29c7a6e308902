# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What the tests of packages share: where the build is, where packages go, and how a test ends.
set -euo pipefail

packages_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
packages_program=${KUBELET_SYSCTL_BIN:-${KUBELET_SYSCTL:-$packages_source/build/static/kubelet-sysctl}}
packages_build=$(dirname "$packages_program")
# Packages that another test made, or a place for ours.
packages_directory=${PACKAGES_DIR:-$packages_build/packages-test}
packages_failed=0

packages_skip() {
  echo "skipped: $*" >&2
  exit 77
}

complain() {
  echo "FAILED $*" >&2
  packages_failed=1
}

# packages_make DIRECTORY: every kind of package that this machine can make.
packages_make() {
  [ -e "$packages_build/CPackConfig.cmake" ] || packages_skip "no build in '$packages_build'"
  rm -rf "$1"
  mkdir -p "$1"
  (cd "$1" && cpack --config "$packages_build/CPackConfig.cmake" -B "$1") >"$1/log" 2>&1 || {
    cat "$1/log" >&2
    echo "FAILED cpack" >&2
    exit 1
  }
  rm -rf "$1/_CPack_Packages"
}
