"""The loss of each epoch, the learning curve, and the other studies."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from bert_ner.scoring import seed_interval
from claims.paper import PAPER_CORPUS, PAPER_LOSSES
from reporting.blocks import Block, Plot, Section, Table, Text
from reporting.formats import METRIC_NAMES, count, decimals, interval, mean_and_spread, note, percent, points
from reporting.plots import Line, lines_plot
from reporting.results import Results, by_system

CURVE, FEW_SHOT, FLOAT32 = "learning_curve", "few_shot", "float32"  # studies with a table of their own
LOSSES = {"train_loss": "training", "validation_loss": "validation"}
TESTED = ("entity_f1", "token_micro_f1")


def loss_blocks(results: Results) -> list[Block]:
    """Return loss by epoch of each system that trains in epochs."""
    history = results.table("history")
    if history is None:
        return [Text("No system here trains in epochs.")]
    paper = dict(enumerate(PAPER_LOSSES if results.corpus.name == PAPER_CORPUS else (), start=1))
    rows = []
    for system, epochs in by_system(history):
        for number, (_, runs) in enumerate(epochs.groupby("epoch"), start=1):
            training, *validation = _validated(runs)
            printed = [f"{paper[number]:.2f}" if number in paper else ""] if paper else []
            rows.append([system, str(number), training, *printed, *validation])
    header = ["system", "epoch", "training loss", *(["paper"] if paper else []), "validation loss"]
    # The encoder closest to the paper's; if there is none, all systems.
    featured = history[history["system"].isin(results.featured())]
    lines = _loss_lines(featured if len(featured) else history)
    if paper:
        lines.append(Line("the paper, training", "", [(float(epoch), x, x, x) for epoch, x in paper.items()]))
    return [
        _loss_plot("Mean cross-entropy by epoch; bands span the seeds", "loss", lines),
        Table("Loss by epoch", [*header, "validation entity F1"], rows),
        note("losses"),
    ]


def _validated(epoch: pd.DataFrame) -> list[str]:
    """Return both losses and the validation F1 of an epoch, the mean over runs."""
    return [
        *(mean_and_spread(epoch[loss], decimals) for loss in LOSSES),
        mean_and_spread(epoch["validation_entity_f1"]),
    ]


def _loss_lines(rows: pd.DataFrame, suffix: str = "") -> list[Line]:
    return [
        Line(f"{system}, {name}{suffix}", system, _means(runs, "epoch", column), is_dashed=column == "validation_loss")
        for system, runs in by_system(rows)
        for column, name in LOSSES.items()
    ]


def _loss_plot(title: str, name: str, lines: Sequence[Line]) -> Plot:
    return Plot(title, name, partial(lines_plot, lines, "epoch", "mean cross-entropy"))


def _means(rows: pd.DataFrame, x: str, y: str) -> list[tuple[float, float, float, float]]:
    """Return the mean of y at each x, with its range over seeds."""
    groups = rows.dropna(subset=[y]).groupby(x)[y]
    return [(float(str(at)), float(values.mean()), float(values.min()), float(values.max())) for at, values in groups]


def study_sections(results: Results) -> list[Section]:
    studies, title = results.table("studies"), "Learning curve"
    if studies is None:
        missing = results.missing("studies", "There is no learning curve yet, nor any other study.")
        return [Section("learning", title, [missing])]
    tested, longer = studies.dropna(subset=["test_entity_f1"]), studies[studies["study"].str.startswith("epochs")]
    curve, few, exact = (tested[tested["study"] == name] for name in (CURVE, FEW_SHOT, FLOAT32))
    rest = tested[~tested["study"].isin([CURVE, FEW_SHOT])]
    others = [_other_studies(rest), *_precision(results, exact), *_more_epochs(longer)]
    return [
        Section("learning", title, _curve_blocks(results, curve)),
        Section("few-shot", "Few sentences of each type", _few_shot_blocks(results, few)),
        *([Section("studies", "Other studies", others)] if len(rest) else []),
    ]


def _curve_blocks(results: Results, curve: pd.DataFrame) -> list[Block]:
    if curve.empty:
        return [results.missing("studies", "There is no learning curve yet.")]
    if facts := results.facts("corpus.json"):  # its last point is the score with every training sentence
        scores = results.needed("scores").rename(columns=lambda name: f"test_{name}" if name in TESTED else name)
        whole = scores[scores["system"].isin(curve["system"])].assign(sentences=facts["train"]["sentences"])
        curve = pd.concat([curve, whole])
    rows = [
        [system, count(float(str(n))), *_test_scores(group)]
        for system, runs in by_system(curve)
        for n, group in runs.groupby("sentences")
    ]
    return [
        _curve_plot(curve, "sentences", "training sentences", CURVE),
        Table("Learning curve", ["system", "training sentences", "entity F1", "token micro-F1"], rows),
    ]


def _curve_plot(rows: pd.DataFrame, x: str, x_label: str, name: str) -> Plot:
    lines = [Line(system, system, _means(runs, x, "test_entity_f1")) for system, runs in by_system(rows)]
    draw = partial(lines_plot, lines, x_label, "entity F1, test sentences", percent=True, log=True)
    return Plot(f"Entity F1 by number of {x_label}; bands span the runs", name, draw)


def _test_scores(rows: pd.DataFrame) -> list[str]:
    return [mean_and_spread(rows[f"test_{metric}"]) for metric in TESTED]


def _few_shot_blocks(results: Results, few: pd.DataFrame) -> list[Block]:
    if few.empty:
        return [results.missing("studies", "No system was trained on few sentences yet.")]
    sizes = few.groupby("per_type")["sentences"].mean()
    full = {system: mean_and_spread(rows["entity_f1"]) for system, rows in by_system(results.needed("scores"))}
    rows, changed = [], []
    for system, runs in by_system(few):
        f1s = [mean_and_spread(runs[runs["per_type"] == n]["test_entity_f1"]) for n in sizes.index]
        rows.append([system, *f1s, full.get(system, "")])
        if settings := runs["variant"].iloc[0].rpartition(", per_type=")[0]:
            changed.append(f"{system}: {settings}")
    caption = "Entity F1 by sentences of each type (training sentences, mean over draws)"
    blocks: list[Block] = [
        _curve_plot(few, "per_type", "sentences of each type", FEW_SHOT),
        Table(caption, ["system", *(f"{n:.0f} ({count(size)})" for n, size in sizes.items()), "all"], rows),
        note("few_shot", draws=few["seed"].nunique()),
    ]
    if changed:
        blocks.append(Text(f"Settings that differ from those with all sentences, {'; '.join(changed)}."))
    return blocks


def _other_studies(tested: pd.DataFrame) -> Table:
    header = ["study", "variant", "system", "runs", "validation entity F1", "entity F1", "token micro-F1"]
    rows = [
        [*map(str, key), str(len(runs)), mean_and_spread(runs["validation_entity_f1"]), *_test_scores(runs)]
        for key, runs in tested.groupby(["study", "variant", "system"], sort=False)
    ]
    return Table("One thing varied at a time", header, rows, text_columns=3)


def _more_epochs(longer: pd.DataFrame) -> list[Block]:
    if longer.empty:
        return []
    header = ["epoch", "training loss", "validation loss", "validation entity F1"]
    rows = [[str(epoch), *_validated(runs)] for epoch, runs in longer.groupby("epoch")]
    title = "Loss over more epochs than the paper's"
    return [_loss_plot(title, "more_epochs", _loss_lines(longer, " loss")), Table("More epochs", header, rows)]


def _precision(results: Results, tested: pd.DataFrame) -> list[Block]:
    """Return the cost of bfloat16: the same seeds in float32, and the differences. The paper has no such study."""
    rows, scores = [], results.needed("scores")
    for system, runs in by_system(tested.rename(columns=lambda name: name.removeprefix("test_"))):
        both = scores[scores["system"] == system].merge(runs, on="seed", suffixes=("", "_exact"))
        for metric in TESTED:
            usual, exact = both[metric], both[f"{metric}_exact"]
            gaps, means = usual - exact, [mean_and_spread(usual), mean_and_spread(exact)]
            spread = ["", ""]
            if len(gaps) > 1:
                ends = seed_interval(gaps.tolist())
                spread = [percent(float(gaps.std())), interval(ends.low, ends.high, points)]
            rows.append([system, METRIC_NAMES[metric], str(len(gaps)), *means, points(float(gaps.mean())), *spread])
    if not rows:
        return []
    header = ["system", "metric", "seeds", "as configured", "float32", "difference", "sd", "over seeds"]
    return [
        Table("The cost of bfloat16, seed by seed", header, rows, text_columns=2),
        note("precision"),
    ]
