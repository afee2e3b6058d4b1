"""Show the progress of a pipeline's stages: a live table on a terminal, elsewhere lines every half minute."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Self

from harness.stage_names import parse_stage

from rich.console import Console
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

INTERVAL = 30.0  # seconds between the lines where no terminal shows the table
# The states of a stage, with their styles. In this order rows are shown where the screen is too low for all.
FAILED, STOPPED, RUNNING, WAITING = "failed", "stopped", "running", "waiting"
DONE, CACHED, UNCHANGED = "done", "cached", "unchanged"  # cached: DVC had the output of an earlier run
STYLES = {FAILED: "red", STOPPED: "yellow", RUNNING: "bold", WAITING: "dim", DONE: "green"}
STYLES |= {CACHED: "dim", UNCHANGED: "dim"}
COLUMNS = "epoch", "loss", "val. F1", "time", "left"  # after a stage's name and state


@dataclass
class Row:
    """One stage. Times are in seconds."""

    name: str
    expected: float | None = None  # the time that it took when it was last recorded
    state: str = WAITING
    started: float | None = None
    ended: float | None = None
    progress: Mapping[str, Any] = field(default_factory=dict)  # the last event of its training (bert_ner/progress.py)
    first: tuple[float, int] | None = None  # time and step of its first event; from a checkpoint it is not step 0

    def elapsed(self) -> float | None:
        return None if self.started is None else (self.ended or time.monotonic()) - self.started

    def left(self) -> float | None:
        """Estimate the time left: from the pace of the steps, or else from the last recorded run."""
        if self.state not in (RUNNING, WAITING):
            return None
        if self.first and (done := self.progress["step"] - self.first[1]) > 0:
            pace = (time.monotonic() - self.first[0]) / done
            return float(pace * (self.progress["steps"] - self.progress["step"]))
        return max(0.0, self.expected - (self.elapsed() or 0)) if self.expected else None

    def cells(self) -> tuple[str, ...]:
        """Return the text of each column."""
        epoch, epochs, loss, f1 = map(self.progress.get, ("epoch", "epochs", "train_loss", "validation_entity_f1"))
        return (
            f"{epoch or 0}/{epochs}" if epochs else "",
            "" if loss is None else f"{loss:.4f}",
            "" if f1 is None else f"{100 * f1:.2f}",
            *map(clock, (self.elapsed(), self.left())),
        )


class LiveDisplay:
    """The rows of all stages. Use it as a context manager: leaving it restores the terminal."""

    def __init__(self, stages: Iterable[str], expected: Mapping[str, float], console: Console | None = None) -> None:
        self.console = console or Console()
        self.rows = {stage: Row(label(stage), expected.get(stage)) for stage in stages}
        self._is_live = self.console.is_terminal and not self.console.is_dumb_terminal
        self._started = time.monotonic()
        self._live = Live(get_renderable=self.table, console=self.console, refresh_per_second=4)

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for row in self.rows.values():
            if row.state == RUNNING:
                row.state, row.ended = STOPPED if kind else DONE, time.monotonic()
            elif row.state == WAITING and not kind:
                row.state = UNCHANGED
        self._live.stop()

    def begin(self, stage: str) -> None:
        row = self.rows.setdefault(stage, Row(label(stage)))
        row.state, row.started = RUNNING, time.monotonic()
        self.log(f"{row.name}: running")

    def end(self, stage: str, state: str) -> None:
        """Set the final state of a stage that runs or waits; others keep theirs."""
        row = self.rows.get(stage)
        if row and row.state in (RUNNING, WAITING):
            row.state, row.ended = state, time.monotonic()
            self.log(f"{row.name}: {state}" + (f", {clock(row.elapsed())}" if row.started else ""))

    def update(self, stage: str, progress: Mapping[str, Any]) -> None:
        row = self.rows[stage]
        row.progress = progress
        row.first = row.first or (time.monotonic(), progress["step"])

    def print(self, line: str) -> None:
        """Print a line of a stage above the table."""
        # Elsewhere than on a terminal, a line stays whole.
        self.console.print(Text.from_ansi(line), soft_wrap=not self._is_live)

    def log(self, line: str) -> None:
        """Print a line about a stage where no terminal shows the table."""
        if not self._is_live:
            self.print(line)

    async def report(self) -> None:
        """Log the progress of the stages that run, again and again."""
        while True:
            await asyncio.sleep(INTERVAL)
            for row in self.rows.values():
                if row.state == RUNNING:
                    facts = zip(COLUMNS, row.cells(), strict=True)
                    self.log(f"{row.name}: " + ", ".join(f"{name} {value}" for name, value in facts if value))

    def table(self) -> Table:
        """Return the table. If the terminal is too low for it, stages that run come first and the last are left out."""
        rows, height = list(self.rows.values()), max(1, self.console.height - 4)
        counts = Counter(row.state for row in rows)
        summary = ", ".join(f"{counts[state]} {state}" for state in STYLES if counts[state])
        caption = f"{summary}; {clock(time.monotonic() - self._started)}"
        columns = [Column("stage", no_wrap=True, overflow="ellipsis"), Column("state", no_wrap=True)]
        columns += [Column(name, no_wrap=True, justify="right") for name in COLUMNS]
        table = Table(*columns, box=None, padding=(0, 1, 0, 0), caption=caption, caption_justify="left")
        if len(rows) > height:
            rows = sorted(rows, key=lambda row: list(STYLES).index(row.state))[:height]
        for row in rows:
            table.add_row(row.name, row.state, *row.cells(), style=STYLES[row.state])
        return table


def label(stage: str) -> str:
    """Return a short name: of a training `<corpus>-<system>-<seed>`, of other stages `<stage> <corpus>`."""
    parts = parse_stage(stage)
    return f"{parts.stage} {parts.item}".strip() if parts.seed is None else parts.item


def clock(seconds: float | None) -> str:
    """Write seconds as mm:ss or h:mm:ss; nothing if they are unknown."""
    return "" if seconds is None else str(timedelta(seconds=round(seconds))).removeprefix("0:")
