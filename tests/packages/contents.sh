#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is in the DEB and the RPM, what they say of themselves, and what lintian says of the DEB.
# shellcheck source=tests/packages/lib.sh
. "$(dirname "$0")/lib.sh"
deb=$(echo "$packages_directory"/kubelet-sysctl_*.deb)
rpm=$(echo "$packages_directory"/kubelet-sysctl-*.rpm)
[ -e "$deb" ] || packages_skip "no package in '$packages_directory': tests/packages/make.sh makes them"
version=$("$packages_program" --version | cut -d ' ' -f 2)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# same WHAT EXPECTED SEEN
same() { [ "$2" = "$3" ] || complain "$1"$'\n'"$(diff <(echo "$2") <(echo "$3") || true)"; }

# Paths of both, where they are the same; the unit and the example are there when their files are.
common="/usr/bin/kubelet-sysctl
/usr/share/bash-completion/completions/kubelet-sysctl
/usr/share/doc/kubelet-sysctl/README.md
/usr/share/doc/kubelet-sysctl/changelog.gz
/usr/share/doc/kubelet-sysctl/kubelet-sysctl.spdx.json
/usr/share/doc/kubelet-sysctl/third-party-notices.gz
/usr/share/fish/vendor_completions.d/kubelet-sysctl.fish
/usr/share/man/man8/kubelet-sysctl.8.gz"
# Every page and example of the tree, which name each other.
common+=$'\n'$(cd "$packages_source" && find docs examples -type f \( -path 'docs/*' -name '*.md' -o -path 'docs/*' \
  -name '*.json' -o -path 'docs/*' -name '*.svg' -o -path 'examples/*' \) ! -path 'examples/nodes/*' \
  ! -name '*.pyc' | sed 's,^,/usr/share/doc/kubelet-sysctl/,')
# unit_in DIRECTORY
unit_in() {
  [ ! -e "$packages_source/packaging/systemd/kubelet-sysctl-sync.service" ] ||
    echo "$1/kubelet-sysctl-sync.service"
}

dpkg-deb --fsys-tarfile "$deb" | tar --list --verbose --numeric-owner --file - >"$work/deb"
same "the files of the DEB (< expected)" "$(sort <<<"$common
/usr/share/doc/kubelet-sysctl/changelog.Debian.gz
/usr/share/doc/kubelet-sysctl/copyright
/usr/share/lintian/overrides/kubelet-sysctl
/usr/share/zsh/vendor-completions/_kubelet-sysctl
$(unit_in /lib/systemd/system)" | sed '/^$/d')" \
  "$(awk '/^-/ { sub(/^\./, "", $6); print $6 }' "$work/deb" | sort)"
same "modes and owners in the DEB" "-rw-r--r-- 0/0
-rwxr-xr-x 0/0
drwxr-xr-x 0/0" "$(awk '{ print $1, $2 }' "$work/deb" | sort -u)"
for field in "Package kubelet-sysctl" "Version $version-1" "Architecture $(dpkg --print-architecture)" \
  "Depends systemd" "Section admin" "Priority optional"; do
  same "${field%% *} of the DEB" "${field#* }" "$(dpkg-deb --field "$deb" "${field%% *}")"
done
dpkg-deb --control "$deb" "$work/control"
[ ! -e "$work/control/conffiles" ] || complain "the DEB has conffiles: $(cat "$work/control/conffiles")"

if [ -e "$rpm" ] && command -v rpm >/dev/null; then
  query() { rpm --dbpath "$work/db" -qp --nosignature "$rpm" "$@"; }
  same "the files of the RPM (< expected)" "$(sort <<<"$common
/usr/share/licenses/kubelet-sysctl/LICENSE
/usr/share/zsh/site-functions/_kubelet-sysctl
$(unit_in /usr/lib/systemd/system)" | sed '/^$/d')" \
    "$(query --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' | awk '/^-/ { print $2 }' | sort)"
  same "what the RPM says of itself" \
    "kubelet-sysctl $version $(uname -m) Apache-2.0"$'\n'root:root \
    "$(query --queryformat '%{NAME} %{VERSION} %{ARCH} %{LICENSE}\n[%{FILEUSERNAME}:%{FILEGROUPNAME}\n]' |
      sort -u)"
  same "the description of both" "$(dpkg-deb --field "$deb" Description | sed '1d; s/^ //')" \
    "$(query --queryformat '%{DESCRIPTION}\n')"
  same "directories of the RPM: its own" "/usr/share/doc/kubelet-sysctl
/usr/share/licenses/kubelet-sysctl" "$(query --queryformat '[%{FILEMODES:perms} %{FILENAMES}\n]' |
    awk '/^d/ && !/kubelet-sysctl\/(docs|examples)/ { print $2 }' | sort)"
  query --requires | grep -qx systemd || complain "the RPM does not require systemd"
  query --scripts >"$work/scripts"
  for part in postinstall preuninstall postuninstall; do
    grep -q "^$part scriptlet" "$work/scripts" || complain "the RPM has no $part scriptlet"
  done
else
  echo "no RPM was made here"
fi

if command -v lintian >/dev/null; then
  lintian --allow-root --fail-on error,warning "$deb" || complain "lintian"
else
  echo "lintian is not here"
fi
exit "$packages_failed"
