"""Which committed results belong to other code, parameters or data than what is here.

Compared with what dvc.lock says that each stage was last run with: the fingerprint of the code as it is now, the
values in params.yaml, and the MD5 of every file that Git keeps. Neither models nor a DVC cache are needed for that.
What DVC keeps (data/, models/) is compared between stages alone: what one has read is what the other has written. So a
model that was trained anew without an evaluation after it goes unnoticed; `dvc status` tells where the models are.

Verdicts and reports are made anew in memory and compared as text: both read other corpora's scores, studies and
benchmarks, of which DVC does not know (dvc.yaml says why).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from harness.fingerprint import content as text_of
from harness.fingerprint import fingerprints

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert_ner.corpus.catalog import CORPORA
from bert_ner.errors import BertNerError
from judge import CLAIMS, PUBLISHED, as_csv, judge_all
from report import pages
from reporting.results import Results

CODE = "results/code"
CACHED = ("data/", "models/")  # out of Git
# By the file that has the stages: what runs a stage of it again.
RENEWED_BY = {
    "dvc.yaml": "dvc repro",
    "results/dvc.yaml": "dvc repro results/dvc.yaml, then dvc repro",
}


def stale(root: Path) -> dict[str, list[str]]:
    """What is stale, by the command that renews it: a line for each reason, with the stages that it concerns.

    Raises:
        BertNerError: a file of DVC's can't be read.
    """
    code = {f"{CODE}/{entry}.json": modules for entry, modules in fingerprints(root).items()}
    params = _read(root / "params.yaml")
    written: dict[str, str] = {}
    locked: dict[str, dict[str, Any]] = {}
    for name in RENEWED_BY:
        path = root / name
        if path.with_suffix(".lock").is_file():
            stages = _read(path.with_suffix(".lock")).get("stages", {})
            # A stage that is no more stays in the lock.
            current = stage_names(_read(path).get("stages", {}), params)
            locked[name] = {stage: stages[stage] for stage in stages if stage in current}
            for facts in locked[name].values():
                written |= {out["path"]: out["md5"] for out in facts.get("outs", [])}

    found: dict[str, list[str]] = {}
    for name, stages in locked.items():
        reasons: dict[str, list[str]] = defaultdict(list)
        for stage, facts in stages.items():
            if stage == "fingerprint":  # runs after any edit; what it writes is compared below
                continue
            for reason in _reasons(root, facts, code, params, written):
                reasons[reason].append(stage)
        if reasons:
            found[RENEWED_BY[name]] = [f"{reason}: {', '.join(of)}" for reason, of in reasons.items()]
    return found


def outdated(results: Path) -> dict[str, list[str]]:
    """Verdicts and reports that are not what the tables in results/ give, as stale() has it.

    Raises:
        BertNerError: a table is missing or broken.
    """
    found = {}
    for corpus in CORPORA.values():
        folder = results / corpus.name
        if not (folder / "report.md").is_file():
            continue
        texts = {"claims.csv": as_csv(judge_all(corpus.name, CLAIMS, PUBLISHED, results))}
        texts |= pages(Results(results, corpus))
        then = {name: (folder / name).read_text(encoding="utf-8") for name in texts if (folder / name).is_file()}
        if changed := [name for name, text in texts.items() if then.get(name) != text]:
            command = f"dvc repro --force --single-item judge@{corpus.name} report@{corpus.name}"
            found[command] = [f"{corpus.name}/{name} is not what the tables give" for name in changed]
    return found


def _reasons(
    root: Path, facts: dict[str, Any], code: dict[str, dict[str, str]], params: dict[str, Any], written: dict[str, str]
) -> Iterator[str]:
    """Why a stage's results are not those of what is here."""
    for path, was in ((dep["path"], dep["md5"]) for dep in facts.get("deps", [])):
        if path.startswith(f"{CODE}/"):
            if path not in code:
                yield f"{path} is of no stage and no system"
            elif hashlib.md5(text_of(code[path]).encode()).hexdigest() != was:
                yield f"code of {Path(path).stem} changed{_modules(root / path, was, code[path])}"
        elif path.startswith(CACHED):
            if written.get(path, was) != was:
                yield f"{path} was made anew since"
        elif change := _change(root / path, was):
            yield f"{path} {change}"
    for name, was in facts.get("params", {}).get("params.yaml", {}).items():
        if (now := _value(params, name)) != was:
            yield f"{name} in params.yaml is {now!r}, and was {was!r}"
    for out in facts.get("outs", []):
        if not out["path"].startswith(CACHED) and (change := _change(root / out["path"], out["md5"])):
            yield f"{out['path']} {change}"


def _modules(path: Path, was: str, now: dict[str, str]) -> str:
    """Which modules of an entry changed, if the file of the last run is still there."""
    if not path.is_file() or md5_of(path) != was:
        return ""
    then = json.loads(path.read_text(encoding="utf-8"))
    return f" ({', '.join(sorted(name for name in {*then, *now} if then.get(name) != now.get(name)))})"


def _change(path: Path, was: str) -> str:
    if not path.exists():
        return "is missing"
    return "is not what the stage's last run had" if md5_of(path) != was else ""


def md5_of(path: Path) -> str:
    """The MD5 that DVC gives a file, or a folder, whose is that of the list of its files."""
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "md5").hexdigest()
    names = {file.relative_to(path).as_posix(): file for file in path.rglob("*") if file.is_file()}
    listed = [{"md5": md5_of(names[name]), "relpath": name} for name in sorted(names)]
    return hashlib.md5(json.dumps(listed).encode()).hexdigest() + ".dir"


def stage_names(stages: dict[str, Any], params: dict[str, Any]) -> set[str]:
    """The names of stages as dvc.lock has them: `stage@a-b` for those with a matrix, `stage@key` with foreach."""
    names = set()
    for name, content in stages.items():
        if "matrix" in content:
            lists = [_resolved(values, params) for values in content["matrix"].values()]
            names |= {f"{name}@{'-'.join(map(str, values))}" for values in product(*lists)}
        elif "foreach" in content:
            names |= {f"{name}@{key}" for key in _resolved(content["foreach"], params)}
        else:
            names.add(name)
    return names


def _resolved(values: Any, params: dict[str, Any]) -> Any:
    """A list, or the one in params.yaml that `${...}` names."""
    named = re.fullmatch(r"\$\{([\w.]+)\}", values) if isinstance(values, str) else None
    return _value(params, named[1]) or [] if named else values


def _value(params: dict[str, Any], name: str) -> Any:
    value: Any = params
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _read(path: Path) -> dict[str, Any]:
    try:
        content = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError) as error:
        raise BertNerError(f"{path} can't be read: {error}") from None
    if not isinstance(content, dict):
        raise BertNerError(f"{path}: expected sections, as in the one in the repository")
    return content
