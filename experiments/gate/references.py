"""Raw runs on disk: those of the present results, and the references that the gate compares them with.

results/reference/<corpus>/<system>.json has the runs of the whole pipeline, those in results/reference/fast the short
ones of `check.py --fast`. results/reference/bypass.yaml lists what may fail for now:

    - corpus: mit_movie_eng
      system: minilm
      metric: entity_f1 # without it, every metric of the system
      reason: the corpus is read anew; a reference follows
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

from harness.artifacts import read_json
from harness.tables import as_written_by

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.scoring import METRICS
from bert_ner.scoring.gate import BAD, EQUAL, MIN_RUNS, Outcome, Runs, Verdict, differences, mean_of
from bert_ner.scoring.gate import METRICS as DECIDING

Key = tuple[str, str]  # corpus and system

FAST = "fast"  # the folder, beside those of the corpora, of short runs
NAMES = ("corpus", "system", "metric")


def present(results: Path) -> dict[Key, Runs]:
    """The runs of every corpus that has been evaluated.

    Raises:
        BertNerError: a file can't be read, or scores.csv and provenance.json don't belong together.
    """
    found: dict[Key, Runs] = {}
    for path in sorted(results.glob("*/scores.csv")):
        corpus = path.parent.name
        with as_written_by(f"python experiments/evaluate.py --corpus {corpus}", path):
            origin = read_json(results / "provenance.json")[corpus]
            with path.open(encoding="utf-8", newline="") as file:
                rows = list(csv.DictReader(file))
            for row in rows:
                key = (corpus, row["system"])
                origin_of_run = origin["runs"][f"{row['system']}-{row['seed']}"]
                made_by = {
                    "signature": row["signature"],
                    "settings": origin_of_run["settings"],
                    "data": origin["files"],
                    "weights": origin_of_run.get("weights"),
                }
                runs = found.setdefault(key, Runs(*key, made_by, []))
                if runs.made_by != made_by:
                    raise ValueError(f"the runs of {row['system']} were not all made in the same way")
                scores = {metric: float(row[metric]) for metric in METRICS}
                environment = origin_of_run["environment"]
                runs.runs.append({"seed": int(row["seed"]), "scores": scores, "environment": environment})
    return found


def read_references(folder: Path) -> dict[Key, Runs]:
    """Every reference in a folder of folders by corpus.

    Raises:
        BertNerError: one can't be read, or is none.
    """
    paths = [path for path in sorted(folder.glob("*/*.json")) if path.parent.name != FAST]
    return {(path.parent.name, path.stem): _read(path) for path in paths}


def _read(path: Path) -> Runs:
    content = read_json(path)
    with as_written_by("python experiments/check.py --update", path):
        made_by = {name: content[name] for name in ("signature", "settings", "data", "weights")}
        runs = Runs(path.parent.name, path.stem, made_by, content["runs"])
        if not runs.suffices:
            raise ValueError(f"{len(runs.runs)} runs, {MIN_RUNS} needed")
    return runs


def update(folder: Path, new: dict[Key, Runs]) -> Iterator[str]:
    """Write the references anew that differ from new runs; a line for each that says so."""
    known = read_references(folder)
    for key, runs in new.items():
        if known.get(key) == runs:
            continue
        if not runs.suffices:
            yield f"{'/'.join(key)}: left as it is; it has {len(runs.runs)} runs, and a reference needs {MIN_RUNS}"
            continue
        content = {**runs.made_by, "runs": runs.runs}
        write_whole(folder.joinpath(*key).with_suffix(".json"), json.dumps(content, indent=2) + "\n")
        yield f"{'/'.join(key)}: {_change(known[key], runs) if key in known else f'new, runs: {len(runs.runs)}'}"


def _change(old: Runs, new: Runs) -> str:
    scores = [
        f"{metric} {mean_of(old, metric):.4f} -> {mean_of(new, metric):.4f}"
        for metric in DECIDING
        if abs(mean_of(old, metric) - mean_of(new, metric)) > EQUAL
    ]
    return "; ".join([*scores, *differences(old.made_by, new.made_by)]) or "the same scores, from other runs"


def read_bypasses(path: Path) -> list[dict[str, str]]:
    """What bypass.yaml lists; nothing if there is none.

    Raises:
        BertNerError: it can't be read, or an entry lacks what it needs or has what it can't have.
    """
    if not path.is_file():
        return []
    try:
        entries = YAML(typ="safe", pure=True).load(path) or []
    except (OSError, YAMLError) as error:
        raise BertNerError(f"{path} can't be read: {error}") from None
    needed = {"corpus", "system", "reason"}
    for entry in entries if isinstance(entries, list) else [entries]:
        is_valid = isinstance(entry, dict) and needed <= set(entry) <= {*needed, "metric"}
        if not (is_valid and all(isinstance(value, str) and value.strip() for value in entry.values())):
            raise BertNerError(f"{path}: expected entries of corpus, system, reason and perhaps metric, not {entry!r}")
        if entry.get("metric", DECIDING[0]) not in DECIDING:
            raise BertNerError(f"{path}: metric must be one of {', '.join(DECIDING)}, not {entry['metric']!r}")
    return list(entries)


def bypassed(verdict: Verdict, bypasses: list[dict[str, str]]) -> Verdict:
    """A verdict that would hold a change up, let through if it is listed, with the reason."""
    for entry in bypasses:
        is_meant = all(entry.get(name, value) == value for name, value in verdict._asdict().items() if name in NAMES)
        if is_meant and verdict.outcome in BAD:
            return verdict._replace(outcome=Outcome.BYPASSED, note=f"{verdict.outcome}, but {entry['reason']}")
    return verdict
