"""A system's name -> its Tagger. To add a system: its file, a line here, a section in params.yaml."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from baselines.bilstm_crf import BiLSTMCRFTagger, BiLSTMSettings
from baselines.crf import CRFTagger
from baselines.gazetteer import GazetteerTagger
from baselines.hmm import HMMTagger
from baselines.majority import MajorityTagger
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.errors import BertNerError, brief
from bert_ner.scoring import entity_f1
from bert_ner.tagger import Tagger

Settings = dict[str, Any]


def encoder(settings: Settings, labels: Sequence[str], seed: int, state: Path | None) -> Tagger:
    """The encoder that the settings name."""
    return EncoderTagger(Recipe(**settings), labels, seed, entity_f1, state)


# Each takes its section of params.yaml, the corpus's labels, a seed, and a file for its state while it trains.
SYSTEMS: dict[str, Callable[[Settings, Sequence[str], int, Path | None], Tagger]] = {
    "majority": lambda settings, labels, seed, state: MajorityTagger(**settings),
    "gazetteer": lambda settings, labels, seed, state: GazetteerTagger(**settings, scoring=entity_f1),
    "hmm": lambda settings, labels, seed, state: HMMTagger(**settings, scoring=entity_f1),
    "crf": lambda settings, labels, seed, state: CRFTagger(**settings, scoring=entity_f1),
    "bilstm_crf": lambda settings, labels, seed, state: BiLSTMCRFTagger(
        BiLSTMSettings(**settings), labels, seed, entity_f1
    ),
    "minilm": encoder,
    "minilm_crf": encoder,
    "mpnet": encoder,
    "bert": encoder,
}


def build(name: str, params: dict[str, Any], labels: Sequence[str], seed: int, state: Path | None = None) -> Tagger:
    """A system with its settings from params.yaml, not yet trained.

    Raises:
        BertNerError: there is no such system, it has no section, or the section's settings are not what it takes.
    """
    if name not in SYSTEMS:
        raise BertNerError(f"no system is named '{name}'; there are {', '.join(SYSTEMS)} (experiments/systems.py)")
    if name not in params:
        raise BertNerError(f"params.yaml has no section '{name}'")
    if not isinstance(params[name], dict):
        raise BertNerError(f"params.yaml, section '{name}' must be settings and values, not {brief(params[name])}")
    try:
        return SYSTEMS[name](params[name], labels, seed, state)
    except (TypeError, ValueError) as error:
        raise BertNerError(f"params.yaml, section '{name}': {error}") from None
