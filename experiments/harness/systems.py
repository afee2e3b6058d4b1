"""Build the systems of params.yaml."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.params import kind_of

from bert_ner.errors import BertNerError, shorten
from bert_ner.loading import tagger_class
from bert_ner.scoring import entity_f1
from bert_ner.settings import parse_settings
from bert_ner.tagger import System, Tagger


def build(name: str, section: Any, labels: Sequence[str], seed: int, checkpoint: Path | None = None) -> Tagger:
    """Build a system that is not trained yet, from its name and its section in params.yaml."""
    try:
        if not isinstance(section, dict):
            raise BertNerError(f"expected names and values of settings, not {shorten(section)}")
        system = tagger_class(kind_of(name, section))
        if not issubclass(system, System):
            raise BertNerError(f"{kind_of(name, section)} can't be trained")
        settings = parse_settings(system.Settings, {key: value for key, value in section.items() if key != "kind"})
    except BertNerError as error:
        raise BertNerError(f"params.yaml, section '{name}': {error}") from None
    return system(settings, scoring=entity_f1, labels=labels, seed=seed, checkpoint=checkpoint)
