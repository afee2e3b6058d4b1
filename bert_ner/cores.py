"""How many cores a process uses."""

import os


def usable_cores() -> int:
    """Return how many cores to use: as many as OMP_NUM_THREADS says, as PyTorch does, or all that are available."""
    return asked_cores() or available_cores()


def asked_cores() -> int | None:
    """Return the number in OMP_NUM_THREADS, of `4,2` the first, for threads that start no others; None without one."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isascii() and first.isdecimal() and int(first) else None


def available_cores() -> int:
    """Return how many cores this process may run on: a container or taskset may leave it fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
