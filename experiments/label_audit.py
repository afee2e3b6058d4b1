"""Measure how good the labels of a corpus are. No score uses the outcome, and no label is changed.

    python experiments/label_audit.py --corpus mit_movie_eng

Reads the predictions, the trained models and what out_of_fold.py wrote. Writes results/<corpus>/label_audit.csv, a row
for each doubtful sentence, and label_audit.json. Neither has words of the corpus. docs/label-audit.md explains both.
"""

from harness.run_main import arguments, run_main

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from harness.artifacts import read_labels, read_part, read_training_file
from harness.params import read_params
from harness.parts import WHOLE, places_by_part, read_parts
from harness.paths import RESULTS
from harness.tables import read_table, require_table, write_table

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.catalog import corpus_named
from bert_ner.files import write_whole
from labels import ceiling, consensus, predictions, quality, reading
from labels.repeats import agreement, copy_counts, repeated, repeated_rows
from reporting import labels_page

Rows = list[dict[str, Any]]


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    params, labels = read_params(), read_labels(corpus.name)
    types = list(dict.fromkeys(label[2:] for label in labels if label != "O"))
    files = {"train": read_training_file(corpus), "test": read_part(corpus.name, "test")}
    test, both = files["test"], [*files["train"], *files["test"]]
    inside, places = sentences_by_part(corpus.name), places_by_part(read_parts(corpus.name, "test"))
    # The copies of one collection say nothing of another, so a corpus with parts has no ceiling as a whole.
    pieces = {part: (inside[part], [test[i] for i in places[part]]) for part in places} or {WHOLE: (both, test)}

    scores = require_table(RESULTS, corpus.name, "scores")
    strong = consensus.strong_systems(scores)
    tagged = predictions.predicted_tags(corpus.name, scores, test)
    common = consensus.consensus({system: tagged[system] for system in strong}, len(test))

    audit = params.label_audit
    tables = {"train": predictions.out_of_fold_probabilities(corpus.name, files["train"])}
    runs = [run for run in params.runs if run.system in strong]
    tables["test"], trained = predictions.test_probabilities(corpus.name, runs, test, labels)
    sources = {"train": f"{audit.system}, out of {audit.folds} folds", "test": f"mean of {', '.join(trained)}"}
    found = {file: quality.label_quality(files[file], tables[file], labels) for file in files}

    verdicts = read_table(RESULTS, corpus.name, "label_reading")
    facts = {
        "repeated": {name: agreement(sentences, types) for name, sentences in {**files, "both": both}.items()},
        "repeated_by_part": {part: agreement(sentences, types) for part, sentences in inside.items()},
        "ceiling": {part: perfect_f1(*piece, types) for part, piece in pieces.items()},
        "systems": consensus.describe(test, common, strong, places),
        "cleanlab": {file: quality.describe(files[file], found[file], sources[file]) for file in files},
        "reading": None if verdicts is None else reading.describe(verdicts, places),
    }
    rows = repeated_rows(files)
    for i in consensus.against_gold(test, common):
        rows.append({"file": "test", "sentence": i + 1, "reason": "systems", "score": found["test"].scores[i]})
    for file in files:
        rows += quality.rows(file, found[file])
    write_table(RESULTS, corpus.name, "label_audit", rows)

    def answers(row: Mapping[str, Any]) -> dict[str, Sequence[str]]:
        """Return what other tags there are for the sentence of a row: those that made it doubtful."""
        file, i = row["file"], row["sentence"] - 1
        sentence = files[file][i]
        if row["reason"] == "repeated":
            copies = {tags: None for words, tags in both if words == sentence.words and tags != sentence.tags}
            return {f"copy {number}": tags for number, tags in enumerate(copies, start=1)}
        if row["reason"] == "systems":
            return {"systems": common[i] or ()}
        return {"most probable": [labels[best] for best in tables[file][i].argmax(axis=-1)]}

    html = labels_page.render(corpus.title, files, rows, types, answers)
    write_whole(RESULTS / corpus.name / "label_audit.html", html)
    path = RESULTS / corpus.name / "label_audit.json"
    write_whole(path, json.dumps(facts, indent=2) + "\n")
    print(f"{path} written; label_audit.csv has {len(rows):,} rows")


def sentences_by_part(corpus: str) -> dict[str, list[Sentence]]:
    """Return the train, validation and test sentences of each part; nothing if the corpus is of one piece."""
    splits = ("train", "validation", "test")
    sentences = [sentence for split in splits for sentence in read_part(corpus, split)]
    places = places_by_part([part for split in splits for part in read_parts(corpus, split)])
    return {part: [sentences[i] for i in found] for part, found in places.items()}


def perfect_f1(
    sentences: Sequence[Sentence], test: Sequence[Sentence], types: Sequence[str]
) -> dict[str, float | None] | None:
    """Return the simulated ceiling of some test sentences, with errors as the copies among `sentences` suggest."""
    counts = Counter(span.type for _, tags in test for span in spans_of(tags))
    return ceiling.simulate(copy_counts(sentences, repeated(sentences), types), [counts[each] for each in types])


if __name__ == "__main__":
    run_main(main)
