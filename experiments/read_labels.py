"""Read doubtful test sentences without knowing which tags are gold's, and record the verdicts.

    python experiments/read_labels.py --corpus mit_movie_eng --list 100
    python experiments/read_labels.py --corpus mit_movie_eng --score "a language model"

The first command writes two lists of the same sentences, 100 suspicious ones and 50 controls, to data/reading/<corpus>.
They contain text of the corpus, so Git ignores them. Fill in each verdict; don't open key.json. The second command
writes results/<corpus>/label_reading.csv, which has no words, and puts its figures into label_audit.json.
"""

from harness.run_main import arguments, count, run_main

import json
from pathlib import Path

from harness.artifacts import read_json, read_part
from harness.params import read_params
from harness.parts import places_by_part, read_parts
from harness.paths import DATA, RESULTS
from harness.remedies import stage_remedy
from harness.tables import as_written_by, require_table, write_table

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from labels import reading
from labels.consensus import consensus, majority, mean_f1, strong_systems
from labels.predictions import predicted_tags


def main() -> None:
    options = arguments(
        __doc__,
        list={"type": count, "metavar": "N", "help": "write the lists, with N suspicious sentences"},
        score={"metavar": "READER", "help": "score the lists, which READER has filled in"},
    )
    folder = DATA / "reading" / options.corpus
    if options.list:
        write_lists(options.corpus, folder, options.list)
    elif options.score:
        record_verdicts(options.corpus, folder, options.score)
    else:
        raise BertNerError("name --list N or --score READER")


def write_lists(corpus: str, folder: Path, n: int) -> None:
    """Write a list for each reading, and the key; refuse if an older list has a verdict."""
    paths = {number: folder / f"reading-{number}.txt" for number in reading.READINGS}
    for path in paths.values():
        if path.is_file() and any(reading.answers_in(path.read_text(encoding="utf-8", errors="replace"))):
            raise BertNerError(f"{path} has verdicts, which a new list would replace; move {folder} away first")
    test, scores = read_part(corpus, "test"), require_table(RESULTS, corpus, "scores")
    strong, f1, tagged = strong_systems(scores), mean_f1(scores), predicted_tags(corpus, scores, test)
    weak = max((system for system in f1 if system not in strong), key=f1.__getitem__, default=None)
    if len(strong) < 2 or weak is None:
        raise BertNerError("a reading takes two strong systems and a weaker one; make repro-all trains them")
    common = consensus({system: tagged[system] for system in strong}, len(test))
    seed = read_params().label_audit.seed
    questions = reading.draw_questions(test, common, majority(tagged[weak]), n, seed)
    key = {number: reading.shuffled(questions, number, seed) for number in reading.READINGS}
    for number, asked in key.items():
        write_whole(paths[number], reading.list_text(test, asked))
        print(paths[number])
    write_whole(folder / "key.json", json.dumps(key))


def record_verdicts(corpus: str, folder: Path, reader: str) -> None:
    """Write the verdicts of both lists, and their figures."""
    again = f"python experiments/read_labels.py --corpus {corpus} --list N"
    key, rows = read_json(folder / "key.json", f"write the lists again with {again}"), []
    for number in reading.READINGS:
        path = folder / f"reading-{number}.txt"
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise BertNerError(f"{path} is not UTF-8; save it in that encoding, and run this again") from None
        with as_written_by(again, folder / "key.json"):
            rows += reading.read_verdicts(str(path), text, key[str(number)])
    path, places = RESULTS / corpus / "label_audit.json", places_by_part(read_parts(corpus, "test"))
    # Before anything is written, so that an error leaves both files as they are.
    facts = read_json(path, stage_remedy("label_audit", corpus))
    write_table(RESULTS, corpus, "label_reading", [{**row, "reader": reader} for row in rows])
    facts["reading"] = reading.describe(require_table(RESULTS, corpus, "label_reading"), places)
    write_whole(path, json.dumps(facts, indent=2) + "\n")
    print(f"{path} has the figures of {len(rows)} verdicts")


if __name__ == "__main__":
    run_main(main)
