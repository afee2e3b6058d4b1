"""Score BIO files, whichever system wrote them, and format the scores as tables.

bert-ner score gold.bio a.bio b.bio
"""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from bert_ner.corpus.bio import BioError, Order, ParsedSentence, parse_bio, raise_problems, spans_of
from bert_ner.corpus.catalog import CORPORA
from bert_ner.errors import InvalidValue, printable
from bert_ner.scoring.counts import Counts, count
from bert_ner.scoring.scores import METRICS, score, score_by_type, signature
from bert_ner.scoring.uncertainty import bootstrap, compare_all, holm_by_metric

LEVEL, SAMPLES = 0.95, 10_000
TEST = f"paired approximate randomisation over sentences, {SAMPLES}; interval: paired percentile bootstrap, {SAMPLES}"

Record = dict[str, Any]


class File(NamedTuple):
    """The name and the content of a file."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def score_files(gold: File, predicted: Sequence[File], order: Order | None = None) -> Record:
    """Score BIO files, one for each system, against a gold file with the same words.

    In a prediction, an `I-X` that continues no entity begins one, as in conlleval. Without `order`, the order of the
    columns is inferred from the tags, file by file.

    Returns:
        A JSON-serialisable object; scores are fractions.

        - gold: file, sha256, sentences, words, entities, types.
        - systems: for each prediction, file, sha256, illegal_transitions (lines), types_not_in_gold, scores (by metric:
          value, low, high, signature) and by_type (type, support, precision, recall, f1).
        - comparisons: a row per pair of systems and metric, with the columns of comparisons.csv; p_holm is corrected
          for the number of pairs.
        - level, samples: of the intervals.

    Raises:
        BioError: a file has no sentence, no clear column of tags, or something that is not a tag; the gold file has an
            `I-X` without its `B-X`; or the words differ.
        InvalidValue: a prediction is given twice.
    """
    for name, times in Counter(file.name for file in predicted).items():
        if times > 1:
            raise InvalidValue(f"{name} is given {times} times; name each prediction once")
    parsed = read_gold(gold, order)
    tags = [each.sentence.tags for each in parsed]
    spans = [span for sequence in tags for span in spans_of(sequence)]
    types = sorted({span.type for span in spans})
    source = _source(gold)

    systems, counts = [], {}
    for file in tqdm(predicted, desc="score", unit="file", disable=None):
        prediction = read_prediction(file, order, gold.name, parsed)
        predicted_tags = [each.sentence.tags for each in prediction]
        counts[file.name] = count(tags, predicted_tags)
        illegal = [problem.line for each in prediction for problem in each.problems]
        extra = sorted({tag[2:] for sequence in predicted_tags for tag in sequence if tag != "O"} - {*types})
        values, intervals = score(tags, predicted_tags, **source), bootstrap(counts[file.name], SAMPLES, level=LEVEL)
        # For each metric: value, low, high, signature.
        scores = {metric: intervals[metric]._asdict() | values[metric]._asdict() for metric in METRICS}
        by_type = [row._asdict() for row in score_by_type(tags, predicted_tags)]
        about = {"file": file.name, "sha256": file.sha256, "illegal_transitions": illegal, "types_not_in_gold": extra}
        systems.append({**about, "scores": scores, "by_type": by_type})

    size = {"sentences": len(tags), "words": sum(map(len, tags)), "entities": len(spans), "types": types}
    return {
        "gold": {"file": gold.name, "sha256": gold.sha256, **size},
        "level": LEVEL,
        "samples": SAMPLES,
        "systems": systems,
        "comparisons": _comparisons(counts, source),
    }


def as_text(record: Record) -> str:
    """Format the result of `score_files` as lines of text, with nothing that could control a terminal."""
    return "\n".join(map(printable, "\n".join(_lines(record)).split("\n")))


def _source(gold: File) -> dict[str, str]:
    """Return the split, corpus and data of the signatures: the catalog's if it has a file with the same sum."""
    for corpus in CORPORA.values():
        for split, file in (("train", corpus.train), ("test", corpus.test)):
            if file.sha256 == gold.sha256:
                return {"split": split, "corpus": corpus.name, "data": gold.sha256[:8]}
    # A file's name may contain the separators of a signature.
    return {"split": "?", "corpus": re.sub(r"[^\w.-]+", "_", Path(gold.name).stem), "data": gold.sha256[:8]}


def read_gold(file: File, order: Order | None) -> list[ParsedSentence]:
    """Return the sentences of a gold file; raise BioError with its problems if it has any."""
    parsed = parse_bio(file.content, file.name, order=order)
    raise_problems([problem for each in parsed for problem in each.problems], file.name)
    return parsed


def read_prediction(
    file: File, order: Order | None, gold_name: str, gold: Sequence[ParsedSentence]
) -> list[ParsedSentence]:
    """Return the sentences of a prediction; raise BioError if it has no tags, or other words than the gold file."""
    prediction = parse_bio(file.content, file.name, order=order)
    problems = [problem for each in prediction for problem in each.problems]
    raise_problems([problem for problem in problems if not problem.is_transition], file.name)
    for (line, found), (gold_line, expected) in zip(_contents(prediction), _contents(gold), strict=False):
        if found != expected:
            raise BioError(
                f"{file.name}:{line}: {found}, where {gold_name}:{gold_line} has {expected}; "
                f"a prediction has the words of the gold file, sentence by sentence"
            )
    return prediction


def _contents(parsed: Sequence[ParsedSentence]) -> Iterator[tuple[int, str]]:
    """Yield the line and the content of each word, each end of a sentence, and the end of the file."""
    line = 0
    for each in parsed:
        for line, word in zip(each.lines, each.sentence.words, strict=True):
            yield line, repr(word)
        yield line + 1, "the end of a sentence"
    yield line + 1, "the end of the file"


def _comparisons(counts: dict[str, Counts], source: dict[str, str]) -> list[Record]:
    rows = []
    compared = compare_all(counts, list(combinations(counts, 2)), SAMPLES, level=LEVEL)
    p_holm = holm_by_metric(compared)
    for (a, b), by_metric in compared.items():
        pair = {"system_a": a, "system_b": b, "test": TEST, "n": len(counts[a].words)}
        for metric, comparison in by_metric.items():
            result = {**comparison._asdict(), "p_holm": p_holm[metric][a, b]}
            del result["a_sd"], result["b_sd"]  # a file is a single run
            rows.append({**pair, "metric": metric, **result, "signature": signature(metric, **source)})
    return rows


def _lines(record: Record) -> Iterator[str]:
    gold, systems, level = record["gold"], record["systems"], f"{record['level']:.0%}".replace("%", " %")
    size = f"{gold['sentences']:,} sentences, {gold['words']:,} words, {gold['entities']:,} entities"
    yield f"{gold['file']}: {size} of {len(gold['types'])} types"
    for system in systems:
        file, lines, types = system["file"], system["illegal_transitions"], ", ".join(system["types_not_in_gold"])
        if lines:
            yield (
                f"{file}: {len(lines):,} tag(s) I-X follow neither B-X nor I-X, the first in line {lines[0]}; "
                f"as in conlleval, each begins an entity, which entity_f1_strict drops"
            )
        if types:
            yield f"{file}: types that {gold['file']} does not have, so their entities are all wrong: {types}"

    files = [system["file"] for system in systems]
    names = [Path(file).name for file in files]
    if len(set(names)) < len(set(files)):
        names = files
    yield f"\nPercentages, each with its {level} bootstrap interval over sentences ({record['samples']:,} samples)\n"
    metrics = list(systems[0]["scores"])
    rows = [[metric, *(_with_interval(system["scores"][metric]) for system in systems)] for metric in metrics]
    yield from aligned(["", *names], rows)

    yield "\nEntity F1 by type\n"
    f1 = [{row["type"]: row["f1"] for row in system["by_type"]} for system in systems]
    support = {row["type"]: row["support"] for system in systems for row in system["by_type"]}
    rows = [
        [kind, f"{support[kind]:,}", *(f"{100 * by_type.get(kind, 0):.2f}" for by_type in f1)]
        for kind in sorted(support)
    ]
    yield from aligned(["", "entities", *names], rows)

    if record["comparisons"]:
        yield from _compared(record["comparisons"], dict(zip(files, names, strict=True)), level)
    yield "\nSignatures\n"
    yield from (systems[0]["scores"][metric]["signature"] for metric in metrics)


def _compared(comparisons: Sequence[Record], names: Mapping[str, str], level: str) -> Iterator[str]:
    pairs: dict[tuple[str, str], list[list[str]]] = {}
    for row in comparisons:
        difference, low, high = (f"{100 * row[key]:+.2f}" for key in ("difference", "low", "high"))
        cells = [row["metric"], difference, f"{low} to {high}", f"{row['p_value']:.4f}", f"{row['p_holm']:.4f}"]
        pairs.setdefault((row["system_a"], row["system_b"]), []).append(cells)
    header = ["", "difference", f"{level} interval", "p", *(["p, Holm"] if len(pairs) > 1 else [])]
    for (a, b), rows in pairs.items():
        yield f"\n{names[a]} - {names[b]}, in points\n"
        yield from aligned(header, [row[: len(header)] for row in rows])
    yield f"\np: {comparisons[0]['test']}"
    if len(pairs) > 1:
        yield f"p, Holm: corrected for {len(pairs)} pairs, metric by metric"


def _with_interval(score: Record) -> str:
    return f"{100 * score['value']:.2f} ({100 * score['low']:.2f} to {100 * score['high']:.2f})"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()
