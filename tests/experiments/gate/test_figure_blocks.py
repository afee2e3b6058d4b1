"""The figures in the documents follow from the tables, and are compared only while these are those that Git has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from harness.paths import RESULTS, ROOT
from harness.tables import table_path

import pytest

from bert_ner.errors import BertNerError
from gate.figure_blocks import BLOCK, BLOCKS, TABLES, documents, outdated_figures, with_figures


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a repository with the documents and their tables."""
    tables = {table_path(RESULTS, *table) for names in TABLES.values() for table in names}
    for path in [*tables, *(ROOT / name for name in BLOCKS)]:
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "base"]):
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    return tmp_path


def write_figures(root: Path) -> None:
    for name, (_, text) in documents(root).items():
        (root / name).write_text(text, encoding="utf-8")


def with_lower_f1(intervals: str) -> str:
    """Return intervals.csv with an entity F1 of mpnet below that of every other system."""
    text, n = re.subn(r"(?m)^(mpnet,entity_f1,sentences),[\d.]+", r"\1,0.1", intervals)
    assert n == 1
    return text


@pytest.mark.parametrize("name", BLOCKS)
def test_the_figures_of_a_document_are_those_of_the_tables(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [block[1] for block in BLOCK.findall(text)] == list(BLOCKS[name])
    assert with_figures(name, text, RESULTS) == text


@pytest.mark.parametrize(("name", "block"), [(name, block) for name, blocks in BLOCKS.items() for block in blocks])
def test_a_figure_that_was_changed_is_named_and_written_again(checkout: Path, name: str, block: str) -> None:
    assert outdated_figures(checkout) == []
    path = checkout / name
    text = path.read_text(encoding="utf-8")
    [found] = [match for match in BLOCK.finditer(text) if match[2] == block]
    at = found.start(3) + max(digit.start() for digit in re.finditer(r"\d", found[3]))
    path.write_text(f"{text[:at]}{(int(text[at]) + 1) % 10}{text[at + 1 :]}", encoding="utf-8")
    assert outdated_figures(checkout) == [f"{name} has other figures than the tables: {block}"]
    table = checkout / "results/mit_movie_eng/intervals.csv"
    before = table.read_text()
    table.write_text(with_lower_f1(before))
    assert outdated_figures(checkout) == []  # the results of another run
    table.write_text(before)
    write_figures(checkout)
    assert path.read_text(encoding="utf-8") == text


def test_an_empty_block_is_filled_in_and_no_text_after_it_is_lost() -> None:
    text = (ROOT / "docs/findings.md").read_text(encoding="utf-8")
    [found] = [block for block in BLOCK.finditer(text) if block[2] == "parts"]
    empty = text[: found.start(3)] + text[found.end(3) :]
    assert with_figures("docs/findings.md", empty, RESULTS) == text


def test_the_speed_is_stated_as_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    monkeypatch.setattr("gate.readme_figures.speed_text", lambda table: "fast " * 30)
    [block] = [block[2] for block in BLOCK.findall(with_figures("README.md", text, RESULTS)) if block[1] == "speed"]
    assert block == f"{' '.join(['fast'] * 23)}\n{' '.join(['fast'] * 7)}\n"
    monkeypatch.setattr("gate.readme_figures.speed_text", lambda table: "")  # not everything was measured
    assert with_figures("README.md", text, RESULTS) == text


def test_without_a_table_nothing_is_compared_or_written(checkout: Path) -> None:
    (checkout / "results/domains/claims.csv").unlink()
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-am", "less"],
                   cwd=checkout, check=True)  # fmt: skip
    text = (checkout / "README.md").read_text(encoding="utf-8").replace("| 109 M | ", "| 109 M | 1")
    (checkout / "README.md").write_text(text, encoding="utf-8")
    assert outdated_figures(checkout) == []
    write_figures(checkout)
    assert (checkout / "README.md").read_text(encoding="utf-8") == text


def test_systems_stand_in_the_order_of_their_scores(checkout: Path) -> None:
    table = checkout / "results/mit_movie_eng/intervals.csv"
    table.write_text(with_lower_f1(table.read_text()))
    write_figures(checkout)
    rows = [
        line for line in (checkout / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")
    ]
    names = [row.split("`")[1] for row in rows]
    assert rows[names.index("mpnet") + 1].startswith("| `make")  # it is the last; the table of commands follows


def test_a_system_that_the_tables_lack_keeps_its_row(checkout: Path) -> None:
    write_figures(checkout)
    text = (checkout / "README.md").read_text(encoding="utf-8")
    [row] = re.findall(r"(?m)^\| `mpnet`.*\n", text)
    for name in ("intervals", "intervals_by_part"):
        table = checkout / f"results/mit_movie_eng/{name}.csv"
        table.write_text(re.sub(r"(?m)^mpnet,.*\n", "", table.read_text()))
    write_figures(checkout)
    [block] = [
        block for block in BLOCK.findall((checkout / "README.md").read_text(encoding="utf-8")) if block[1] == "systems"
    ]
    assert block[2].endswith(f"\n{row}")


@pytest.mark.parametrize(
    ("table", "line", "block"),
    [
        ("intervals", r"mpnet,token_micro_f1_no_o,", "remarks"),
        ("scores_by_part", r"mpnet,", "remarks"),
        ("intervals_by_part", r"mpnet,", "parts"),
        ("scores", r"mit_movie_eng,.*,all-[mM]", "parts"),  # no encoder
    ],
)
def test_a_block_about_what_was_not_measured_stays_as_it_is(checkout: Path, table: str, line: str, block: str) -> None:
    [name] = [name for name, blocks in BLOCKS.items() if block in blocks]
    path = checkout / f"results/mit_movie_eng/{table}.csv"
    path.write_text(re.sub(f"(?m)^{line}.*\n", "", path.read_text()))
    text = f"<!-- figures: {block} -->\nas it was\n<!-- end -->\n"
    assert with_figures(name, text, checkout / "results") == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n\n<!-- figures: sped -->\n<!-- end -->\n",
         "README.md, line 3: no figures are named 'sped', but systems, remarks, claims, speed"),
        ("a\n<!-- figures: claims -->\nb\n<!-- figures: speed -->\n<!-- end -->\n",
         "README.md, line 2: no <!-- end --> follows the figures 'claims'; add it"),
    ],
)  # fmt: skip
def test_a_wrong_marker_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(BertNerError, match=f"^{re.escape(message)}$"):
        with_figures("README.md", text, RESULTS)


def test_a_document_that_is_gone_is_named(checkout: Path) -> None:
    (checkout / "docs/findings.md").unlink()
    with pytest.raises(BertNerError, match=r"docs/findings\.md can't be read \(.*\); take it from Git$"):
        outdated_figures(checkout)
