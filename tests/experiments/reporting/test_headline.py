"""The first screen: whom the answer is about, and which systems are in its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from report_results import write_table

from bert_ner.corpus.catalog import corpus_named
from reporting.blocks import Table, Text
from reporting.formats import MINUS
from reporting.results import Results
from reporting.sections.headline import headline_blocks

ENTITY_F1 = {"hmm": 0.7, "crf": 0.8, "minilm": 0.78, "mpnet": 0.85, "mpnet_tuned": 0.9}
ENCODERS = {"minilm": "all-MiniLM-L6-v2", "mpnet": "all-mpnet-base-v2", "mpnet_tuned": "all-mpnet-base-v2"}


def first_screen(results: Path, corpus: str, f1s: dict[str, float] = ENTITY_F1) -> tuple[list[str], list[str]]:
    """Return the paragraphs of the first screen, and the systems in its table."""
    folder = results / corpus
    folder.mkdir(parents=True)
    metrics: dict[str, Any] = {"entity_f1": f1s, "token_micro_f1": dict.fromkeys(f1s, 0.94)}
    write_table(folder / "scores.csv", [
        {"system": system, "seed": 0, "encoder": ENCODERS.get(system, ""), "n_sentences": 9, "entity_f1": f1,
         "token_micro_f1": 0.94}
        for system, f1 in f1s.items()
    ])  # fmt: skip
    write_table(folder / "intervals.csv", [
        {"system": system, "metric": metric, "source": source, "value": value, "low": value, "high": value, "n": 3}
        for metric, values in metrics.items()
        for system, value in values.items()
        for source in ("sentences", "seeds")
    ])  # fmt: skip
    compared = [
        {
            "system_a": system,
            "system_b": baseline,
            "metric": "entity_f1",
            "difference": 0.01,
            "low": 0.005,
            "high": 0.02,
        }
        for system in f1s
        for baseline in f1s
        if baseline not in ENCODERS
    ]
    write_table(folder / "comparisons.csv", compared)
    lows = {"all": 0.005, "1": 0.005, "2": -0.01}
    by_part = [row | {"part": part, "low": low} for row in compared for part, low in lows.items()]
    write_table(folder / "comparisons_by_part.csv", by_part)
    blocks = headline_blocks(Results(results, corpus_named(corpus)))
    [table] = [block for block in blocks if isinstance(block, Table)]
    return [block.text for block in blocks if isinstance(block, Text)], [row[0] for row in table.rows]


def test_the_papers_claim_is_answered_by_the_papers_recipe(results: Path) -> None:
    [_, answer, *_], systems = first_screen(results, "mit_movie_eng")
    assert answer.startswith(
        "As accuracy, 94.47 is 0.47 points above the range of one further run of mpnet, 94.00 to 94.00;"
    )
    assert answer.endswith(
        "Compared with crf, the best baseline, mpnet is better on the whole (+1.00, +0.50 to +2.00), in part 1 (+1.00, "
        f"+0.50 to +2.00); it is not shown to differ in part 2 (+1.00, {MINUS}1.00 to +2.00)."
    )
    assert systems[0] == "mpnet_tuned"


def test_the_best_baseline_is_compared_by_part_and_the_reference_on_the_whole(results: Path) -> None:
    [_, answer, *_], _ = first_screen(results, "mit_movie_eng", {"bilstm_crf": 0.82, "crf": 0.8, "mpnet": 0.85})
    parts = f"in part 1 (+1.00, +0.50 to +2.00); it is not shown to differ in part 2 (+1.00, {MINUS}1.00 to +2.00)."
    assert "Compared with bilstm_crf, the best baseline, mpnet is better on the whole" in answer
    assert answer.endswith(f"{parts} Compared with crf, mpnet is better on the whole (+1.00, +0.50 to +2.00).")


def test_on_another_corpus_the_best_system_is_named(results: Path) -> None:
    [_, answer, *_], _ = first_screen(results, "mit_movie_trivia")
    assert answer.startswith(
        "mpnet_tuned, picked by this score, has the highest entity F1, 90.00 (90.00 to 90.00). Compared with crf, "
        "the best baseline, mpnet_tuned"
    )


def test_a_baseline_that_is_best_is_compared_with_the_reference_by_part(results: Path) -> None:
    [_, answer, *_], _ = first_screen(results, "mit_movie_trivia", {"hmm": 0.95, "crf": 0.8, "mpnet": 0.85})
    assert "Compared with crf, hmm is better on the whole (+1.00, +0.50 to +2.00), in part 1" in answer
    assert "hmm, the best baseline" not in answer


def test_without_an_encoder_the_best_baseline_is_named(results: Path) -> None:
    [_, answer, *_], _ = first_screen(results, "mit_movie_eng", {"hmm": 0.7, "crf": 0.8})
    assert answer.startswith("crf, picked by this score, has the highest entity F1, 80.00 (80.00 to 80.00).")


@pytest.mark.parametrize("corpus", ["mit_movie_eng", "mit_movie_trivia"])
def test_baselines_below_the_crf_are_named_under_the_table(results: Path, corpus: str) -> None:
    texts, systems = first_screen(results, corpus)
    assert systems == ["mpnet_tuned", "mpnet", "crf", "minilm"]  # an encoder stays
    assert "Baselines below crf, with their entity F1: hmm 70.00." in texts
