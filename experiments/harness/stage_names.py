"""The names of DVC's stages: what a stage does, on which corpus, and which system it trains with which seed."""

from itertools import product
from typing import NamedTuple

from harness.params import read_params

from bert_ner.corpus.catalog import corpus_names


class StageName(NamedTuple):
    """The parts of a stage's name, `<file>:<stage>@<item>`; those that it does not have are empty."""

    stage: str
    item: str
    corpus: str = ""
    system: str = ""  # that it trains
    seed: int | None = None  # only of a stage that trains one model


def parse_stage(name: str) -> StageName:
    """Return the parts of a stage's name, also without the file.

    The item of a training is `<corpus>-<system>-<seed>`. A corpus may itself have hyphens and end in digits.
    """
    stage, _, item = name.rpartition(":")[2].partition("@")
    if stage == "study":
        return StageName(stage, item)
    if stage == "search":
        return StageName(stage, item, system=item)
    corpora = corpus_names()
    if item in corpora:
        return StageName(stage, item, corpus=item)
    both, _, seed = item.rpartition("-")
    for corpus, system in product(corpora, read_params().systems):
        if both == f"{corpus}-{system}" and seed.isdecimal():
            return StageName(stage, item, corpus, system, int(seed))
    return StageName(stage, item)


def is_training(name: str) -> bool:
    """Whether a stage trains one model."""
    return parse_stage(name).seed is not None
