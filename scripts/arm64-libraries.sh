#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches Debian's arm64 builds of the libraries that a static program is linked with, for a cross build.
#
#   scripts/arm64-libraries.sh [DIR]    puts them below DIR (default: build/arm64-libraries)
#
# The packages are unpacked, not installed: libyaml-dev cannot be installed for two architectures, and
# the package lists of this machine stay as they are. The compiler is the package g++-aarch64-linux-gnu.
set -eu

directory=${1:-$(dirname "$0")/../build/arm64-libraries}
packages="libyaml-dev libfmt-dev libspdlog-dev"

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
[ ! -e "$directory/complete" ] || exit 0
state=$directory/apt
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
: >"$state/status"

# apt with lists of its own and no package of this machine; its sources and keys are the machine's.
arm64_apt() {
  apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
    -o "Dir::State=$state" -o "Dir::State::status=$state/status" -o "Dir::State::lists=$state/lists" \
    -o "Dir::Cache=$state/cache" "$@"
}
arm64_apt update
# shellcheck disable=SC2086
(cd "$state" && arm64_apt download $packages >/dev/null)
# CMake's files in them ask for the shared libraries too, though nothing is linked with these.
shared=$(for package in "$state"/*.deb; do dpkg-deb --field "$package" Depends; done |
  grep -oE 'lib(fmt|spdlog)[0-9][0-9.]*' | sort -u)
# shellcheck disable=SC2086
(cd "$state" && arm64_apt download $shared >/dev/null)
for package in "$state"/*.deb; do
  dpkg-deb --extract "$package" "$directory"
done
# Name, version, source and its version, for the list of components.
for package in "$state"/*.deb; do
  dpkg-deb --show --showformat='${Package} ${Version} ${source:Package} ${source:Version}\n' "$package"
done >"$directory/packages"
rm -rf "$state"
: >"$directory/complete"
