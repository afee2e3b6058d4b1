"""Tag the test sentences of each film corpus with the systems of the other: results/domains/transfers.csv.

    python experiments/transfer.py

Needs models/ of the systems that tag, and the predictions of the same systems trained on the corpus that is tagged.
Systems without either are left out. Only types that both corpora have are compared: gold and predicted entities of the
other types are dropped. mit_restaurant shares no type with the films but Rating, which means something else there.
"""

from harness.run_main import command_line, run_main

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.artifacts import model_folder, read_part, read_predictions
from harness.params import Run, read_params
from harness.paths import DOMAINS, RESULTS, predictions_file
from harness.systems import load_model
from harness.tables import write_table

from bert_ner.corpus.bio import Sentence, spans_of, tags_of
from bert_ner.errors import BertNerError
from bert_ner.scoring import compare, count
from claims.paper import PAPER_CORPUS

TRIVIA = "mit_movie_trivia"
# The types of mit_movie_eng that mit_movie_trivia has as well, with their names there.
SHARED = {
    "ACTOR": "Actor",
    "CHARACTER": "Character_Name",
    "DIRECTOR": "Director",
    "GENRE": "Genre",
    "PLOT": "Plot",
    "SONG": "Soundtrack",
    "YEAR": "Year",
}
NAMES: dict[str, dict[str, str]] = {
    PAPER_CORPUS: {name: name for name in SHARED},
    TRIVIA: {b: a for a, b in SHARED.items()},
}

Tags = Sequence[Sequence[str]]


def main() -> None:
    command_line(__doc__).parse_args()
    rows = [row for pair in ((PAPER_CORPUS, TRIVIA), (TRIVIA, PAPER_CORPUS)) for row in transfers(*pair)]
    if not rows:
        raise BertNerError("no system has a model of one film corpus and predictions on the other; run make repro-all")
    write_table(RESULTS, DOMAINS, "transfers", rows)
    for row in rows:
        print("{system}, {trained_on} on {test_corpus}: {away:.4f}, trained there {at_home:.4f}".format(**row))


def transfers(trained_on: str, test_corpus: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each system that has models of the first corpus and predictions on the second."""
    test = read_part(test_corpus, "test")
    gold = shared_types([tags for _, tags in test], NAMES[test_corpus])
    params = read_params()
    for system in params.systems:
        folders = [model_folder(trained_on, run) for run in runs_of(trained_on, system)]
        at_home = [shared_types(tags, NAMES[test_corpus]) for tags in predictions(test_corpus, system, test)]
        models = [load_model(folder, params[system]) for folder in folders if folder.is_dir() and at_home]
        if not models:
            continue
        away = [shared_types(model.tag([words for words, _ in test]), NAMES[trained_on]) for model in models]
        found = compare([count(gold, run) for run in at_home], [count(gold, run) for run in away])["entity_f1"]
        yield {
            "system": system,
            "trained_on": trained_on,
            "test_corpus": test_corpus,
            "types": " ".join(SHARED),
            "support": sum(len(spans_of(tags)) for tags in gold),
            "at_home": found.a,
            "away": found.b,
            "difference": found.difference,
            "low": found.low,
            "high": found.high,
            "n": len(test),
            "runs": len(away),
        }


def runs_of(corpus: str, system: str) -> list[Run]:
    return [run for run in read_params().all_runs(corpus) if run.system == system]


def predictions(corpus: str, system: str, test: Sequence[Sentence]) -> list[Tags]:
    """Read the tags of a system's runs on the test sentences of the corpus that it was trained on."""
    remedy = f"run python experiments/evaluate.py --corpus {corpus}"
    found: list[Tags] = []
    for run in runs_of(corpus, system):
        path = predictions_file(RESULTS, corpus, run.name)
        if path.is_file():
            found.append(read_predictions(path, test, remedy))
    return found


def shared_types(tagged: Tags, names: Mapping[str, str]) -> Tags:
    """Return the tags with only the entities of shared types, under the names of mit_movie_eng."""
    return [
        tags_of([span._replace(type=names[span.type]) for span in spans_of(tags) if span.type in names], len(tags))
        for tags in tagged
    ]


if __name__ == "__main__":
    run_main(main)
