"""Compute the uncertainty of the test scores, and compare the systems; needs no model.

    python experiments/compare.py --corpus mit_movie_eng

Reads scores.csv and predictions/ in results/<corpus>, and writes intervals.csv and comparisons.csv there. Uncertainty
over test sentences (source `sentences`) and over seeds (source `seeds`) is in rows of its own. intervals_by_group.csv
and comparisons_by_type.csv have the uncertainty over sentences for groups of entities.
"""

from harness.artifacts import read_part
from harness.comparison_rows import Pair, comparisons, group_intervals, intervals, recount, type_comparisons
from harness.params import REFERENCE
from harness.paths import RESULTS
from harness.run_main import arguments, run_main
from harness.tables import require_table, write_table

import pandas as pd

from bert_ner.corpus.catalog import corpus_named
from bert_ner.scoring.subgroups import known_entities


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    scores = require_table(RESULTS, corpus.name, "scores")
    test, known = read_part(corpus.name, "test"), known_entities(read_part(corpus.name, "train"))
    found = recount(corpus, test, scores)
    with_reference, others = pairs(scores)
    rows = {
        "intervals": intervals(found),
        "comparisons": comparisons(found, with_reference + others),
        "intervals_by_group": group_intervals(found, test, known),
        "comparisons_by_type": type_comparisons(found, with_reference),
    }
    for name, content in rows.items():
        write_table(RESULTS, corpus.name, name, content)
    shown = ["system_a", "system_b", "metric", "difference", "low", "high", "p_holm"]
    table = pd.DataFrame(rows["comparisons"], columns=shown)
    print(f"{corpus.name}: nothing to compare" if table.empty else table.to_string(index=False, float_format="%.4f"))


def pairs(scores: pd.DataFrame) -> tuple[list[Pair], list[Pair]]:
    """Pair every other system with the reference, and then each encoder with every other baseline."""
    encoders = dict(zip(scores["system"], scores["encoder"], strict=True))
    with_reference = [(system, REFERENCE) for system in encoders if system != REFERENCE and REFERENCE in encoders]
    baselines = [system for system, encoder in encoders.items() if not encoder and system != REFERENCE]
    return with_reference, [(system, name) for system, encoder in encoders.items() if encoder for name in baselines]


if __name__ == "__main__":
    run_main(main)
