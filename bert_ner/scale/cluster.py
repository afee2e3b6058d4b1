"""Start Ray, or join a cluster."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from bert_ner.errors import BertNerError, first_line

LOCAL = "local"  # the address of a cluster that exists for one program, on this machine alone
PATIENCE = 10.0  # seconds to wait for an answer; Ray itself tries for minutes


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
        _knock(os.environ.get("RAY_ADDRESS", "") if address == "auto" else address or LOCAL)
        ray.init(address or LOCAL, log_to_driver=False, logging_level=logging.ERROR, **options)
    except (OSError, ValueError, RuntimeError) as error:
        remedy = "start it with `ray start --head`, or leave the address out to use this machine alone"
        raise BertNerError(f"no Ray cluster answers at {address} ({first_line(error)}); {remedy}") from None
    try:
        yield
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Connect to the host and port of an address, if it has both; raise OSError or ValueError if nothing answers."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if port.isdecimal():
        if int(port) > 65535:
            raise ValueError(f"{port} is no port")
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()
