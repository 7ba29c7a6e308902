#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts the desired list into an image and applies it there; nothing is started and no process is asked.
#
#   apply.sh ROOT     the mounted tree of the image, in which the package is installed
#
# The exit code is that of kubelet-sysctl: a refused entry (3) fails the build, which is the place to learn of
# it. An image without the kubelet's configuration gets the list at its first boot, by the unit.
set -eu
root=$1
here=$(dirname "$0")
install -D -m 0644 "$here/../kubelet-sysctl.conf" "$root/etc/kubelet-sysctl.conf"
kubelet-sysctl sync --root "$root" --reason 'image build'
systemctl --root "$root" enable kubelet-sysctl-sync.service
