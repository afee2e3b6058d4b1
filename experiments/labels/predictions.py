"""The predictions and the probabilities that the label audit questions gold with."""

import zlib
from collections.abc import Sequence
from typing import Any
from zipfile import BadZipFile

from harness.artifacts import model_folder, out_of_fold_file, read_predictions
from harness.params import Run
from harness.paths import RESULTS, predictions_file
from harness.remedies import stage_remedy
from harness.tables import table_remedy

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.loading import load_tagger
from bert_ner.tagger import ProbabilisticTagger
from labels.consensus import Runs

Probabilities = list[NDArray[Any]]  # of shape (words, labels) for each sentence


def predicted_tags(corpus: str, scores: pd.DataFrame, test: Sequence[Sentence]) -> Runs:
    """Read the test tags of each run in scores.csv, by system."""
    remedy = table_remedy("scores", corpus)
    found: dict[str, list[list[list[str]]]] = {}
    for system, seed in zip(scores["system"], scores["seed"], strict=True):
        path = predictions_file(RESULTS, corpus, f"{system}-{seed}")
        found.setdefault(str(system), []).append(read_predictions(path, test, remedy))
    return found


def out_of_fold_probabilities(corpus: str, sentences: Sequence[Sentence]) -> Probabilities:
    """Read what out_of_fold.py wrote for the sentences of the training file."""
    path, remedy = out_of_fold_file(corpus), stage_remedy("out_of_fold", corpus)
    if not path.is_file():
        raise BertNerError(f"{path} is missing; {remedy}")
    try:
        with np.load(path) as file:
            words = file["probabilities"]
    except (OSError, EOFError, KeyError, TypeError, ValueError, BadZipFile, zlib.error) as error:
        raise BertNerError(f"{path} is not as it was written ({type(error).__name__}: {error}); {remedy}") from None
    ends = np.cumsum([len(words) for words, _ in sentences])
    if not len(ends) or len(words) != ends[-1]:
        raise BertNerError(f"{path} has {len(words):,} words, but the training file has {ends[-1]:,}; {remedy}")
    return np.split(words, ends[:-1])


def test_probabilities(
    corpus: str, runs: Sequence[Run], test: Sequence[Sentence], labels: Sequence[str]
) -> tuple[Probabilities, list[str]]:
    """Return the mean over systems of their trained runs' mean probabilities, and the names of the runs.

    Left out are runs without a model here, and systems that don't know the probability of every tag.
    """
    by_system: dict[str, Probabilities] = {}
    names: dict[str, list[str]] = {}
    sentences = [words for words, _ in test]
    for run in runs:
        folder = model_folder(corpus, run)
        tagger = load_tagger(folder, quantised=False) if folder.is_dir() else None
        if isinstance(tagger, ProbabilisticTagger):
            by_system.setdefault(run.system, []).append(np.concatenate(tagger.tag_probabilities(sentences, labels)))
            names.setdefault(run.system, []).append(run.name)
    if not by_system:
        remedy = f"run dvc repro pipeline/dvc.yaml:label_audit@{corpus}"
        raise BertNerError(f"no model of a strong system is trained on {corpus}; {remedy}")
    words = np.mean([np.mean(tables, axis=0) for tables in by_system.values()], axis=0)
    ends = np.cumsum([len(words) for words in sentences])
    return np.split(words, ends[:-1]), [name for found in names.values() for name in found]
