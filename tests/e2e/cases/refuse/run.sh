#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An entry that would stop the kubelet is refused before anything is written, in the kubelet's own
# words, with the place where such a setting belongs.
. "$(dirname "$0")/../../lib.sh"
needs_tool
node_up kops
keep /etc/sysconfig/kubelet
pid=$(kubelet_pid)

assert_exit 3 tool add vm.max_map_count
assert_contains "$ERR" 'the sysctls "vm.max_map_count" are not known to be namespaced'
assert_contains "$ERR" sysctl.d
# One bad entry spoils the run: the good one beside it is not written either.
assert_exit 3 tool add kernel.sem vm.max_map_count -o json
assert_eq Error "$(json 'd["kind"]')"
assert_eq 3 "$(json 'd["exit"]')"
assert_kept /etc/sysconfig/kubelet
assert_eq "$pid" "$(kubelet_pid)" "the kubelet's process"
