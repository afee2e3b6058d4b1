"""The page of wrong sentences, and the predictions that it reads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from report_results import run, write_corpus, write_results

from bert_ner.errors import BertNerError


def test_the_error_page_has_the_sentences_that_some_system_gets_wrong(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = write_results(results, "mit_movie_eng")
    write_corpus(tmp_path / "data", folder, "mit_movie_eng")
    _, html = run(monkeypatch)
    errors = (folder / "errors.html").read_text()
    assert 'href="errors.html"' in html
    # System, kind and type by number: crf cuts an actor and misses the other entity; the encoder makes one up.
    assert re.findall(r'data-errors="(.*?)"', errors) == ["0.0.0", "0.3.1 1.4.0"]
    assert "2 of 3 sentences" in errors


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("O O O\nO O\n", "line 3, does not fit the test sentences"),
        ("O\nO O\nO\n", "line 1, does not fit the test sentences"),
        ("O O O\nO oops\nO\n", "line 2: .*'oops' is not a tag"),
        ("O O O\nO B-X\nO\n", "line 2: no type is named X"),
    ],
)
def test_broken_predictions_are_an_error_with_the_line(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str, complaint: str
) -> None:
    folder = write_results(results, "mit_movie_eng")
    write_corpus(tmp_path / "data", folder, "mit_movie_eng")
    (folder / "predictions" / "crf-0.tags").write_text(content)
    with pytest.raises(BertNerError, match=rf"crf-0\.tags.*{complaint}.*run python experiments/evaluate\.py"):
        run(monkeypatch)
