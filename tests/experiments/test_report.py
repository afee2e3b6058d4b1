"""The report is made from the tables alone, and treats text as text."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from report_results import run, write_corpus, write_more, write_results

import report
from bert_ner.errors import BertNerError
from reporting import plots
from reporting.sections import claims_and_corpora


def test_the_scores_are_compared_with_the_papers_on_its_own_corpus(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(results, "mit_movie_eng")
    text, html = run(monkeypatch)
    minus = "\N{MINUS SIGN}"
    assert f"{minus}9.47" in html
    assert html.count(f"nearest</span> {minus}0.47") == 2
    assert html.count('class="badge">nearest<') == 2
    assert "Generated corpus" not in text + html
    assert "Entity F1 by type" in text
    plots = {path.name for path in (results / "mit_movie_eng" / "plots").iterdir()}
    assert plots == {f"{name}.{kind}" for name in ("loss", "f1_by_type", "confusion_crf", "confusion_encoder")
                     for kind in ("png", "svg")}  # fmt: skip


def test_losses_of_several_systems_are_not_mixed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    _, html = run(monkeypatch)
    for system, loss in (("bilstm", "2.000"), ("encoder", "1.000")):
        assert re.search(rf">{system}</th>\s*<td[^>]*>1</td>\s*<td[^>]*>{loss} ± 0.000</td>\s*<td[^>]*>0.43</td>", html)


def test_a_generated_corpus_has_a_banner_instead_of_the_paper(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "sample")
    text, html = run(monkeypatch, "--corpus", "sample")
    assert "> **Generated corpus.**" in text
    for rendering in (text, html):
        assert "None of the paper" in rendering
        assert "94.47" not in rendering


@pytest.mark.parametrize("complete", [False, True])
def test_the_same_tables_give_the_same_files(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, complete: bool
) -> None:
    folder = write_results(results, "sample")
    if complete:
        write_more(results, "sample")
        write_corpus(tmp_path / "data", folder, "sample")
    monkeypatch.setattr(report, "save", plots.save)
    contents = []
    for _ in range(2):
        run(monkeypatch, "--corpus", "sample")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_an_absent_table_is_named_with_its_command(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    commands = {
        f"python experiments/{script}.py --corpus mit_movie_eng" for script in ("compare", "judge", "audit", "evaluate")
    } | {"make bench", "make repro-all"}
    for rendering in run(monkeypatch):
        assert commands <= set(re.findall(r"Made by (?:`|<code>)(.*?)(?:`|</code>)\.", rendering))
    assert not (results / "mit_movie_eng" / "errors.html").exists()


def test_every_table_is_in_both_renderings(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    text, html = run(monkeypatch)
    minus = "\N{MINUS SIGN}"
    assert f">{minus}6.00 to {minus}4.00</td>" in html
    for piece in (
        "84.00 to 86.00",
        "sentences method",
        "partly",
        "3 claims: 1 reproduced, 1 partly, 1 not tested",
        "43.21",
        "a machine",
        "abc123",
        "One claim tested at a time",
        "unseen",
        "measured on a smaller",
    ):
        assert piece in html, piece
        assert piece in text or piece == "One claim tested at a time", piece
    assert (results / "mit_movie_eng" / "plots" / "intervals.png").is_file()


def test_studies_show_what_was_chosen_and_how_their_systems_compare(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    _, html = run(monkeypatch)
    minus = "\N{MINUS SIGN}"
    for piece in (
        "Learning curve: pairs of systems trained on the same sentences",
        "0.1 of the sentences",
        "20 of each type",
        f"{minus}20.00 to +5.00",
        f"{minus}30.00 to +40.00",
        "t over the draws, on these sentences",
        "What a change gives: entity F1 minus that of the usual settings, with the same seeds",
        "Settings that the validation sentences chose",
        "c1=[9.0]",
    ):
        assert piece in html, piece


def test_each_system_has_a_row_with_its_cost_and_what_was_not_run_has_its_reason_and_no_number(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    text, html = run(monkeypatch)
    assert "| crf | 85.00 (84.00 to 86.00) | 94.00 | 22.6 | 91 |\n" in text
    assert "| encoder | 85.00 (84.00 to 86.00) | 94.00 ± 0.00 | 22.6 | 91 |\n" in text
    assert "Not run: bert (bert-base-uncased), " in text
    assert "| bert |" not in text
    assert "there is one seed" not in text
    assert "not trained" not in text  # of the encoder, other seeds were
    assert {"quality_and_cost.png", "few_shot.svg"} <= {p.name for p in (results / "mit_movie_eng/plots").iterdir()}
    assert (
        "![Entity F1 by number of parameters; whiskers are intervals over sentences]"
        "(plots/quality_and_cost.png)" in text
    )
    assert len(html) < 1_000_000


def test_the_caveats_name_the_encoders_of_one_seed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_results(results, "mit_movie_eng")
    scores = pd.read_csv(folder / "scores.csv", dtype=str, keep_default_na=False)
    scores[scores["seed"] != "2"].to_csv(folder / "scores.csv", index=False)
    assert "Of encoder there is one seed" in run(monkeypatch)[0]


def test_a_system_without_parameters_has_an_empty_cell(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    costs = pd.read_csv(folder / "costs.csv", dtype=str)
    costs.loc[costs["system"] == "crf", "parameters"] = ""
    costs.to_csv(folder / "costs.csv", index=False)
    text, _ = run(monkeypatch)
    assert "| crf | 85.00 (84.00 to 86.00) | 94.00 |  | 91 |" in text
    assert "| encoder | 85.00 (84.00 to 86.00) | 94.00 ± 0.00 | 22.6 | 91 |" in text


def test_types_say_where_the_encoder_is_better_and_where_not(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    text, html = run(monkeypatch)
    minus = "\N{MINUS SIGN}"
    assert "Compared with crf, encoder is better on none; worse on ACTOR. On the other types neither is shown" in text
    cells = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", html)
    shown = ["ACTOR (3)", "80.00", "90.00", f"{minus}12.34", f"{minus}13.34 to {minus}11.34", "0.0100", "worse"]
    start = cells.index(shown[0])
    assert cells[start : start + len(shown)] == shown
    assert cells[cells.index("+9.00 to +11.00") + 1 :][:2] == ["0.0600", "not shown"]


def test_few_sentences_and_precision_have_tables_of_their_own(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    text, _ = run(monkeypatch)
    assert "| system | 5 (50) | 20 (200) | all |\n| --- | ---: | ---: | ---: |" in text
    assert "| crf | 32.00 ± 1.41 | 42.00 ± 1.41 | 85.00 |" in text
    # Seed 1, 80 % of entities and 94 % of words, less 43.21 in float32.
    assert "| encoder | entity F1 (conlleval) | 1 | 80.00 | 43.21 | +36.79 |  |  |" in text
    assert "few\\_shot" not in text
    assert "Settings that differ from those with all sentences, crf: c1=\\[1\\], c2=\\[2\\]." in text


def test_nothing_that_a_file_holds_is_markup(results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    write_corpus(tmp_path / "data", folder, "mit_movie_eng")
    text, html = run(monkeypatch)
    errors = (folder / "errors.html").read_text()
    for rendering in (text, html, errors):
        assert "<script>alert" not in rendering
        assert "<img" not in rendering
        assert "alert(1)" in rendering
    for rendering in (html, errors):
        assert rendering.count("<script>") == 1
        assert "default-src 'none'" in rendering
    assert "counted \\| so" in text


def test_published_results_of_the_corpus_are_shown(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "published.yaml"
    path.write_text(
        "systems:\n"
        "- {system: GNER, parameters: 7 B, score: 0.9023, metric: entity_f1, corpus: mit_movie_eng,\n"
        "   test_set: mit_movie_eng, comparable: true, source: a table}\n"
        "- {system: other, parameters: 1 M, score: 0.5, metric: entity_f1, corpus: mit_restaurant,\n"
        "   test_set: mit_restaurant, comparable: true, source: a table}\n"
    )
    monkeypatch.setattr(claims_and_corpora, "PUBLISHED", path)
    write_results(results, "mit_movie_eng")
    text, _ = run(monkeypatch)
    assert "| GNER | 7 B | 90.23 | entity F1 (conlleval) | yes |" in text
    assert "| other |" not in text
    path.write_text("systems: 3")
    with pytest.raises(BertNerError, match="systems must be a valid list"):
        run(monkeypatch)
