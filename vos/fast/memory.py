"""What is set for the whole process when `vos` is imported: how malloc frees, and how OpenMP waits.

By default glibc's malloc hands every large tensor back to the kernel, and a training step then spends a fifth of its
time (several times as much on a busy machine) on page faults for memory it had a moment ago. OpenMP threads wait in a
busy loop: on a quiet machine that changes nothing, but where something else wants the same cores a step with two
threads took many times as long for it.
"""

import ctypes
import os
import sys


def keep_freed_memory() -> None:
    """Tell glibc to keep large freed blocks; other systems are left alone."""
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):  # musl and others: nothing to set
        return
    mmap_threshold, trim_threshold, largest = -3, -1, 1 << 30
    mallopt(mmap_threshold, largest)
    mallopt(trim_threshold, 2**31 - 1)


def wait_patiently() -> None:
    """Where torch is not loaded yet, let its threads sleep soon."""
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # turns of an empty loop, some microseconds
