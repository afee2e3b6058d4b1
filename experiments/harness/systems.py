"""Build the systems of params.yaml."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.params import kind_of

from bert_ner.errors import BertNerError, shorten
from bert_ner.loading import tagger_class
from bert_ner.scoring import entity_f1
from bert_ner.settings import parse_settings
from bert_ner.tagger import System, Tagger


def build(
    name: str, section: Any, labels: Sequence[str], seed: int, checkpoint: Path | None = None, where: str = ""
) -> Tagger:
    """Build a system that is not trained yet, from its name and its section, which is `where` in params.yaml."""
    try:
        if not isinstance(section, dict):
            raise BertNerError(f"expected names and values of settings, not {shorten(section)}")
        system = tagger_class(kind_of(name, section))
        if not issubclass(system, System):
            raise BertNerError(f"{kind_of(name, section)} can't be trained")
        settings = parse_settings(system.Settings, {key: value for key, value in section.items() if key != "kind"})
    except BertNerError as error:
        place = where or f"section '{name}'"
        raise BertNerError(f"params.yaml, {place}: {error}") from None
    return system(settings, scoring=entity_f1, labels=labels, seed=seed, checkpoint=checkpoint)


def has_weights(section: Mapping[str, Any]) -> bool:
    """Return whether the weights of a system's encoder are available; also true for a system without an encoder."""
    from bert_ner.encoder.weights import ENCODERS, availability  # imports transformers

    name = section.get("name")
    return name not in ENCODERS or availability(ENCODERS[name])[0]
