"""The loss of each epoch, the learning curve, and the other studies."""

import math
from collections.abc import Sequence
from functools import partial

from harness.parts import WHOLE
from harness.tables import matching

import pandas as pd
from matplotlib.figure import Figure

from bert_ner.scoring import seed_interval
from claims.paper import PAPER_CORPUS, PAPER_LOSSES
from comparisons.study_pairs import STUDY, USUAL
from reporting.blocks import Block, Plot, Section, Table, Text
from reporting.formats import NOTES, count, decimals, mean_and_spread, note, percent
from reporting.layouts import crossed, frame_table, layout_table, spreads
from reporting.plots import Line, lines_plot
from reporting.results import Results, by_system, records

CURVE, FEW_SHOT, FLOAT32 = "learning_curve", "few_shot", "float32"  # studies with a table of their own
LOSSES = {"train_loss": "training", "validation_loss": "validation"}
VALIDATED = {**dict.fromkeys(LOSSES, decimals), "validation_entity_f1": percent}
TESTED = {"test_entity_f1": percent, "test_token_micro_f1": percent}


def loss_blocks(results: Results) -> list[Block]:
    """Return loss by epoch of each system that trains in epochs."""
    history = results.table("history")
    if history.empty:
        return [Text("No system here trains in epochs.")]
    rows = spreads(history, ["system", "epoch"], VALIDATED)
    # The encoder closest to the paper's; if there is none, all systems.
    featured, crosses = history[history["system"].isin(results.featured())], []
    if results.corpus.name == PAPER_CORPUS:
        paper = dict(enumerate(PAPER_LOSSES, start=1))
        rows["paper"] = rows["epoch"].map(paper)
        crosses = [Line("the paper, training", "", [(float(epoch), x, x, x) for epoch, x in paper.items()])]
    draw = partial(_loss_plot, featured if len(featured) else history, crosses)
    return [
        Plot("Mean cross-entropy by epoch; bands span the seeds", "loss", draw),
        layout_table("losses", rows, title="Loss by epoch"),
        Text(f"{NOTES['losses']} {NOTES['validation_decoding']}"),
    ]


def _loss_plot(rows: pd.DataFrame, more: Sequence[Line] = (), suffix: str = "") -> Figure:
    lines = [
        Line(f"{system}, {name}{suffix}", system, _means(runs, "epoch", column), is_dashed=column == "validation_loss")
        for system, runs in by_system(rows)
        for column, name in LOSSES.items()
    ]
    drawn = [line for line in [*lines, *more] if line.points]  # a system may have no validation loss
    return lines_plot(drawn, "epoch", "mean cross-entropy")


def _means(rows: pd.DataFrame, x: str, y: str) -> list[tuple[float, float, float, float]]:
    """Return the mean of y at each x, with its range over seeds."""
    groups = rows.dropna(subset=[y]).groupby(x)[y]
    return [(float(str(at)), float(values.mean()), float(values.min()), float(values.max())) for at, values in groups]


def study_sections(results: Results) -> list[Section]:
    studies, title = results.table("studies"), "Learning curve"
    if studies.empty:
        missing = results.missing("studies", "There is no learning curve yet, nor any other study.")
        return [Section("learning", title, [missing])]
    tested, longer = studies.dropna(subset=["test_entity_f1"]), studies[studies["study"].str.startswith("epochs")]
    curve, few, exact = (tested[tested["study"] == name] for name in (CURVE, FEW_SHOT, FLOAT32))
    rest = tested[~tested["study"].isin([CURVE, FEW_SHOT])]
    others = [_other_studies(rest), *_effects(results, rest), *_precision(results, exact), *_more_epochs(longer)]
    return [
        Section("learning", title, _curve_blocks(results, curve)),
        Section("few-shot", "Few sentences of each type", _few_shot_blocks(results, few)),
        *([Section("studies", "Other studies", others)] if len(rest) else []),
    ]


def _curve_blocks(results: Results, curve: pd.DataFrame) -> list[Block]:
    if curve.empty:
        return [results.missing("studies", "There is no learning curve yet.")]
    if facts := results.facts("corpus.json"):  # its last point is the score with every training sentence
        scores = results.needed("scores").rename(columns={name.removeprefix("test_"): name for name in TESTED})
        whole = scores[scores["system"].isin(curve["system"])].assign(sentences=facts["train"]["sentences"])
        curve = pd.concat([curve, whole]).sort_values("sentences", kind="stable")
    rows = pd.concat([spreads(runs, ["system", "sentences"], TESTED) for _, runs in by_system(curve)])
    return [
        _curve_plot(curve, "sentences", "training sentences", CURVE),
        layout_table(CURVE, rows),
        *_changed_settings(curve, "fraction"),
        *_pairs(results, CURVE, "Learning curve", "fraction", "{:g} of the sentences"),
        *_part_plots(results, CURVE, "fraction", "share of the training sentences"),
    ]


def _changed_settings(rows: pd.DataFrame, size: str) -> list[Text]:
    """Return the settings of each system that a study changes, apart from the size of the training part."""
    settings = rows.groupby("system", sort=False)["variant"].first().fillna("").str.rpartition(f", {size}=")[0]
    changed = "; ".join(f"{system}: {found}" for system, found in settings.items() if found)
    return [Text(f"Settings that differ from those with all sentences, {changed}.")] if changed else []


def _pairs(results: Results, study: str, title: str, size: str, size_text: str) -> list[Block]:
    """Return the paired tests between the systems of a study, on the whole and by part."""
    rows = _compared(results, study)
    if rows.empty:
        return []
    table = layout_table("study_comparisons", rows.assign(size=rows[size].map(size_text.format)), title=title)
    return [table, note("study_pairs")]


def _compared(results: Results, study: str) -> pd.DataFrame:
    return matching(results.table("study_comparisons"), study=study, against=STUDY, metric="entity_f1")


def _part_plots(results: Results, study: str, size: str, x_label: str) -> list[Plot]:
    """Return a plot of the means of a study's systems for each part of the corpus, if it has parts."""
    rows, plots = _compared(results, study), []
    for part, found in rows[rows["part"] != WHOLE].sort_values(size).groupby("part"):
        sides = [found[[f"system_{side}", size, side]].set_axis(["system", "x", "f1"], axis=1) for side in "ab"]
        means = pd.concat(sides).drop_duplicates(["system", "x"])
        lines = [
            Line(system, system, [(row.x, row.f1, row.f1, row.f1) for row in records(runs)])
            for system, runs in by_system(means)
        ]
        draw = partial(lines_plot, lines, x_label, f"entity F1, part {part}", scores=True)
        title = f"Entity F1 in part {part} by {x_label}; means over draws"
        plots.append(Plot(title, f"{study}_part_{part}", draw))
    return plots


def _chosen(few: pd.DataFrame) -> list[Table]:
    """Return how often the validation sentences chose each setting of a grid."""
    counts = few[few["chosen"] != ""].groupby(["system", "per_type", "chosen"], sort=False).size()
    if counts.empty:
        return []
    rows = counts.rename("draws").reset_index().rename(columns={"per_type": "sentences of each type"})
    return [frame_table("Settings that the validation sentences chose", rows.set_index("system"), text_columns=1)]


def _curve_plot(rows: pd.DataFrame, x: str, x_label: str, name: str) -> Plot:
    lines = [Line(system, system, _means(runs, x, "test_entity_f1")) for system, runs in by_system(rows)]
    draw = partial(lines_plot, lines, x_label, "entity F1, test sentences", scores=True)
    return Plot(f"Entity F1 by number of {x_label}; bands span the runs", name, draw)


def _few_shot_blocks(results: Results, few: pd.DataFrame) -> list[Block]:
    if few.empty:
        return [results.missing("studies", "No system was trained on few sentences yet.")]
    sizes = few.groupby("per_type")["sentences"].mean()
    rows = crossed(few, "system", "per_type", "test_entity_f1")[sizes.index]
    rows.columns = pd.Index([f"{n:.0f} ({count(size)})" for n, size in sizes.items()])
    full = results.needed("scores").groupby("system")["entity_f1"].agg(mean_and_spread)
    rows["all"] = full.reindex(rows.index, fill_value="")
    return [
        _curve_plot(few, "per_type", "sentences of each type", FEW_SHOT),
        frame_table("Entity F1 by sentences of each type (training sentences, mean over draws)", rows),
        note("few_shot", draws=few["seed"].nunique()),
        *_changed_settings(few, "per_type"),
        *_chosen(few),
        *_pairs(results, FEW_SHOT, "Few sentences", "per_type", "{:g} of each type"),
        *_part_plots(results, FEW_SHOT, "per_type", "sentences of each type"),
    ]


def _other_studies(tested: pd.DataFrame) -> Table:
    by = ["study", "variant", "system"]
    rows = spreads(tested, by, {"validation_entity_f1": percent, **TESTED})
    return layout_table("studies", rows.assign(runs=tested.groupby(by, sort=False).size().to_numpy()))


def _effects(results: Results, tested: pd.DataFrame) -> list[Block]:
    """Return what each study changes in the test scores, on the whole and in each part of the corpus."""
    rows = matching(results.table("study_comparisons"), against=USUAL, metric="entity_f1")
    variants = tested.drop_duplicates("study").set_index("study")["variant"]
    rows = rows[rows["study"].isin(variants.index) & (rows["new_type"] == "")]
    return [layout_table("study_effects", rows.assign(variant=rows["study"].map(variants)))] if len(rows) else []


def _more_epochs(longer: pd.DataFrame) -> list[Block]:
    if longer.empty:
        return []
    # Each study is apart: two of them may be the same trainings, decoded in two ways, and would count each seed twice.
    draw = partial(_loss_plot, longer.assign(system=longer["system"] + "_" + longer["study"]), suffix=" loss")
    rows = spreads(longer, ["study", "system", "epoch"], VALIDATED)
    return [
        Plot("Loss over more epochs than the paper's", "more_epochs", draw),
        layout_table("losses", rows, title="More epochs")._replace(text_columns=2),
    ]


def _precision(results: Results, tested: pd.DataFrame) -> list[Block]:
    """Return the cost of bfloat16: the same seeds in float32, and the differences. The paper has no such study."""
    rows = []
    for system, runs in by_system(tested.merge(results.needed("scores"), on=["system", "seed"])):
        for name in TESTED:
            usual, exact = runs[name.removeprefix("test_")], runs[name]
            gaps = usual - exact
            mean, low, high = seed_interval(gaps.tolist()) if len(gaps) > 1 else (gaps.mean(), math.nan, math.nan)
            rows.append({
                "system": system, "metric": usual.name, "seeds": len(gaps), "usual": mean_and_spread(usual),
                "exact": mean_and_spread(exact), "mean": mean, "sd": gaps.std(), "low": low, "high": high,
            })  # fmt: skip
    return [layout_table("precision", pd.DataFrame(rows)), note("precision")] if rows else []
