#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The stand-in reads flags and files as the kubelet does: rows of what a kubelet 1.20.2 did when it was
# run with them, and what the sources of later releases say. Needs no node.
set -euo pipefail
fake=${FAKE_KUBELET_BIN:-${FAKE_KUBELET:-$(dirname "$0")/../../../../build/static/fake-kubelet}}
[ -x "$fake" ] || { echo "skipped: no stand-in at '$fake'" >&2; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export FAKE_KUBELET_SETTINGS=$work/settings FAKE_KUBELET_STARTS=$work/starts
# A list that is taken ends in 42: the stand-in leaves by the knob, after the check of the list.
printf '%s\n' bad_list_delay_ms=0 health_delay_ms=60000 exit_after_ms=10 exit_code=42 \
  >"$FAKE_KUBELET_SETTINGS"
failures=0

# row EXIT TEXT WORDS...: TEXT is the list for 42, else a part of the last words.
row() {
  local expected=$1 text=$2 status=0 seen
  shift 2
  rm -f "$work/starts"
  "$fake" "$@" >"$work/said" 2>&1 || status=$?
  if [ "$expected" = 42 ]; then
    seen=$(cut -d ' ' -f 2- "$work/starts" 2>/dev/null || true)
    [ "$status" = 42 ] && [ "$seen" = "$text" ] && return
  else
    [ "$status" = "$expected" ] && grep -qF -e "$text" "$work/said" && return
  fi
  failures=$((failures + 1))
  printf 'FAILED: %q\n  expected: %s %s\n  seen:     %s %s\n%s\n' "$*" "$expected" "$text" \
    "$status" "${seen:-}" "$(cat "$work/said")" >&2
}
# file EXIT TEXT CONTENT: the same for a configuration file of that content.
header='kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n'
file() {
  printf "$3" >"$work/config"
  row "$1" "$2" "--config=$work/config"
}

flag=--allowed-unsafe-sysctls
export FAKE_KUBELET_VERSION=1.29.6
row 42 net.b,net.d $flag=net.b,net.d
row 42 net.b $flag net.b
row 42 net.b --allowed_unsafe_sysctls=net.b
row 42 net.b,net.c,net.d $flag=net.b $flag=net.c,net.d
row 42 "" $flag=
row 42 net.b $flag=net.b $flag=
row 42 net.a,net.b "$flag=\"net.a\",net.b"
row 42 net.a "$flag=net.a"$'\n'"net.c"
row 42 'kernel.msg*' "$flag=kernel.msg*"
row 1 'unknown flag: --Allowed-unsafe-sysctls' --Allowed-unsafe-sysctls=a
row 1 "unknown shorthand flag: 'a' in -allowed" -allowed-unsafe-sysctls=a
row 1 'bad flag syntax: ---x' ---x
row 1 "flag needs an argument: $flag" $flag
row 1 'sysctl \"--v=2\" must have at most 253 characters' $flag --v=2
row 1 'unknown command a.b' $flag -- a.b
row 1 'unknown command false' --enable-server false
row 1 'unknown flag: --bogus' --bogus
row 1 'bare \" in non-quoted-field' "$flag=a\"b,c"
row 1 'sysctl \"\" must have at most' $flag=net.a,
row 1 'sysctl \" net.b\" must have at most' "$flag=net.a, net.b"
row 1 'the sysctls \"vm.max_map_count\" are not known to be namespaced' $flag=vm.max_map_count
row 1 'the sysctls \"\" are not known to be namespaced' "$flag=*"
row 1 'the sysctls \"kernel.shm_\" are not known to be namespaced' "$flag=kernel.shm_*"
row 42 net/ipv4/tcp_rmem $flag=net/ipv4/tcp_rmem
row 0 'Kubernetes v1.29.6' --version

file 42 net.a,net.b,net.c "${header}allowedUnsafeSysctls:\n- net.a # x\n-  'net.b'\n- \"net.c\"\n"
file 42 net.a,net.b "${header}allowedUnsafeSysctls: [net.a,\n  'net.b']\n"
file 42 net.b "${header}allowedUnsafeSysctls: [net.a]\nallowedUnsafeSysctls: [net.b]\n"
file 42 net.a "\xef\xbb\xbf# c\n---\n${header}allowedUnsafeSysctls:\r\n- net.a\r\n---\na: b\n"
file 42 "" "${header}allowed-unsafe-sysctls: [net.a]\n"
file 42 "" "${header}allowedUnsafeSysctls: ~\n"
file 1 'Sysctls of type []string' "${header}allowedUnsafeSysctls: net.a\n"
file 1 'cannot unmarshal number' "${header}allowedUnsafeSysctls: [5]\n"
file 1 'sysctl \"\" must have' "${header}allowedUnsafeSysctls:\n-\n"
file 1 'cannot start any token' "${header}allowedUnsafeSysctls:\n\t- net.a\n"
file 1 'was empty' ""
file 1 "Object 'Kind' is missing" '{}'
file 1 'no kind \"kubeletConfiguration\" is registered' \
  "kind: kubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n"
file 1 'json parse error' '{apiVersion: a}'
row 1 'no such file or directory' --config=/does/not/exist
json='{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1"'
file 42 net.a "$json,\"allowedUnsafeSysctls\":[\"net.a\"]}"
row 42 net.b "--config=$work/config" $flag=net.b

# Drop-ins: in order of name, each list replaces, other extensions and directory links are passed by.
mkdir "$work/d"
printf '%s' "$json,\"allowedUnsafeSysctls\":[\"net.1\"]}" >"$work/d/10.conf"
printf '%s' "$json,\"allowedUnsafeSysctls\":[\"net.2\"]}" >"$work/d/20.conf"
printf '%s' "$json,\"allowedUnsafeSysctls\":[\"net.3\"]}" >"$work/d/30.json"
row 1 KUBELET_CONFIG_DROPIN_DIR_ALPHA --config-dir="$work/d"
export FAKE_KUBELET_VERSION=1.31.4
row 42 net.2 "--config=$work/config" --config-dir="$work/d"
ln -s d "$work/link"
row 42 net.a "--config=$work/config" --config-dir="$work/link"
row 1 'failed to merge kubelet configs' --config-dir="$work/none"

# Older releases: status 255 and plain text up to 1.20, narrower pattern, wider table.
export FAKE_KUBELET_VERSION=1.20.2
row 255 'unknown command: a' a
row 255 'failed to create kubelet: the sysctl "vm.x" are not known to be namespaced' $flag=vm.x
row 255 'the sysctls "vm.*" are not known to be namespaced' "$flag=vm.*"
row 255 'sysctl "net/a" must have at most 253 characters' $flag=net/a
row 42 'kernel.shm_*' "$flag=kernel.shm_*"
export FAKE_KUBELET_VERSION=1.22.10
row 1 '"Failed to run kubelet" err=' $flag=vm.x
row 1 'unknown flag: --config-dir' --config-dir=/x

[ "$failures" = 0 ] || { echo "$failures rows failed" >&2; exit 1; }
