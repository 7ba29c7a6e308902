#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A release made by scripts/release.sh with a throw-away key: twice the same bytes, its sums and signatures hold, a
# node installs from its repository for apt with the key pinned, and takes nothing of which a byte was changed. Of the
# repository for dnf, signature and sums are checked here; that the RPM installs, the case 'packages' sees.
. "$(dirname "$0")/../../lib.sh"
. "$E2E_SOURCE/tests/packages/lib.sh"
needs_tool
for program in cpack apt-ftparchive createrepo_c gpg git python3; do
  command -v $program >/dev/null || skip "$program is missing: scripts/packages.sh test"
done
git -C "$E2E_SOURCE" rev-parse HEAD >/dev/null 2>&1 || skip "a release is made of a commit: this is no clone"
if ! compgen -G "$packages_directory/kubelet-sysctl_*.deb" >/dev/null; then
  packages_directory=$E2E_TMP/packages
  packages_make "$packages_directory"
fi
export GNUPGHOME=$E2E_TMP/gnupg
release=$E2E_TMP/release
mkdir -m 0700 "$GNUPGHOME"
new_key() { gpg --batch --quiet --passphrase '' --quick-generate-key "$1" ed25519 sign never 2>&1; }
new_key release@test.invalid
new_key other@test.invalid
git clone --quiet "$E2E_SOURCE" "$E2E_TMP/tree"
make_release() {
  "$E2E_TMP/tree/scripts/release.sh" --key release@test.invalid --packages "$packages_directory" --output "$1"
}
make_release "$release"
make_release "$release.again" >/dev/null
diff -r -x '*.asc' -x InRelease "$release" "$release.again" || fail "two releases of one commit differ"
! make_release "$release" 2>"$ERR" || fail "a release was made twice in one place"
assert_contains "$ERR" "exists: a release is made once"
touch "$E2E_TMP/tree/of-no-commit"
! make_release "$release.dirty" 2>"$ERR" || fail "a release was made of what is in no commit"
assert_contains "$ERR" of-no-commit

cd "$release" || exit
sha256sum --check --quiet SHA256SUMS
[ "$(wc -l <SHA256SUMS)" = "$(find . -maxdepth 1 -type f ! -name 'SHA256SUMS*' | wc -l)" ] || fail "a file has no sum"
gpg --quiet --verify SHA256SUMS.asc SHA256SUMS 2>&1
gpg --quiet --verify apt/dists/stable/InRelease 2>&1
if [ -d rpm ]; then
  gpg --quiet --verify rpm/repodata/repomd.xml.asc rpm/repodata/repomd.xml 2>&1
  zcat rpm/repodata/*-primary.xml.gz | grep -qF "$(sha256sum rpm/*.rpm | head -n 1 | cut -d ' ' -f 1)" ||
    fail "the metadata for dnf have another sum of the RPM"
fi
version=$("$packages_program" --version)

# node_with_source NAME KEY: a node whose only source of packages is the release, under the key of KEY.
node_with_source() {
  node_new kops "$1"
  rm -rf "$NODE_ROOT/usr/local/bin/kubelet-sysctl" "$NODE_ROOT"/etc/dpkg/dpkg.cfg.d/* "$NODE_ROOT"/etc/apt/sources.list* \
    "$NODE_ROOT"/etc/apt/apt.conf.d/* "$NODE_ROOT"/var/lib/apt/lists/*
  mkdir -p "$NODE_ROOT/etc/apt/keyrings"
  cp -r "$release" "$NODE_ROOT/srv/release"
  gpg --batch --armor --export "$2" >"$NODE_ROOT/etc/apt/keyrings/kubelet-sysctl.asc"
  echo "deb [signed-by=/etc/apt/keyrings/kubelet-sysctl.asc] http://127.0.0.1:8000/apt stable main" \
    >"$NODE_ROOT/etc/apt/sources.list"
  node_boot
  node_run systemd-run --quiet --unit=served python3 -m http.server 8000 --bind 127.0.0.1 --directory /srv/release
  is_served() { node_run curl --silent --fail --output /dev/null http://127.0.0.1:8000/SHA256SUMS; }
  wait_until 10 is_served || fail "nothing is served"
}
# apt EXIT COMMAND...: what it says is in $E2E_TMP/apt.
apt() {
  local expected=$1 status=0
  shift
  echo "# apt-get $*"
  node_run env DEBIAN_FRONTEND=noninteractive apt-get --yes --no-install-recommends \
    -o APT::Sandbox::User=root "$@" >"$E2E_TMP/apt" 2>&1 || status=$?
  cat "$E2E_TMP/apt"
  assert_eq "$expected" "$status" "exit code of apt-get $*"
}
# changed FILE: one byte in its middle is another.
changed() {
  local file at byte
  file=$(node_path "/srv/release/$1")
  at=$(($(stat -c %s "$file") / 2))
  byte=$(od -An -tu1 -j $at -N1 "$file")
  # shellcheck disable=SC2059
  printf "\\x$(printf %x $((byte ^ 1)))" | dd of="$file" bs=1 seek=$at conv=notrunc status=none
}

node_with_source pinned release@test.invalid
deb=$(cd "$release" && echo apt/pool/*_"$(dpkg --print-architecture)".deb)
apt 0 update
changed "$deb"
apt 100 install kubelet-sysctl
assert_contains "$E2E_TMP/apt" "Hash Sum mismatch"
! node_run test -e /usr/bin/kubelet-sysctl || fail "a changed package was installed"
changed "$deb"
apt 0 install kubelet-sysctl
assert_eq "$version" "$(node_run kubelet-sysctl --version)"
assert_exit 0 node_run kubelet-sysctl show
node_run rm -rf /var/lib/apt/lists
changed apt/dists/stable/InRelease
apt 100 update
node_kill

node_with_source other other@test.invalid
apt 100 update
assert_contains "$E2E_TMP/apt" "is not signed"
