"""Tag the test sentences with every trained system, and score the tags.

    python experiments/evaluate.py --corpus mit_movie_eng

Writes its tables, metrics/ and predictions/ into results/<corpus>, and where they come from into
results/provenance.json. Committed predictions stay where their models are not here.
"""

from harness.run_main import arguments, run_main

import json
import time
from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any, cast

from harness.artifacts import (
    check_predictions,
    model_folder,
    predictions_text,
    read_part,
    read_run,
    read_section,
    signature_source,
)
from harness.params import WEIGHTS_OF, Params, Run, read_params, settings_of
from harness.parts import places_by_part, read_parts, source_of_part
from harness.paths import RESULTS, RUN_FILE, predictions_file, raw_folder
from harness.provenance import environment, record, recorded
from harness.remedies import training_remedy
from harness.systems import has_weights, load_model
from harness.tables import TABLES, stage_tables, write_table

import pandas as pd
from tqdm import tqdm

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import corpus_named
from bert_ner.errors import BertNerError
from bert_ner.files import sha256_of, write_whole
from bert_ner.loading import load_tagger
from bert_ner.model_folder import QUANTISED
from bert_ner.scoring import METRICS, check_same_signature, score, score_by_type
from bert_ner.scoring.counts import Tags
from bert_ner.scoring.cross_check import cross_check
from bert_ner.scoring.errors import KINDS, confusion, error_kinds, recall_by
from bert_ner.scoring.subgroups import Entity, entity_groupings, known_entities
from bert_ner.tagger import SizedTagger

Rows = list[dict[str, Any]]
Outcome = tuple[str, dict[str, Any]]  # a run's tags of the test sentences, a line for each, and the record of the run

WARM_UP = 100  # sentences to tag before the speed is measured


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    params = read_params()
    test, known = read_part(corpus.name, "test"), known_entities(read_part(corpus.name, "train"))
    files = {file.name: sha256_of(raw_folder(corpus.name) / file.name) for file in corpus.files.values()}
    gold = [tags for _, tags in test]
    source, places = signature_source(corpus), places_by_part(read_parts(corpus.name, "test"))

    rows: dict[str, Rows] = {name: [] for name in stage_tables("evaluate")}
    predictions, records = {}, {}
    for run in tqdm(params.all_runs(corpus.name), desc="evaluate", unit="run", disable=None):
        section = params[run.system]
        if outcome := tag_test(corpus.name, run, test, params) or committed(corpus.name, run, files):
            text, facts = outcome
            predictions[f"{run.name}.tags"], records[run.name] = text, facts
            predicted = [line.split() for line in text.splitlines()]
            cross_check(gold, predicted, score(gold, predicted))
            found = run_rows(test, predicted, known, source) | part_rows(test, predicted, known, source, places)
            found["history"] = [row for row in facts["history"] if "epoch" in row]
            found["costs"] = [facts["cost"]]
        else:
            reason = "make repro-all has not trained it" if has_weights(section) else "weights unreachable"
            found = {"not_run": [{"reason": reason}]}
        shared = {"system": run.system, "seed": run.seed, "encoder": section.get("name", "")}
        for name, run_table in found.items():
            rows[name] += [{**shared, **row} for row in run_table]

    if not predictions:
        remedy = training_remedy(corpus.name, params.all_runs(corpus.name)[0])
        raise BertNerError(f"no system is trained on {corpus.name}, and no predictions are committed; {remedy}")
    folder = RESULTS / corpus.name
    for name, table in rows.items():
        write_table(RESULTS, corpus.name, name, table)
    for name, text in predictions.items():
        write_whole(folder / "predictions" / name, text)
    scores = pd.DataFrame(rows["scores"], columns=list(TABLES["scores"].columns))
    metrics = {f"{system}.json": means for system, means in mean_scores(scores).items()}
    for name, means in metrics.items():
        write_whole(folder / "metrics" / name, json.dumps(means, indent=2) + "\n")
    for path in [*(folder / "predictions").glob("*"), *(folder / "metrics").glob("*")]:
        if path.name not in (*predictions, *metrics):
            path.unlink()
    record(corpus.name, {"files": files, "evaluated": environment(), "runs": records})
    print(scores.groupby("system", sort=False)[list(METRICS)].mean().to_string(float_format="%.4f"))


def tag_test(corpus: str, run: Run, test: Sequence[Sentence], params: Params) -> Outcome | None:
    """Tag the test sentences with the model of a run; None if it is not here."""
    folder = model_folder(corpus, run)
    if not folder.is_dir():
        return None
    section, trained = params[run.system], read_run(corpus, run)
    if trained["settings"] != settings_of(read_section(corpus, section.get(WEIGHTS_OF, run.system))):
        remedy = training_remedy(corpus, run)
        raise BertNerError(f"{folder} was trained with other settings than params.yaml has now; {remedy}")
    if WEIGHTS_OF in section:
        trained |= {"system": run.system, "settings": settings_of(section), "seconds": None, "history": []}
    tagger = load_model(folder, section)
    sentences = [words for words, _ in test]
    tagger.tag(sentences[:WARM_UP])
    started = time.perf_counter()
    tags = tagger.tag(sentences)
    seconds = time.perf_counter() - started
    text = predictions_text(tags)
    copied_f1 = None
    if (folder / QUANTISED).is_dir():  # the 8-bit copy, with which `bert-ner tag` answers where there is no GPU
        copy = load_tagger(folder, quantised=True)
        cast(Any, copy).decoding = cast(Any, tagger).decoding
        copied_f1 = score([tags for _, tags in test], copy.tag(sentences))["entity_f1"].value
    files = [path for path in folder.iterdir() if path.is_file() and path.name != RUN_FILE]
    cost = {
        "parameters": tagger.parameters if isinstance(tagger, SizedTagger) else None,
        "train_seconds": trained["seconds"],
        "words_per_second": round(sum(map(len, sentences)) / seconds),
        "model_bytes": sum(path.stat().st_size for path in files),
        "entity_f1_8bit": copied_f1,
        "machine": trained["environment"]["processor"],
    }
    return text, {**trained, "cost": cost, "predictions": sha256(text.encode()).hexdigest()}


def committed(corpus: str, run: Run, files: dict[str, str]) -> Outcome | None:
    """Return the committed predictions of a run; None if there are none of these settings and corpus files."""
    known = recorded(corpus)
    trained = known.get("runs", {}).get(run.name)
    path = predictions_file(RESULTS, corpus, run.name)
    settings = settings_of(read_section(corpus, run.system))
    if not (trained and path.is_file() and trained["settings"] == settings and known["files"] == files):
        return None
    check_predictions(path, "take the committed file, or remove it and run make repro-all")
    return path.read_text(encoding="utf-8"), trained


def run_rows(
    test: Sequence[Sentence], predicted: Tags, known: Collection[Entity], source: Mapping[str, str]
) -> dict[str, Rows]:
    """Return the rows of one run in each table that its tags suffice for; `known` are the training entities."""
    gold = [tags for _, tags in test]
    scores = score(gold, predicted, **source)
    values = {metric: value.value for metric, value in scores.items()}
    errors = error_kinds(gold, predicted)
    return {
        "scores": [{**source, "n_sentences": len(test), **values, "signature": scores["entity_f1"].signature}],
        "scores_by_type": [by_type._asdict() for by_type in score_by_type(gold, predicted)],
        "confusion": [
            {"gold": a, "predicted": b, "words": n} for (a, b), n in sorted(confusion(gold, predicted).items())
        ],
        "error_kinds": [
            {"kind": kind, "type": name, "count": errors[kind, name]}
            for kind, name in sorted(errors, key=lambda error: (KINDS.index(error[0]), error[1]))
        ],
        "recall": [
            {"by": by, "group": name, **recall._asdict(), "recall": recall.value}
            for by, group in entity_groupings(test, known).items()
            for name, recall in recall_by(gold, predicted, group).items()
        ],
    }


def part_rows(
    test: Sequence[Sentence],
    predicted: Tags,
    known: Collection[Entity],
    source: Mapping[str, str],
    places: Mapping[str, Sequence[int]],
) -> dict[str, Rows]:
    """Return the rows of one run in the tables by part; `places` are the sentences of each part."""
    found: dict[str, Rows] = {f"{name}_by_part": [] for name in ("scores", "confusion", "error_kinds", "recall")}
    for part, at in places.items():
        rows = run_rows([test[i] for i in at], [predicted[i] for i in at], known, source_of_part(source, part))
        for name in found:
            found[name] += [{"part": part, **row} for row in rows[name.removesuffix("_by_part")]]
    return found


def mean_scores(scores: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return each system's main scores, the means over its seeds: `dvc metrics show` has a row for each system."""
    for signature in scores["signature"]:
        check_same_signature(scores["signature"].iloc[0], signature)
    return {
        str(system): {metric: round(float(runs[metric].mean()), 6) for metric in ("entity_f1", "token_micro_f1")}
        for system, runs in scores.groupby("system", sort=False)
    }


if __name__ == "__main__":
    run_main(main)
