"""Intervals and comparisons come from the predicted tags; scores with unlike signatures are errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness import paths
from harness.artifacts import read_part
from harness.params import Confirmatory, Study, Trial, read_params
from harness.tables import TABLES, as_csv, require_table

import pandas as pd
import pytest

import compare
import comparisons.groups
from bert_ner.corpus.bio import Sentence, labels_of, write_bio
from bert_ner.corpus.catalog import corpus_named
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import METRICS, holm, score
from comparisons import recounting, study_pairs

WORDS = ("one", "two", "three")
GOLD = [("B-ACTOR", "I-ACTOR", "O"), ("O", "B-YEAR", "O"), ("O", "O", "O"), ("B-TITLE", "O", "O")] * 5
EMPTY = [("O", "O", "O")] * 20
RUNS = {"crf-0": EMPTY, "encoder-1": GOLD, "encoder-2": [*GOLD[:10], *EMPTY[10:]]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Results of a CRF that finds nothing and an encoder's two runs, one all right and one half right."""
    corpus = corpus_named("mit_movie_eng")
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    for module in (compare, recounting, study_pairs):
        monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    for module in (compare, recounting, study_pairs, comparisons.groups):
        monkeypatch.setattr(module, "SAMPLES", 200)
    monkeypatch.setattr("sys.argv", ["compare.py"])
    prepared = tmp_path / "data" / "prepared" / corpus.name
    raw = tmp_path / "data" / "raw" / corpus.name / corpus.test.name
    for path in (prepared / "test.bio", prepared / "train.bio", raw):
        path.parent.mkdir(parents=True, exist_ok=True)
        # Of the entities, only the one of type TITLE is in the training sentences.
        write_bio(path, [Sentence(WORDS, tags) for tags in (GOLD[3:4] if path.name == "train.bio" else GOLD)])
    (prepared / "labels.txt").write_text("\n".join(labels_of(corpus.types)))
    write_parts("1" * 20)
    folder = tmp_path / "results" / corpus.name
    (folder / "predictions").mkdir(parents=True)
    rows = []
    for name, tags in RUNS.items():
        (folder / "predictions" / f"{name}.tags").write_text("".join(" ".join(t) + "\n" for t in tags))
        system, seed = name.split("-")
        scored = score(GOLD, tags, split="test", corpus=corpus.name, data=sha256_of(raw)[:8])
        encoder = "tiny" if system == "encoder" else ""
        rows.append({"system": system, "encoder": encoder, "seed": seed, "n_sentences": len(GOLD)}
                    | {metric: value.value for metric, value in scored.items()}
                    | {"signature": scored["entity_f1"].signature})  # fmt: skip
    (folder / "scores.csv").write_text(as_csv("scores", rows))
    return folder


def write_parts(part_of: str) -> None:
    """Write the part of each test sentence."""
    write_whole(paths.parts_file("mit_movie_eng", "test"), "\n".join(part_of) + "\n")


def edit_scores(folder: Path, column: str, value: object) -> None:
    table = pd.read_csv(folder / "scores.csv", keep_default_na=False)
    table.loc[1, column] = value
    table.to_csv(folder / "scores.csv", index=False)


def test_sentences_and_seeds_stand_in_rows_of_their_own(folder: Path) -> None:
    compare.main()
    table = pd.read_csv(folder / "intervals.csv")
    assert list(table.columns) == list(TABLES["intervals"].columns)
    # Over sentences for both systems; over seeds, and over both, for the one with several runs.
    assert len(table) == 4 * len(METRICS)
    assert set(table.loc[table["source"] == "seeds", "system"]) == {"encoder"}
    rows = table[(table["system"] == "encoder") & (table["metric"] == "entity_recall")].set_index("source")
    # Recalls 1 and 8/15; the mean is 23/30, the standard deviation 7/15 / sqrt(2), t(0.975, 1) = 12.7062.
    assert rows["value"].tolist() == pytest.approx([23 / 30] * 3, abs=1e-6)
    assert rows.loc["seeds", "sd"] == pytest.approx(0.329983, abs=1e-6)
    assert rows.loc["seeds", "high"] == pytest.approx(23 / 30 + 12.7062 * 7 / 30, abs=1e-4)
    assert rows["n"].tolist() == [20, 2, 20]
    assert rows["sd"].isna().tolist() == [True, False, True]
    assert rows.loc["seeds+sentences", "low"] < rows.loc["sentences", "low"]
    assert 0.5 < rows.loc["sentences", "low"] < 23 / 30 < rows.loc["sentences", "high"] < 1


def test_every_metric_is_compared_and_carries_its_signature(folder: Path) -> None:
    compare.main()
    table = pd.read_csv(folder / "comparisons.csv")
    assert list(table.columns) == list(TABLES["comparisons"].columns)
    assert table["metric"].tolist() == list(METRICS)
    assert [signature.split("|")[0] for signature in table["signature"]] == list(METRICS)
    row = table.set_index("metric").loc["entity_recall"]
    assert (row["system_a"], row["system_b"], row["n"]) == ("encoder", "crf", 20)
    assert (row["a"], row["b"]) == (pytest.approx(23 / 30, abs=1e-6), 0)
    assert row["difference"] == pytest.approx(23 / 30, abs=1e-6)
    assert (row["p_value"], row["family"]) == (pytest.approx(1 / 201, abs=1e-6), "exploratory")
    assert pd.isna(row["p_holm"])
    assert "runs averaged, a=2 b=1" in row["test"]
    assert pd.isna(row["b_sd"])


def test_parts_of_the_test_set_have_intervals_and_are_compared(folder: Path) -> None:
    compare.main()
    table = pd.read_csv(folder / "intervals_by_group.csv", keep_default_na=False)
    assert list(table) == list(TABLES["intervals_by_group"].columns)
    rows = table[table["system"] == "encoder"].set_index(["by", "group", "than"])
    # Run 2 has the first 10 of 20 sentences: 3 of 5 ACTORs and YEARs (F1 0.75), 2 of 5 TITLEs (F1 4/7).
    for name, f1 in (("ACTOR", 0.75), ("YEAR", 0.75), ("TITLE", 4 / 7)):
        assert rows.loc["type", name, ""]["value"] == pytest.approx((1 + f1) / 2, abs=1e-6)
    assert rows.loc["seen", "seen", ""][["value", "support"]].tolist() == [0.7, 5]
    assert rows.loc["seen", "unseen", ""][["value", "support"]].tolist() == [0.8, 10]
    assert rows.loc["seen", "unseen", "seen"]["value"] == pytest.approx(0.1)
    assert rows.loc["length", "1", "2"]["value"] == pytest.approx(0.75 - 0.8)
    assert (rows["low"] <= rows["value"]).all()
    assert (rows["value"] <= rows["high"]).all()
    types = pd.read_csv(folder / "comparisons_by_type.csv")
    assert list(types) == list(TABLES["comparisons_by_type"].columns)
    assert types["type"].tolist() == ["ACTOR", "TITLE", "YEAR"]
    assert types["difference"].tolist() == pytest.approx([0.875, (1 + 4 / 7) / 2, 0.875], abs=1e-6)
    assert types["p_holm"].tolist() == pytest.approx(holm(types["p_value"].tolist()), abs=2e-6)


@pytest.mark.usefixtures("folder")
def test_holm_is_over_the_confirmatory_family() -> None:
    scores = require_table(compare.RESULTS, "mit_movie_eng", "scores")
    found = recounting.recount(corpus_named("mit_movie_eng"), read_part("mit_movie_eng", "test"), scores)
    found.counts["other"], found.scores["other"] = found.counts["crf"], found.scores["crf"]
    family = {(("encoder", "crf"), "entity_f1"), (("other", "crf"), "entity_f1")}
    rows = compare.comparisons(found, [("encoder", "crf"), ("other", "crf")], family=family)
    of_family = [row for row in rows if row["family"] == "confirmatory"]
    assert {row["metric"] for row in of_family} == {"entity_f1"}
    # Of p-values 1/201 and 1 the smaller is doubled.
    assert [row["p_holm"] for row in of_family] == pytest.approx([2 / 201, 1])
    assert {row["p_holm"] for row in rows if row["family"] == "exploratory"} == {None}


@pytest.mark.usefixtures("folder")
def test_a_pair_with_several_runs_has_an_interval_over_seeds_and_sentences() -> None:
    scores = require_table(compare.RESULTS, "mit_movie_eng", "scores")
    found = recounting.recount(corpus_named("mit_movie_eng"), read_part("mit_movie_eng", "test"), scores)
    found.counts["other"], found.scores["other"] = found.counts["crf"], found.scores["crf"]
    rows = compare.comparisons(found, [("encoder", "crf"), ("other", "crf")], metrics=["entity_recall"])
    of_encoder, of_single_runs = rows
    # The CRF finds nothing. The runs' recall is 15/15 and 8/15; each draw has one of them.
    assert of_encoder["low"] > 8 / 15 >= of_encoder["seeds_low"]
    assert of_encoder["high"] < 1
    assert of_encoder["seeds_high"] == 1
    assert (of_single_runs["seeds_low"], of_single_runs["seeds_high"]) == (None, None)


@pytest.mark.usefixtures("folder")
def test_holm_by_type_is_over_the_types_of_a_pair() -> None:
    scores = require_table(compare.RESULTS, "mit_movie_eng", "scores")
    found = recounting.recount(corpus_named("mit_movie_eng"), read_part("mit_movie_eng", "test"), scores)
    found.counts["other"] = found.counts["crf"]
    alone = compare.type_comparisons(found, [("encoder", "crf")])
    both = compare.type_comparisons(found, [("encoder", "crf"), ("other", "crf")])
    assert [row["p_holm"] for row in both[: len(alone)]] == [row["p_holm"] for row in alone]


def test_the_whole_is_resampled_within_its_parts_in_every_table(folder: Path) -> None:
    write_parts("1" * 8 + "2" * 12)
    compare.main()
    for name in ("intervals", "comparisons"):
        whole, by_part = (pd.read_csv(folder / f"{table}.csv") for table in (name, f"{name}_by_part"))
        of_all = by_part[by_part["part"] == "all"]
        assert len(of_all)
        whole = whole[whole["metric"].isin(of_all["metric"])].reset_index(drop=True)
        pd.testing.assert_frame_equal(of_all.drop(columns="part").reset_index(drop=True)[list(whole)], whole)
        assert "confirmatory" not in set(by_part[by_part["part"] != "all"].get("family", ()))


def test_the_first_named_system_is_tested_against_each_baseline() -> None:
    scores = pd.DataFrame({"system": ["hmm", "crf", "small", "large"], "encoder": ["", "", "tiny", "big"]})
    named = Confirmatory(
        corpora=["sample"],
        systems=["absent", "large", "small"],
        baselines=["hmm", "crf", "none"],
        metrics=["entity_f1"],
    )
    family = compare.confirmatory_tests("sample", scores, named)
    assert family == {(("large", "hmm"), "entity_f1"), (("large", "crf"), "entity_f1")}
    assert not compare.confirmatory_tests("other", scores, named)
    assert not compare.confirmatory_tests("sample", scores, Confirmatory())

    again = named.model_copy(update={"baselines": ["large", "hmm"]})
    assert compare.confirmatory_tests("sample", scores, again) == {(("large", "hmm"), "entity_f1")}


def test_a_confirmatory_test_of_another_pair_is_made_as_well(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = Confirmatory(corpora=["mit_movie_eng"], systems=["crf"], baselines=["encoder"], metrics=["entity_f1"])
    params = read_params().model_copy(update={"confirmatory": named})
    monkeypatch.setattr(compare, "read_params", lambda: params)
    compare.main()
    table = pd.read_csv(folder / "comparisons.csv").set_index(["system_a", "system_b", "metric"])
    confirmatory = table[table["family"] == "confirmatory"]
    assert confirmatory.index.tolist() == [("crf", "encoder", "entity_f1")]
    assert confirmatory["p_holm"].tolist() == confirmatory["p_value"].tolist()
    usual, turned = (table.loc[(*pair, "entity_f1"), "difference"] for pair in (("encoder", "crf"), ("crf", "encoder")))
    assert usual == -turned


def test_every_two_systems_meet_once() -> None:
    scores = pd.DataFrame({"system": ["hmm", "crf", "encoder", "encoder"], "encoder": ["", "", "tiny", "tiny"]})
    assert compare.pairs(scores) == ([("hmm", "crf"), ("encoder", "crf")], [("encoder", "hmm")])
    assert compare.pairs(scores[scores["system"] == "crf"]) == ([], [])


def test_the_later_system_comes_first_and_baselines_count_as_earlier() -> None:
    scores = pd.DataFrame({"system": ["small", "large", "hmm", "hmm_tuned"], "encoder": ["tiny", "big", "", ""]})
    others = [("hmm_tuned", "hmm"), ("small", "hmm"), ("large", "hmm"), ("small", "hmm_tuned"), ("large", "hmm_tuned")]
    assert compare.pairs(scores) == ([], [*others, ("large", "small")])


def test_one_system_alone_has_intervals_and_an_empty_comparison(folder: Path) -> None:
    table = pd.read_csv(folder / "scores.csv", keep_default_na=False)
    table[table["system"] == "encoder"].to_csv(folder / "scores.csv", index=False)
    compare.main()
    assert len(pd.read_csv(folder / "intervals.csv")) == 3 * len(METRICS)
    assert (folder / "comparisons.csv").read_text().strip() == ",".join(list(TABLES["comparisons"].columns))


def test_scores_of_unlike_signatures_are_refused_and_both_are_shown(folder: Path) -> None:
    edit_scores(folder, "signature", "entity_f1|avg:micro|data:00000000|v:0.0.9")
    with pytest.raises(BertNerError, match=r"differ in ") as caught:
        compare.main()
    assert "entity_f1|avg:micro|data:00000000|v:0.0.9" in str(caught.value)
    assert "corpus:mit_movie_eng|data:" in str(caught.value)
    assert "encoder-1.tags does not fit scores.csv: " in str(caught.value)
    assert not (folder / "intervals.csv").exists()


def test_predictions_that_are_not_those_of_the_scores_are_refused(folder: Path) -> None:
    edit_scores(folder, "span_f1", 0.25)
    with pytest.raises(BertNerError, match=r"encoder-1.tags .* span_f1 is 0.25 in scores.csv, but 1.000000 here; run"):
        compare.main()


@pytest.mark.parametrize("metric", ["entity_f1", "token_micro_f1_merged"])
def test_an_empty_score_is_refused(folder: Path, metric: str) -> None:
    edit_scores(folder, metric, None)
    with pytest.raises(BertNerError, match=rf"encoder-1.tags .* {metric} is nan in scores.csv, but 1.000000 here; run"):
        compare.main()


def test_predictions_that_do_not_fit_or_are_missing_are_named(folder: Path) -> None:
    path = folder / "predictions" / "encoder-2.tags"
    path.write_text("O O O\n")
    with pytest.raises(BertNerError, match=r"encoder-2.tags, line 2, does not fit the test sentences; run"):
        compare.main()
    path.unlink()
    with pytest.raises(BertNerError, match=r"encoder-2.tags is missing; run python"):
        compare.main()


def test_predictions_that_keep_every_score_are_known_by_their_sum(folder: Path) -> None:
    """Two sentences have equal gold tags; a run's tags of them are swapped."""
    path = folder / "predictions" / "encoder-2.tags"
    record = {"mit_movie_eng": {"runs": {"encoder-2": {"predictions": sha256_of(path)}}}}
    (folder.parent / "provenance.json").write_text(json.dumps(record))
    compare.main()
    lines = path.read_text().splitlines()
    assert GOLD[0] == GOLD[16]
    assert lines[0] != lines[16]
    lines[0], lines[16] = lines[16], lines[0]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(
        BertNerError, match=r"encoder-2.tags: its SHA-256 is .*, but .*provenance.json has .*evaluate.py"
    ):
        compare.main()
    (folder.parent / "provenance.json").unlink()
    compare.main()


def test_without_scores_the_command_that_makes_them_is_named(folder: Path) -> None:
    (folder / "scores.csv").unlink()
    with pytest.raises(BertNerError, match=r"scores.csv is missing or has no rows; run python experiments/evaluate.py"):
        compare.main()


def test_the_systems_of_a_study_are_paired_at_each_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(seeds=[1, 2], fractions=[0.1, 0.3], **{name: {} for name in ("crf", "minilm", "mpnet")})
    monkeypatch.setattr(compare, "read_params", lambda: read_params().model_copy(update={"studies": {"curve": study}}))
    compare.main()
    assert study_rows(folder) == []  # without predictions there is nothing to compare
    for system, first, second in (("crf", EMPTY, EMPTY), ("minilm", GOLD, RUNS["encoder-2"])):
        for seed, tags in ((1, first), (2, second)):
            write_whole(folder / f"studies/curve/{system}-0.1-{seed}.tags", "".join(" ".join(t) + "\n" for t in tags))
    write_whole(folder / "studies/curve/crf-0.3-1.tags", "".join(" ".join(t) + "\n" for t in GOLD))
    compare.main()
    row, *usual = study_rows(folder)
    assert (row["study"], row["fraction"], row["system_a"], row["system_b"]) == ("curve", 0.1, "crf", "minilm")
    assert (row["metric"], row["n"], row["runs"], row["against"], row["part"]) == ("entity_f1", 20, 2, "study", "all")
    # The CRF of scores.csv finds nothing, and neither does that of the smaller share; minilm has no run there.
    assert [(r["fraction"], r["system_a"], r["against"], r["difference"]) for r in usual] == [
        (0.1, "crf", "usual", 0), (0.3, "crf", "usual", 1)
    ]  # fmt: skip
    assert pd.isna(usual[1]["runs_low"])  # of one run
    half = score(GOLD, RUNS["encoder-2"])["entity_f1"].value
    assert (row["a"], row["b"]) == pytest.approx((0, (1 + half) / 2), abs=1e-6)
    assert row["difference"] == pytest.approx(row["a"] - row["b"], abs=1e-6)
    assert row["low"] <= row["difference"] <= row["high"] < 0
    assert row["p_value"] < 0.05
    # Over the draws: differences -1 and -half, t(0.975, 1) = 12.7062.
    assert row["runs_high"] == pytest.approx(-(1 + half) / 2 + 12.7062 * (1 - half) / 2, abs=1e-4)


def test_a_study_is_compared_with_the_usual_runs_of_its_seeds_in_every_part(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual run with seed 2 finds everything in the first part, and not all later; those of the study nothing."""
    study = Study(seeds=[2, 3], per_type=[5], new_types=["ACTOR"], encoder={})
    monkeypatch.setattr(compare, "read_params", lambda: read_params().model_copy(update={"studies": {"new": study}}))
    monkeypatch.setattr(study_pairs, "all_trials", lambda _: [
        Trial("new", "", "encoder", seed, None, 5, {}, [{}], "ACTOR") for seed in (2, 3)
    ])  # fmt: skip
    write_parts("1" * 8 + "2" * 12)
    for seed in (2, 3):
        write_whole(folder / f"studies/new/encoder-ACTOR-5-{seed}.tags", "O O O\n" * 20)
    compare.main()
    rows = study_rows(folder)
    assert [(r["new_type"], r["against"], r["part"], r["n"], r["runs"]) for r in rows] == [
        ("ACTOR", "usual", part, n, 1) for part, n in (("all", 20), ("1", 8), ("2", 12))
    ]
    assert rows[1]["difference"] == -1
    assert 0 > rows[0]["difference"] == pytest.approx(-score(GOLD, RUNS["encoder-2"])["entity_f1"], abs=1e-6)
    assert "split:test/1" in rows[1]["signature"]


def test_recall_is_compared_within_types_parts_and_both(folder: Path) -> None:
    write_parts("1" * 8 + "2" * 12)
    compare.main()
    table = pd.read_csv(folder / "intervals_by_group.csv", keep_default_na=False)
    rows = table[table["system"] == "encoder"].set_index(["by", "group", "than"])
    # In part 1 both runs find all 2 seen and 4 unseen entities; in part 2 run 2 finds none of 3 and 2 of 6.
    assert rows.loc["seen within part", "part 1: seen", "unseen"][["value", "support"]].tolist() == [0, 4]
    gap = (1 + 0) / 2 - (1 + 2 / 6) / 2
    assert rows.loc["seen within part", "part 2: seen", "unseen"]["value"] == pytest.approx(gap, abs=1e-6)
    weights = 2 * 4 / 6, 3 * 6 / 9
    pooled = weights[1] * gap / sum(weights)
    assert rows.loc["seen within part", "seen", "unseen"]["value"] == pytest.approx(pooled, abs=1e-6)
    assert not [key for key in rows.index if key[0] == "seen within type and part"]  # no type has both groups
    assert rows.loc["type in part 1", "ACTOR", ""][["value", "support", "n"]].tolist() == [1, 2, 8]


def test_predictions_of_a_study_that_were_changed_are_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(crf={})
    monkeypatch.setattr(compare, "read_params", lambda: read_params().model_copy(update={"studies": {"s": study}}))
    write_whole(folder / "studies/s/crf-13.tags", "".join(" ".join(t) + "\n" for t in GOLD))
    record = {"mit_movie_eng": {"studies": {"s": {"crf-13": "0" * 64}}}}
    (folder.parent / "provenance.json").write_text(json.dumps(record))
    with pytest.raises(
        BertNerError, match=r"crf-13\.tags: its SHA-256 is .*study\.py --corpus mit_movie_eng --study s"
    ):
        compare.main()


def study_rows(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of the comparisons of studies."""
    table = pd.read_csv(folder / "study_comparisons.csv")
    assert set(table["metric"]) <= {"entity_f1", "entity_f1_strict"}
    return table[table["metric"] == "entity_f1"].to_dict("records")
