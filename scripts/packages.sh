#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian packages that this project needs, listed once, and the installing of those not there yet.
#
#   scripts/packages.sh build          what a build of the program needs
#   scripts/packages.sh node           that, and what boots a node in a container
#   scripts/packages.sh test           that, and what the tests need
#   scripts/packages.sh develop        that, and formatter, linter and fuzzer
#   scripts/packages.sh kubelet        what the tests need, and what builds a real kubelet
#   scripts/packages.sh arm64          what a build for arm64 needs, and what runs it here
#   scripts/packages.sh release        that, and what makes repositories and signs them
#   scripts/packages.sh --list GROUP   prints the names and installs nothing
set -eu

build="g++ cmake ninja-build libcli11-dev libyaml-dev libfmt-dev libspdlog-dev nlohmann-json3-dev"
# systemd-container boots the machines of the end-to-end tests and of the quickstart; they have dbus and ps.
# The stand-in kubelet that runs there is built with the tests, which need GoogleTest to be configured.
node="$build libgtest-dev libgmock-dev systemd systemd-container dbus procps python3"
# attr makes the xattrs that the disk tests read back; python3-jsonschema checks every document that -o json
# prints; strace counts syncs and restarts. The examples run the real Ansible and cloud-init (which fetches
# with curl); the benchmarks compare with augtool and yq by hyperfine. rpm makes and installs the RPM, lintian
# and mandoc judge the DEB and the manual page; the completions are tried in their shells. crun
# makes containers on the booted machines, from manifests that PyYAML reads. prometheus_client
# reads the metrics; pyte is the terminal of the recorded session; openssl makes certificates for a pretend API
# server. sudo and apparmor read the rule and the profile for them. apt-utils, createrepo-c and gnupg make the
# repositories of a release; debootstrap makes a node of a newer Debian.
test="$node binutils attr python3-jsonschema strace ansible-core cloud-init curl
  augeas-tools hyperfine yq crun python3-yaml python3-prometheus-client python3-pyte openssl rpm apt-utils
  createrepo-c gnupg debootstrap sudo apparmor lintian mandoc groff-base bash-completion zsh fish"
kubelet="$test golang-1.19-go dpkg-dev"
develop="$test clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev file"
arm64="$build g++-aarch64-linux-gnu qemu-user-static"
release="$arm64 apt-utils createrepo-c gnupg git rpm"

fail() {
  echo "packages.sh: error: $1" >&2
  exit "$2"
}

packages_of() {
  case "$1" in
    build) echo "$build" ;;
    node) echo "$node" ;;
    test) echo "$test" ;;
    develop) echo "$develop" ;;
    kubelet) echo "$kubelet" ;;
    arm64) echo "$arm64" ;;
    release) echo "$release" ;;
    *) fail "unknown group '$1': build, node, test, develop, kubelet, arm64 or release" 2 ;;
  esac
}

if [ "${1-}" = --list ]; then
  # Unquoted on purpose: one name a line.
  printf '%s\n' $(packages_of "${2:-build}")
  exit 0
fi

missing=""
for package in $(packages_of "${1:-build}"); do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || fail "packages are missing; as root: apt-get install$missing" 1
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get -o DPkg::Lock::Timeout=300 -qq update
# shellcheck disable=SC2086
apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -qq install --yes --no-install-recommends \
  $missing >/dev/null
