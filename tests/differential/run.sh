#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Units by chance, run by a booted systemd and read by `explain`: the answers are the same, or a refusal.
#
#   UNITS=N    how many (default: 300)
#   SEED=N     the seed (default: a new one each time, which is printed)
#   E2E_ROOT   as in tests/e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
needs_tool
say=${SAY_ARGUMENTS:-$E2E_SOURCE/build/static/say-arguments}
[ -x "$say" ] || skip "no program at '$say': build it"
units=${UNITS:-300}
seed=${SEED:-$RANDOM$RANDOM}
echo "seed $seed, $units units"
node_new kops
node_boot

tree=$E2E_TMP/tree
mkdir -p "$tree/usr/bin" "$tree/etc"
python3 "$E2E_SOURCE/tests/differential/units.py" make "$seed" "$units" "$tree"
for program in usr/bin/say bin/true bin/sh; do install -D -m 0755 "$say" "$tree/$program"; done
[ -d "$tree/usr/lib" ] || mkdir -p "$tree/usr/lib"
echo node-1 >"$tree/etc/hostname"
install -m 0755 "$say" "$(node_path /usr/bin/say)"
mkdir -p "$(node_path /run/said)"
for directory in etc/systemd/system usr/lib/systemd/system run/systemd/system etc/gen; do
  [ ! -d "$tree/$directory" ] || { mkdir -p "$(node_path /$directory)"
    cp -a "$tree/$directory/." "$(node_path /$directory)/"; }
done
release=$(node_run systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
node_run systemctl daemon-reload
# One by one: from 258 on a unit that does not load takes the others of its call along.
node_run sh -c 'while read -r unit; do systemctl start --no-block "$unit" 2>/dev/null; done; true' \
  <"$tree/units"
no_jobs() { [ -z "$(node_run systemctl list-jobs --no-legend 'g*')" ]; }
wait_until 120 no_jobs || fail "units still wait: $(node_run systemctl list-jobs --no-legend)"
xargs -n 100 <"$tree/units" | while read -r some; do
  node_run systemctl show -p Id,LoadState,Result $some
  echo
done >"$E2E_TMP/states"
KUBELET_SYSCTL_BIN=$E2E_TOOL python3 "$E2E_SOURCE/tests/differential/units.py" compare \
  "$tree" "$(node_path /run/said)" "$E2E_TMP/states" "$release"
