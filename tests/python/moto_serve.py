#!/usr/bin/env python3
"""Runs moto's server on a free loopback port for as long as its standard input stays open.

The test process holds the other end. However it ends, by a panic or a kill included, the system closes that end, so
no server is ever left behind. The address is in the line "Running on http://127.0.0.1:PORT", on standard error.
"""

import os
import sys
import threading

import moto.server


def end_with_the_test():
    """Waits until nobody can write to standard input any more."""
    while sys.stdin.buffer.read(4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_test, daemon=True).start()
    moto.server.main(["-H", "127.0.0.1", "-p", "0"])
