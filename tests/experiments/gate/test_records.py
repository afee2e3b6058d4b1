"""Records that no lock file has: what agrees in this checkout, and what does not after a change by hand."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from harness.paths import RESULTS, ROOT

import pytest

from bert_ner.errors import BertNerError
from bert_ner.files import SUMS, read_sums
from gate.records import inconsistent, other_versions, update_sums

COMPARED = ("scores", "history", "costs")  # with provenance.json
SECONDS = r"(?m)^(train,.*?,\d+,\d+,)[\d.]+,"  # of a training in benchmarks.csv, after its sentences and words


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the records of this checkout."""
    root = tmp_path_factory.mktemp("records")
    tables = [f"{path.parent.name}/{name}.csv" for path in RESULTS.glob("*/scores.csv") for name in COMPARED]
    names = ("corpus.json", "study_comparisons.csv", "studies/*/*.tags")
    of_studies = [path for name in names for path in RESULTS.glob(f"*/{name}")]
    more = [path.relative_to(RESULTS).as_posix() for path in of_studies]
    for name in [*tables, *read_sums(RESULTS), SUMS, "benchmarks.md", *more]:
        (root / "results" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(RESULTS / name, root / "results" / name)
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, root)
    return root


def test_the_records_of_this_checkout_agree(whole: Path) -> None:
    assert inconsistent(whole) == {}
    assert other_versions(whole) == []


def test_a_lock_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(BertNerError, match=r"requirements\.lock is missing; take it from Git, or run make lock$"):
        other_versions(tmp_path)


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("results/provenance.json", '"train_seconds": 0[.]', '"train_seconds": 9.',
         "provenance.json does not have the runs of mit_movie_eng/costs.csv"),
        ("results/provenance.json", '"epoch": 1', '"epoch": 2',
         "provenance.json does not have the runs of mit_movie_eng/history.csv"),
        ("results/provenance.json", '"minilm-13": {', '"minilm-14": {',
         "provenance.json does not have the runs of mit_movie_eng/history.csv"),
        ("results/provenance.json", '"max_iterations": 100', '"max_iterations": 99',
         "provenance.json has other settings of crf on mit_movie_eng than params.yaml"),
        ("results/provenance.json", '"68d90d7b', '"00000000',
         "provenance.json has other files of mit_movie_eng than corpora/mit_movie_eng.yaml"),
        ("results/mit_movie_eng/studies.csv", "warmup,warmup=0.1,minilm", "warmup,warmup=0.2,minilm",
         "mit_movie_eng/studies.csv has a training that params.yaml does not ask for: ('warmup', 'warmup=0.2', "
         "'minilm', 13, 1.0, None)"),
        ("results/mit_movie_eng/studies.csv", ",1,1.166266", ",2,1.166266",
         "mit_movie_eng/studies.csv has an epoch of a training twice"),
        ("results/mit_movie_eng/studies.csv", ",0\\.832487,", ",83.2487,",
         "mit_movie_eng/studies.csv has a score that is no fraction"),
        ("results/benchmarks.csv", SECONDS, r"\g<1>1e-6,", "benchmarks.md does not follow from benchmarks.csv"),
        ("results/benchmarks.csv", SECONDS, r"\g<1>1e-6,", "benchmarks.csv has a median outside of its range"),
        ("results/benchmarks.csv", SECONDS, r"\g<1>1e-6,", "benchmarks.csv has a speed that is not words over seconds"),
        ("results/provenance.json", r'"threads": \d+', '"threads": 99',
         "provenance.json is not the file in results/SHA256SUMS"),
        ("results/benchmarks.csv", ",20(?=..-..-..)", ",19", "benchmarks.csv is not the file in results/SHA256SUMS"),
        ("results/domains/transfers.csv", "0[.]", "1.", "domains/transfers.csv is not the file in results/SHA256SUMS"),
        ("results/SHA256SUMS", "(?m)^.*benchmarks.csv\n", "", "benchmarks.csv is not in results/SHA256SUMS"),
        ("results/SHA256SUMS", "benchmarks", "others", "others.csv is in results/SHA256SUMS, but it is gone"),
        ("requirements.lock", "(?m)^pydantic==2", "pydantic==1",
         "requirements.lock has 1.14.3 for pydantic<3,>=2.13; run make lock"),
        ("requirements.lock", "(?m)^dvc==.*\\n", "", "requirements.lock has nothing for dvc<4,>=3.67; run make lock"),
    ],
)  # fmt: skip
def test_a_change_by_hand_is_named(whole: Path, tmp_path: Path, name: str, old: str, new: str, problem: str) -> None:
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    text = (root / name).read_text()
    changed = re.sub(old, new, text, count=1)
    assert changed != text
    (root / name).write_text(changed)
    assert problem in inconsistent(root)


def test_the_sums_are_noted_again(whole: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    table = root / "results/mit_movie_eng/studies.csv"
    table.write_text(table.read_text().replace(",1,1.166266", ",1,1.166267", 1))
    problem = "mit_movie_eng/studies.csv is not the file in results/SHA256SUMS"
    assert inconsistent(root) == {problem: ["take it from Git, or run python experiments/check.py --update"]}
    update_sums(root / "results")
    assert inconsistent(root) == {}


def test_other_versions_are_named(whole: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(whole, root)
    path = root / "requirements.lock"
    path.write_text(re.sub("(?m)^torch==.*$", "torch==2.99.0", path.read_text()))
    assert other_versions(root) == ["torch 2.13.0, and 2.99.0 in requirements.lock"]
