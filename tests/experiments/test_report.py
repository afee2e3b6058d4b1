"""The report comes from the tables alone, says what it is about, and takes text for text."""

from __future__ import annotations

import json
import re
from pathlib import Path

from harness import paths

import pandas as pd
import pytest

import report
from bert_ner.corpus.catalog import CORPORA
from bert_ner.errors import BertNerError
from bert_ner.scoring import METRICS
from reporting import claims, markdown, page, systems
from reporting.blocks import Cell, Code, Missing, Section, Table, Text
from reporting.formats import METRIC_NAMES, PAPER_CORPUS, as_found
from reporting.sections.origin_sections import signatures

HOSTILE = "<script>alert(1)</script>"
IMAGE = '"><img/src=x/onerror=alert(1)>'
BY_TYPE = "system,seed,type,support,f1\n"
TYPES = ("ACTOR", HOSTILE)
RUNS = (("crf", "", 0, 0.85), ("encoder", "tiny", 1, 0.8), ("encoder", "tiny", 2, 0.9))
GOLD = [["B-ACTOR", "I-ACTOR", "O"], [f"B-{HOSTILE}", "O"], ["O"]]
WORDS = [["mel", IMAGE, HOSTILE], ["&amp;", "x"], ["right"]]
TAGS = {
    "crf-0": [["B-ACTOR", "O", "O"], ["O", "O"], ["O"]],
    "encoder-1": [["B-ACTOR", "I-ACTOR", "O"], [f"B-{HOSTILE}", "I-ACTOR"], ["O"]],
}


def write_table(path: Path, rows: list[dict[str, object]]) -> None:
    pd.DataFrame(rows).to_csv(path, index=False)


def write_results(root: Path, corpus: str) -> Path:
    """What evaluate.py and prepare.py write: without it there is no report."""
    folder = root / corpus
    folder.mkdir(parents=True)
    signature = f"entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:test|corpus:{corpus}|data:0|v:0"
    values = {"token_micro_f1": 0.94, "token_micro_f1_no_o": 0.8, "token_macro_f1": 0.7, "entity_precision": 0.6}
    write_table(folder / "scores.csv", [
        {"corpus": corpus, "system": system, "encoder": encoder, "seed": seed, "split": "test", "n_sentences": 3,
         **values, "entity_recall": 0.5, "entity_f1": f1, "entity_f1_strict": f1, "signature": signature}
        for system, encoder, seed, f1 in RUNS
    ])  # fmt: skip
    write_table(folder / "scores_by_type.csv", [
        {"system": system, "seed": seed, "type": name, "support": n, "precision": 1, "recall": 1, "f1": f1}
        for system, _, seed, f1 in RUNS
        for name, n in zip(TYPES, (3, 30), strict=True)
    ])  # fmt: skip
    write_table(folder / "confusion.csv", [
        {"system": system, "seed": seed, "gold": "ACTOR", "predicted": predicted, "words": 4}
        for system, _, seed, _ in RUNS
        for predicted in ("O", HOSTILE)
    ])  # fmt: skip
    write_table(folder / "history.csv", [
        {"system": system, "encoder": "tiny", "seed": seed, "epoch": epoch, "train_loss": loss / epoch,
         "validation_loss": 0.5, "validation_entity_f1": 0.5, "seconds": 1}
        for system, loss in (("bilstm", 2), ("encoder", 1))
        for seed in (1, 2)
        for epoch in (1, 2)
    ])  # fmt: skip
    part = {"sentences": 1234}
    facts = {"train": part, "validation": part, "test": part, "types": 2, "tags": 5}
    (folder / "corpus.json").write_text(json.dumps(facts))
    return folder


def write_more(root: Path, corpus: str) -> None:
    """What the other stages write."""
    folder = root / corpus
    write_table(folder / "intervals.csv", [
        {"system": system, "metric": "entity_f1", "source": source, "value": 0.85, "low": 0.84, "high": 0.86, "n": 3,
         "level": 0.95, "method": source + " method", "signature": "s", "sd": sd}
        for system, source, sd in (("crf", "sentences", ""), ("encoder", "sentences", ""), ("encoder", "seeds", 0.07))
    ])  # fmt: skip
    write_table(folder / "comparisons.csv", [
        {"system_a": "encoder", "system_b": "crf", "metric": "entity_f1", "a": 0.85, "b": 0.8, "difference": -0.05,
         "low": -0.06, "high": -0.04, "p_value": 0.0002, "p_holm": 0.04, "test": "paired test", "n": 3}
    ])  # fmt: skip
    write_table(folder / "intervals_by_group.csv", [
        {"system": system, "by": "type", "group": name, "than": "", "metric": "f1", "support": 3, "value": 0.85,
         "low": 0.7, "high": 0.9, "n": 3, "level": 0.95}
        for system in ("crf", "encoder") for name in TYPES
    ])  # fmt: skip
    write_table(folder / "comparisons_by_type.csv", [
        {"system_a": system, "system_b": "crf", "type": name, "a": 0.9, "b": 0.8, "difference": gap, "low": gap - 0.01,
         "high": gap + 0.01, "p_value": p, "p_holm": p, "n": 3}
        for system, gap, p in (("bilstm", 0.5, 0.001), ("encoder", -0.1234, 0.01))
        for name, gap, p in ((TYPES[0], gap, p), (HOSTILE, 0.1, 0.06))
    ])  # fmt: skip
    write_table(folder / "costs.csv", [
        {"system": system, "encoder": encoder, "seed": seed, "parameters": 22_600_000, "train_seconds": 100 + seed,
         "words_per_second": 7000, "model_bytes": 91_000_000, "machine": "a processor"}
        for system, encoder, seed, _ in RUNS
    ])  # fmt: skip
    write_table(folder / "not_run.csv", [
        {"system": system, "encoder": encoder, "seed": seed, "reason": IMAGE if system == "bert" else "not trained"}
        for system, encoder in (("bert", "bert-base-uncased"), ("encoder", "tiny")) for seed in (7, 101)
    ])  # fmt: skip
    write_table(folder / "claims.csv", [
        {"id": name, "section": "5", "claim": claim, "kind": "value", "paper_value": 0.9447, "measured": measured,
         "low": "", "high": "", "verdict": verdict, "system": "encoder", "evidence": evidence}
        for name, claim, measured, verdict, evidence in (
            ("R1", "micro-F1 94.47 %", 0.9373, "partly", "measured on a smaller encoder"),
            ("D1", HOSTILE, 8797, "reproduced", "counted | so"),
            ("R4", "state of the art", "", "not tested", IMAGE + " evidence" * 30 + HOSTILE),
        )
    ])  # fmt: skip
    write_table(folder / "error_kinds.csv", [
        {"system": system, "seed": seed, "kind": kind, "type": name, "count": 6}
        for system, _, seed, _ in RUNS for kind in ("boundary", "missed") for name in TYPES
    ])  # fmt: skip
    write_table(folder / "recall.csv", [
        {"system": system, "seed": seed, "by": by, "group": group, "support": 20, "found": 10, "recall": 0.5}
        for system, _, seed, _ in RUNS for by, group in (("seen", "unseen"), ("length", "4+"), ("type", HOSTILE))
    ])  # fmt: skip
    write_table(folder / "studies.csv", [
        {"study": study, "variant": "v", "system": "encoder", "encoder": "tiny", "seed": 1, "fraction": 0.1,
         "sentences": 123, "epoch": epoch, "train_loss": 1, "validation_loss": 1, "validation_entity_f1": 0.5,
         "test_token_micro_f1": test, "test_entity_f1": test, "seconds": 1}
        for study in ("learning_curve", "warmup", "epochs_8", "float32") for epoch, test in ((1, ""), (2, 0.4321))
    ] + [
        {"study": "few_shot", "variant": f"c1=[1], c2=[2], per_type={n}", "system": "crf", "encoder": "", "seed": seed,
         "per_type": n, "sentences": 10 * n, "test_token_micro_f1": 0.5, "test_entity_f1": f1}
        for n, f1s in ((5, (0.31, 0.33)), (20, (0.41, 0.43))) for seed, f1 in enumerate(f1s)
    ])  # fmt: skip
    write_table(root / "benchmarks.csv", [
        {"task": "tag", "system": "crf", "setting": "", "sentences": 3, "tokens": 6, "seconds": 0.5,
         "tokens_per_second": 12, "peak_memory_mb": "", "ratio_to": "", "ratio": "", "machine": "a machine"}
    ])  # fmt: skip
    (root / "provenance.json").write_text(json.dumps({corpus: {"evaluated": {"revision": "abc123"}}}))


def write_corpus(data: Path, folder: Path, corpus: str) -> None:
    """The test sentences, and what two systems made of them."""
    prepared = data / "prepared" / corpus
    prepared.mkdir(parents=True)
    (prepared / "labels.txt").write_text("\n".join(["O", *(f"{b}-{name}" for name in TYPES for b in "BI")]))
    sentences = [zip(tags, words, strict=True) for tags, words in zip(GOLD, WORDS, strict=True)]
    (prepared / "test.bio").write_text(
        "".join("".join(f"{tag}\t{word}\n" for tag, word in sentence) + "\n" for sentence in sentences)
    )
    (folder / "predictions").mkdir()
    for run, lines in TAGS.items():
        (folder / "predictions" / f"{run}.tags").write_text("".join(" ".join(tags) + "\n" for tags in lines))


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    return tmp_path / "results"


def run(monkeypatch: pytest.MonkeyPatch, corpus: str = "mit_movie_eng") -> tuple[str, str]:
    """The two renderings."""
    monkeypatch.setattr("sys.argv", ["report.py", "--corpus", corpus])
    report.main()
    folder = report.RESULTS / corpus
    return (folder / "report.md").read_text(), (folder / "report.html").read_text()


def test_the_paper_stands_beside_the_scores_on_its_own_corpus(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    text, html = run(monkeypatch)
    minus = "\N{MINUS SIGN}"
    assert f"| **entity F1 (conlleval)** | 85.00 | {minus}9.47 | 85.00 ± 7.07 | {minus}9.47 |" in text
    assert f"(= accuracy) | 94.00 | **{minus}0.47** | 94.00 ± 0.00 | **{minus}0.47** |" in text
    assert html.count('class="badge">nearest<') == 2
    assert "Generated corpus" not in text + html
    assert text.index("| 30 |") < text.index("| ACTOR | 3 |")
    plots = {path.name for path in (results / "mit_movie_eng" / "plots").iterdir()}
    assert plots == {f"{name}.{kind}" for name in ("loss", "f1_by_type", "confusion_crf", "confusion_encoder")
                     for kind in ("png", "svg")}  # fmt: skip


def test_losses_of_several_systems_are_not_mixed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    text, _ = run(monkeypatch)
    assert "| bilstm | 1 | 2.000 ± 0.000 | 0.43 | 0.500 ± 0.000 | 50.00 ± 0.00 |" in text
    assert "| encoder | 1 | 1.000 ± 0.000 | 0.43 | 0.500 ± 0.000 | 50.00 ± 0.00 |" in text


def test_on_a_generated_corpus_a_banner_stands_in_place_of_the_paper(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(results, "sample")
    text, html = run(monkeypatch, "sample")
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
    contents = []
    for _ in range(2):
        run(monkeypatch, "sample")
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents.append([path.read_bytes() for path in files])
    assert contents[0] == contents[1]


def test_what_is_not_there_is_named_with_its_command(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert f"| {minus}5.00 | {minus}6.00 to {minus}4.00 | < 0.001 | 0.040 |".replace("<", "&lt;") in text
    for piece in (
        "84.00 to 86.00",
        "sentences method",
        "partly",
        "3 claims: 1 reproduced, 1 partly, 1 not tested",
        "43.21",
        "a machine",
        "abc123",
        "One thing varied at a time",
        "unseen",
        "measured on a smaller",
    ):
        assert piece in html, piece
        assert piece in text or piece == "One thing varied at a time", piece
    assert "| entity F1 (conlleval) | crf | 85.00 | 84.00 to 86.00 | one run |" in text
    assert (results / "mit_movie_eng" / "plots" / "intervals.png").is_file()


def test_each_system_has_a_row_with_its_cost_and_what_was_not_run_has_its_reason_and_no_number(
    results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    text, html = run(monkeypatch)
    minus = "\N{MINUS SIGN}"
    assert "| crf | 22.6 | 100 | 7,000 | 91 | 94.00 | 85.00 | 84.00 to 86.00 |  |  |" in text
    ours = "| encoder | 22.6 | 102 | 7,000 | 91 | 94.00 ± 0.00 | 85.00 ± 7.07 | 84.00 to 86.00 |"
    assert f"{ours} {minus}5.00 | 0.040 |" in text
    [row] = [line for line in text.splitlines() if line.startswith("| bert |")]
    assert row.startswith("| bert | bert-base-uncased | not run: ")
    assert not re.search(r"\d", row.replace("bert-base-uncased", "").replace("alert(1)", ""))
    assert "not trained" not in text  # of the encoder, other seeds were
    assert {"quality_and_cost.png", "few_shot.svg"} <= {p.name for p in (results / "mit_movie_eng/plots").iterdir()}
    assert "![Entity F1 and training time; whiskers are intervals over sentences](plots/quality_and_cost.png)" in text
    assert len(html) < 1_000_000


def test_types_say_where_the_encoder_is_better_and_where_not(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    text, _ = run(monkeypatch)
    minus = "\N{MINUS SIGN}"
    assert "Beside crf, encoder is better on none; worse on ACTOR; on the other types neither is shown" in text
    assert f"| ACTOR (3) | 80.00 | 90.00 | {minus}12.34 | {minus}13.34 to {minus}11.34 | 0.010 | worse |" in text
    assert "| +10.00 | +9.00 to +11.00 | 0.060 | not shown |" in text


def test_few_sentences_and_precision_have_tables_of_their_own(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_results(results, "mit_movie_eng")
    write_more(results, "mit_movie_eng")
    text, _ = run(monkeypatch)
    assert "| system | 5 (50) | 20 (200) | all |\n| --- | ---: | ---: | ---: |" in text
    assert "| crf | 32.00 ± 1.41 | 42.00 ± 1.41 | 85.00 |" in text
    # Seed 1, 80 % of entities and 94 % of words, less 43.21 in float32.
    assert "| encoder | entity F1 (conlleval) | 1 | 80.00 | 43.21 | +36.79 |  |  |" in text
    assert "few\\_shot" not in text
    assert "Settings that are others than with all sentences, crf: c1=\\[1\\], c2=\\[2\\]." in text


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
    monkeypatch.setattr(claims, "PUBLISHED", path)
    monkeypatch.setattr(systems, "PUBLISHED", path)
    write_results(results, "mit_movie_eng")
    folder = write_results(results, "mit_restaurant")
    pd.read_csv(folder / "scores.csv").query("system == 'crf'").to_csv(folder / "scores.csv", index=False)
    write_results(results, "sample")
    for corpus in ("mit_movie_eng", "mit_restaurant"):
        write_table(results / corpus / "intervals.csv", [
            {"system": "crf", "metric": "entity_f1", "source": "sentences", "value": 0.85, "low": 0.84, "high": 0.86,
             "n": 3, "level": 0.95, "method": "m", "signature": "s", "sd": ""}
        ])  # fmt: skip
    for corpus in ("mit_movie_eng", "mit_restaurant"):
        text, _ = run(monkeypatch, corpus)
        table = text[text.index("| system | mit_movie_eng | mit_restaurant |") :].splitlines()
        assert table[2:5] == [
            "| crf | 85.00 | 85.00 |",
            "| encoder | 85.00 ± 7.07 | not run |",
            "| best published |  | 85.00 |",
        ]
        assert "mit_restaurant: S1 (a table)." in text
        assert "No results on mit_movie_trivia yet. Made by `make repro-all`." in text
        assert (results / corpus / "plots" / "domains.png").is_file()


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
        ("O\nO\n", "2 sentences, but the test set has 3"),
        ("O\nO O\nO\n", r":1: 1 tags for 3 words"),
        ("O O O\nO oops\nO\n", r":2: .*'oops' is not a tag"),
        ("O O O\nO B-X\nO\n", r":2: no type is named X"),
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


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("scores.csv", None, r"scores\.csv is missing or has no rows; run python experiments/evaluate\.py"),
        ("scores.csv", "system,seed\ncrf,0,1\n", r"scores\.csv: its rows have more columns than its first line names"),
        ("scores.csv", "system,seed\n", r"scores\.csv: no column encoder, signature"),
        ("confusion.csv", 'a,"b\n', r"confusion\.csv can't be read"),
        ("claims.csv", b"\xff\xfe\x00", r"claims\.csv can't be read.*run python experiments/judge\.py"),
        ("scores_by_type.csv", BY_TYPE + "crf,0,A,many,1\n", r"csv:2: support is 'many', not a number"),
        ("scores_by_type.csv", BY_TYPE + "crf,,A,1,1\n", r"csv:2: seed is '', not a number"),
        ("corpus.json", "{}", r"corpus\.json: not as it was written \(KeyError: 'train'\).*prepare\.py"),
        ("audit.json", "[]", r"audit\.json: not a JSON object"),
        ("audit.json", '{"alignment": 3}', r"audit\.json: not as it was written"),
        ("../provenance.json", '{"mit_movie_eng": []}', r"provenance\.json: not as it was written"),
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
    monkeypatch.setattr(claims, "PUBLISHED", path)
    write_results(results, "mit_movie_eng")
    text, _ = run(monkeypatch)
    assert "| GNER | 7 B | 90.23 | entity F1 (conlleval) | yes |" in text
    assert "| other |" not in text
    path.write_text("systems: 3")
    with pytest.raises(BertNerError, match="systems must be a list of entries"):
        run(monkeypatch)


def test_markdown_takes_text_for_text() -> None:
    table = Table("t", ["a|b", "n"], [["*x* _y_ A_B", Cell("`1`", "strong")]])
    assert markdown.render_block(table).splitlines()[::2] == ["| a\\|b | n |", "| \\*x\\* \\_y\\_ A_B | **\\`1\\`** |"]
    assert markdown.render_block(Text("<b> &lt; $x$ [y](z)\n# no")) == r"&lt;b\> &amp;lt; \$x\$ \[y\](z) # no"
    assert markdown.render_block(Missing("None.", "run `it`")) == "None. Made by `` run `it` ``."
    assert markdown.render_block(Code("c", ["a|b"])) == "c:\n\n- `a|b`"


def test_the_page_escapes_headings_and_codes() -> None:
    section = Section("x", HOSTILE, [Text(IMAGE), Missing(HOSTILE, IMAGE), Code(IMAGE, [HOSTILE])])
    html = page.render(HOSTILE, [section], [], [(IMAGE, HOSTILE)])
    assert html.count("<script>") == 1
    assert "<img" not in html


def test_every_metric_has_a_name_and_a_signature() -> None:
    assert set(METRICS) <= set(METRIC_NAMES)
    row = {"signature": "entity_f1|avg:micro|mode:conlleval|scheme:IOB2|unit:word|split:test"}
    lines = signatures(pd.DataFrame([row | dict.fromkeys(METRICS, 0.5)]))
    assert [line.partition("|")[0] for line in lines] == list(METRICS)


def test_the_paper_corpus_is_one_of_the_catalog() -> None:
    assert PAPER_CORPUS in CORPORA


@pytest.mark.parametrize(
    ("text", "shown"),
    [("0.944700", "0.9447"), ("8797", "8,797"), ("440.000000", "440"), ("0.430000; 12", "0.43; 12"), ("0.00001", "0"),
     ("6 of 6", "6 of 6"), ("nan", "nan"), ("", "")],
)  # fmt: skip
def test_values_of_claims_are_shown_short(text: str, shown: str) -> None:
    assert as_found(text) == shown
