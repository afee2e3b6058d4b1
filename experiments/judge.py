"""Judge the paper's claims on the results: claims.yaml -> results/<corpus>/claims.csv; needs no model and no corpus.

    python experiments/judge.py --corpus mit_movie_eng
    python experiments/judge.py --domains       # claims about other corpora -> results/domains/claims.csv

Verdicts: reproduced, partly, not reproduced, not reproduced on a stand-in (another encoder than the paper's, or another
thing than the claim names), contradicted (the paper disagrees with its own corpus or arithmetic) and not tested (the
evidence gives the reason). The claims are about one corpus; the table of any other one is empty.
"""

from harness.run_main import arguments, run_main

from harness.paths import DOMAINS, RESULTS
from harness.provenance import read_provenance
from harness.tables import read_table, write_table

import pandas as pd

from claims.judging import judge_claims, tally
from claims.paper import PAPER_CORPUS


def main() -> None:
    options = arguments(__doc__, domains={"action": "store_true", "help": "judge the claims about other corpora"})
    name = DOMAINS if options.domains else options.corpus
    read_provenance(RESULTS)  # names what a bad merge left out, before a rule needs it
    write_table(RESULTS, name, "claims", judge_claims(name, RESULTS))
    if name not in (PAPER_CORPUS, DOMAINS):
        print(f"no claim of the paper is about {name}; its claims.csv is empty")
        return
    tables = [read_table(RESULTS, each, "claims") for each in (PAPER_CORPUS, DOMAINS)]
    print(tally(pd.concat([table for table in tables if table is not None])))


if __name__ == "__main__":
    run_main(main)
