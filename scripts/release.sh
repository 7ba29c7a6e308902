#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a release of the commit that is checked out: the static program as tar.gz, DEB and RPM, the source, the list of
# components (SPDX), repositories for apt and dnf, SHA256SUMS, and a signature of each list that a client reads.
#
#   scripts/release.sh --key KEY --output DIRECTORY [--packages DIRECTORY]...
#
#   --key KEY             signs, as gpg names it; its public half goes along as kubelet-sysctl.asc
#   --output DIRECTORY    must not exist yet
#   --packages DIRECTORY  packages that cpack made already; else they are built here, for amd64 and for arm64
#
# Everything but the signatures is the same bytes for the same commit. Needs the packages of
# `scripts/packages.sh release`.
set -euo pipefail
source=$(cd "$(dirname "$0")/.." && pwd)
key=""
output=""
packages=()

fail() {
  echo "release.sh: error: $1" >&2
  exit "${2:-1}"
}

while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || fail "'$1' needs a value" 2
  case "$1" in
    --key) key=$2 ;;
    --output) output=$2 ;;
    --packages) packages+=("$(cd "$2" && pwd)") ;;
    *) fail "unknown option '$1': --key, --output or --packages" 2 ;;
  esac
  shift 2
done
[ -n "$key" ] || fail "'--key KEY' is missing: what is not signed cannot be told from what somebody else made" 2
[ -n "$output" ] || fail "'--output DIRECTORY' is missing" 2
[ ! -e "$output" ] || fail "'$output' exists: a release is made once"
for program in apt-ftparchive createrepo_c gpg git; do
  command -v "$program" >/dev/null || fail "$program is missing: scripts/packages.sh release"
done
gpg --batch --quiet --list-secret-keys "$key" >/dev/null 2>&1 || fail "gpg has no secret key '$key'"
cd "$source"
version=$(sed -n 's/^  VERSION //p' CMakeLists.txt)
changed=$(git status --porcelain)
[ -z "$changed" ] || fail "the tree has changes that are in no commit: $(head -n 1 <<<"$changed")"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# built PRESET: compiles, and makes its packages.
built() {
  cmake --preset "$1" -B "build/$1" -D KUBELET_SYSCTL_TESTS=OFF >&2
  cmake --build "build/$1" --parallel "$(nproc)" >&2
  rm -rf "build/$1/packages"
  (cd "build/$1" && cpack --config CPackConfig.cmake -B "$PWD/packages" >&2)
  packages+=("$source/build/$1/packages")
}

if [ ${#packages[@]} = 0 ]; then
  built static
  scripts/arm64-libraries.sh >&2
  built static-arm64
fi

# Made beside its place and moved at the end: what is there is whole.
work=$output.new
rm -rf "$work"
mkdir -p "$work/apt/pool" "$work/rpm"
for directory in "${packages[@]}"; do
  find "$directory" -maxdepth 1 -type f \
    \( -name '*.deb' -o -name '*.rpm' -o -name '*.tar.gz' -o -name '*.spdx.json' \) -exec cp -t "$work" {} +
done
find "$work" -maxdepth 1 -name '*.deb' | grep -q . || fail "no DEB in ${packages[*]}"
git archive --format=tar --prefix="kubelet-sysctl-$version/" HEAD | gzip -9n >"$work/kubelet-sysctl-$version.tar.gz"
gpg --batch --quiet --armor --export "$key" >"$work/kubelet-sysctl.asc"
signed() { gpg --batch --yes --quiet --local-user "$key" --armor "$@"; }

# apt trusts InRelease alone, which holds the sums of all the rest.
cp "$work"/*.deb "$work/apt/pool/"
cd "$work/apt"
architectures=$(for deb in pool/*.deb; do dpkg-deb --field "$deb" Architecture; done | sort -u | xargs)
for architecture in $architectures; do
  list=dists/stable/main/binary-$architecture
  mkdir -p "$list"
  apt-ftparchive --arch "$architecture" packages pool >"$list/Packages"
  gzip -9nk "$list/Packages"
done
apt-ftparchive -o APT::FTPArchive::Release::Origin=kubelet-sysctl -o APT::FTPArchive::Release::Suite=stable \
  -o APT::FTPArchive::Release::Codename=stable -o APT::FTPArchive::Release::Components=main \
  -o "APT::FTPArchive::Release::Architectures=$architectures" release dists/stable >Release.new
mv Release.new dists/stable/Release
sed -i "s/^Date: .*/Date: $(date --utc --date="@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S UTC')/" dists/stable/Release
signed --clearsign --output dists/stable/InRelease dists/stable/Release
cd - >/dev/null

# dnf with repo_gpgcheck=1 trusts repomd.xml by its signature.
if compgen -G "$work/*.rpm" >/dev/null; then
  cp "$work"/*.rpm "$work/rpm/"
  # The time of the file is a part of the metadata.
  touch --date="@$SOURCE_DATE_EPOCH" "$work"/rpm/*.rpm
  createrepo_c --quiet --no-database --revision "$SOURCE_DATE_EPOCH" --set-timestamp-to-revision "$work/rpm"
  signed --detach-sign "$work/rpm/repodata/repomd.xml"
else
  rmdir "$work/rpm"
fi

(cd "$work" && find . -maxdepth 1 -type f ! -name 'SHA256SUMS*' -printf '%f\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS)
signed --detach-sign "$work/SHA256SUMS"
mv "$work" "$output"
echo "release $version in '$output':"
(cd "$output" && find . -type f -printf '%P\n' | LC_ALL=C sort)
