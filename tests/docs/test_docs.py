"""The pages of docs/ that give commands, followed to the letter in a copy of the repository, with a tiny encoder."""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from workplace import Workplace

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"`([^`\s]+)`:\s*\Z")  # the text before a file's block ends with the file's name


class Step(NamedTuple):
    """A block of a page: its language, its content, and the file that the text before it names, if any."""

    language: str
    content: str
    file: str | None


def steps_of(page: str) -> Iterator[Step]:
    """Yield the blocks of a page, in order."""
    end = 0
    for fence in FENCE.finditer(page):
        named = NAMED.search(page[end : fence.start()])
        yield Step(fence[1], fence[2], named[1] if named else None)
        end = fence.end()


def follow(page: str, workplace: Workplace) -> list[str]:
    """Write the files, make the changes and run the commands of a page; return the output of each block of commands."""
    outputs = [""]
    for language, content, file in steps_of(page):
        match language:
            case "sh":
                outputs.append(workplace.succeed("bash", "-euo", "pipefail", "-c", content))
            case "text":
                assert content in outputs[-1]
            case "diff":
                path = workplace.folder / str(file)
                path.write_text(changed(path.read_text(encoding="utf-8"), content), encoding="utf-8")
            case _:
                path = workplace.folder / str(file)
                assert not path.exists()
                path.parent.mkdir(exist_ok=True)
                path.write_text(content, encoding="utf-8")
    return outputs[1:]


def changed(text: str, diff: str) -> str:
    """Apply a diff to a text, which must have the lines marked by a space or a minus exactly once."""
    lines = [(line[:1] or " ", line[1:] + "\n") for line in diff.splitlines()]
    old, new = ("".join(line for sign, line in lines if sign in signs) for signs in (" -", " +"))
    place = re.compile(f"^{re.escape(old)}", re.MULTILINE)
    assert len(place.findall(text)) == 1, f"not exactly once in the file:\n{old}"
    return place.sub(lambda _: new, text)


def rows(workplace: Workplace, table: str) -> list[dict[str, str]]:
    with open(workplace.folder / "results" / table, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_adding_a_system(place: Workplace) -> None:
    outputs = follow((DOCS / "adding-a-system.md").read_text(encoding="utf-8"), place)
    assert "toy-0 on sample" in outputs[0]
    assert re.search(r"\[\w+ [A-Z_]+\]", outputs[0])  # an entity in its brackets
    assert "2 passed" in outputs[-1]
    scores = {row["system"]: float(row["entity_f1"]) for row in rows(place, "sample/scores.csv")}
    assert 0.05 < scores["toy"] < scores["crf"]
    [difference] = (
        float(row["difference"])
        for row in rows(place, "sample/comparisons.csv")
        if (row["system_a"], row["system_b"], row["metric"]) == ("toy", "crf", "entity_f1")
    )
    assert difference == pytest.approx(scores["toy"] - scores["crf"], abs=2e-6)
    assert "toy" in (place.folder / "results/sample/report.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_adding_a_corpus(place: Workplace) -> None:
    follow((DOCS / "adding-a-corpus.md").read_text(encoding="utf-8"), place)
    scores = {row["system"]: row for row in rows(place, "toy/scores.csv")}
    assert {row["corpus"] for row in scores.values()} == {"toy"}
    assert scores["crf"]["n_sentences"] == "30"
    assert float(scores["crf"]["entity_f1"]) > 0.9  # all words of the test sentences are in the training sentences
    assert "Toy (questions about places)" in (place.folder / "results/toy/report.md").read_text(encoding="utf-8")
    assert rows(place, "toy/claims.csv") == []
    assert "loss on toy" in (place.folder / "dvc_plots/index.html").read_text(encoding="utf-8")
    assert place.git("status", "--porcelain", "dvc_plots") == ""


@pytest.mark.slow
def test_a_tagger_in_a_package(place: Workplace) -> None:
    """The package is installed beside the environment, which other tests share."""
    pytest.importorskip("setuptools", reason="builds the package without a registry")
    installed = str(place.folder.parent / "installed")
    place.environment |= {"PIP_TARGET": installed, "PIP_NO_BUILD_ISOLATION": "false", "PIP_NO_INDEX": "1"}
    place.environment["PYTHONPATH"] += f"{os.pathsep}{installed}"
    outputs = follow((DOCS / "tagger-in-a-package.md").read_text(encoding="utf-8"), place)
    assert re.search(r"^neighbours,crf,entity_f1,", outputs[1], re.MULTILINE)
    assert re.search(r"\[\w+ [A-Z_]+\]", outputs[1])  # an entity in its brackets
    assert "sample,minilm_slow," in outputs[-1]
    code = json.loads((place.folder / "results/code/neighbours.json").read_text())
    assert "installed: neighbours.py" in code

    package = Path(installed, "neighbours.py")
    package.write_text(package.read_text(encoding="utf-8").replace("max_iter=200", "max_iter=100"), encoding="utf-8")
    place.succeed("dvc", "repro", "--force", "--single-item", "pipeline/dvc.yaml:fingerprint")  # as the page says
    assert "results/code/neighbours.json" in place.succeed(
        "dvc", "status", "pipeline/dvc.yaml:train_baseline@sample-neighbours-0"
    )


def test_a_diff_applies_in_exactly_one_place() -> None:
    assert changed("a\nb\nc\n", " b\n+x\n-c\n") == "a\nb\nx\n"
    assert changed("a\n", "+x\n a\n") == "x\na\n"
    for text in ("b\n", "a\na\n", "xa\n"):
        with pytest.raises(AssertionError, match="not exactly once in the file"):
            changed(text, " a\n+x\n")
