# SPDX-License-Identifier: Apache-2.0
# Root file systems of other releases of Debian, made by debootstrap and kept; a script sources this file, and says
# in $roots where they are and in stop() how it ends over an error.
#
#   make_root RELEASE [PACKAGE...]  makes $roots/RELEASE, if it is not there yet
#   inside ROOT COMMAND...          runs it there, with a /proc that goes with it
#
# MIRROR says where Debian's packages come from; else they come from where this machine has its own.

# The first of the machine's sources of packages: its security updates have no other release.
mirror() {
  apt-get indextargets --format "\$(REPO_URI)" 'Identifier: Packages' | grep -v security | sed 's,/*$,,' | head -n 1
}

inside() {
  # shellcheck disable=SC2016
  unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$@"
}

make_root() {
  local release=$1 root=$roots/$1 packages from
  shift
  [ ! -e "$root/complete" ] || return 0
  [ "$(id -u)" = 0 ] || stop "needs root, to make a root directory"
  command -v debootstrap >/dev/null || stop "debootstrap is missing: apt-get install debootstrap"
  from=${MIRROR:-$(mirror)}
  [ -n "$from" ] || stop "apt has no source of packages; MIRROR=URL says where Debian is"
  packages=$(IFS=,; echo "$*")
  mkdir -p "$roots"
  rm -rf --one-file-system "$root"
  debootstrap --variant=minbase ${packages:+"--include=$packages"} "$release" "$root" "$from" >"$root.log" 2>&1 || {
    tail -n 5 "$root.log" >&2
    stop "cannot make a root of $release from '$from'"
  }
  touch "$root/complete"
}
