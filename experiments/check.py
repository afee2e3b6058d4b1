"""Check the results: no score is worse than its reference, and all belong to this code, these parameters and this data.

    make check         compare the committed results with results/reference and with their code and parameters: seconds
    make check-fast    train the CRF and an encoder briefly and compare these runs: minutes
    make check-full    train everything again and compare: hours
    python experiments/check.py --update    make the present results the reference; with --fast, the short runs

Exit status: 0 if everything passes, 1 if a score is worse or not comparable or results are stale, 2 if a file can't be
read or the command is wrong. The test is in bert_ner/scoring/gate.py.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from harness.dvc_runs import PIPELINE, run_pipeline
from harness.params import read_params
from harness.paths import RESULTS, ROOT
from harness.run_main import command_line, run_main

from bert_ner.errors import BertNerError
from bert_ner.scoring.gate import BAD, Outcome, Verdict, differences, verdicts
from gate.references import FAST, UPDATE, apply_bypass, present, read_bypasses, read_references, update
from gate.staleness import outdated, stale
from reporting import markdown
from reporting.blocks import Table

REFERENCE = RESULTS / "reference"
REMEDIES = {
    Outcome.FAIL: "worse than the reference; find the change that caused it, or train more seeds",
    Outcome.NOT_COMPARABLE: f"made in another way than the reference; if that is intended, run {UPDATE}",
    Outcome.BYPASSED: "ACCEPTED because of results/reference/bypass.yaml, for the reasons above",
    Outcome.IMPROVED: f"to make it the reference, run {UPDATE}",
    Outcome.NO_REFERENCE: f"{UPDATE} writes one from five seeds or more",
}


def main() -> None:
    parser = command_line(__doc__)
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--fast", action="store_true", help="train briefly, and compare these runs")
    level.add_argument("--full", action="store_true", help="train everything again first")
    parser.add_argument("--update", action="store_true", help="write the references, and list the changes")
    options = parser.parse_args()
    try:
        passes = check(options)
    except BertNerError as error:
        print(f"check.py: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if passes else 1)


def check(options: argparse.Namespace) -> bool:
    """Compare the results and print the comparison; return whether everything passes."""
    if options.full:  # without DVC's run cache, which would return earlier outputs
        reports = [f"{PIPELINE}:report@{corpus}" for corpus in read_params().corpora]
        run_pipeline(reports, [], ["--force", "--no-run-cache", *reports, "domains"])
    if options.fast:
        from gate.short_runs import short_runs  # torch takes seconds to import

        folder, new = REFERENCE / FAST, short_runs(is_for_reference=options.update)
    else:
        folder, new = REFERENCE, present(RESULTS)
    if options.update:
        print(*update(folder, new), sep="\n")
        return True
    known = read_references(folder)
    if options.fast:  # a message has named the corpora that are unavailable
        known = {key: known[key] for key in new if key in known}
    bypasses = read_bypasses(REFERENCE / "bypass.yaml")
    found = [
        apply_bypass(verdict, bypasses)
        for key in sorted({*known, *new})
        for verdict in verdicts(known.get(key), new.get(key))
    ]
    print(table(found))
    changes = Counter(
        change
        for key in known.keys() & new.keys()
        for change in differences(known[key].environment, new[key].environment)
    )
    if changes:  # this fails no check
        print("\nOther environments than the references':\n")
        print(*(f"- {change} ({number} systems)" for change, number in sorted(changes.items())), sep="\n")
    is_fresh = options.fast or print_stale()
    print(f"\n{summary(found)}{'' if is_fresh else '; results are stale'}")
    return is_fresh and not any(verdict.outcome in BAD for verdict in found)


def table(found: Sequence[Verdict]) -> str:
    """Return a Markdown table with a row per verdict, the worst outcomes first, in percent."""
    header = ["corpus", "system", "metric", "outcome", "note", "reference", "at least", "new"]
    rows = []
    for verdict in sorted(found, key=lambda verdict: list(Outcome).index(verdict.outcome)):
        outcome = verdict.outcome if verdict.outcome is Outcome.PASS else verdict.outcome.upper()
        values = [verdict.reference, verdict.bound, verdict.new]
        percentages = ["" if value is None else f"{100 * value:.2f}" for value in values]
        rows.append([verdict.corpus, verdict.system, verdict.metric, outcome, verdict.note, *percentages])
    return markdown.table(Table("", header, rows, text_columns=5))


def print_stale() -> bool:
    """Print the stale results with the remedy; return whether there are none."""
    findings = [
        ("Stale: made from other code, parameters or data. For each stage run `dvc repro STAGE`:", stale(ROOT)),
        ("Stale: does not follow from the tables. Run `dvc repro --force --single-item STAGES`:", outdated(RESULTS)),
    ]
    for title, reasons in findings:
        if reasons:
            print(f"\n{title}\n", *(f"- {why}: {', '.join(stages)}" for why, stages in reasons.items()), sep="\n")
    return not any(reasons for _, reasons in findings)


def summary(found: Sequence[Verdict]) -> str:
    """Return how many verdicts have each outcome, and a remedy for each outcome but a pass."""
    counts = Counter(verdict.outcome for verdict in found)
    numbers = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome])
    remedies = [f"{outcome}: {remedy}" for outcome, remedy in REMEDIES.items() if counts[outcome]]
    return "\n".join([*remedies, numbers or "nothing to compare"])


if __name__ == "__main__":
    run_main(main)
