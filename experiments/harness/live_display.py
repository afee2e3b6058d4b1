"""Show the progress of a pipeline's stages: a live table on a terminal, elsewhere lines every half minute."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

INTERVAL = 30.0  # seconds between the lines where no terminal shows the table
# The states of a stage, with their styles. In this order rows are shown where the screen is too low for all.
FAILED, STOPPED, RUNNING, WAITING = "failed", "stopped", "running", "waiting"
DONE, CACHED, UNCHANGED = "done", "cached", "unchanged"  # cached: DVC had the output of an earlier run
STYLES = {
    FAILED: "red", STOPPED: "yellow", RUNNING: "bold", WAITING: "dim", DONE: "green", CACHED: "dim", UNCHANGED: "dim",
}  # fmt: skip


@dataclass
class Row:
    """One stage."""

    name: str
    expected: float | None = None  # the seconds that it took when it was last recorded
    state: str = WAITING
    started: float = 0.0
    seconds: float = 0.0
    progress: Mapping[str, Any] = field(default_factory=dict)  # the last event of its training (bert_ner/progress.py)
    first: tuple[float, int] | None = None  # time and step of its first event; from a checkpoint it is not step 0

    def elapsed(self) -> float:
        return time.monotonic() - self.started if self.state == RUNNING else self.seconds

    def left(self) -> float | None:
        """Estimate the seconds left: from the pace of the steps, or else from the last recorded run."""
        if self.state not in (RUNNING, WAITING):
            return None
        if self.first and (done := self.progress["step"] - self.first[1]) > 0:
            pace = (time.monotonic() - self.first[0]) / done
            return float(pace * (self.progress["steps"] - self.progress["step"]))
        return max(0.0, self.expected - self.elapsed()) if self.expected else None

    def cells(self) -> tuple[str, ...]:
        """Return state, epoch, loss, validation F1, elapsed time and time left."""
        epoch, epochs, loss, f1 = map(self.progress.get, ("epoch", "epochs", "train_loss", "validation_entity_f1"))
        return (
            self.state,
            f"{epoch or 0}/{epochs}" if epochs else "",
            "" if loss is None else f"{loss:.4f}",
            "" if f1 is None else f"{100 * f1:.2f}",
            clock(elapsed) if (elapsed := self.elapsed()) else "",
            "" if (left := self.left()) is None else clock(left),
        )


class LiveDisplay:
    """The rows of all stages. Use it as a context manager: leaving it restores the terminal."""

    def __init__(self, stages: Iterable[str], expected: Mapping[str, float], console: Console | None = None) -> None:
        self.console = console or Console()
        self.rows = {stage: Row(label(stage), expected.get(stage)) for stage in stages}
        self._is_live = self.console.is_terminal and not self.console.is_dumb_terminal
        self._started = time.monotonic()
        self._live = Live(get_renderable=self.table, console=self.console, refresh_per_second=4)
        self._is_over = Event()
        self._reporter = Thread(target=self._report, daemon=True)

    def __enter__(self) -> Self:
        if self._is_live:
            self._live.start()
        else:
            self._reporter.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for row in self.rows.values():
            if row.state == RUNNING:
                row.state, row.seconds = STOPPED if kind else DONE, row.elapsed()
            elif row.state == WAITING and not kind:
                row.state = UNCHANGED
        self._is_over.set()
        self._live.stop()

    def begin(self, stage: str) -> None:
        row = self.rows.setdefault(stage, Row(label(stage)))
        row.state, row.started = RUNNING, time.monotonic()
        self._say(f"{row.name}: running")

    def end(self, stage: str, state: str) -> None:
        """Set the final state of a stage that runs or waits; others keep theirs."""
        row = self.rows.get(stage)
        if row and row.state in (RUNNING, WAITING):
            row.seconds, row.state = row.elapsed(), state
            self._say(f"{row.name}: {state}" + (f", {clock(row.seconds)}" if row.seconds else ""))

    def update(self, stage: str, progress: Mapping[str, Any]) -> None:
        row = self.rows[stage]
        row.progress = progress
        row.first = row.first or (time.monotonic(), progress["step"])

    def print(self, line: str) -> None:
        """Print a line of a stage above the table."""
        self.console.print(Text.from_ansi(line), soft_wrap=True)

    def table(self) -> Table:
        """Return the table. If the terminal is too low for it, stages that run come first and the last are left out."""
        rows, height = list(self.rows.values()), max(1, self.console.height - 4)
        counts = Counter(row.state for row in rows)
        summary = ", ".join(f"{counts[state]} {state}" for state in STYLES if counts[state])
        table = Table(box=None, padding=(0, 1, 0, 0), caption=f"{summary}; {clock(time.monotonic() - self._started)}")
        table.caption_justify = "left"
        table.add_column("stage", no_wrap=True, overflow="ellipsis")
        for name in ("state", "epoch", "loss", "val. F1", "time", "left"):
            table.add_column(name, no_wrap=True, justify="left" if name == "state" else "right")
        if len(rows) > height:
            rows = sorted(rows, key=lambda row: list(STYLES).index(row.state))[:height]
        for row in rows:
            table.add_row(row.name, *row.cells(), style=STYLES[row.state])
        return table

    def _say(self, line: str) -> None:
        """Print a change of state where no terminal shows the table."""
        if not self._is_live:
            self.print(line)

    def _report(self) -> None:
        while not self._is_over.wait(INTERVAL):
            for row in list(self.rows.values()):
                if row.state == RUNNING:
                    facts = zip(("epoch", "loss", "validation F1", "time", "left"), row.cells()[1:], strict=True)
                    self.print(f"{row.name}: " + ", ".join(f"{name} {value}" for name, value in facts if value))


def label(stage: str) -> str:
    """Return a short name: of a training `<corpus>-<system>-<seed>`, of other stages `<stage> <corpus>`."""
    name, _, item = stage.rpartition(":")[2].partition("@")
    return item if is_training(stage) else f"{name} {item}".strip()


def is_training(stage: str) -> bool:
    """Whether a stage trains: its name ends with a seed."""
    return "@" in stage and stage.rpartition("-")[2].isdecimal()


def clock(seconds: float) -> str:
    """Write seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
