"""The sections on training: studies of the same trainings are kept apart."""

from __future__ import annotations

from pathlib import Path

from report_results import write_more, write_results, write_table

from bert_ner.corpus.catalog import corpus_named
from reporting.blocks import Plot, Table, Text
from reporting.formats import NOTES
from reporting.results import Results
from reporting.sections.curves import loss_blocks, study_sections

F1 = {1: 0.82, 2: 0.84, 3: 0.86}  # by seed


def test_studies_of_more_epochs_are_not_pooled(results: Path) -> None:
    """The standard deviation of the three seeds is 2; of both studies together, it would be 1.79."""
    folder = write_results(results, "sample")
    write_table(folder / "studies.csv", [
        {"study": study, "variant": study, "system": "encoder", "encoder": "tiny", "seed": seed, "epoch": epoch,
         "train_loss": 1, "validation_loss": 1, "validation_entity_f1": f1, "test_entity_f1": 0.9 if epoch == 2 else ""}
        for study in ("epochs_8", "epochs_8_legal")
        for seed, f1 in F1.items()
        for epoch in (1, 2)
    ])  # fmt: skip
    [blocks] = [
        each.blocks for each in study_sections(Results(results, corpus_named("sample"))) if each.anchor == "studies"
    ]
    [table] = [block for block in blocks if isinstance(block, Table) and block.caption == "More epochs"]
    assert [row[:3] for row in table.rows] == [
        [study, "encoder", epoch] for study in ("epochs_8", "epochs_8_legal") for epoch in ("1", "2")
    ]
    assert {row[-1] for row in table.rows} == {"84.00 ± 2.00"}
    [plot] = [block for block in blocks if isinstance(block, Plot) and block.name == "more_epochs"]
    labels = {text.get_text() for text in plot.figure.axes[0].texts}
    assert {f"encoder_{study}, training loss" for study in ("epochs_8", "epochs_8_legal")} <= labels


def test_validation_f1_is_said_to_be_without_the_decoding_setting(results: Path) -> None:
    write_results(results, "sample")
    blocks = loss_blocks(Results(results, corpus_named("sample")))
    assert any(NOTES["validation_decoding"] in block.text for block in blocks if isinstance(block, Text))


def test_a_study_has_the_means_of_each_part(results: Path) -> None:
    write_results(results, "sample")
    write_more(results, "sample")
    sections = {each.anchor: each.blocks for each in study_sections(Results(results, corpus_named("sample")))}
    for anchor, name, x in (("learning", "learning_curve", [0.1]), ("few-shot", "few_shot", [5, 20])):
        [plot] = [block for block in sections[anchor] if isinstance(block, Plot) and block.name == f"{name}_part_1"]
        axes = plot.figure.axes[0]
        assert {text.get_text() for text in axes.texts} == {"crf", "encoder"}
        assert sorted(set(axes.lines[0].get_xdata())) == x
        assert [set(line.get_ydata()) for line in axes.lines] == [{0.5}, {0.6}]
        [table] = [block for block in sections[anchor] if isinstance(block, Table) and "pairs of" in block.caption]
        assert [row[1] for row in table.rows] == ["all", "1"] * len(x)
