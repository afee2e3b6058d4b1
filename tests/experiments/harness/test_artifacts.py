"""What the stages leave for each other is read again, or refused with the file and the remedy."""

from __future__ import annotations

from pathlib import Path

from harness import paths
from harness.artifacts import predictions_text, read_json, read_predictions, read_section
from harness.params import read_params
from harness.paths import predictions_file, prepared_file

import pytest

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.files import Damaged, write_sums, write_whole

TEST = [Sentence(["a", "b"], ["O", "B-X"]), Sentence(["c"], ["O"])]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = predictions_file(tmp_path / "results", "x", "crf-0")
    found.parent.mkdir(parents=True)
    return found


def test_predictions_are_read_as_they_were_written(path: Path) -> None:
    path.write_text(predictions_text([["B-X", "I-X"], ["O"]]))
    assert read_predictions(path, TEST, "run it") == [["B-X", "I-X"], ["O"]]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, " is missing"),
        (b"O O\nO\xff\n", " is not UTF-8 "),
        (b"", ", line 1, does not fit"),
        (b"O O\n", ", line 2, does not fit"),
        (b"O O\nO", ", line 2, does not fit"),  # cut off before the end of the last line
        (b"O O\nO\nO\n", ", line 3, does not fit"),
        (b"O  O\nO\n", ", line 1, does not fit"),
    ],
)
def test_broken_predictions(path: Path, content: bytes | None, complaint: str) -> None:
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BertNerError) as caught:
        read_predictions(path, TEST, "run it")
    assert str(caught.value).startswith(f"{path}{complaint}")
    assert str(caught.value).endswith("; run it")


def test_a_json_file_that_is_missing_is_not_to_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for remedy, end in (((), "run the stage that writes it"), (("take it from Git",), "take it from Git")):
        with pytest.raises(BertNerError) as caught:
            read_json(path, *remedy)
        assert str(caught.value) == f"{path} is missing; {end}"
    path.write_text("{")
    with pytest.raises(BertNerError, match=r"a\.json can't be read .*; remove it, and run the stage that writes it$"):
        read_json(path)


def test_the_least_number_of_steps_must_be_the_one_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "DATA", tmp_path)
    path, plain = prepared_file("sample", "min_steps.txt"), read_params()["minilm"]
    assert read_section("sample", "minilm") == plain  # no corpus is prepared
    write_whole(path, "800\n")
    write_sums(path.parent)
    assert read_section("sample", "minilm") == {"min_steps": 800, **plain}
    for harm in (lambda: path.write_text("abc"), path.unlink):
        harm()
        with pytest.raises(Damaged, match=r"min_steps\.txt .*; run python experiments/prepare\.py --corpus sample, or"):
            read_section("sample", "minilm")
