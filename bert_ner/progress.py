"""Report the progress of a training: a bar on a terminal, or one JSON object a line for a program that asks for it."""

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Self, TypeVar

from tqdm import tqdm

RECORD_SEPARATOR = "\x1e"  # starts each line, as in RFC 7464
VARIABLE = "BERT_NER_PROGRESS"
Result = TypeVar("Result")
_INTERVAL = 1.0  # seconds between two lines within an epoch


class Progress:
    """Show how far a training is.

    With BERT_NER_PROGRESS=lines in the environment, write events to standard output: at most one a second, and one at
    the end of each epoch. Otherwise draw a bar on standard error if that is a terminal, and nothing if it is not.

    A training that goes on from a checkpoint gives the number of steps done before as `step`. Of several processes that
    train together, only one is `shown`.
    """

    def __init__(self, task: str, steps: int, epochs: int | None = None, step: int = 0, *, shown: bool = True) -> None:
        self._event: dict[str, Any] = {"task": task, "step": step, "steps": steps, "epoch": None, "epochs": epochs}
        self._event |= {"train_loss": None, "validation_entity_f1": None}
        self._lines = shown and os.environ.get(VARIABLE) == "lines"
        self._written = time.monotonic()
        is_off = True if self._lines or not shown else None  # None: off unless on a terminal
        self._bar = tqdm(total=steps, initial=step, desc=task, unit="step", disable=is_off)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def step(self, **values: Any) -> None:
        """Count a step; `values` update the fields of the event."""
        self._event |= {**values, "step": self._event["step"] + 1}
        self._bar.update()
        if time.monotonic() - self._written >= _INTERVAL:
            self._write()

    def steps(self, results: Iterable[Result]) -> Iterator[Result]:
        """Yield the results, and count a step for each."""
        for result in results:
            self.step()
            yield result

    def end_epoch(self, row: Mapping[str, Any]) -> None:
        """Report the loss and the score in an epoch's row."""
        figures = {name: row.get(name) for name in ("train_loss", "validation_entity_f1")}
        self._event |= figures
        self._bar.set_postfix({name: f"{value:.3f}" for name, value in figures.items() if value is not None})
        self._write()

    def _write(self) -> None:
        if self._lines:
            print(RECORD_SEPARATOR + json.dumps(self._event), flush=True)
            self._written = time.monotonic()
