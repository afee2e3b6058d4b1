"""The first screen of a report: question, answer, one table, one picture, caveats."""

from functools import partial
from typing import Any

from harness.params import REFERENCE
from harness.parts import WHOLE
from harness.tables import as_written_by, matching

import pandas as pd

from bert_ner.wording import counted
from claims.paper import PAPER_CORPUS, PAPER_MICRO_F1
from reporting.blocks import Block, Plot, Table, Text
from reporting.formats import (
    NOTES,
    count,
    in_part,
    interval,
    mean_and_spread,
    note,
    percent,
    points,
    short,
    with_interval,
)
from reporting.further_run import further_run_text
from reporting.plots import Line, lines_plot
from reporting.results import Results, baseline_means, best_baseline, by_system, records

METRICS = {"entity_f1": "entity F1", "token_micro_f1": "accuracy"}
SIZES = {"parameters": "M parameters", "model_bytes": "MB"}
APART = 1.25  # the ratio of two places on the axis of parameters whose whiskers can be told apart
LEAST = 0.001  # where the axis of parameters begins, in millions
LABELS = "label_audit.json"


def headline_blocks(results: Results) -> list[Block]:
    """Return the blocks of the first screen; each figure in the answer stands in the table below it."""
    corpus, is_papers = results.corpus, results.corpus.name == PAPER_CORPUS
    scores = results.needed("scores")
    blocks: list[Block] = [Text(NOTES["generated"], warning="Generated corpus.")] if corpus.is_generated else []
    blocks.append(note("question", paper=percent(PAPER_MICRO_F1)) if is_papers else note("which", title=corpus.title))
    intervals = matching(results.table("intervals"), source="sentences")
    parts = results.f1_by_part()
    if len(intervals):
        if is_papers and (closest := results.closest_to_papers()):
            system, stated = closest, further_run_text(results.table("intervals"), closest, closest)
        else:
            system, stated = _best(intervals)
        blocks.append(Text(" ".join(filter(None, [stated, *_leads(results, system, best_baseline(scores))]))))
    sizes, weak = _sizes(results), _weak_baselines(scores)
    shown = scores[~scores["system"].isin(weak)]
    blocks.append(_table(shown, intervals, parts, sizes))
    if weak:
        others = ", ".join(f"{system} {score}" for system, score in weak.items())
        blocks.append(note("weak_baselines", reference=REFERENCE, systems=others))
    f1 = matching(intervals, metric="entity_f1")
    blocks += _picture(f1[~f1["system"].isin(weak)], sizes["parameters"])
    return [*blocks, *_caveats(results, scores, parts)]


def part_pictures(results: Results) -> list[Block]:
    """Return the picture of the first screen for each part of the corpus."""
    weak, parameters = _weak_baselines(results.needed("scores")), _sizes(results)["parameters"]
    by_part = results.f1_by_part().groupby("part", sort=False)
    return [plot for part, f1 in by_part for plot in _picture(f1[~f1["system"].isin(weak)], parameters, str(part))]


def _sizes(results: Results) -> pd.DataFrame:
    return results.table("costs").groupby("system")[[*SIZES]].mean() / 1e6


def _best(intervals: pd.DataFrame) -> tuple[str, str]:
    """Return the system of the highest entity F1, and its score in words."""
    best = matching(intervals, metric="entity_f1").sort_values("value").iloc[-1]
    # Chance favours the best of several, also against the reference.
    return best["system"], f"{best['system']}, picked by this score, has the highest entity F1, {with_interval(best)}."


def _weak_baselines(scores: pd.DataFrame) -> dict[str, str]:
    """Return the systems without an encoder whose entity F1 is below the reference's, with their scores."""
    means = baseline_means(scores)
    return {str(system): percent(mean) for system, mean in means.items() if mean < means.get(REFERENCE, 0)}


def _leads(results: Results, system: str, best: str) -> list[str]:
    """Compare a system with the best baseline, by part, and with the reference."""
    names = {REFERENCE: REFERENCE, best: f"{best}, the best baseline"}
    baselines = [name for name in dict.fromkeys([best, REFERENCE]) if name != system]
    return [_lead(results, system, name, names[name], name == baselines[0]) for name in baselines]


def _lead(results: Results, system: str, other: str, name: str, by_part: bool) -> str:
    """State where a system is better than a baseline, where worse, and where neither is shown."""
    pair = {"system_a": system, "system_b": other, "metric": "entity_f1"}
    whole = matching(results.table("comparisons"), **pair).assign(part=WHOLE)
    parts = matching(results.table("comparisons_by_part"), **pair)
    found = pd.concat([whole, parts[parts["part"] != WHOLE]]) if by_part else whole
    shown: dict[str, list[str]] = {"better": [], "worse": [], "not shown to differ": []}
    for row in records(found):
        outcome = "better" if row.low > 0 else "worse" if row.high < 0 else "not shown to differ"
        shown[outcome].append(f"{in_part(row.part)} ({points(row.difference)}, {interval(row.low, row.high, points)})")
    stated = [f"{outcome} {', '.join(scopes)}" for outcome, scopes in shown.items() if scopes]
    return f"Compared with {name}, {system} is {'; it is '.join(stated)}." if stated else ""


def _table(scores: pd.DataFrame, intervals: pd.DataFrame, parts: pd.DataFrame, sizes: pd.DataFrame) -> Table:
    """Return a row for each system, the best first."""
    columns = {name: {system: mean_and_spread(rows[metric]) for system, rows in by_system(scores)}
               for metric, name in METRICS.items()}  # fmt: skip
    for metric, name in METRICS.items():
        columns[name] |= _values(matching(intervals, metric=metric))
    by_part = {f"part {part}": _values(rows) for part, rows in parts.groupby("part", sort=False)}
    columns = {"entity F1": columns["entity F1"], **by_part, "accuracy": columns["accuracy"]}
    columns |= {name: dict(sizes[column].map(short)) for column, name in SIZES.items() if len(sizes)}
    ranked = scores.groupby("system", sort=False)["entity_f1"].mean().sort_values(ascending=False, kind="stable").index
    rows = [[system, *(cells.get(system, "") for cells in columns.values())] for system in ranked]
    return Table(NOTES["first_table"], ["system", *columns], rows, is_whole=True)


def _picture(intervals: pd.DataFrame, parameters: pd.Series, part: str = "") -> list[Block]:
    known = parameters.dropna().clip(lower=LEAST)
    shown = intervals[intervals["system"].isin(known.index)]
    x = shown["system"].map(known).astype(float)
    # Systems of one size stand side by side: otherwise their whiskers cover each other.
    place, size = x.groupby(x).cumcount(), x.groupby(x).transform("size")
    x *= APART ** (place - (size - 1) / 2)
    lines = [
        Line(row.system, row.system, [(at, row.value, row.low, row.high)])
        for at, row in zip(x, records(shown), strict=True)
    ]
    draw = partial(lines_plot, lines, "million parameters (equal ones side by side)", "entity F1", scores=True)
    scope, name = (f" in part {part}", f"quality_and_cost_part_{part}") if part else ("", "quality_and_cost")
    shared = "by number of parameters; whiskers are intervals over sentences"
    return [Plot(f"Entity F1{scope} {shared}", name, draw)] if lines else []


def _caveats(results: Results, scores: pd.DataFrame, parts: pd.DataFrame) -> list[Block]:
    """Return the limits of the comparison, as far as the tables show them."""
    texts = [NOTES["caveats"]]
    if len(parts):
        sizes = parts.drop_duplicates("part").set_index("part")["n"]
        names = NOTES["part_names"].get(results.corpus.name, {})
        named = (f"part {part}{f', {names[part]}' if part in names else ''}: {count(n)}" for part, n in sizes.items())
        texts.append(NOTES["mixture"].format(parts="; ".join(named)))
    absent = results.table("not_run").drop_duplicates("system")
    absent = absent[~absent["system"].isin(scores["system"])]
    for (encoder, reason), rows in absent.groupby(["encoder", "reason"], sort=False):
        texts.append(f"Not run: {', '.join(rows['system'])} ({encoder}), {reason}.")
    runs = scores[scores["encoder"] != ""].groupby("system", sort=False).size()
    if single := [str(system) for system, n in runs.items() if n == 1]:
        texts.append(NOTES["one_seed"].format(systems=", ".join(single)))
    with as_written_by(results.command("label_audit"), results.folder / LABELS):
        texts += _label_caveat(results.facts(LABELS))
    return [Text(" ".join(texts))]


def _label_caveat(facts: Any) -> list[str]:
    """Say in which parts the tags of copies differ, and how much; nothing if they differ nowhere."""
    if not facts or not (both := facts["repeated"]["both"])["differ"]["count"]:
        return []
    parts = {f"part {part}": found for part, found in facts["repeated_by_part"].items() if found["groups"]}
    differing = {part: with_interval(found["entity_f1"]) for part, found in parts.items() if found["differ"]["count"]}
    same = [f"{part} ({counted(found['groups'], 'group')})" for part, found in parts.items() if part not in differing]
    f1 = ", ".join(f"{f1} in {part}" for part, f1 in differing.items()) or with_interval(both["entity_f1"])
    return [NOTES["label_caveat"].format(f1=f1, same=f"; none differ in {', '.join(same)}" if same else "")]


def _values(rows: pd.DataFrame) -> dict[str, str]:
    return {row["system"]: with_interval(row) for row in rows.to_dict("records")}
