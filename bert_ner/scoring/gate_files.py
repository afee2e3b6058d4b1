"""Compare new predictions with reference predictions of the same test set, whichever system wrote them.

bert-ner gate --gold test.bio --reference runs/*.bio --new new/*.bio

With five reference runs or more, the test is that of bert_ner/scoring/gate.py, on the scores of the runs. Fewer do not
show how far scores differ from seed to seed, so the two are then compared by a paired test over sentences. That test
takes the runs as given: a system that draws random numbers may fail because its seed is another one.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

from bert_ner.corpus.bio import spans_of
from bert_ner.corpus.formats import ParsedFile, Reading
from bert_ner.errors import InvalidValue
from bert_ner.scoring.counts import Tags, count
from bert_ner.scoring.files import File, prediction_readings, read_gold, read_prediction, types_not_in_gold, wrong_types
from bert_ner.scoring.gate import ALPHA, BAD, EQUAL, METRICS, MIN_RUNS, Outcome, Verdict, bounds, sizes, within
from bert_ner.scoring.reference_file import Prediction, is_saved, read_saved, save_reference
from bert_ner.scoring.resampling import MIN_SENTENCES
from bert_ner.scoring.scores import METRICS as ALL_METRICS
from bert_ner.scoring.scores import score, score_by_type
from bert_ner.scoring.uncertainty import compare
from bert_ner.wording import counted, option

MAX_TYPES = 3  # that the note of a metric names
SMALL_FALL = 0.1  # of the greatest fall: a type that fell less than this does not explain the failure


class Findings(NamedTuple):
    """A verdict for each metric, none if there is no reference; and remarks on the files, which fail nothing."""

    verdicts: list[Verdict]
    remarks: list[str]


def gate_files(
    gold: File,
    reference: Sequence[File],
    new: Sequence[File],
    metrics: Sequence[str] = METRICS,
    runs: int = 1,
    save: Path | None = None,
    reading: Reading | None = None,
    predicted_reading: Reading | None = None,
) -> Findings:
    """Compare the mean scores of new runs with those of reference runs.

    Args:
        reference: a file for each run, or the one file that `save` wrote. If empty, nothing is compared.
        new: a file for each run.
        metrics: keys of `bert_ner.scoring.METRICS`; the probability of a false alarm, 5 %, is divided among them.
        runs: how many new runs there must be; fewer are INCOMPLETE.
        save: where to save the new runs as a reference, unless a verdict is bad.
        reading: how to read the gold file; by default its suffix, tags and columns decide.
        predicted_reading: how to read the runs; by default as the gold file, but in a scheme of their own.

    Raises:
        BioError: a file can't be read in this way, or has other words than the gold file.
        InvalidValue: a metric is unknown or repeated, `runs` is not positive, two runs of one side are the same, or a
            saved reference is broken. Or there are too few runs to save, or `save` is a file of another kind.
        BertNerError: `save` can't be written.
    """
    _check_usage(metrics, runs)
    for file in (gold, *new):
        if is_saved(file.content):
            raise InvalidValue(f"{file.name} is a saved reference; only --reference takes one")
    reading = reading or Reading()
    readings = prediction_readings(reading, predicted_reading)
    parsed = read_gold(gold, reading)
    after = _read(new, readings, parsed)
    before, fault = _read_reference(reference, readings, parsed)
    remarks = [remark for run in (*before, *after) for remark in run.remarks]
    remarks += _copies_of_gold([*before, *after], parsed)
    lacking = f"{counted(len(after), 'new run')}, {runs} needed" if len(after) < runs else ""
    if not reference and lacking:
        raise InvalidValue(f"{lacking}; name all of them, or leave --runs out")
    if not reference:
        found = []
    elif fault or lacking:
        outcome = Outcome.INCOMPLETE if lacking else Outcome.NOT_COMPARABLE
        found = [Verdict("", "", metric, outcome, note=lacking or fault) for metric in metrics]
    else:
        try:
            found = (_by_run if len(before) >= MIN_RUNS else _by_sentence)(parsed.iob2, before, after, metrics)
            found = _with_types(found, parsed.iob2, before, after)
        except ValueError as error:  # the number of tags in a saved reference, which has no words to compare
            raise InvalidValue(f"{reference[0].name}: {error}; write it again with --save") from None
        remarks += _on_both_sides(before, after)
        if len(before) < MIN_RUNS:
            remarks.append(
                f"the reference has {counted(len(before), 'run')}: a tagger that draws random numbers may fail because "
                f"of its seed; with {MIN_RUNS} runs or more, each from another seed, the gate allows for that"
            )
    if save:
        remarks.insert(0, _save(save, parsed, after, found))
    return Findings([verdict._replace(corpus=Path(gold.name).name) for verdict in found], remarks)


def _check_usage(metrics: Sequence[str], runs: int) -> None:
    if unknown := {*metrics} - ALL_METRICS.keys():
        listed = f"{', '.join(sorted(unknown))}; the metrics are {', '.join(ALL_METRICS)}"
        separator = ", with blanks between them" if any("," in name for name in unknown) else ""
        raise InvalidValue(f"no metric is named {listed}{separator}")
    if repeated := sorted({name for name in metrics if metrics.count(name) > 1}):
        raise InvalidValue(
            f"{', '.join(repeated)} is named twice; each metric of a call lowers the bounds of the others"
        )
    if runs < 1:
        raise InvalidValue(f"--runs is the number of new runs, 1 or more; it is {runs}")


def _read(files: Sequence[File], readings: Sequence[Reading], gold: ParsedFile) -> list[Prediction]:
    """Return the runs in some files, one in each."""
    parsed = [read_prediction(file, readings, gold) for file in files]
    return _distinct([Prediction(file.name, file.iob2, tuple(_remarks(file, gold))) for file in parsed])


def _read_reference(
    files: Sequence[File], readings: Sequence[Reading], gold: ParsedFile
) -> tuple[list[Prediction], str]:
    """Return the runs of the reference, and why they can't be compared; an empty text if they can."""
    if not any(is_saved(file.content) for file in files):
        return _read(files, readings, gold), ""
    name = files[0].name
    if len(files) > 1:
        raise InvalidValue(f"a saved reference is given with other files ({name}, {files[1].name}); give it alone")
    saved = read_saved(files[0])
    fault = saved.fault(gold)
    return ([], f"{name} {fault}") if fault else (_distinct(saved.predictions(name)), "")


def _remarks(prediction: ParsedFile, gold: ParsedFile) -> Iterator[str]:
    """Yield what a tagger may have done by mistake; it costs points, but is no error."""
    if slips := prediction.problems:
        where = f"{prediction.place}{slips[0].line}"
        yield f"{where}: {slips[0].message} (such tags in the file: {len(slips):,}; they count as in conlleval)"
    if extra := types_not_in_gold(prediction, gold):
        yield wrong_types(prediction.name, gold.name, extra)


def _copies_of_gold(runs: Sequence[Prediction], gold: ParsedFile) -> Iterator[str]:
    """Yield a remark for each run without an error, which may be the gold file itself."""
    for run in runs:
        if run.tags == gold.iob2:
            yield (
                f"{run.name}: all tags are those of {gold.name}; are these predictions, or a copy of the gold file? Or "
                f"does {option('tag_column')} name the wrong column?"
            )


def _on_both_sides(reference: Sequence[Prediction], new: Sequence[Prediction]) -> Iterator[str]:
    """Yield a remark if new runs are the same as runs of the reference: an unchanged tagger, or the same files."""
    same = {ours.name: theirs.name for ours, theirs in product(new, reference) if ours.tags == theirs.tags}
    if same:
        ours, theirs = next(iter(same.items()))
        yield (
            f"new runs that are the same as one of the reference: {len(same)} of {len(new)}, for example {ours} and "
            f"{theirs}; is the tagger unchanged, or are these the same files?"
        )


def _by_run(
    gold: Tags, reference: Sequence[Prediction], new: Sequence[Prediction], metrics: Sequence[str]
) -> list[Verdict]:
    """Apply the t-test to the scores of the runs."""
    before, after = ([score(gold, run.tags) for run in side] for side in (reference, new))
    note = sizes(len(reference), len(new))
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
        note = f"{counted(len(gold), 'sentence')}; a test over sentences takes {MIN_SENTENCES} or more"
        return [Verdict("", "", metric, Outcome.NOT_COMPARABLE, note=note) for metric in metrics]
    before, after = ([count(gold, run.tags) for run in side] for side in (reference, new))
    compared = compare(after, before)
    limit = 2 * ALPHA / len(metrics)
    note = f"{sizes(len(reference), len(new))}; over sentences, p = {{:.4f}} ({limit:.4g} or less is a change)"
    found = []
    for metric in metrics:
        result = compared[metric]
        outcome = within(result.difference, 0, 0) if result.p_value <= limit else Outcome.PASS
        found.append(Verdict("", "", metric, outcome, result.b, None, result.a, note.format(result.p_value)))
    return found


def _with_types(
    found: list[Verdict], gold: Tags, reference: Sequence[Prediction], new: Sequence[Prediction]
) -> list[Verdict]:
    """Name, in the note of each metric that fails, the types whose F1 fell most."""
    if all(each.outcome is not Outcome.FAIL for each in found):
        return found
    fallen = _fallen_types(gold, reference, new)
    return [each._replace(note=f"{fallen}; {each.note}") if each.outcome is Outcome.FAIL else each for each in found]


def _fallen_types(gold: Tags, reference: Sequence[Prediction], new: Sequence[Prediction]) -> str:
    """Return the gold file's types whose F1 fell by far the most, with their mean F1 over the runs."""
    entities = Counter(span.type for tags in gold for span in spans_of(tags))
    before, after = (_mean_f1(gold, side) for side in (reference, new))
    # About in standard errors: by chance, a type with two entities falls further than one with five hundred.
    falls = {kind: (before[kind] - after[kind]) * math.sqrt(number) for kind, number in entities.items()}
    least = max(EQUAL, SMALL_FALL * max(falls.values(), default=0))
    fallen = sorted((kind for kind, fall in falls.items() if fall > least), key=lambda kind: -falls[kind])
    if not fallen:
        return "no type of the gold file fell"
    shown = [f"{kind} from {100 * before[kind]:.2f} to {100 * after[kind]:.2f}" for kind in fallen[:MAX_TYPES]]
    return f"fell most: {', '.join(shown)}"


def _mean_f1(gold: Tags, runs: Sequence[Prediction]) -> dict[str, float]:
    """Return the F1 of each type, its mean over the runs that have the type."""
    values = defaultdict(list)
    for run in runs:
        for row in score_by_type(gold, run.tags):
            values[row.type].append(row.f1)
    return {kind: fmean(f1) for kind, f1 in values.items()}


def _save(path: Path, gold: ParsedFile, runs: Sequence[Prediction], found: Sequence[Verdict]) -> str:
    """Save the runs unless they fail; return a remark that says so, and what is lower than in the reference."""
    if any(verdict.outcome in BAD for verdict in found):
        return f"{path}: not saved, because the new runs do not pass"
    save_reference(path, gold, runs)
    parts = [f"{path}: {counted(len(runs), 'run')} saved as a reference"]
    parts += [f"{MIN_RUNS} or more allow the t-test"] if len(runs) < MIN_RUNS else []
    parts += [
        f"{each.metric} is lower than that of the old one: {100 * each.new:.2f} after {100 * each.reference:.2f}"
        for each in found
        if each.reference is not None and each.new is not None and each.new < each.reference - EQUAL
    ]
    return "; ".join(parts)


def _distinct(runs: list[Prediction]) -> list[Prediction]:
    """Return the runs; raise InvalidValue if two are the same, which would narrow the bound."""
    for one, other in combinations(runs, 2):
        if one.tags == other.tags:
            raise InvalidValue(
                f"{one.name} and {other.name} have the same tags: a run counts once, and a system that draws no random "
                f"numbers has one run; remove one of them, or name another column with {option('tag_column')}"
            )
    return runs
