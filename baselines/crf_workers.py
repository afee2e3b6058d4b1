"""Compute side by side, in child processes: CRFsuite holds Python's lock while it trains.

A child reads its call from standard input, and writes its result to standard output. Ctrl-C does not reach it, because
it is in a session of its own. When its parent ends, however that happens, its standard input ends, and it exits.
"""

import os
import pickle
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from bert_ner.cores import usable_cores
from bert_ner.errors import BertNerError

Result = TypeVar("Result")
Child = subprocess.Popen[bytes]
_CODE = "from baselines.crf_workers import answer; answer()"
_SIZE = 8  # bytes before a call, with its length


def compute(function: Callable[..., Result], calls: Sequence[tuple[Any, ...]]) -> Generator[Result]:
    """Yield the result of each call in order, with a child for each core; close the generator to end the children.

    The number of children changes no result: each call has a child of its own.
    """
    cores = usable_cores()
    children: dict[int, Child] = {}  # by the number of their call
    results: dict[int, Result] = {}
    waiting = iter(range(len(calls)))
    with TemporaryDirectory() as folder:  # a child that is killed leaves its files there
        try:
            for wanted in range(len(calls)):
                while wanted not in results:
                    while len(children) < cores and (number := next(waiting, None)) is not None:
                        children[number] = _start(folder)
                        _send(children[number], (function, calls[number]))
                    outputs = {child.stdout: number for number, child in children.items() if child.stdout}
                    for output in select.select(outputs, [], [])[0]:
                        number = outputs[output]
                        results[number] = _result(children[number])
                        _end(children.pop(number))
                yield results.pop(wanted)
        finally:
            for child in children.values():
                _end(child)


def _start(folder: str) -> Child:
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _CODE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": folder},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def _send(child: Child, call: tuple[Callable[..., Any], tuple[Any, ...]]) -> None:
    """Send a call, and leave the pipe open: its end would end the child."""
    assert child.stdin
    message = pickle.dumps(call)
    with suppress(BrokenPipeError):  # the child is dead, so that it will have no result
        child.stdin.write(len(message).to_bytes(_SIZE) + message)
        child.stdin.flush()


def _result(child: Child) -> Any:
    assert child.stdout
    try:
        result, error = pickle.load(child.stdout)
    except (EOFError, pickle.UnpicklingError):
        message = f"a process that trained a CRF ended with status {child.wait()}; there may be too little memory"
        raise BertNerError(message) from None
    if error:
        raise error
    return result


def _end(child: Child) -> None:
    child.kill()
    child.communicate()


def answer() -> None:
    """Compute a call of the parent, in a child."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the parent has ended: no traceback
    size = int.from_bytes(sys.stdin.buffer.read(_SIZE))
    message = sys.stdin.buffer.read(size)
    if size and len(message) == size:
        threading.Thread(target=_end_with_parent, daemon=True).start()
        sys.stdout.buffer.write(_outcome(message))


def _outcome(message: bytes) -> bytes:
    try:
        function, arguments = pickle.loads(message)
        return pickle.dumps((function(*arguments), None))
    except Exception as error:  # noqa: BLE001 - the parent raises it
        return pickle.dumps((None, error))


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)
