"""Compare new predictions with reference predictions of the same test set, whichever system wrote them.

bert-ner gate --gold test.bio --reference runs/*.bio --new new/*.bio

With five reference runs or more, the test is that of bert_ner/scoring/gate.py, on the scores of the runs. Fewer do not
show how far scores differ from seed to seed, so the two are then compared by a paired test over sentences. That test
takes the runs as given: a system that draws random numbers may fail because its seed is another one.
"""

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from statistics import fmean
from typing import Literal, NamedTuple

from pydantic import Field, ValidationError

from bert_ner.corpus.formats import Reading
from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.files import write_whole
from bert_ner.scoring.counts import Tags, count
from bert_ner.scoring.files import File, read_gold, read_prediction
from bert_ner.scoring.gate import ALPHA, BAD, METRICS, MIN_RUNS, Outcome, Verdict, bounds, within
from bert_ner.scoring.resampling import MIN_SENTENCES
from bert_ner.scoring.scores import METRICS as ALL_METRICS
from bert_ner.scoring.scores import score
from bert_ner.scoring.uncertainty import compare
from bert_ner.settings import Settings, complaints

FORMAT = b"bert-ner reference "  # near the start of a saved reference; predictions may be JSON, too


class Prediction(NamedTuple):
    """The tags of a run, sentence by sentence, and the file that they come from."""

    name: str
    tags: list[tuple[str, ...]]


class SavedRun(Settings):
    """A run of a saved reference."""

    file: str = Field(description="where the tags come from")
    tags: list[str] = Field(description="the tags of each sentence, with a space between them")
    scores: dict[str, float] = Field(description="for readers; the gate computes them from the tags")


class SavedReference(Settings):
    """What --save writes: predicted tags, without the words."""

    format: Literal["bert-ner reference 1"] = Field(description="name and version of the format")
    gold: str = Field(description="SHA-256 of the gold file")
    runs: list[SavedRun] = Field(description="one for each file", min_length=1)


def gate_files(
    gold: File,
    reference: Sequence[File],
    new: Sequence[File],
    metrics: Sequence[str] = METRICS,
    runs: int = 1,
    save: Path | None = None,
) -> list[Verdict]:
    """Compare the mean scores of new runs with those of reference runs; return a verdict for each metric.

    Args:
        reference: a BIO file for each run, or the one JSON file that `save` wrote. If empty, nothing is compared.
        new: a BIO file for each run.
        metrics: keys of `bert_ner.scoring.METRICS`; the probability of a false alarm, 5 %, is divided among them.
        runs: how many new runs there must be; fewer are INCOMPLETE.
        save: where to save the new runs as a reference, unless a verdict is bad.

    Raises:
        BioError: a file is no BIO file, or has other words than the gold file.
        InvalidValue: a metric is unknown, two runs of one side are the same, or a saved reference is broken. Or there
            are too few runs to save, or `save` is a file that is no saved reference.
        BertNerError: `save` can't be written.
    """
    if unknown := {*metrics} - ALL_METRICS.keys():
        raise InvalidValue(f"no metric is named {', '.join(sorted(unknown))}; the metrics are {', '.join(ALL_METRICS)}")
    parsed = read_gold(gold, Reading())
    tags = parsed.iob2

    def read(files: Sequence[File]) -> list[Prediction]:
        predictions = ((file.name, read_prediction(file, Reading(), parsed)) for file in files)
        return _distinct([Prediction(name, found.iob2) for name, found in predictions])

    after = read(new)
    is_saved = any(FORMAT in file.content[:200] for file in reference)
    before = _read_saved(reference, gold) if is_saved else read(reference)
    lacking = f"{len(after)} new runs, {runs} needed" if len(after) < runs else ""
    if not reference and lacking:
        raise InvalidValue(f"{lacking}; name all of them, or leave --runs out")
    if not reference:
        found = []
    elif before is None or lacking:
        outcome = Outcome.INCOMPLETE if lacking else Outcome.NOT_COMPARABLE
        note = lacking or f"{reference[0].name} was made with another gold file; save it again"
        found = [Verdict("", "", metric, outcome, note=note) for metric in metrics]
    else:
        try:
            found = (_by_run if len(before) >= MIN_RUNS else _by_sentence)(tags, before, after, metrics)
        except ValueError as error:  # a BIO file was compared with the gold file word by word
            raise InvalidValue(f"{reference[0].name}: {error}; write it again with --save") from None
    if save and not any(verdict.outcome in BAD for verdict in found):
        _save(save, gold, tags, after)
    return [verdict._replace(corpus=Path(gold.name).name) for verdict in found]


def _by_run(
    gold: Tags, reference: Sequence[Prediction], new: Sequence[Prediction], metrics: Sequence[str]
) -> list[Verdict]:
    """Apply the t-test to the scores of the runs."""
    before, after = ([score(gold, run.tags) for run in side] for side in (reference, new))
    note = f"{len(new)} runs, {len(reference)} in the reference"
    found = []
    for metric in metrics:
        known, values = ([scores[metric].value for scores in side] for side in (before, after))
        low, high = bounds(known, len(values), len(metrics))
        outcome = within(fmean(values), low, high)
        found.append(Verdict("", "", metric, outcome, fmean(known), low, fmean(values), note))
    return found


def _by_sentence(
    gold: Tags, reference: Sequence[Prediction], new: Sequence[Prediction], metrics: Sequence[str]
) -> list[Verdict]:
    """Apply the paired randomisation test over sentences, with ALPHA / number of metrics on each side."""
    if len(gold) < MIN_SENTENCES:
        note = f"{len(gold)} sentences are too few for a test over them; it takes {MIN_SENTENCES}"
        return [Verdict("", "", metric, Outcome.NOT_COMPARABLE, note=note) for metric in metrics]
    before, after = ([count(gold, run.tags) for run in side] for side in (reference, new))
    compared = compare(after, before)
    note = f"{len(new)} runs, {len(reference)} in the reference; over sentences, p = "
    found = []
    for metric in metrics:
        result = compared[metric]
        is_change = result.p_value <= 2 * ALPHA / len(metrics)
        outcome = within(result.difference, 0, 0) if is_change else Outcome.PASS
        found.append(Verdict("", "", metric, outcome, result.b, None, result.a, f"{note}{result.p_value:.4f}"))
    return found


def _distinct(runs: list[Prediction]) -> list[Prediction]:
    """Return the runs; raise InvalidValue if two are the same, which would narrow the bound."""
    for one, other in combinations(runs, 2):
        if one.tags == other.tags:
            raise InvalidValue(
                f"{one.name} and {other.name} have the same tags: a run counts once, and a system that draws no random "
                f"numbers has one run; remove one of them"
            )
    return runs


def _save(path: Path, gold: File, tags: Tags, runs: Sequence[Prediction]) -> None:
    saved = [
        SavedRun(
            file=Path(run.name).name,
            tags=[" ".join(sentence) for sentence in run.tags],
            scores={metric: round(found.value, 6) for metric, found in score(tags, run.tags).items()},
        )
        for run in runs
    ]
    content = SavedReference(format="bert-ner reference 1", gold=gold.sha256, runs=saved)
    if path.is_file() and FORMAT not in path.read_bytes()[:200]:
        raise InvalidValue(f"{path} exists, and is no saved reference; save under another name")
    try:
        write_whole(path, json.dumps(content.model_dump(), indent=1) + "\n")
    except OSError as error:
        raise BertNerError(f"{path} can't be written: {error.strerror}") from None


def _read_saved(files: Sequence[File], gold: File) -> list[Prediction] | None:
    """Return the runs of a saved reference; None if it was made with another gold file."""
    name = files[0].name
    if len(files) > 1:
        raise InvalidValue(f"a saved reference is given with other files ({name}, {files[1].name}); give it alone")
    try:
        saved = SavedReference.model_validate_json(files[0].content)
    except ValidationError as error:
        problems = "; ".join(text for _, text in complaints(error, SavedReference))
        raise InvalidValue(f"{name} is no saved reference: {problems}; write it again with --save") from None
    if saved.gold != gold.sha256:
        return None
    runs = [Prediction(run.file, [tuple(line.split()) for line in run.tags]) for run in saved.runs]
    return _distinct(runs)
