"""Share a training among several processes, each of which takes a part of every batch.

torchrun and accelerate start the processes, on one machine or on several. Each is a rank: it has a copy of the model,
and all ranks add up their gradients before each step, so their copies stay equal.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bert_ner.errors import BertNerError, first_line

if TYPE_CHECKING:
    import torch

Item = TypeVar("Item")


class Ranks(NamedTuple):
    """The number of a process among those that train together, from 0, and how many these are."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that reports and saves."""
        return self.rank == 0

    def part_of(self, batch: Sequence[Item]) -> Sequence[Item]:
        """Return this rank's items of a batch; empty if the batch has fewer items than there are ranks."""
        return batch[self.rank :: self.size]

    def add_up(self, tensor: torch.Tensor) -> None:
        """Replace a tensor by its sum over all ranks, in place."""
        if self.size > 1:
            from torch import distributed  # noqa: PLC0415 - slow to import

            distributed.all_reduce(tensor)

    def agree_on(self, number: int) -> bool:
        """Return whether all ranks give the same number, of at least 0."""
        if self.size == 1:
            return True
        import torch  # noqa: PLC0415

        total = torch.tensor([number, number * number], device="cuda" if torch.cuda.is_available() else "cpu")
        self.add_up(total)
        return bool(total[0] == number * self.size and total[1] == number * number * self.size)

    def copy_from_first(self, tensor: torch.Tensor) -> None:
        """Replace a tensor by the first rank's, in place."""
        if self.size > 1:
            from torch import distributed  # noqa: PLC0415 - slow to import

            distributed.broadcast(tensor, 0)


ALONE = Ranks()


def launched_ranks() -> Ranks:
    """Return what torchrun put into the environment; one rank if nothing did. Raise a BertNerError if it is garbled."""
    rank, size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not (rank.isdecimal() and size.isdecimal() and int(rank) < int(size)):
        problem = f"RANK={rank} and WORLD_SIZE={size} in the environment are no process's number and count"
        raise BertNerError(f"{problem}; start several processes with torchrun, or unset both")
    return Ranks(int(rank), int(size))


def join_ranks() -> Ranks:
    """Join the processes that torchrun started, over gloo or, with GPUs, nccl, until this one ends.

    On a machine with GPUs, `cuda` is afterwards the one of this process's number on the machine.

    Raises:
        BertNerError: the others can't be reached, or there are fewer GPUs than processes.
    """
    ranks = launched_ranks()
    if ranks.size == 1:
        return ranks
    import torch  # noqa: PLC0415 - slow to import
    from torch import distributed  # noqa: PLC0415

    if distributed.is_initialized():
        return ranks
    try:
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", ranks.rank)))
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    except (ValueError, RuntimeError) as error:
        problem = f"the {ranks.size} processes that WORLD_SIZE names can't be joined: {first_line(error)}"
        raise BertNerError(f"{problem}; start them with torchrun, or unset WORLD_SIZE") from error
    atexit.register(distributed.destroy_process_group)
    return ranks
