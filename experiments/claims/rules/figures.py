"""Rules for counts, arithmetic, facts and costs: a measured number or truth compared with the paper's."""

import inspect
import itertools
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from claims.evidence import EntryError, Evidence, Finding, graded, show
from claims.fields import Operand, Source, Sources, Text, Verdict, as_list, is_number

BY_HAND = "verdict given by hand"  # how the evidence of such a claim begins


def equals(
    evidence: Evidence,
    measured: Sources = Field(description="the measured value, or a list of as many as the paper gives"),
    tolerance: float = Field(0, ge=0, description="how far the numbers may be apart"),
    relative: float = Field(0, ge=0, le=1, description="the same as a fraction of the paper's; the larger one counts"),
    otherwise: Verdict = Field(description="the verdict where it does not hold"),
) -> Finding:
    """Check that the measured value is the paper's; of several values, each."""
    if evidence.paper_value is None:
        raise EntryError("this rule needs a paper_value", "paper_value")
    values = [evidence.value(source) for source in measured]
    paper = as_list(evidence.paper_value) if len(values) > 1 else [evidence.paper_value]
    if len(paper) != len(values):
        raise EntryError(f"{len(values)} sources are measured; give as many values", "paper_value")
    wrong = [pair for pair in zip(values, paper, strict=True) if not _are_alike(*pair, tolerance, relative)]
    verdict = otherwise if wrong else "reproduced"
    wanted = (
        [f"wanted: {show(paper)}{_margin(evidence.paper_value, tolerance, relative)}"] if tolerance or relative else []
    )
    shown = "; ".join([*map(evidence.shown, measured), *wanted])
    return Finding(verdict, values if len(values) > 1 else values[0], shown)


def _are_alike(value: Any, wanted: Any, tolerance: float, relative: float) -> bool:
    if is_number(value) and is_number(wanted):
        return abs(value - wanted) <= max(tolerance, relative * abs(wanted)) + 1e-12
    return bool(value == wanted)


def _margin(wanted: Any, tolerance: float, relative: float) -> str:
    """Return by how much a number may differ from the wanted one, as the evidence shows it."""
    margin = max(tolerance, relative * abs(wanted)) if is_number(wanted) else tolerance
    return f" ± {show(margin)}" if margin else ""


def bound(
    evidence: Evidence,
    measured: Source = Field(description="the measured number"),
    per: Operand = Field(1, description="what it is divided by"),
    direction: Literal["at least", "at most"] = Field(description="on which side of the value it must be"),
    value: float = Field(description="the bound"),
    partly: float | None = Field(None, description="a less strict bound, for the verdict partly"),
) -> Finding:
    """Check that a number is at least, or at most, a value."""
    number, shown = _quotient(evidence, measured, per)
    limits = (value, value if partly is None else partly)
    verdict = graded(number >= limit if direction == "at least" else number <= limit for limit in limits)
    less_strict = "" if partly is None else f", and for partly {direction} {show(partly)}"
    return Finding(verdict, number, f"{shown} is {show(number)}; wanted: {direction} {show(value)}{less_strict}")


def bounds(evidence: Evidence, at_most: dict[Source, float] = Field(min_length=1, description="bounds")) -> Finding:
    """Check that several numbers are each at most a value."""
    numbers = [evidence.number(source) for source in at_most]
    notes = [f"{evidence.shown(source)}, wanted: at most {show(limit)}" for source, limit in at_most.items()]
    verdict = graded(number <= limit for number, limit in zip(numbers, at_most.values(), strict=True))
    return Finding(verdict, numbers, "; ".join(notes))


def within_factor(
    evidence: Evidence,
    measured: Source = Field(description="the measured number"),
    per: Operand = Field(1, description="what it is divided by"),
    times: float = Field(1, gt=0, description="what it is multiplied by"),
    or_times: float | None = Field(None, gt=0, description="what it is multiplied by in another reading of the claim"),
    factor: float = Field(ge=1, description="how many times larger or smaller it may be"),
    rounding: float = Field(0, ge=0, description="how far the printed figure may be from the true one"),
) -> Finding:
    """Check that a number is the paper's up to a factor: for costs on a machine that the paper does not name.

    Partly, if that depends on how the paper's figure was rounded, or on how the claim is read.
    """
    number, shown = _quotient(evidence, measured, per)
    number *= times
    paper = evidence.paper_number()
    if paper <= rounding:
        raise EntryError(f"paper_value is {show(paper)}, but this rule needs one above {show(rounding)}", "paper_value")
    ratios = [number / (paper + error) for error in ((-rounding, rounding) if rounding else (0,))]
    ratios += [number * or_times / times / paper] if or_times else []
    shown += f" * {show(times)}" if times != 1 else ""
    shown += f" is {show(number)}, {show(number / paper)} times the paper's; wanted: within a factor of {show(factor)}"
    if rounding:
        rounded = f"{show(paper - rounding)} to {show(paper + rounding)}"
        shown += f". The paper's is rounded: of {rounded} it is {show(ratios[0])} to {show(ratios[1])} times"
    shown += f". Times {show(or_times)}, it is {show(ratios[-1])} times the paper's" if or_times else ""
    return Finding(graded(1 / factor <= ratio <= factor for ratio in ratios), number, shown)


def _quotient(evidence: Evidence, measured: str, per: float | str) -> tuple[float, str]:
    name = evidence.name(measured) + ("" if per == 1 else f" / {evidence.name(per)}")
    if not (divisor := evidence.number(per)):
        raise EntryError(f"{evidence.name(per)} is 0, and nothing can be divided by it", "per")
    return evidence.number(measured) / divisor, name


def _bert_parameters(
    layers: float, width: float, vocabulary: float, positions: float, feed_forward: float, classes: float
) -> float:
    embeddings = (vocabulary + positions + 2 + 2) * width  # two segment vectors; scale and shift of the normalisation
    attention = 4 * (width * width + width)
    block = attention + 2 * width * feed_forward + feed_forward + width + 4 * width
    return embeddings + layers * block + (width + 1) * classes


# Each with what the evidence shows of it, which takes the numbers in braces.
FORMULAS: dict[str, tuple[Callable[..., float], str]] = {
    "sum": (lambda a, b: a + b, "{} + {}"),
    "share": (lambda part, rest: part / (part + rest), "{0} / ({0} + {1})"),
    "reduction": (lambda first, last: 1 - last / first, "1 - {1} / {0}"),
    "harmonic mean": (lambda a, b: 2 * a * b / (a + b), "2 * {0} * {1} / ({0} + {1})"),
    "classes of BIO": (lambda types: 2 * types + 1, "B- and I- of {} types, and O,"),
    "megabytes of float32": (lambda numbers: 4 * numbers / 1e6, "4 bytes of each of {} numbers, in megabytes,"),
    "linear decay": (lambda step, steps: max(0, (steps - step) / steps), "({1} - {0}) / {1}"),
    "parameters of BERT": (
        _bert_parameters,
        "parameters of a BERT with {} layers, a width of {}, {} pieces, {} positions, {} inner units and {} classes",
    ),
    # A backward pass costs about as much as two forward passes.
    "seconds of an epoch": (
        lambda sentences, length, rate: 3 * sentences * length / rate,
        "three passes over {} sentences of {} tokens at {} a second, in seconds,",
    ),
    "pieces per word": (
        lambda pieces, words: (pieces - 2) / words,
        "{} pieces a sentence, less the two special ones, over {} words",
    ),
}
Formula: Any = Literal[*FORMULAS]


def arithmetic(
    evidence: Evidence,
    formula: Formula = Field(description="its name"),
    arguments: list[Operand] = Field(min_length=1, description="its arguments"),
    rounding: float = Field(0, ge=0, description="how far each printed argument may be from the true one"),
    value: Source | None = Field(None, description="the expected result, if it is not paper_value"),
    tolerance: float = Field(0, ge=0, description="how far the numbers may be apart"),
    relative: float = Field(0, ge=0, le=1, description="the same as a fraction of the result; the larger one counts"),
    otherwise: Verdict = Field("contradicted", description="the verdict where it does not hold"),
) -> Finding:
    """Check that one figure of the paper follows from others."""
    function, text = FORMULAS[formula]
    if (wanted := len(inspect.signature(function).parameters)) != len(arguments):
        raise EntryError(f"'{formula}' takes {wanted} arguments, not {len(arguments)}", "arguments")
    numbers = [evidence.number(argument) for argument in arguments]
    corners = [function(*corner) for corner in itertools.product(*((x - rounding, x + rounding) for x in numbers))]
    result, low, high = function(*numbers), min(corners), max(corners)
    expected = evidence.number(value) if value else evidence.paper_number()
    closest = min(max(expected, low), high)
    verdict = "reproduced" if _are_alike(closest, expected, tolerance, relative) else otherwise
    shown = f"{text.format(*map(show, numbers))} is {show(result)}"
    if not rounding:
        margin = _margin(expected, tolerance, relative)
        return Finding(verdict, result, f"{shown}; the other figure is {show(expected)}{margin}")
    return Finding(verdict, result, f"{shown}, {show(low)} to {show(high)} before rounding", low, high)


def no_failures(
    evidence: Evidence,
    on: Sources = Field(description="counts on the corpus"),
    beyond: Sources = Field([], description="counts on other text: failures there alone give the verdict partly"),
) -> Finding:
    """Check that counts of failures are 0."""
    failed, failed_beyond = (sum(map(evidence.number, sources)) for sources in (on, beyond))
    verdict = "contradicted" if failed else "partly" if failed_beyond else "reproduced"
    return Finding(verdict, failed + failed_beyond, _listed(evidence, [*on, *beyond]))


def all_exist(evidence: Evidence, measured: Source = Field(description="names with counterparts, or null")) -> Finding:
    """Check that every name that the paper uses has a counterpart in the corpus."""
    found = evidence.value(measured)
    if not isinstance(found, dict):
        raise EntryError(f"{measured} is {found!r}, but this rule needs names with their counterparts", measured)
    missing = [name for name, counterpart in found.items() if not counterpart]
    present = [name if name == match else f"{name} as {match}" for name, match in found.items() if match]
    shown = f"present: {', '.join(present) or 'none'}; missing: {', '.join(missing) or 'none'}"
    return Finding("contradicted" if missing else "reproduced", len(present), shown)


def is_true(evidence: Evidence, measured: Sources = Field(description="the property, or a list of them")) -> Finding:
    """Check that a property holds; of several, each."""
    true = [evidence.value(source) is True for source in measured]
    return Finding(graded(true), f"{sum(true)} of {len(true)}", _listed(evidence, measured))


def _listed(evidence: Evidence, sources: list[str]) -> str:
    return "; ".join(f"{evidence.name(source)}: {show(evidence.value(source))}" for source in sources)


def stated(
    _: Evidence, verdict: Verdict = Field(description="the verdict"), reason: Text = Field(description="why")
) -> Finding:
    """Return a verdict without a measurement, for claims of kind existence."""
    return Finding(verdict, None, f"{BY_HAND}: {reason}")
