"""Compare records that are in no lock file of DVC, because no stage has them as outputs, with what they follow from."""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from harness.params import Params, read_params, settings_of
from harness.provenance import read_provenance
from harness.tables import TABLES, as_csv, read_table, table_path, tables_of_corpora
from harness.trials import as_text, asked_rows, changed, choose, trials_of

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench.benchmark_page import as_markdown
from bert_ner.corpus.catalog import corpus_named, corpus_names
from bert_ner.errors import BertNerError
from bert_ner.files import SUMS, list_sums, read_sums, sha256_of
from gate.figure_blocks import outdated_figures
from gate.references import UPDATE
from gate.studies import study_problems

NOT_LOCKED = ("mpnet", "cluster")  # extras that `make` does not install from the lock file


def inconsistent(root: Path) -> dict[str, list[str]]:
    """Return what is wrong in the records of a checkout, each with the file to take from Git or to make again."""
    results, params = root / "results", read_params()
    found: dict[str, list[str]] = {}
    checks = {
        "results/provenance.json": _provenance(results, params),
        "results/*/studies.csv": study_problems(results, params),
        "results/*/search.csv": _search(results, params),
        "results/*/ablation.csv": _ablation(results, params),
        "results/benchmarks.csv": _benchmarks(results),
        f"take it from Git, or run {UPDATE}": _sums(results),
        "requirements.lock": _requirements(root),
        UPDATE: outdated_figures(root),
    }
    for file, problems in checks.items():
        for problem in problems:
            found.setdefault(problem, []).append(file)
    return found


def _provenance(results: Path, params: Params) -> Iterator[str]:
    """Yield what provenance.json says of a run, and a table does not."""
    provenance = read_provenance(results)
    for path in sorted(results.glob("*/scores.csv")):
        corpus = path.parent.name
        facts = provenance.get(corpus, {})
        files, min_steps = facts.get("files", {}), 0
        if corpus in corpus_names():
            entry = corpus_named(corpus)
            min_steps = entry.min_steps
            if any(file.sha256 and files.get(file.name) != file.sha256 for file in entry.files.values()):
                yield f"provenance.json has other files of {corpus} than corpora/{corpus}.yaml"
        rows: dict[str, list[dict[str, Any]]] = {"history": [], "costs": []}
        for name, run in facts.get("runs", {}).items():
            system, _, seed = name.rpartition("-")
            if system in params.systems and run["settings"] != settings_of(params.section(system, min_steps)):
                yield f"provenance.json has other settings of {system} on {corpus} than params.yaml"
            about = {"system": system, "seed": int(seed), "encoder": run["settings"].get("name", "")}
            rows["history"] += [about | row for row in run["history"] if "epoch" in row]
            rows["costs"].append(about | run["cost"])
        for name, recorded in rows.items():
            file = table_path(results, corpus, name)
            if not file.is_file() or file.read_text(encoding="utf-8") != as_csv(name, recorded):
                yield f"provenance.json does not have the runs of {corpus}/{name}.csv"


def _sums(results: Path) -> Iterator[str]:
    """Yield the files that are not as they were when their sums were noted."""
    noted, found = read_sums(results), _sums_now(results)
    for name in sorted({*noted, *found}):
        if name not in found:
            yield f"{name} is in results/{SUMS}, but it is gone"
        elif name not in noted:
            yield f"{name} is not in results/{SUMS}"
        elif noted[name] != found[name]:
            yield f"{name} is not the file in results/{SUMS}"


def _sums_now(results: Path) -> dict[str, str]:
    names = ["provenance.json", *(f"{name}.csv" for name, table in TABLES.items() if table.is_summed)]
    return {path.relative_to(results).as_posix(): sha256_of(path) for name in names for path in results.rglob(name)}


def update_sums(results: Path) -> None:
    """Note the sums of the files as they are now."""
    list_sums(results, _sums_now(results))


def _search(results: Path, params: Params) -> Iterator[str]:
    """Yield what search.csv says of a trial, and params.yaml does not."""
    for corpus, table in tables_of_corpora(results, "search"):
        name = f"{corpus}/search.csv"
        rows = table.to_dict("records")
        asked = asked_rows(rows, params)
        other = {(row["system"], row["trial"], row["settings"]) for row in rows if row not in asked}
        for system, number, settings in sorted(other):
            yield f"{name} has trial {number} of {system} with settings that params.yaml does not ask for: {settings}"
        if table.duplicated(list(TABLES["search"].key)).any():
            yield f"{name} has a fold of a trial twice"
        if not table["validation_entity_f1"].between(0, 1).all():
            yield f"{name} has a score that is no fraction"
        for system in params.search.trials:
            tuned, trials = f"{system}_tuned", trials_of(system, params)
            choice = choose(table, system, trials) if tuned in params.systems else None
            if choice and settings_of(params[tuned]) != settings_of(trials[choice.trial]):
                yield f"{tuned} in params.yaml has not the settings of trial {choice.trial}, which {name} chooses"


def _ablation(results: Path, params: Params) -> Iterator[str]:
    """Yield the rows of ablation.csv that do not follow from params.yaml."""
    for corpus, table in tables_of_corpora(results, "ablation"):
        for system, rows in table.groupby("system"):
            trials = trials_of(str(system), params) if system in params.search.trials else {}
            whole = next((settings for settings in trials.values() if settings == params[str(system)]), {})
            asked = {number: as_text(changed(settings, whole)) for number, settings in trials.items()}
            if dict(zip(rows["trial"], rows["change"], strict=True)) != asked:
                yield f"{corpus}/ablation.csv has other trials of {system} than params.yaml"


def _benchmarks(results: Path) -> Iterator[str]:
    table = read_table(results, "", "benchmarks")
    if table is None:
        return
    page = results / "benchmarks.md"
    if not page.is_file() or page.read_text(encoding="utf-8") != as_markdown(table):
        yield "benchmarks.md does not follow from benchmarks.csv"
    if not table["seconds"].between(table["seconds_low"], table["seconds_high"]).all():
        yield "benchmarks.csv has a median outside of its range"
    if not (table["tokens"] / table["seconds"] / table["tokens_per_second"]).between(0.999, 1.001).all():
        yield "benchmarks.csv has a speed that is not words over seconds"


def _requirements(root: Path) -> Iterator[str]:
    """Yield the requirements of pyproject.toml that no version in requirements.lock meets."""
    project, locked = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"], _locked(root)
    extras = [names for extra, names in project["optional-dependencies"].items() if extra not in NOT_LOCKED]
    for requirement in map(Requirement, chain(project["dependencies"], *extras)):
        versions = locked.get(canonicalize_name(requirement.name), set())
        if requirement.name != project["name"] and not (
            versions and all(map(requirement.specifier.contains, versions))
        ):
            yield f"requirements.lock has {', '.join(versions) or 'nothing'} for {requirement}; run make lock"


def other_versions(root: Path) -> list[str]:
    """Return the packages that results were made with in another version than that of requirements.lock."""
    locked, corpora = _locked(root), read_provenance(root / "results")
    environments = [run["environment"] for facts in corpora.values() for run in facts.get("runs", {}).values()]
    used = {(name, version.partition("+")[0]) for made in environments for name, version in made["packages"].items()}
    return [
        f"{name} {version}, and {', '.join(sorted(locked[name]))} in requirements.lock"
        for name, version in sorted(used)
        if name in locked and version not in locked[name]
    ]


def _locked(root: Path) -> dict[str, set[str]]:
    """Return the versions of each package in requirements.lock; markers may choose among several."""
    path = root / "requirements.lock"
    if not path.is_file():
        raise BertNerError(f"{path} is missing; take it from Git, or run make lock")
    lines = re.findall(r"^([\w.-]+)==([^\s;]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    found: dict[str, set[str]] = {}
    for name, version in lines:
        found.setdefault(canonicalize_name(name), set()).add(version)
    return found
