#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Real kubelets: story.sh with each of them. Not a part of the default run: building one takes minutes.
#
#   KUBELET_BIN   one or several, with colons between; else 1.20 is built (build.sh)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
passed=0
failed=0
skipped=0
IFS=: read -ra kubelets <<<"${KUBELET_BIN:-$("$here/build.sh")}"
for kubelet in "${kubelets[@]}"; do
  echo "== $kubelet"
  status=0
  KUBELET_BIN=$kubelet bash "$here/story.sh" || status=$?
  case $status in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
  esac
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
