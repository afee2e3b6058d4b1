"""Write results/<corpus>/report.md and its plots from the tables in results/<corpus>; needs no model and no corpus.

python experiments/report.py --corpus mit_movie_eng
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from bert_ner.corpus.catalog import Corpus, corpus_named
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.scoring import METRICS
from pipeline import RESULTS, arguments, read_json, run_politely
from plots import confusion_plot, loss_plot, save, type_plot

# What the paper reports (abstract, sections 3.4.2 and 5.2). It says micro-F1, not over what.
PAPER_CORPUS = "mit_movie_eng"
PAPER_MICRO_F1 = 0.9447
PAPER_LOSSES = [0.43, 0.17, 0.13, 0.10]
MICRO_F1 = ("token_micro_f1", "token_micro_f1_no_o", "entity_f1", "entity_f1_strict")

METRIC_NAMES = {
    "token_micro_f1": "token micro-F1, every word (= accuracy)",
    "token_micro_f1_no_o": "token micro-F1, without O",
    "token_macro_f1": "token macro-F1",
    "entity_precision": "entity precision",
    "entity_recall": "entity recall",
    "entity_f1": "**entity F1** (conlleval)",
    "entity_f1_strict": "entity F1, strict IOB2",
}


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    folder = RESULTS / corpus.name
    scores, by_type, confusion, history = (
        read_table(folder / f"{name}.csv") for name in ("scores", "scores_by_type", "confusion", "history")
    )
    systems = list(dict.fromkeys(scores["system"]))
    is_papers = corpus.name == PAPER_CORPUS
    shutil.rmtree(folder / "plots", ignore_errors=True)  # of systems that are no more, too
    if len(history):
        save(loss_plot(history, PAPER_LOSSES if is_papers else None), folder / "plots", "loss")
    save(type_plot(by_type, systems), folder / "plots", "f1_by_type")
    for system in systems:
        save(confusion_plot(confusion, system), folder / "plots", f"confusion_{system}")
    facts = read_json(folder / "corpus.json")
    text = "\n\n".join(sections(corpus, facts, scores, by_type, history))
    write_whole(folder / "report.md", text + "\n")
    print(f"{folder / 'report.md'} written")


def read_table(path: Path) -> pd.DataFrame:
    """A table that evaluate.py wrote.

    Raises:
        BertNerError: it is missing.
    """
    if not path.is_file():
        raise BertNerError(f"{path} is missing; run python experiments/evaluate.py --corpus {path.parent.name}")
    return pd.read_csv(path, keep_default_na=False)


def sections(
    corpus: Corpus, facts: dict[str, Any], scores: pd.DataFrame, by_type: pd.DataFrame, history: pd.DataFrame
) -> list[str]:
    """The report's paragraphs, tables and pictures, in order."""
    systems = list(dict.fromkeys(scores["system"]))
    parts = {part: facts[part]["sentences"] for part in ("train", "validation", "test")}
    return [
        f"# {corpus.title}: results",
        *([f"> **Generated corpus.** {BANNER}"] if corpus.is_generated else []),
        f"{parts['train']:,} training, {parts['validation']:,} validation and {parts['test']:,} test sentences, "
        f"{facts['types']} entity types, {facts['tags']} tags. "
        f"{'; '.join(describe_system(scores, system) for system in systems)}. "
        "Values are percentages on the test sentences, mean ± sample standard deviation over seeds where there are "
        "several.",
        "## Scores",
        score_table(corpus, scores),
        *([PAPER_NOTE] if corpus.name == PAPER_CORPUS else []),
        "Signatures:\n\n" + "\n".join(f"- `{signature}`" for signature in signatures(scores)),
        "## Entity F1 by type",
        type_table(by_type, systems),
        *(["The paper calls its results strong for every type, but gives no figure for any."]
          if corpus.name == PAPER_CORPUS else []),
        "![Entity F1 by type](plots/f1_by_type.png)",
        *(loss_section(corpus, history) if len(history) else []),
        "## Confusion between types",
        "Of the words of each gold type, the percentage tagged with each type.",
        *(f"![Confusion matrix of {system}](plots/confusion_{system}.png)" for system in systems),
    ]  # fmt: skip


BANNER = (
    "Its sentences were written by a program, not by people. None of the paper's claims is judged on it, and no number "
    "of it may be set beside a published one."
)
PAPER_NOTE = (
    "The paper reports 94.47 as 'micro-F1' without saying over what; it stands beside every micro-averaged score that "
    "the words fit. Its encoder is BERT-base-uncased (110 M parameters); ours is named above."
)


def describe_system(scores: pd.DataFrame, system: str) -> str:
    rows = scores[scores["system"] == system]
    encoder = f" ({rows['encoder'].iloc[0]})" if rows["encoder"].iloc[0] else ""
    seeds = f", seeds {', '.join(map(str, rows['seed']))}" if len(rows) > 1 else ""
    return f"{system}{encoder}{seeds}"


def score_table(corpus: Corpus, scores: pd.DataFrame) -> str:
    """A row per metric and a column per system; on the paper's corpus its figure beside the scores it may mean."""
    groups = {system: scores[scores["system"] == system] for system in dict.fromkeys(scores["system"])}
    is_papers = corpus.name == PAPER_CORPUS
    rows = []
    for metric, name in METRIC_NAMES.items():
        row = [name, *(mean_and_spread(group[metric]) for group in groups.values())]
        if is_papers:
            row += [percent(PAPER_MICRO_F1) if metric in MICRO_F1 else ""]
        rows.append(row)
    return markdown_table(["", *groups, *(["paper"] if is_papers else [])], rows)


def type_table(by_type: pd.DataFrame, systems: Sequence[str]) -> str:
    """A row per type, the most frequent first."""
    support = by_type.groupby("type")["support"].max().sort_values(ascending=False)
    rows = [
        [str(name), f"{n:,}"]
        + [
            mean_and_spread(by_type[(by_type["system"] == system) & (by_type["type"] == name)]["f1"])
            for system in systems
        ]
        for name, n in support.items()
    ]
    return markdown_table(["type", "test entities", *systems], rows)


def loss_section(corpus: Corpus, history: pd.DataFrame) -> list[str]:
    is_papers = corpus.name == PAPER_CORPUS
    rows = []
    for epoch in sorted(set(history["epoch"])):
        group = history[history["epoch"] == epoch]
        row = [str(epoch), mean_and_spread(group["train_loss"], decimals)]
        if is_papers:
            row.append(f"{PAPER_LOSSES[epoch - 1]:.2f}" if epoch <= len(PAPER_LOSSES) else "")
        row += [mean_and_spread(group["validation_loss"], decimals), mean_and_spread(group["validation_entity_f1"])]
        rows.append(row)
    header = ["epoch", "training loss", *(["paper"] if is_papers else []), "validation loss", "validation entity F1"]
    return [
        "## Loss by epoch",
        markdown_table(header, rows),
        "The training loss is the mean over an epoch's batches, with dropout, while the weights still move; the "
        "validation loss is taken at the epoch's end, without dropout.",
        "![Loss by epoch](plots/loss.png)",
    ]


def signatures(scores: pd.DataFrame) -> list[str]:
    """The signature of each metric; the table holds entity_f1's, of which only the name and convention differ."""
    source = scores["signature"].iloc[0].split("|scheme:")[1]
    return [f"{name}|{metric.convention}|scheme:{source}" for name, metric in METRICS.items()]


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def decimals(value: float) -> str:
    return f"{value:.3f}"


def mean_and_spread(values: pd.Series, format_value: Callable[[float], str] = percent) -> str:
    """The mean and, of several values, the sample standard deviation."""
    if not len(values):
        return ""
    return format_value(values.mean()) + (f" ± {format_value(values.std())}" if len(values) > 1 else "")


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    run_politely(main)
