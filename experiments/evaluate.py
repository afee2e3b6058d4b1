"""Tag the test sentences with every trained system and score the tags.

    python experiments/evaluate.py --corpus mit_movie_eng

Writes scores.csv, scores_by_type.csv, confusion.csv, history.csv, metrics.json and predictions/ into
results/<corpus>, and the origin of it all into results/provenance.json.
"""

from __future__ import annotations

import json
import shutil
from itertools import chain
from typing import Any

import pandas as pd
import seqeval.metrics
import sklearn.metrics
from seqeval.scheme import IOB2
from tqdm import tqdm

from bert_ner.corpus.catalog import corpus_named
from bert_ner.encoder.weights import find_weights
from bert_ner.files import sha256_of, write_whole
from bert_ner.scoring import METRICS, Score, score, score_by_type
from bert_ner.scoring.counts import Tags
from bert_ner.scoring.errors import confusion
from bert_ner.tagger import load_tagger
from pipeline import DATA, RESULTS, arguments, model_folder, read_params, read_part, read_run, run_politely, runs
from provenance import environment, record

COLUMNS = {
    "scores": ["corpus", "system", "encoder", "seed", "split", "n_sentences", *METRICS, "signature"],
    "scores_by_type": ["system", "seed", "type", "support", "precision", "recall", "f1"],
    "confusion": ["system", "seed", "gold", "predicted", "words"],
    "history": [
        "system", "encoder", "seed", "epoch", "train_loss", "validation_loss", "validation_entity_f1", "seconds",
    ],
}  # fmt: skip


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    params = read_params()
    test = read_part(corpus.name, "test")
    gold = [tags for _, tags in test]
    raw = DATA / "raw" / corpus.name
    # Signatures name the published test file, not our copy of it.
    source = {"split": "test", "corpus": corpus.name, "data": sha256_of(raw / corpus.test.name)[:8]}

    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in COLUMNS}
    predictions, origins = {}, {}
    for run in tqdm(runs(params), desc="evaluate", unit="system", disable=None):
        trained = read_run(corpus.name, run)
        predicted = load_tagger(model_folder(corpus.name, run)).tag([words for words, _ in test])
        scores = score(gold, predicted, **source)
        cross_check(gold, predicted, scores)
        who = {"system": run.system, "seed": run.seed, "encoder": trained["settings"].get("name", "")}
        rows["scores"].append(
            {**who, **source, "n_sentences": len(test), "signature": scores["entity_f1"].signature}
            | {metric: value.value for metric, value in scores.items()}
        )
        rows["scores_by_type"] += [{**who, **by_type._asdict()} for by_type in score_by_type(gold, predicted)]
        rows["confusion"] += [
            {**who, "gold": a, "predicted": b, "words": n} for (a, b), n in sorted(confusion(gold, predicted).items())
        ]
        rows["history"] += [{**who, **row} for row in trained.pop("history") if "epoch" in row]
        predictions[f"{run.name}.tags"] = "".join(" ".join(tags) + "\n" for tags in predicted)
        origins[run.name] = trained

    folder = RESULTS / corpus.name
    tables = {name: pd.DataFrame(table, columns=COLUMNS[name]) for name, table in rows.items()}
    for name, table in tables.items():
        write_whole(folder / f"{name}.csv", table.to_csv(index=False, float_format="%.6f"))
    shutil.rmtree(folder / "predictions", ignore_errors=True)  # of systems that are no more, too
    for name, text in predictions.items():
        write_whole(folder / "predictions" / name, text)
    write_whole(folder / "metrics.json", json.dumps(summary(tables["scores"]), indent=2) + "\n")
    weights = find_weights(params["encoder"]["name"])
    record(
        corpus.name,
        {
            "files": {file.name: sha256_of(raw / file.name) for file in corpus.files},
            "encoder": {"name": params["encoder"]["name"], "source": weights.source, "sha256": weights.sha256},
            "evaluated": environment(),
            "runs": origins,
        },
    )
    print(tables["scores"].groupby("system", sort=False)[list(METRICS)].mean().to_string(float_format="%.4f"))


def cross_check(gold: Tags, predicted: Tags, scores: dict[str, Score]) -> None:
    """Compare the scores with those of seqeval and scikit-learn, on the very tags that are reported.

    Raises:
        AssertionError: they differ, so one of the programs is wrong.
    """
    entities = [list(tags) for tags in gold], [list(tags) for tags in predicted]
    words = list(chain.from_iterable(gold)), list(chain.from_iterable(predicted))
    inside = sorted({*words[0], *words[1]} - {"O"})
    theirs = {
        "token_micro_f1": sklearn.metrics.accuracy_score(*words),
        "token_micro_f1_no_o": sklearn.metrics.f1_score(*words, average="micro", labels=inside, zero_division=0),
        "token_macro_f1": sklearn.metrics.f1_score(*words, average="macro", zero_division=0),
        "entity_precision": seqeval.metrics.precision_score(*entities),
        "entity_recall": seqeval.metrics.recall_score(*entities),
        "entity_f1": seqeval.metrics.f1_score(*entities),
        "entity_f1_strict": seqeval.metrics.f1_score(*entities, mode="strict", scheme=IOB2),
    }
    for metric, value in theirs.items():
        if abs(scores[metric].value - value) > 1e-9:
            raise AssertionError(f"{scores[metric].signature}: {scores[metric].value}, but the reference says {value}")


def summary(scores: pd.DataFrame) -> dict[str, dict[str, dict[str, float]]]:
    """Each system's scores: the mean over its seeds and, of several, the sample standard deviation."""
    return {
        str(system): {
            metric: {"mean": round(group[metric].mean(), 6)}
            | ({"sd": round(group[metric].std(), 6)} if len(group) > 1 else {})
            for metric in METRICS
        }
        for system, group in scores.groupby("system", sort=False)
    }


if __name__ == "__main__":
    run_politely(main)
