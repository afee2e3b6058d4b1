"""Rules for counts, arithmetic, facts and costs: a measured number or truth compared with the paper's."""

import inspect
import itertools
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from bert_ner.settings import Settings
from claims.evidence import Evidence, Finding, graded, show
from claims.fields import OneSource, Operand, Source, Sources, Text, Verdict, one_of

_FAILED = "the verdict where it does not hold"


class _Tolerant(Settings):
    """A comparison of numbers; the larger of both tolerances counts."""

    tolerance: float = Field(0, ge=0, description="how far the numbers may be apart")
    relative: float = Field(0, ge=0, le=1, description="the same, as a fraction of the paper's number")

    def slack(self, wanted: float) -> float:
        return max(self.tolerance, self.relative * abs(wanted)) + 1e-12


class Equals(_Tolerant):
    """The measured value is the paper's; of several values, each."""

    rule: Literal["equals"]
    measured: Sources = Field(description="the measured value, or a list of as many as the paper gives")
    otherwise: Verdict = Field(description=_FAILED)
    above: Verdict | None = Field(None, description="the verdict where it does not hold because more was measured")

    def judge(self, evidence: Evidence) -> Finding:
        measured = [evidence.value(source) for source in self.measured]
        paper = evidence.paper_value
        expected = paper if isinstance(paper, list) and len(measured) > 1 else [paper]
        if len(expected) != len(measured):
            place = evidence.place.at("paper_value")
            raise place.error(f"{len(measured)} sources are measured; give as many values")
        wrong = [pair for pair in zip(measured, expected, strict=True) if not self._is_alike(*pair)]
        verdict = self.otherwise if wrong else "reproduced"
        if wrong and self.above and all(isinstance(value, int | float) and value > wanted for value, wanted in wrong):
            verdict = self.above
        shown = "; ".join(map(evidence.shown, self.measured))
        return Finding(verdict, measured[0] if len(measured) == 1 else measured, shown)

    def _is_alike(self, value: Any, wanted: Any) -> bool:
        if isinstance(wanted, int | float) and isinstance(value, int | float):
            return abs(value - wanted) <= self.slack(wanted)
        return bool(value == wanted)


class Bound(Settings):
    """A number is at least, or at most, a value."""

    rule: Literal["bound"]
    measured: OneSource = Field(description="the measured number")
    per: Operand = Field(1, description="what it is divided by")
    direction: Literal["at least", "at most"] = Field(description="on which side of the value it must be")
    value: float = Field(description="the bound")
    partly: float | None = Field(None, description="a less strict bound, for the verdict partly")
    otherwise: Verdict = Field(description=_FAILED)

    def judge(self, evidence: Evidence) -> Finding:
        measured = evidence.number(self.measured) / evidence.number(self.per)
        verdict: str = self.otherwise
        if self._holds(measured, self.value):
            verdict = "reproduced"
        elif self.partly is not None and self._holds(measured, self.partly):
            verdict = "partly"
        per = "" if self.per == 1 else f" / {evidence.name(self.per)}"
        shown = f"{evidence.name(self.measured)}{per} is {show(measured)}; wanted: {self.direction} {show(self.value)}"
        return Finding(verdict, measured, shown)

    def _holds(self, measured: float, limit: float) -> bool:
        return measured >= limit if self.direction == "at least" else measured <= limit


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


class Arithmetic(_Tolerant):
    """One figure of the paper follows from others."""

    rule: Literal["arithmetic"]
    formula: Annotated[str, one_of(FORMULAS)] = Field(description=f"one of {', '.join(FORMULAS)}")
    arguments: list[Operand] = Field(min_length=1, description="the formula's arguments")
    rounding: float = Field(0, ge=0, description="how far each printed argument may be from the true one")
    value: OneSource | None = Field(None, description="the expected result, if it is not paper_value")

    def judge(self, evidence: Evidence) -> Finding:
        formula = FORMULAS[self.formula]
        if (wanted := len(inspect.signature(formula).parameters)) != len(self.arguments):
            place = evidence.key("arguments")
            raise place.error(f"'{self.formula}' takes {wanted} arguments, not {len(self.arguments)}")
        arguments = [evidence.number(argument) for argument in self.arguments]
        ends = ((x - self.rounding, x + self.rounding) for x in arguments)
        corners = [formula(*corner) for corner in itertools.product(*ends)]
        result, low, high = formula(*arguments), min(corners), max(corners)
        expected = evidence.number(self.value) if self.value else evidence.paper_number()
        slack = self.slack(expected)
        verdict = "reproduced" if low - slack <= expected <= high + slack else "contradicted"
        shown = f"{self.formula} of {', '.join(map(show, arguments))} is {show(result)}"
        if not self.rounding:
            return Finding(verdict, result, f"{shown}; the other figure is {show(expected)}")
        return Finding(verdict, result, f"{shown}, {show(low)} to {show(high)} before rounding", low, high)


class NoFailures(Settings):
    """Counts of failures are 0."""

    rule: Literal["no_failures"]
    on: Sources = Field(description="counts on the corpus")
    beyond: Sources = Field([], description="counts on other text: failures there alone give the verdict partly")
    otherwise: Verdict = Field(description=_FAILED)

    def judge(self, evidence: Evidence) -> Finding:
        on, beyond = (sum(map(evidence.number, sources)) for sources in (self.on, self.beyond))
        verdict = self.otherwise if on else "partly" if beyond else "reproduced"
        return Finding(verdict, on + beyond, _counts(evidence, [*self.on, *self.beyond]))


def _counts(evidence: Evidence, sources: list[Source]) -> str:
    return "; ".join(f"{evidence.name(source)}: {show(evidence.value(source))}" for source in sources)


class AllExist(Settings):
    """Every name that the paper uses has a counterpart in the corpus."""

    rule: Literal["all_exist"]
    measured: OneSource = Field(description="names with their counterparts, or null")
    otherwise: Verdict = Field(description=_FAILED)

    def judge(self, evidence: Evidence) -> Finding:
        found = evidence.value(self.measured)
        missing = [name for name, counterpart in found.items() if not counterpart]
        present = [name if name == match else f"{name} as {match}" for name, match in found.items() if match]
        shown = f"present: {', '.join(present) or 'none'}; missing: {', '.join(missing) or 'none'}"
        return Finding(self.otherwise if missing else "reproduced", len(present), shown)


class IsTrue(Settings):
    """A property holds; of several, each."""

    rule: Literal["is_true"]
    measured: Sources = Field(description="the property, or a list of them")

    def judge(self, evidence: Evidence) -> Finding:
        true = [evidence.value(source) is True for source in self.measured]
        return Finding(graded(true), f"{sum(true)} of {len(true)}", _counts(evidence, self.measured))


class WithinFactor(Settings):
    """A number is the paper's up to a factor: for costs on a machine that the paper does not name."""

    rule: Literal["within_factor"]
    measured: OneSource = Field(description="the measured number")
    per: OneSource | None = Field(None, description="what it is divided by")
    times: float = Field(1, gt=0, description="what it is multiplied by")
    factor: float = Field(ge=1, description="how many times larger or smaller it may be")

    def judge(self, evidence: Evidence) -> Finding:
        measured = evidence.number(self.measured) * self.times / (evidence.number(self.per) if self.per else 1)
        ratio = measured / evidence.paper_number()
        verdict = "reproduced" if 1 / self.factor <= ratio <= self.factor else "not reproduced"
        scaled = f" / {evidence.name(self.per)}" if self.per else ""
        scaled += f" * {show(self.times)}" if self.times != 1 else ""
        shown = f"{evidence.name(self.measured)}{scaled} is {show(float(measured))}, {show(ratio)} times the paper's"
        return Finding(verdict, measured, f"{shown}; wanted: within a factor of {show(self.factor)}")


class Bounds(Settings):
    """Several numbers are each at most a value."""

    rule: Literal["bounds"]
    measured: Sources = Field(description="the measured numbers")
    at_most: list[float] = Field(min_length=1, description="their upper bounds")

    def judge(self, evidence: Evidence) -> Finding:
        if len(self.measured) != len(self.at_most):
            raise evidence.key("at_most").error(f"{len(self.measured)} sources are measured; give as many bounds")
        measured = [evidence.number(source) for source in self.measured]
        notes, held = [], []
        for source, value, bound in zip(self.measured, measured, self.at_most, strict=True):
            held.append(value <= bound)
            notes.append(f"{evidence.name(source)} is {show(float(value))}, wanted: at most {show(bound)}")
        return Finding(graded(held), measured, "; ".join(notes))


class Stated(Settings):
    """A verdict without a measurement, for claims of kind existence."""

    rule: Literal["stated"]
    verdict: Verdict = Field(description="the verdict")
    reason: Text = Field(description="why")

    def judge(self, _: Evidence) -> Finding:
        return Finding(self.verdict, None, f"read in the paper, not measured: {self.reason}")
