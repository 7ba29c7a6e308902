#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole program built from two copies of the tree, in two directories: the same bytes. Takes minutes.
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"

work=$(mktemp -d)
# What stops the run before its end counts as a failure.
trap 'rm -rf "$work"; [ -n "$ended" ] || echo "0 passed, 1 failed, 0 skipped"' EXIT
ended=""
"$packages_source/scripts/packages.sh" build
for copy in one another/and/deeper; do
  mkdir -p "$work/$copy/tree"
  (cd "$packages_source" && tar --create CMakeLists.txt CMakePresets.json LICENSE cmake docs include src) |
    tar --extract --directory "$work/$copy/tree"
  cmake -S "$work/$copy/tree" --preset static -B "$work/$copy/made" -DKUBELET_SYSCTL_TESTS=OFF
  CCACHE_DISABLE=1 cmake --build "$work/$copy/made" --parallel "$(nproc)"
done
cmp "$work/one/made/kubelet-sysctl" "$work/another/and/deeper/made/kubelet-sysctl"
sha256sum "$work/one/made/kubelet-sysctl"
ended=yes
echo "1 passed, 0 failed, 0 skipped"
