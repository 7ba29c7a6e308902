#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real kubelet, 1.20, built from Debian 12's source package `kubernetes` by golang-1.19, and kept in a cache
# directory. Prints its path. Took 26 minutes on two cores that had other work too, and 2 GB of disk.
#
#   KUBELETS   where it is kept (default: ~/.cache/kubelet-sysctl/kubelets)
#   JOBS       how many compilers at a time (default: 2)
#
# cmd/kubelet is not in a Debian package: only kubectl is. The source has everything that it needs, so no module
# is fetched.
set -euo pipefail
release=1.20.2
cache=${KUBELETS:-${XDG_CACHE_HOME:-$HOME/.cache}/kubelet-sysctl/kubelets}
kubelet=$cache/kubelet-$release

stop() {
  echo "build.sh: error: $1" >&2
  exit 1
}

if [ -x "$kubelet" ]; then
  echo "$kubelet"
  exit 0
fi
[ -x /usr/lib/go-1.19/bin/go ] || stop "golang-1.19 is missing: apt-get install golang-1.19-go"
mkdir -p "$cache"
work=$cache/build
rm -rf "$work"
mkdir -p "$work/apt/lists/partial" "$work/src/k8s.io"

# Sources of the places that apt has its packages from here; its own lists are left alone.
apt-get indextargets --format "\$(REPO_URI)" 'Identifier: Packages' | sort -u |
  while read -r place; do
    release_of=bookworm
    [ "${place%security/}" = "$place" ] || release_of=bookworm-security
    echo "deb-src $place $release_of main"
  done >"$work/apt/sources.list"
options=(-qq -o Dir::Etc::SourceList="$work/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
  -o Dir::State::Lists="$work/apt/lists" -o Dir::Cache="$work/apt" -o Acquire::Check-Valid-Until=false
  -o APT::Sandbox::User=root)
apt-get "${options[@]}" update >&2 || stop "apt cannot read its lists of sources"
(cd "$work" && apt-get "${options[@]}" source --download-only kubernetes >&2) ||
  stop "apt has no source package 'kubernetes' here"
dpkg-source --extract "$work"/kubernetes_1.20*.dsc "$work/src/k8s.io/kubernetes" >"$work/log" 2>&1 || {
  tail -n 5 "$work/log" >&2
  stop "cannot unpack the source package"
}

version=k8s.io/kubernetes/vendor/k8s.io/component-base/version
(cd "$work/src/k8s.io/kubernetes" && GOPATH=$work GO111MODULE=off GOFLAGS='' GOCACHE=$work/compiled \
  GOPROXY=off nice -n 10 /usr/lib/go-1.19/bin/go build -p "${JOBS:-2}" -o "$work/kubelet" \
  -ldflags "-s -w -X $version.gitVersion=v$release -X $version.gitMajor=1 -X $version.gitMinor=20" \
  ./cmd/kubelet) >"$work/log" 2>&1 || {
  tail -n 20 "$work/log" >&2
  stop "cannot compile the kubelet"
}
mv "$work/kubelet" "$kubelet"
rm -rf --one-file-system "$work"
echo "$kubelet"
