#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A configuration file that a kubelet would not read, or whose edit cannot be proved, is left as it is
# and the kubelet with it; the error names the file and, where there is one, the line.
. "$(dirname "$0")/../../lib.sh"
needs_tool
file=/var/lib/kubelet/config.yaml
node_up kubeadm-deb
good=$E2E_TMP/good.yaml
cp "$(node_path $file)" "$good"
pid=$(kubelet_pid)

# refused EXIT TEXT WHAT: the file as it is now is refused, not written, and nothing restarts.
refused() {
  keep $file
  assert_exit "$1" tool add kernel.sem
  assert_contains "$ERR" "$file"
  assert_contains "$ERR" "$2"
  assert_kept $file
  assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process after: $3"
}

: >"$(node_path $file)"
refused 3 "empty" "zero bytes"
printf 'kind: [\n' >"$(node_path $file)"
refused 3 "$file:" "not YAML"
printf '\xff\xfe\n' >"$(node_path $file)"
refused 3 "UTF-8" "odd bytes"
sed '/^- /d; s/^allowedUnsafeSysctls:/& net.core.somaxconn/' "$good" >"$(node_path $file)"
refused 3 "list" "a scalar"

# Absent: kubeadm writes it later, so it is a fact and no error; an edit of it is not possible.
rm "$(node_path $file)"
assert_exit 3 tool add --via config kernel.sem
assert_contains "$ERR" "$file"
mkdir "$(node_path $file)"
assert_exit 3 tool add kernel.sem
assert_contains "$ERR" "directory"
rmdir "$(node_path $file)"

# Root reads everything but not through a file system that fails; here an unreadable link.
ln -s config.yaml "$(node_path $file)"
assert_exit 1 tool show
assert_contains "$ERR" "$file"
rm "$(node_path $file)"
cp "$good" "$(node_path $file)"
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
