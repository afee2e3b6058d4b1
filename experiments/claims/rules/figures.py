"""Rules for counts, arithmetic, facts and figures of cost: a measured number or truth beside the paper's."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Mapping
from typing import Any

from claims.evidence import Case, Finding, listed, name_of, pretty


def equals(case: Case) -> Finding:
    """What was measured is what the paper says; of several, each."""
    judge, sources = case.judge, listed(case.judge["measured"])
    measured = [case.value(source) for source in sources]
    expected = listed(case.paper) if isinstance(judge["measured"], list) else [case.paper]
    if len(expected) != len(measured):
        case.claim.at("paper_value").refuse(f"{len(measured)} sources are measured; give as many values as that")

    def is_alike(value: Any, wanted: Any) -> bool:
        if not isinstance(wanted, (int, float)) or not isinstance(value, (int, float)):
            return bool(value == wanted)
        return bool(
            abs(value - wanted) <= max(judge.get("tolerance", 0), judge.get("relative", 0) * abs(wanted)) + 1e-12
        )

    wrong = [i for i, value in enumerate(measured) if not is_alike(value, expected[i])]
    shown = "; ".join(f"{name_of(s)} is {pretty(v)}" for s, v in zip(sources, measured, strict=True))
    verdict = "reproduced"
    if wrong:
        is_above = all(isinstance(measured[i], (int, float)) and measured[i] > expected[i] for i in wrong)
        verdict = judge.get("above", judge["otherwise"]) if is_above else judge["otherwise"]
    return Finding(verdict, measured[0] if len(measured) == 1 else measured, shown)


def bound(case: Case) -> Finding:
    """A number is at least, or at most, a value; the second value, `partly`, is less strict."""
    judge = case.judge
    measured = case.number(judge["measured"]) / case.number(judge.get("per", 1))

    def holds(limit: float) -> bool:
        return bool(measured >= limit if judge["direction"] == "at least" else measured <= limit)

    verdict = judge["otherwise"]
    if holds(judge["value"]):
        verdict = "reproduced"
    elif "partly" in judge and holds(judge["partly"]):
        verdict = "partly"
    per = judge.get("per", 1)
    per = f" / {name_of(per) if isinstance(per, Mapping) else pretty(per)}" if per != 1 else ""
    wanted = f"{judge['direction']} {pretty(judge['value'])}"
    return Finding(verdict, measured, f"{name_of(judge['measured'])}{per} is {pretty(measured)}; wanted: {wanted}")


def _bert_parameters(
    layers: float, width: float, vocabulary: float, positions: float, feed_forward: float, classes: float
) -> float:
    embeddings = (vocabulary + positions + 2 + 2) * width  # two segment vectors; scale and shift of the normalisation
    attention = 4 * (width * width + width)
    block = attention + 2 * width * feed_forward + feed_forward + width + 4 * width
    return embeddings + layers * block + (width + 1) * classes


FORMULAS: dict[str, Callable[..., float]] = {
    "sum": lambda a, b: a + b,
    "ratio": lambda a, b: a / b,
    "share": lambda part, rest: part / (part + rest),
    "reduction": lambda first, last: 1 - last / first,
    "harmonic mean": lambda a, b: 2 * a * b / (a + b),
    "classes of BIO": lambda types: 2 * types + 1,
    "megabytes of float32": lambda numbers: 4 * numbers / 1e6,
    "linear decay": lambda step, steps: max(0, (steps - step) / steps),
    "parameters of BERT": _bert_parameters,
}


def arithmetic(case: Case) -> Finding:
    """The paper's figure follows from others of its own. `rounding`: how far each printed one may be off."""
    judge = case.judge
    formula = FORMULAS.get(judge["formula"])
    if formula is None:
        case.at("formula").refuse(f"no formula is named '{judge['formula']}'; there are {', '.join(FORMULAS)}")
    if (wanted := len(inspect.signature(formula).parameters)) != len(judge["arguments"]):
        case.at("arguments").refuse(f"'{judge['formula']}' takes {wanted} arguments, not {len(judge['arguments'])}")
    arguments = [case.number(argument) for argument in judge["arguments"]]
    slack = judge.get("rounding", 0)
    corners = [formula(*corner) for corner in itertools.product(*((x - slack, x + slack) for x in arguments))]
    result, low, high = formula(*arguments), min(corners), max(corners)
    expected = case.number(judge["value"]) if "value" in judge else case.paper_number()
    tolerance = max(judge.get("tolerance", 0), judge.get("relative", 0) * abs(expected)) + 1e-12
    verdict = "reproduced" if low - tolerance <= expected <= high + tolerance else "contradicted"
    shown = f"{judge['formula']} of {', '.join(map(pretty, arguments))} is {pretty(result)}"
    if not slack:
        return Finding(verdict, result, f"{shown}; the other figure is {pretty(expected)}")
    return Finding(verdict, result, f"{shown}, {pretty(low)} to {pretty(high)} before rounding", low, high)


def no_failures(case: Case) -> Finding:
    """Counts of failures are 0: on the corpus (`on`), and on other text (`beyond`)."""
    judge = case.judge
    counts = {key: {name_of(s): case.number(s) for s in listed(judge.get(key, []))} for key in ("on", "beyond")}
    failures = [sum(group.values()) for group in counts.values()]
    verdict = judge["otherwise"] if failures[0] else "partly" if failures[1] else "reproduced"
    shown = "; ".join(f"{name}: {pretty(n)}" for group in counts.values() for name, n in group.items())
    return Finding(verdict, sum(failures), shown)


def all_exist(case: Case) -> Finding:
    """Every name that the paper uses has a counterpart in the corpus."""
    found = case.value(case.judge["measured"])
    missing = [name for name, counterpart in found.items() if not counterpart]
    there = [name if name == match else f"{name} as {match}" for name, match in found.items() if match]
    shown = f"there: {', '.join(there) or 'none'}; not there: {', '.join(missing) or 'none'}"
    return Finding(case.judge["otherwise"] if missing else "reproduced", len(there), shown)


def is_true(case: Case) -> Finding:
    """A property holds; of several, each."""
    values = {name_of(source): case.value(source) for source in listed(case.judge["measured"])}
    holding = sum(value is True for value in values.values())
    verdict = "reproduced" if holding == len(values) else "partly" if holding else "not reproduced"
    return Finding(verdict, f"{holding} of {len(values)}", "; ".join(f"{k}: {pretty(v)}" for k, v in values.items()))


def within_factor(case: Case) -> Finding:
    """A number is the paper's up to a factor: for what depends on a machine that the paper does not name."""
    judge, paper, factor = case.judge, case.paper_number(), case.judge["factor"]
    measured = case.number(judge["measured"]) * judge.get("times", 1)
    if "per" in judge:
        measured /= case.number(judge["per"])
    ratio = measured / paper
    verdict = "reproduced" if 1 / factor <= ratio <= factor else "not reproduced"
    scaled = f" / {name_of(judge['per'])}" if "per" in judge else ""
    scaled += f" * {pretty(judge['times'])}" if "times" in judge else ""
    evidence = f"{name_of(judge['measured'])}{scaled} is {pretty(float(measured))}, {pretty(ratio)} times the paper's"
    return Finding(verdict, measured, f"{evidence}; wanted: within a factor of {pretty(factor)}")


def bounds(case: Case) -> Finding:
    """Several numbers are each at most a value."""
    judge = case.judge
    if len(judge["measured"]) != len(judge["at_most"]):
        case.at("at_most").refuse(f"{len(judge['measured'])} sources are measured; give as many limits as that")
    measured = [case.number(source) for source in judge["measured"]]
    held = sum(value <= limit for value, limit in zip(measured, judge["at_most"], strict=True))
    verdict = "reproduced" if held == len(measured) else "partly" if held else "not reproduced"
    pieces = zip(judge["measured"], measured, judge["at_most"], strict=True)
    shown = "; ".join(f"{name_of(s)} is {pretty(float(v))}, wanted: at most {pretty(limit)}" for s, v, limit in pieces)
    return Finding(verdict, measured, shown)


def stated(case: Case) -> Finding:
    """A typed verdict, for claims of plain existence alone."""
    return Finding(case.judge["verdict"], None, f"read in the paper, not measured: {case.judge['reason']}")
