#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the screen of a terminal of 80 columns and 24 lines that was sent standard input."""
import sys

import pyte

screen = pyte.Screen(80, 24)
pyte.ByteStream(screen).feed(sys.stdin.buffer.read())
print("\n".join(line.rstrip() for line in screen.display).rstrip())
