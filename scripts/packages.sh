#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian packages that this project needs, listed once, and the installing of those not there yet.
#
#   scripts/packages.sh build          what a build of the program needs
#   scripts/packages.sh test           that, and what the tests need
#   scripts/packages.sh develop        that, and formatter, linter, fuzzer and packager
#   scripts/packages.sh --list GROUP   prints the names and installs nothing
set -eu

build="g++ cmake ninja-build libcli11-dev libyaml-cpp-dev libfmt-dev libspdlog-dev nlohmann-json3-dev"
# systemd-container boots the e2e machines; attr makes the xattrs that the disk tests read back;
# python3-jsonschema checks every document that -o json prints; strace counts syncs and restarts. The
# examples run the real Ansible and cloud-init (which fetches with curl) on nodes with dbus and ps; the
# benchmarks compare with augtool and yq by hyperfine.
test="$build libgtest-dev libgmock-dev binutils systemd systemd-container attr python3
  python3-jsonschema strace dbus procps ansible-core cloud-init curl augeas-tools hyperfine yq"
develop="$test clang-14 clang-tidy-14 clang-format-14 libclang-rt-14-dev rpm file"

fail() {
  echo "packages.sh: error: $1" >&2
  exit "$2"
}

packages_of() {
  case "$1" in
    build) echo "$build" ;;
    test) echo "$test" ;;
    develop) echo "$develop" ;;
    *) fail "unknown group '$1': build, test or develop" 2 ;;
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
