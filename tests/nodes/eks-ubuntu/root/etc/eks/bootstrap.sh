#!/usr/bin/env bash
# The real one ends in: snap set kubelet-eks config=... args="$KUBELET_EXTRA_ARGS"
