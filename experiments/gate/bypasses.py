"""Read results/reference/bypass.yaml, which lists systems that may fail for now, and apply it:

- corpus: mit_movie_eng
  system: minilm
  metric: entity_f1 # without it, every metric of the system
  reason: the corpus is read differently; a new reference follows
  until: 2027-01-31 # the last day
"""

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, RootModel, StringConstraints
from ruamel.yaml import YAML
from ruamel.yaml.events import AliasEvent

from bert_ner.errors import BertNerError
from bert_ner.scoring.gate import BAD, Outcome, Verdict
from bert_ner.settings import Settings
from bert_ner.yaml_files import read_yaml

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

# A score that does not follow from its predictions is no result: nothing lets it pass.
CAN_BE_BYPASSED = BAD - {Outcome.INVALID}


class Bypass(Settings):
    """An entry of bypass.yaml."""

    corpus: Text = Field(description="name of the corpus")
    system: Text = Field(description="name of the system")
    metric: Literal["entity_f1", "token_micro_f1"] | None = Field(default=None, description="default: every metric")
    reason: Text = Field(description="why the system may fail for now")
    until: date = Field(description="the last day on which it may")

    def covers(self, verdict: Verdict) -> bool:
        """Return whether it is meant for a verdict."""
        is_system = (self.corpus, self.system) == (verdict.corpus, verdict.system)
        return is_system and self.metric in (None, verdict.metric) and verdict.outcome in CAN_BE_BYPASSED


class Bypasses(RootModel[list[Bypass] | None]):
    """The content of bypass.yaml."""


def read_bypasses(folder: Path) -> Sequence[Bypass]:
    """Return the entries of a folder's bypass.yaml; none if there is no file."""
    path = folder / "bypass.yaml"
    if not path.is_file():
        return []
    entries = read_yaml(path, Bypasses).root or []
    for event in YAML(typ="safe", pure=True).parse(path.read_text(encoding="utf-8")):
        if isinstance(event, AliasEvent):  # an entry should say by itself what may fail
            line = event.start_mark.line + 1
            raise BertNerError(
                f"{path}, line {line}: no alias is allowed here; write out what *{event.anchor} stands for"
            )
    return entries


def apply_bypasses(found: Sequence[Verdict], entries: Sequence[Bypass], today: date) -> Iterator[Verdict]:
    """Yield the verdicts; one that fails is BYPASSED, with the reason, while an entry covers it."""
    for verdict in found:
        covering = [entry for entry in entries if entry.covers(verdict)]
        valid = [entry for entry in covering if entry.until >= today]
        if valid:
            note = f"{verdict.outcome}, but {valid[0].reason} (until {valid[0].until})"
            yield verdict._replace(outcome=Outcome.BYPASSED, note=note)
        elif covering:
            yield verdict._replace(note=f"{verdict.note}; its bypass ended on {covering[0].until}".lstrip("; "))
        else:
            yield verdict


def unused(found: Sequence[Verdict], entries: Sequence[Bypass]) -> list[str]:
    """Return a line for each entry that covers no verdict."""
    idle = [entry for entry in entries if not any(map(entry.covers, found))]
    return [f"{entry.corpus}/{entry.system}: {entry.reason}" for entry in idle]
