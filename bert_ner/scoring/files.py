"""Score files of tagged sentences, whichever system wrote them, and format the scores as tables.

bert-ner score gold.bio a.bio b.bio
"""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from bert_ner.corpus.bio import spans_of
from bert_ner.corpus.catalog import corpus_named, corpus_names
from bert_ner.corpus.columns import BioError, Layout, columns_text, quoted
from bert_ner.corpus.formats import ParsedFile, Reading, parse_file
from bert_ner.errors import BertNerError, InvalidValue, first_difference, printable, unusual_letters
from bert_ner.scoring.counts import Counts, count
from bert_ner.scoring.resampling import LEVEL, MIN_SENTENCES, SAMPLES, Comparison, Interval, p_text, paired_text
from bert_ner.scoring.scores import METRICS, score, score_by_type, signature
from bert_ner.scoring.uncertainty import bootstrap, compare_all, holm_by_metric
from bert_ner.wording import counted

Record = dict[str, Any]


class File(NamedTuple):
    """The name and the content of a file."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def score_files(
    gold: File, predicted: Sequence[File], reading: Reading | None = None, predicted_reading: Reading | None = None
) -> Record:
    """Score files, one for each system, against a gold file with the same words.

    Tags of other schemes are converted to IOB2 first. In a prediction, an `I-X` that continues no entity begins one,
    as in conlleval.

    Args:
        reading: how to read the gold file; by default its suffix, its tags and its columns decide.
        predicted_reading: how to read the predictions; by default as the gold file, but in a scheme of their own. With
            the gold file's layout, a prediction may also have two columns, the word first, as `bert-ner tag` writes it.

    Returns:
        A JSON-serialisable object; scores are fractions.

        - gold: file, sha256, scheme, skipped (lines by kind), sentences, words, entities, types.
        - systems: for each prediction, file, sha256, scheme, illegal_transitions (lines), types_not_in_gold, scores (by
          metric: value, low, high, signature) and by_type (type, support, precision, recall, f1).
        - comparisons: a row per pair of systems and metric, with the columns of comparisons.csv; p_holm is corrected
          for the number of pairs.
        - level, samples: of the intervals.
        - remark: why there are no intervals and no p-values, which are then None; else None.

    Raises:
        BioError: a file has no sentence, no clear column of tags, or something that is not a tag; the gold file has a
            tag that its scheme does not allow there; or the words differ.
        InvalidValue: a prediction is given twice.
    """
    for name, times in Counter(file.name for file in predicted).items():
        if times > 1:
            raise InvalidValue(f"{name} is given {times} times; name each prediction once")
    reading = reading or Reading()
    readings = prediction_readings(reading, predicted_reading)
    parsed = read_gold(gold, reading)
    tags = parsed.iob2
    entities = Counter(span.type for sequence in tags for span in spans_of(sequence))
    types = sorted(entities)
    source = _source(gold, parsed, reading.layout)

    systems, counts = [], {}
    for file in tqdm(predicted, desc="score", unit="file", disable=None):
        prediction = read_prediction(file, readings, parsed)
        predicted_tags = prediction.iob2
        counts[file.name] = count(tags, predicted_tags)
        illegal = [problem.line for problem in prediction.problems]
        values, intervals = score(tags, predicted_tags, **source), bootstrap(counts[file.name], SAMPLES)
        # For each metric: value, low, high, signature.
        scores = {metric: _without_nan(intervals[metric]) | values[metric]._asdict() for metric in METRICS}
        by_type = [row._asdict() for row in score_by_type(tags, predicted_tags)]
        about = {"file": file.name, "sha256": file.sha256, "scheme": prediction.scheme}
        findings = {"illegal_transitions": illegal, "types_not_in_gold": types_not_in_gold(prediction, parsed)}
        systems.append({**about, **findings, "scores": scores, "by_type": by_type})

    about_gold = {"file": gold.name, "sha256": gold.sha256, "scheme": parsed.scheme, "skipped": dict(parsed.skipped)}
    size = {"sentences": len(tags), "words": sum(map(len, tags)), "entities": entities.total(), "types": types}
    too_few = f"no intervals and no p-values: they take at least {MIN_SENTENCES} sentences; this file has {len(tags)}"
    return {
        "gold": {**about_gold, **size},
        "level": LEVEL,
        "samples": SAMPLES,
        "systems": systems,
        "comparisons": _comparisons(counts, source),
        "remark": too_few if len(tags) < MIN_SENTENCES else None,
    }


def as_text(record: Record, encoding: str = "utf-8") -> str:
    """Format the result of `score_files` as lines of text.

    Nothing in it could control a terminal, and all of it can be written in the `encoding`.
    """
    return "\n".join(_lines(_printable(record, encoding)))


def read_gold(file: File, reading: Reading) -> ParsedFile:
    """Return a gold file; raise BioError if it has any problem."""
    parsed = parse_file(file.content, file.name, reading)
    parsed.raise_problems()
    return parsed


def prediction_readings(reading: Reading, predicted_reading: Reading | None) -> list[Reading]:
    """Return the ways to read a prediction, the first that fits to be taken; `reading` is the gold file's."""
    predicted_reading = predicted_reading or replace(reading, scheme=None)
    if predicted_reading.layout != reading.layout:
        return [predicted_reading]
    return [predicted_reading, Reading(Layout(order="word-first"), scheme=predicted_reading.scheme)]


def read_prediction(file: File, readings: Sequence[Reading], gold: ParsedFile) -> ParsedFile:
    """Return a prediction, read in the first way that gives the words of the gold file; raise the first way's error."""
    first, *others = readings
    try:
        return _read_as(file, first, gold)
    except BioError:
        for reading in others:
            with suppress(BioError):
                return _read_as(file, reading, gold)
        raise


def types_not_in_gold(prediction: ParsedFile, gold: ParsedFile) -> list[str]:
    """Return the entity types that a prediction has and the gold file lacks, in order."""
    found, known = ({tag[2:] for tags in file.iob2 for tag in tags if tag != "O"} for file in (prediction, gold))
    return sorted(found - known)


def wrong_types(prediction: str, gold: str, types: Sequence[str]) -> str:
    """Return a remark on the types that only the prediction has, of the files with these names."""
    listed = ", ".join(f"{kind}{unusual_letters(kind)}" for kind in types)
    return f"{prediction}: types that {gold} does not have, so their entities are all wrong: {listed}"


def _read_as(file: File, reading: Reading, gold: ParsedFile) -> ParsedFile:
    """Return a prediction; raise BioError if it has something that is no tag, or other words than the gold file."""
    parsed = _with_empty_sentences(parse_file(file.content, file.name, reading, gold.scheme), gold)
    parsed.raise_problems([problem for problem in parsed.problems if not problem.is_transition])
    if [each.sentence.words for each in parsed.sentences] == [each.sentence.words for each in gold.sentences]:
        return parsed
    for (place, *found), (gold_place, *expected) in zip(_contents(parsed), _contents(gold), strict=False):
        if found != expected:
            (word, shown), (gold_word, gold_shown) = found, expected
            difference = first_difference(word, gold_word) if word and gold_word else ""
            raise BioError(
                f"{place}: {shown}, where {gold_place} has {gold_shown}{difference}; "
                f"a prediction has the words of the gold file, sentence by sentence"
            )
    return parsed


def _with_empty_sentences(parsed: ParsedFile, gold: ParsedFile) -> ParsedFile:
    """Return a prediction with the gold file's sentences without words, which text in columns can't hold."""
    empty = [(i, each) for i, each in enumerate(gold.sentences) if not each.lines]
    if not empty or parsed.format != "columns":
        return parsed
    sentences = list(parsed.sentences)
    for i, each in empty:
        sentences.insert(i, each)
    return parsed._replace(sentences=sentences)


def _source(gold: File, parsed: ParsedFile, layout: Layout) -> dict[str, str]:
    """Return the split, corpus and data of the signatures: those of a corpus that has a file with the same sum.

    If the file is not plain BIO, the data are those of the BIO file that `bert-ner convert` makes of it. So two formats
    of the same sentences have one signature, and two columns of tags in one file have two.
    """
    for name in corpus_names():
        with suppress(BertNerError):  # a corpus whose YAML file is wrong has nothing to do with this file
            for split, file in corpus_named(name).files.items():
                if file.sha256 == gold.sha256:
                    return {"split": split, "corpus": name, "data": gold.sha256[:8]}
    sha256 = gold.sha256
    is_plain = (parsed.format, parsed.scheme, layout) == ("columns", "IOB2", Layout(layout.order))
    if not is_plain:
        sha256 = sum_of_sentences(parsed)
    # A file's name may contain the separators of a signature.
    return {"split": "?", "corpus": re.sub(r"[^\w.-]+", "_", Path(gold.name).stem), "data": sha256[:8]}


def sum_of_sentences(parsed: ParsedFile) -> str:
    """Return the SHA-256 of the text that `bert-ner convert` makes of a file: equal for the same words and tags."""
    text = columns_text((each.sentence.words for each in parsed.sentences), parsed.iob2)
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


def _contents(parsed: ParsedFile) -> Iterator[tuple[str, str, str]]:
    """Yield the place, the word and a description of each word, and of each end, of a sentence or the file."""
    line, step = 0, int(parsed.format == "columns")  # a record ends where it begins
    for each in parsed.sentences:
        for line, word in zip(each.lines, each.sentence.words, strict=True):
            yield f"{parsed.place}{line}", word, quoted(word)
        yield f"{parsed.place}{line + step}", "", "the end of a sentence"
    yield f"{parsed.place}{line + step}", "", "the end of the file"


def _without_nan(result: Interval | Comparison) -> Record:
    return {key: _none_if_nan(value) for key, value in result._asdict().items()}


def _none_if_nan(value: float) -> float | None:
    return None if math.isnan(value) else value


def _comparisons(counts: dict[str, Counts], source: dict[str, str]) -> list[Record]:
    rows = []
    compared = compare_all(counts, list(combinations(counts, 2)), SAMPLES)
    p_holm = holm_by_metric(compared)
    for (a, b), by_metric in compared.items():
        pair = {"system_a": a, "system_b": b, "test": paired_text(SAMPLES), "n": len(counts[a].words)}
        for metric, comparison in by_metric.items():
            result = {**_without_nan(comparison), "p_holm": _none_if_nan(p_holm[metric][a, b])}
            del result["a_sd"], result["b_sd"]  # a file is a single run
            rows.append({**pair, "metric": metric, **result, "signature": signature(metric, **source)})
    return rows


def _printable(value: Any, encoding: str) -> Any:
    """Return a record whose texts are printable, before they are aligned."""
    if isinstance(value, str):
        return printable(value, encoding)
    if isinstance(value, list):
        return [_printable(each, encoding) for each in value]
    if isinstance(value, dict):
        return {_printable(key, encoding): _printable(each, encoding) for key, each in value.items()}
    return value


def _lines(record: Record) -> Iterator[str]:
    gold, systems, level = record["gold"], record["systems"], f"{record['level']:.0%}".replace("%", " %")
    sizes = [
        counted(gold["sentences"], "sentence"),
        counted(gold["words"], "word"),
        f"{counted(gold['entities'], 'entity', 'entities')} of {counted(len(gold['types']), 'type')}",
    ]
    yield f"{gold['file']}: {', '.join(sizes)}"
    for kind, number in gold["skipped"].items():
        yield f"{gold['file']}: skipped {counted(number, f'{kind} line')}"
    schemes = {(file["file"], file["scheme"]): None for file in (gold, *systems) if file["scheme"] != "IOB2"}
    yield from (f"{file}: scheme {scheme}, converted to IOB2" for file, scheme in schemes)
    for system in systems:
        file, lines, types = system["file"], system["illegal_transitions"], system["types_not_in_gold"]
        if lines and system["scheme"] == "IOB2":
            yield (
                f"{file}: tags I-X that follow neither B-X nor I-X: {len(lines):,}, the first in line {lines[0]}; "
                f"as in conlleval, each begins an entity, which entity_f1_strict drops"
            )
        elif lines:
            yield (
                f"{file}: tags that {system['scheme']} would not have there: {len(lines):,}, the first in line "
                f"{lines[0]}; they are read as conlleval reads them, also for entity_f1_strict"
            )
        if types:
            yield wrong_types(file, gold["file"], types)

    files = [system["file"] for system in systems]
    names = [Path(file).name for file in files]
    if len(set(names)) < len(set(files)):
        names = files
    intervals = f"each with its {level} bootstrap interval over sentences ({record['samples']:,} samples)"
    yield f"\nPercentages; {record['remark']}\n" if record["remark"] else f"\nPercentages, {intervals}\n"
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
        yield from _compared(record["comparisons"], dict(zip(files, names, strict=True)), level, record["samples"])
    is_ours = "split:?" not in systems[0]["scores"][metrics[0]]["signature"]
    yield f"\nSignatures{'' if is_ours else '; split:? is that of a file of no corpus here'}\n"
    yield from (systems[0]["scores"][metric]["signature"] for metric in metrics)


def _compared(comparisons: Sequence[Record], names: Mapping[str, str], level: str, samples: int) -> Iterator[str]:
    pairs: dict[tuple[str, str], list[list[str]]] = {}
    for row in comparisons:
        cells = [row["metric"], f"{100 * row['difference']:+.2f}", "none", "none", "none"]
        if row["p_value"] is not None:
            shown = [p_text(row["p_value"], samples, corrected) for corrected in (None, row["p_holm"])]
            interval = f"{100 * row['low']:+.2f} to {100 * row['high']:+.2f}"
            cells[2:] = [interval, *shown]
        pairs.setdefault((row["system_a"], row["system_b"]), []).append(cells)
    header = ["", "difference", f"{level} interval", "p", *(["p, Holm"] if len(pairs) > 1 else [])]
    for (a, b), rows in pairs.items():
        yield f"\n{names[a]} - {names[b]}, in points\n"
        yield from aligned(header, [row[: len(header)] for row in rows])
    yield f"\np: {comparisons[0]['test']}; < means that no trial had so large a difference"
    if len(pairs) > 1:
        yield f"p, Holm: corrected for {len(pairs)} pairs, metric by metric"


def _with_interval(score: Record) -> str:
    if score["low"] is None:
        return f"{100 * score['value']:.2f}"
    return f"{100 * score['value']:.2f} ({100 * score['low']:.2f} to {100 * score['high']:.2f})"


def aligned(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align the columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip()
