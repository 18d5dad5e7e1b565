"""Sequence-to-sequence video object segmentation, with a video-level representation.

Importing the package tells glibc's malloc to keep large freed blocks. By default it hands every large tensor
back to the kernel, and a training step then spends a fifth of its time (several times as much on a busy
machine) on page faults for memory it had a moment ago.

It also tells OpenMP, where torch is not loaded yet, not to wait for long in a busy loop. On a quiet machine that
changes nothing, but where something else wants the same cores a step with two threads took many times as long for it.
"""

import ctypes
import os
import sys


def _keep_freed_memory() -> None:
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl and others: nothing to set
        return
    mmap_threshold, trim_threshold, largest = -3, -1, 1 << 30
    mallopt(mmap_threshold, largest)
    mallopt(trim_threshold, 2**31 - 1)


def _wait_patiently() -> None:
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # turns of an empty loop, some microseconds


_keep_freed_memory()
_wait_patiently()
