"""The gate for results: none slides, and none belongs to other code than what is here.

    make check         compare the committed results with results/reference, and with what they were made from: seconds
    make check-fast    train the CRF and an encoder briefly, and compare these: minutes
    make check-full    train everything again, and compare: hours
    python experiments/check.py --update    make the present results the reference; with --fast, the short runs

The exit status is 0 if all is well, 1 if something fails, can't be compared or is stale, and 2 if a file can't be read
or the command is wrong. gate.py has the rules, references.py the files, stale.py what is compared with dvc.lock.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from harness.paths import RESULTS, ROOT
from harness.run_main import run_main

from bert_ner.corpus.acquire import CorpusUnavailable
from bert_ner.errors import BertNerError
from bert_ner.scoring.gate import BAD, Outcome, Runs, Verdict, verdicts
from gate.references import FAST, Key, bypassed, present, read_bypasses, read_references, update
from gate.staleness import outdated, stale
from reporting import markdown
from reporting.blocks import Table
from repro import repro

REFERENCE = RESULTS / "reference"
REMEDIES = {
    Outcome.IMPROVED: "make it the reference with python experiments/check.py --update",
    Outcome.NO_REFERENCE: "python experiments/check.py --update writes one of five seeds or more",
    Outcome.BYPASSED: "LET THROUGH by results/reference/bypass.yaml, for the reasons above",
    Outcome.FAIL: "worse than the reference; find the change that did it, or run more seeds",
    Outcome.NOT_COMPARABLE: "if what differs is meant to, python experiments/check.py --update",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--fast", action="store_true", help="train briefly, and compare these runs")
    level.add_argument("--full", action="store_true", help="train everything again first")
    parser.add_argument("--update", action="store_true", help="write the references, and say what changes")
    options = parser.parse_args()
    try:
        is_well = check(options)
    except BertNerError as error:
        print(f"check.py: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if is_well else 1)


def check(options: argparse.Namespace) -> bool:
    """Whether nothing holds the change up."""
    folder = REFERENCE / FAST if options.fast else REFERENCE
    if options.full:
        # The run cache would give back what an earlier run has written.
        repro("--force", "--no-run-cache")
    new = short_runs(is_for_reference=options.update) if options.fast else present(RESULTS)
    if options.update:
        print(*update(folder, new), sep="\n")
        return True
    known = read_references(folder)
    if options.fast:  # what can't be trained here has been told
        known = {key: known[key] for key in new if key in known}
    bypasses = read_bypasses(REFERENCE / "bypass.yaml")
    found = [
        bypassed(verdict, bypasses)
        for key in sorted({*known, *new})
        for verdict in verdicts(known.get(key), new.get(key))
    ]
    print(table(found))
    what_is_stale = {} if options.fast else stale(ROOT) | outdated(RESULTS)
    for command, stale_for in what_is_stale.items():
        print(f"\nSTALE, renewed by `{command}`:\n", *(f"- {reason}" for reason in stale_for), sep="\n")
    bad = [verdict for verdict in found if verdict.outcome in BAD]
    print(f"\n{summary(found)}{'; results are stale' if what_is_stale else ''}")
    return not bad and not what_is_stale


def short_runs(is_for_reference: bool) -> dict[Key, Runs]:
    """Train briefly on each corpus that can be had."""
    from gate.short_runs import CORPORA, SEEDS, parts_of, train  # noqa: PLC0415 - torch takes seconds to import

    found = {}
    for corpus in CORPORA:
        try:
            parts = parts_of(corpus)
        except CorpusUnavailable as error:
            print(f"{corpus} is left out: {error}\n")
            continue
        for system, seeds in SEEDS.items():
            found[corpus, system] = train(corpus, system, parts, seeds if is_for_reference else seeds[:1])
    return found


def table(found: Sequence[Verdict]) -> str:
    """A row per verdict, in Markdown; percentages."""
    header = ["corpus", "system", "metric", "outcome", "note", "reference", "at least", "new"]
    rows = [
        [
            verdict.corpus,
            verdict.system,
            verdict.metric,
            verdict.outcome if verdict.outcome is Outcome.PASS else verdict.outcome.upper(),
            verdict.note,
            *(
                "" if value is None else f"{100 * value:.2f}"
                for value in (verdict.reference, verdict.bound, verdict.new)
            ),
        ]
        for verdict in found
    ]
    return markdown.table(Table("", header, rows, text_columns=5))


def summary(found: Sequence[Verdict]) -> str:
    """How many verdicts there are of each outcome, and what to do about those that aren't a pass."""
    counts = Counter(verdict.outcome for verdict in found)
    lines = [
        ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]) or "nothing to compare"
    ]
    lines += [f"{outcome}: {remedy}" for outcome, remedy in REMEDIES.items() if counts[outcome]]
    return "\n".join(lines)


if __name__ == "__main__":
    run_main(main)
