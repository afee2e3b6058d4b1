"""Check the results: no score is worse than its reference, and all belong to this code, these parameters and this data.

    make check         compare the committed results with results/reference and with their code and parameters: seconds
    make check-fast    train the CRF and an encoder briefly and compare these runs: minutes
    make check-full    train crf and minilm again, on all corpora, and compare: an hour or more
    python experiments/check.py --base origin/main    decide by the references of another revision
    python experiments/check.py --update    make the present results the reference; with --fast, the short runs

Scores are computed again from the committed predictions and, where the corpus is present, its tags. Exit status: 0 if
everything passes, 1 if not, 2 if a file can't be read or the command is wrong. The test is in bert_ner/scoring/gate.py.
"""

from harness.run_main import command_line, run_main

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date

from harness.dvc_runs import PIPELINE, REPRO, run_pipeline
from harness.params import read_params
from harness.paths import RESULTS, ROOT

from bert_ner.errors import BertNerError, printable, printable_message
from bert_ner.files import write_whole
from bert_ner.scoring.gate import Outcome, Runs, Verdict, differences, verdicts
from bert_ner.scoring.gate_table import as_markdown, headline, passes
from bert_ner.wording import counted
from gate.bypasses import apply_bypasses, read_bypasses, unused
from gate.figure_blocks import documents
from gate.records import inconsistent, other_versions, update_sums
from gate.references import FAST, UPDATE, Faults, Key, at_revision, present, read_references, unlisted, update
from gate.rescoring import unfounded
from gate.staleness import outdated, stale

REFERENCE = RESULTS / "reference"
REMEDIES = {
    Outcome.FAIL: "worse than the reference; find the change that caused it, or train more seeds",
    Outcome.INVALID: "no result; the note says why",
    Outcome.INCOMPLETE: "params.yaml asks for more runs; make repro-all makes them",
    Outcome.MISSING_REFERENCE: f"take the reference from Git; for a new system, run {UPDATE}",
    Outcome.NOT_COMPARABLE: f"made in another way than the reference; if that is intended, run {UPDATE}",
    Outcome.BYPASSED: "ACCEPTED because of results/reference/bypass.yaml, for the reasons above",
    Outcome.IMPROVED: f"to make it the reference, run {UPDATE}",
    Outcome.NO_REFERENCE: f"{UPDATE} writes one from five seeds or more",
}

References = Mapping[Key, Runs]


def main() -> None:
    parser = command_line(__doc__)
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--fast", action="store_true", help="train briefly, and compare these runs")
    level.add_argument("--full", action="store_true", help="first train the systems of every corpus again")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--update", action="store_true", help="write the references, and list the changes")
    action.add_argument("--base", metavar="REVISION", help="decide by the references that this revision has")
    options = parser.parse_args()
    try:
        is_right = make_reference(options) if options.update else check(options)
    except BertNerError as error:
        print(f"check.py: {printable_message(error)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(0 if is_right else 1)


def make_reference(options: argparse.Namespace) -> bool:
    """Make the present results the reference; return whether all of them could become one."""
    new, faults = new_runs(options)
    texts = {} if options.fast else documents(ROOT)  # before anything is written: an error in one leaves all as it was
    changes = list(update(REFERENCE, FAST if options.fast else "", new, faults))
    print(*map(printable, changes), sep="\n")
    for name, (_, text) in texts.items():
        write_whole(ROOT / name, text)
    if not options.fast:
        update_sums(RESULTS)
    return not faults


def check(options: argparse.Namespace) -> bool:
    """Compare the results and print the comparison; return whether everything passes."""
    level = FAST if options.fast else ""
    new, faults = new_runs(options)
    known, entries = read_references(REFERENCE, level), read_bypasses(REFERENCE)
    faults = unlisted(REFERENCE, level) | faults
    notes: dict[str, list[str]] = {}
    if options.base:
        with at_revision(options.base, REFERENCE) as folder:
            base, agreed = read_references(folder, level), read_bypasses(folder)
        gone = Outcome.MISSING_REFERENCE, f"{options.base} has its reference"
        faults = dict.fromkeys(base.keys() - known.keys(), gone) | faults
        changed = ["/".join(key) for key in sorted(base) if base[key] != known.get(key)]
        notes[f"References that differ from those of {options.base}, which decide here:"] = changed
        added = [f"{entry.corpus}/{entry.system}: {entry.reason}" for entry in entries if entry not in agreed]
        notes[f"Bypasses that {options.base} does not have:"] = added
        known |= base
    if options.fast:  # a message has named the corpora that are unavailable
        known = {key: known[key] for key in new if key in known}
    judged = list(judge(known, new, faults, is_fast=options.fast))
    notes["Bypasses of systems that do not fail, to be removed:"] = unused(judged, entries)
    notes["Other environments than the references':"] = environments(known, new)
    notes["Packages that results were made with, in other versions:"] = other_versions(ROOT)
    found = list(apply_bypasses(judged, entries, date.today()))
    problems = {} if options.fast else stale_results()

    first = next((f"STALE: {reasons[0]}" for reasons in problems.values()), "")
    print(printable(first) if first and passes(found) else headline(found), as_markdown(found), sep="\n\n")
    counts = Counter(verdict.outcome for verdict in found)
    remedies = [f"{outcome}: {remedy}" for outcome, remedy in REMEDIES.items() if counts[outcome]]
    for title, lines in {**notes, "Remedies:": remedies, **problems}.items():
        if lines:
            print(f"\n{title}\n", *(f"- {printable(line)}" for line in lines), sep="\n")
    return passes(found) and not problems


def new_runs(options: argparse.Namespace) -> tuple[dict[Key, Runs], Faults]:
    """Return the runs to compare, and the systems whose scores are no result, with the reason."""
    if options.full:  # without DVC's run cache, which would return earlier outputs
        reports = [f"{PIPELINE}:report@{corpus}" for corpus in read_params().corpora]
        run_pipeline(reports, [], [*REPRO, "--force", "--no-run-cache", *reports, "domains"])
    if options.fast:
        from gate.short_runs import short_runs  # torch takes seconds to import

        return short_runs(is_for_reference=options.update), {}
    return present(RESULTS), unfounded(RESULTS)


def judge(known: References, new: References, faults: Faults, is_fast: bool) -> Iterator[Verdict]:
    """Yield the verdicts of every system: one if it has a fault, else one for each metric."""
    for key in sorted({*known, *new, *faults}):
        corpus, system = key
        if key in faults:
            outcome, note = faults[key]
            yield Verdict(corpus, system, "", outcome, note=note)
        else:
            seeds = None if is_fast else [run.seed for run in read_params().all_runs(corpus) if run.system == system]
            yield from verdicts(known.get(key), new.get(key), seeds)


def environments(known: References, new: References) -> list[str]:
    """Return the differences between the environments of references and new runs, which fail no check."""
    changes = Counter(
        change
        for key in known.keys() & new.keys()
        for change in differences(known[key].environment, new[key].environment)
    )
    return [f"{change} ({counted(number, 'system')})" for change, number in sorted(changes.items())]


def stale_results() -> dict[str, list[str]]:
    """Return what does not belong to this checkout, under titles that have the remedy."""
    found = {
        "Stale: made from other code, parameters or data. For each stage run `dvc repro STAGE`:": stale(ROOT),
        "Stale: does not follow from the tables. Run `dvc repro --force --single-item STAGES`:": outdated(RESULTS),
        "Inconsistent: does not agree with other files.": inconsistent(ROOT),
    }
    lines = {
        title: [f"{why}: {', '.join(stages)}" for why, stages in reasons.items()] for title, reasons in found.items()
    }
    return {title: reasons for title, reasons in lines.items() if reasons}


if __name__ == "__main__":
    run_main(main)
