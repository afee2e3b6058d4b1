"""A broken file in results/ is one error with its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from report_results import BY_TYPE, run, write_results

from bert_ner.errors import BertNerError


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("scores.csv", None, r"scores\.csv is missing or has no rows; run python experiments/evaluate\.py"),
        ("scores.csv", "system,seed\ncrf,0,1\n", r"scores\.csv: its rows have more columns than its first line names"),
        ("scores.csv", "system,seed\n", r"scores\.csv: no column corpus, encoder"),
        ("confusion.csv", 'a,"b\n', r"confusion\.csv can't be read"),
        ("claims.csv", b"\xff\xfe\x00", r"claims\.csv can't be read.*run python experiments/judge\.py"),
        ("scores_by_type.csv", BY_TYPE + "crf,0,A,many,1,1,1\n", r"csv:2: support is 'many', not a whole number"),
        ("scores_by_type.csv", BY_TYPE + "crf,,A,1,1,1,1\n", r"csv:2: seed is '', not a whole number"),
        ("corpus.json", "{}", r"corpus\.json: not as it was written \(KeyError: 'train'\).*prepare\.py"),
        ("audit.json", "[]", r"audit\.json is not a JSON object"),
        ("audit.json", '{"alignment": 3}', r"audit\.json: not as it was written"),
        ("../provenance.json", '{"mit_movie_eng": []}', r"provenance\.json: mit_movie_eng must be a valid dictionary"),
    ],
)  # fmt: skip
def test_a_broken_file_is_an_error_with_its_remedy(
    results: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str | bytes | None, complaint: str
) -> None:
    path = write_results(results, "mit_movie_eng") / name
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BertNerError, match=f"(?s){complaint}"):
        run(monkeypatch)
