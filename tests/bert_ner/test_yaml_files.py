"""Lines of YAML files in error messages, also where mappings are merged."""

from __future__ import annotations

from pathlib import Path

import pytest

from bert_ner.errors import BertNerError
from bert_ner.settings import Settings
from bert_ner.yaml_files import MAX_BYTES, MAX_VALUES, line_of, load_yaml, read_yaml

TEXT = """\
base: &base
  x: 1
  y: [1,
      2]
middle: &middle
  <<: *base
  z: 1
top:
  <<: *middle
  x: 5
both:
  <<: [*middle, {w: 1}]
"""


class Item(Settings):
    x: int
    y: list[str]
    z: int = 0
    w: int = 0


class Items(Settings):
    base: Item
    middle: Item
    top: Item
    both: Item


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file.yaml"
    path.write_text(TEXT)
    return path


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ((), 1),
        (("base", "y", 1), 4),
        (("middle", "x"), 2),
        (("middle", "y", 0), 3),
        (("top", "x"), 10),
        (("top", "z"), 7),
        (("top", "y", 1), 4),
        (("both", "y"), 3),
        (("both", "w"), 12),
        (("top", "nowhere"), 8),
        (("nowhere", "x"), 1),
    ],
)
def test_a_merged_key_has_the_line_of_its_anchor(path: Path, where: tuple[str | int, ...], line: int) -> None:
    assert line_of(path, where) == line


def test_merged_keys_come_first(path: Path) -> None:
    content = load_yaml(path)
    assert list(content["top"].items()) == [("x", 5), ("y", [1, 2]), ("z", 1)]
    assert content["both"] == {"x": 1, "y": [1, 2], "z": 1, "w": 1}
    assert {type(value) for value in (content, content["top"], content["top"]["y"], content["top"]["x"])} == {
        dict, list, int,
    }  # fmt: skip


def test_each_problem_has_its_line(path: Path) -> None:
    with pytest.raises(BertNerError) as caught:
        read_yaml(path, Items)
    lines = str(caught.value).splitlines()
    assert len(lines) == 8  # two wrong items of `y`, in four sections
    assert {line.partition(": ")[0] for line in lines} == {f"{path}, line 3", f"{path}, line 4"}


def test_a_large_file_is_not_read(path: Path) -> None:
    path.write_text("#" * (MAX_BYTES + 1))
    with pytest.raises(BertNerError, match="more than the limit of 65,536"):
        load_yaml(path)


DOUBLED = "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 30))
MERGED = "\n".join(f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 9))


@pytest.mark.parametrize("with_lines", [False, True])
@pytest.mark.parametrize(
    "text",
    [
        f"a0: &a0 [x, y]\n{DOUBLED}",
        f"a0: &a0 {{x: 1, y: 2}}\n{MERGED}",
        "a: &a [*a]",
        "a: &a {x: {<<: *a}}",
        "[" * 60_000,
        "? " * 30_000,
        "- " * 30_000,
        "{a: " * 15_000,
        "- 1\n" * (MAX_VALUES + 1),
    ],
)
def test_a_bomb_is_refused_before_it_is_resolved(path: Path, text: str, with_lines: bool) -> None:
    path.write_text(text)
    with pytest.raises(BertNerError, match="more than 10,000 values, aliases resolved, or than 40 levels"):
        load_yaml(path, with_lines)
