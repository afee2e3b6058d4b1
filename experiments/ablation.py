"""Test what each setting of a system brings, on the tags of its search; needs no model.

    python experiments/search.py --corpus mit_movie_eng --system minilm_best
    python experiments/ablation.py --corpus mit_movie_eng --system minilm_best

Compares the trial that has the settings of the system's section with each of the other trials under search.trials in
params.yaml. Leave one grid empty to get that trial; let each other grid change one setting. Every
sentence was tagged by a model that had not seen it. Puts the system's rows into results/<corpus>/ablation.csv.
"""

from harness.run_main import arguments, run_main

from typing import Any

from harness.artifacts import read_predictions, read_training_file
from harness.locks import sole_writer
from harness.params import Params, Section, read_params
from harness.paths import RESULTS
from harness.tables import read_table, require_table, write_table
from harness.trials import as_text, changed, folds_of, tags_file, trials_of

import pandas as pd

from bert_ner.corpus.catalog import Corpus, corpus_named
from bert_ner.errors import BertNerError
from bert_ner.scoring import SAMPLES, Counts, compare_all, count, holm
from bert_ner.scoring.resampling import paired_text

Rows = list[dict[Any, Any]]


def main() -> None:
    options = arguments(__doc__, system={"required": True, "help": "a name under search.trials in params.yaml"})
    corpus, params = corpus_named(options.corpus), read_params()
    trials = trials_of(options.system, params)
    whole = next((number for number, settings in trials.items() if settings == params[options.system]), None)
    if whole is None:
        problem = f"no trial of {options.system} has the settings of its section"
        raise BertNerError(f"params.yaml: search.trials.{options.system}: {problem}; add an empty grid, {{}}")
    rows = ablation(options.system, trials, whole, held_out_counts(corpus, options.system, trials, params))
    with sole_writer("ablation"):
        old = read_table(RESULTS, corpus.name, "ablation")
        others = [] if old is None else old[old["system"] != options.system].to_dict("records")
        write_table(RESULTS, corpus.name, "ablation", sorted([*others, *rows], key=lambda row: row["system"]))
    shown = ["change", "entity_f1", "difference", "low", "high", "p_holm"]
    print(pd.DataFrame(rows)[shown].to_string(index=False, float_format="%.4f", na_rep=""))


def held_out_counts(corpus: Corpus, system: str, trials: dict[int, Section], params: Params) -> dict[int, Counts]:
    """Return the counts of each trial over the sentences of all folds."""
    remedy = f"run python experiments/search.py --corpus {corpus.name} --system {system}"
    search = require_table(RESULTS, corpus.name, "search")
    sentences = read_training_file(corpus)
    folds = folds_of(len(sentences), params.search.folds, params.search.seed)[: params.search.folds_for(system)]
    tested = [[sentences[i] for i in fold] for fold in folds]
    gold = [tags for fold in tested for _, tags in fold]
    found = {}
    for number, settings in trials.items():
        done = search[(search["system"] == system) & (search["trial"] == number)]
        paths = [tags_file(corpus.name, system, number, fold) for fold in range(1, len(folds) + 1)]
        is_current = len(done) == len(folds) and set(done["settings"]) == {as_text(settings)}
        if not (is_current and all(path.is_file() for path in paths)):
            raise BertNerError(f"trial {number} of {system} has not tagged all folds with its settings; {remedy}")
        pairs = zip(paths, tested, strict=True)
        found[number] = count(gold, [tags for path, fold in pairs for tags in read_predictions(path, fold, remedy)])
    return found


def ablation(system: str, trials: dict[int, Section], whole: int, counts: dict[int, Counts]) -> Rows:
    """Return a row per trial: what it changes, its score, and how much better the `whole` one is; Holm over all."""
    others = [number for number in trials if number != whole]
    systems = {str(number): counts[number] for number in trials}
    compared = compare_all(systems, [(str(whole), str(number)) for number in others], SAMPLES)
    results = [result["entity_f1"] for result in compared.values()]
    corrected = holm([result.p_value for result in results])
    shared = {"system": system, "n": len(counts[whole].words), "test": paired_text(SAMPLES)}
    rows: Rows = [{**shared, "trial": whole, "change": "", "entity_f1": results[0].a}]
    for number, result, p_holm in zip(others, results, corrected, strict=True):
        change = as_text(changed(trials[number], trials[whole]))
        row = {**shared, "trial": number, "change": change, "entity_f1": result.b, "p_holm": p_holm}
        rows.append({**row, **result._asdict()})
    return rows


if __name__ == "__main__":
    run_main(main)
