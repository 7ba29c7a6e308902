#!/bin/bash
# The real one writes kubelet-resource-sizing.conf anew before each start.
exit 0
