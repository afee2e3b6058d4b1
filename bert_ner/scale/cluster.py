"""Start Ray, or join a cluster."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from bert_ner.errors import BertNerError, first_line

LOCAL = "local"  # the address of a cluster that exists for one program, on this machine alone


@contextmanager
def connected(address: str | None = None) -> Iterator[None]:
    """Join the cluster at an address ("auto": the one of this machine) or start a local one, and leave it at the end.

    A program that is connected stays so. Raise BertNerError if there is no cluster at the address.
    """
    if ray.is_initialized():
        yield
        return
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else a local cluster reports to Ray's makers
    options = {} if address else {"include_dashboard": False}
    try:
        ray.init(address or LOCAL, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (ConnectionError, ValueError, RuntimeError) as error:
        remedy = "start it with `ray start --head`, or leave the address out to use this machine alone"
        raise BertNerError(f"no Ray cluster answers at {address} ({first_line(error)}); {remedy}") from None
    try:
        yield
    finally:
        ray.shutdown()
