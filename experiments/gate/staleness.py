"""Find committed results that belong to other code, parameters or data than those in this checkout.

DVC compares the records in its lock files with the checkout. It needs neither models nor a cache, so this works in a
fresh clone. Some things differ from `dvc status`:

- A stage without a record in its lock file is stale if its results are here: the lock was lost or badly merged.
- The code is compared with its fingerprint as it is now. No file in results/code changes.
- data/ and models/ are compared between stages: the output of one must be the input of the next. A missing folder is
  no reason. So a model that was trained again without an evaluation goes unnoticed here, but not by `dvc status`.
- Verdicts and reports are computed again in memory from the tables and compared as text. They also read tables that
  are no dependencies in DVC: benchmarks, studies and, for results/domains, the other corpora.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.dvc_runs import FINGERPRINT, PIPELINE, open_repository
from harness.fingerprint import content, fingerprints, system_classes
from harness.paths import DOMAINS, predictions_file
from harness.tables import as_csv

import numpy as np

from bert_ner.corpus.catalog import corpus_names
from bert_ner.errors import BertNerError
from claims.judging import judge_claims
from reporting import markdown
from reporting.content import report_content

CODE = "results/code/"
CACHED = ("data/", "models/")  # kept by DVC, not by Git
MODULES = 4  # that a reason names
TABLES_OF_STAGES = {"search": "search", "study": "studies"}  # of stages without outputs, which put rows into a table


def stale(root: Path) -> dict[str, list[str]]:
    """Return the reasons why results are stale, each with its stages."""
    code = {f"{CODE}{entry}.json": modules for entry, modules in fingerprints(root, system_classes()).items()}
    found = defaultdict(list)
    with open_repository(root) as repo:
        # A stage that never ran, because the weights of its system are unavailable, has no results.
        stages = [stage for stage in repo.index.stages if any(dep.hash_info for dep in stage.deps)]
        for stage in repo.index.stages:
            if stage not in stages and any(map(Path.exists, traces(root, stage))):
                lock = Path(stage.path).with_suffix(".lock").relative_to(root).as_posix()
                found[f"{lock} has no record of a stage whose results are here; take it from Git"].append(
                    stage.addressing
                )
        made = {out.fs_path for stage in repo.index.stages for out in stage.outs}
        for path in sorted(root.glob("results/*/scores.csv")):
            if str(path) not in made:
                found[f"no stage writes {path.relative_to(root).as_posix()}"].append(PIPELINE)
        written = {out.fs_path: out.hash_info for stage in stages for out in stage.outs}
        for stage in stages:
            if stage.addressing != FINGERPRINT:  # it runs after any edit, and its output is compared in memory
                for reason in reasons(root, stage, code, written):
                    found[reason].append(stage.addressing)
    return dict(found)


def traces(root: Path, stage: Any) -> Iterator[Path]:
    """Yield files that Git keeps and that are there only if a stage has run."""
    for path in (Path(out.fs_path) for out in stage.outs):
        name = path.relative_to(root).as_posix()
        if name.startswith("models/"):
            yield predictions_file(root / "results", path.parent.name, path.name)
        elif name.startswith("data/"):
            reader = "label_audit.csv" if path.parent.name == "out_of_fold" else "scores.csv"
            yield root / "results" / path.name / reader
        else:
            yield path
    kind, _, item = stage.name.partition("@")
    if table := TABLES_OF_STAGES.get(kind):
        paths, row = root.glob(f"results/*/{table}.csv"), f"\n{item},"
        yield from (path for path in paths if row in path.read_text(encoding="utf-8"))


def outdated(results: Path) -> dict[str, list[str]]:
    """Return the verdicts and reports that do not follow from the tables, each with the stage that writes it.

    The figures of report.html depend on fonts and on matplotlib, so only report.md is compared.
    """
    found: dict[str, list[str]] = {}
    for name in [*corpus_names(), DOMAINS]:
        if not (results / name / "report.md").is_file():
            continue
        for stage, file, text_of in (("judge", "claims.csv", claims), ("report", "report.md", report)):
            address = DOMAINS if name == DOMAINS else f"{PIPELINE}:{stage}@{name}"
            path = results / name / file
            try:
                with np.errstate(invalid="ignore"):  # of infinite scores
                    text = text_of(name, results)
            except BertNerError as error:  # a broken table must not hide the verdict on it
                found[f"results/{name}/{file} can't be made: {error}"] = [address]
                continue
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                found[f"results/{name}/{file} does not follow from the tables"] = [address]
    return found


def claims(name: str, results: Path) -> str:
    """Return the text of claims.csv of a corpus, or of the comparison of corpora."""
    return as_csv("claims", judge_claims(name, results))


def report(name: str, results: Path) -> str:
    """Return the text of report.md of a corpus, or of the comparison of corpora."""
    return markdown.render(*report_content(results, name))


def reasons(root: Path, stage: Any, code: Mapping[str, dict[str, str]], written: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a stage's results are not those of this checkout."""
    if stage.changed_stage():
        yield "its command changed"
    for item in [*stage.deps, *stage.outs]:
        path = Path(item.fs_path).relative_to(root).as_posix()
        if path.startswith(CACHED):
            if written.get(item.fs_path, item.hash_info) != item.hash_info:
                yield f"{path} was written again since"
        elif path.startswith(CODE):
            if path not in code:
                yield f"{path} belongs to no stage or system"
            elif hashlib.md5(content(code[path]).encode()).hexdigest() != item.hash_info.value:
                yield f"the code of {Path(path).stem} changed{changed_modules(root / path, item, code[path])}"
        else:
            for name, state in item.workspace_status().items():
                if isinstance(state, dict):  # parameters
                    then, now = item.hash_info.value, item.read_params()
                    yield from (f"{key} in {name} is {now.get(key)!r}, and was {then.get(key)!r}" for key in state)
                else:
                    yield f"{path} is {state}"


def changed_modules(path: Path, recorded: Any, now: Mapping[str, str]) -> str:
    """Name some of the modules that changed, if the recorded fingerprint is still on disk."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if hashlib.md5(text.encode()).hexdigest() != recorded.hash_info.value:
        return ""
    then = json.loads(text)
    names = sorted(name for name in {*then, *now} if then.get(name) != now.get(name))
    return f" ({', '.join(names[:MODULES])}{f' and {len(names) - MODULES} more' if len(names) > MODULES else ''})"
