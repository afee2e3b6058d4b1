"""PyTorch in a forked process: the threads of its parent are not there, and its first parallel loop waits for them."""

import os

import torch

_PARENT = os.getpid()


def one_thread_after_fork() -> None:
    """Limit PyTorch to one thread in a process that was forked after the import of this module; else do nothing."""
    if os.getpid() != _PARENT and torch.get_num_threads() > 1:
        torch.set_num_threads(1)
