"""The page that compares the corpora."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from report_results import run, write_more, write_results, write_table

from reporting.sections import claims_and_corpora


def test_domains_stand_side_by_side_with_the_best_published_result(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "published.yaml"
    path.write_text("systems:\n" + "".join(
        f"- {{system: S{i}, parameters: 1 M, score: {score}, metric: {metric}, corpus: mit_restaurant,\n"
        f"   test_set: mit_restaurant, comparable: {is_comparable}, reason: x, source: a table}}\n"
        for i, (score, metric, is_comparable) in enumerate(
            ((0.8, "entity_f1", "true"), (0.85, "entity_f1", "true"), (0.9, "entity_f1", "false"),
             (0.95, "span_f1", "true"))
        )
    ))  # fmt: skip
    monkeypatch.setattr(claims_and_corpora, "PUBLISHED", path)
    write_results(results, "mit_movie_eng")
    folder = write_results(results, "mit_restaurant")
    pd.read_csv(folder / "scores.csv").query("system == 'crf'").to_csv(folder / "scores.csv", index=False)
    write_results(results, "sample")
    for corpus in ("mit_movie_eng", "mit_restaurant"):
        write_table(results / corpus / "intervals.csv", [
            {"system": "crf", "metric": "entity_f1", "source": "sentences", "value": 0.85, "low": 0.84, "high": 0.86,
             "n": 3, "level": 0.95, "method": "m", "signature": "s", "sd": ""}
        ])  # fmt: skip
    write_table(results / "mit_movie_eng/intervals_by_part.csv", [
        {"system": "crf", "part": part, "metric": "entity_f1", "source": "sentences", "value": value, "low": 0.5,
         "high": 0.9, "n": 3, "level": 0.95, "method": "m", "signature": "s", "sd": ""}
        for part, value in (("all", 0.85), ("1", 0.7), ("2", 0.9))
    ])  # fmt: skip
    text, html = run(monkeypatch, "--domains")
    by_part = text[text.index("| system | mit_movie_eng, part 1 | mit_movie_eng, part 2 |") :].splitlines()
    assert by_part[2] == "| crf | 70.00 | 90.00 |"
    table = text[text.index("| system | mit_movie_eng | mit_restaurant |") :].splitlines()
    assert table[2:5] == [
        "| crf | 85.00 | 85.00 |",
        "| encoder | 85.00 ± 7.07 | not run |",
        "| best comparable published |  | 85.00 |",
    ]
    assert "mit_restaurant: S1 (a table)." in text
    assert "No results on mit_movie_trivia yet. Made by `make repro-all`." in text
    assert "They are not judged yet. Made by `python experiments/judge.py --domains`." in text
    assert "Sentences with errors" not in html
    assert (results / "domains" / "plots" / "domains.png").is_file()


def test_without_any_results_the_page_names_the_corpora(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = run(monkeypatch, "--domains")
    assert results.is_dir()
    assert "No results on mit_movie_eng, mit_movie_trivia, mit_restaurant yet." in text


def test_a_corpus_report_does_not_depend_on_another_corpus(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    alone = run(monkeypatch)
    write_results(results, "mit_restaurant")
    assert run(monkeypatch) == alone
