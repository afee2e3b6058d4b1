"""The models of claims.yaml and published.yaml, and their readers."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union

from pydantic import Field, ValidationInfo, create_model, field_validator

from bert_ner.errors import BertNerError
from bert_ner.settings import Location, Settings
from bert_ner.yaml_files import line_of, load_yaml, read_yaml
from claims.evidence import Finding
from claims.fields import PaperValue, PublishedScore, Sources, Text, as_list, is_number
from claims.rules import domains, figures, scores, training, tuning

# A rule is a public function of these modules; its parameters after the evidence are its keys in claims.yaml.
RULES: dict[str, Callable[..., Finding]] = {
    name: rule
    for module in (domains, figures, scores, training, tuning)
    for name, rule in inspect.getmembers(module, inspect.isfunction)
    if rule.__module__ == module.__name__ and not name.startswith("_")
}


def _model_of(name: str, rule: Callable[..., Finding]) -> type[Settings]:
    """Make a model of a rule's name and keys."""
    _, *keys = inspect.signature(rule).parameters.values()
    fields: dict[str, Any] = {key.name: (key.annotation, key.default) for key in keys}
    fields["rule"] = Literal[name]
    return create_model(name, __base__=Settings, **fields)


AnyRule: Any = Annotated[Union[*map(_model_of, RULES, RULES.values())], Field(discriminator="rule")]


class Claim(Settings):
    """One claim of the paper, and how it is judged."""

    id: Text = Field(description="the claim's name")
    section: Text = Field(description="where in the paper it is made")
    claim: Text = Field(description="what it says")
    kind: Literal["count", "arithmetic", "value", "ordering", "existence"] = Field(description="what sort of claim")
    paper_value: PaperValue = Field(None, description="the paper's figure, as a fraction where it is a percentage")
    about: Literal["domains"] | None = Field(None, description="judged with the comparison of corpora, not with one")
    judge: AnyRule = Field(description="the rule, with its keys")
    also_shown: Sources = Field([], description="what the evidence quotes as well; the verdict does not depend on it")
    encoder: Literal["required", "comparable", "vocabulary"] | None = Field(
        None, description="how the claim depends on the encoder; the head of claims.yaml explains each"
    )
    proxy: Text | None = Field(None, description="what was measured instead, so neither success nor failure is plain")
    independent: Text | None = Field(
        None, description="evidence against the claim that does not depend on the encoder: a failure is then not capped"
    )
    remark: Text | None = Field(None, description="what the evidence says as well; the verdict does not depend on it")
    repeats: Text | None = Field(
        None, description="the claim whose figure or error this one repeats; the tally counts it once"
    )
    tautology: Text | None = Field(None, description="why it could not have failed; the tally leaves it out")
    future_work: bool = Field(False, description="a direction that the paper only proposes; the tally leaves it out")
    command: Text = Field(description="the command that produces the evidence")

    @field_validator("paper_value")
    @classmethod
    def _counts_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("kind") == "count" and not all(map(is_number, as_list(value))):
            raise ValueError("must be a number or a list of numbers, because the claim is of kind count")
        return value

    @field_validator("judge")
    @classmethod
    def _fits_the_claim(cls, judge: Any, info: ValidationInfo) -> Any:
        if judge.rule == "stated" and info.data.get("kind") != "existence":
            raise ValueError("must be another rule: only a claim of kind existence may state its verdict")
        if RULES[judge.rule].__module__ == domains.__name__ and info.data.get("about") != "domains":
            raise ValueError(
                f"must be another rule, or the claim must say `about: domains`: {judge.rule} compares corpora"
            )
        return judge


class ClaimFile(Settings):
    """claims.yaml."""

    corpus: Text = Field(description="the corpus that the paper uses")
    encoder: Text = Field(description="the encoder that the paper uses")
    claims: list[Claim] = Field(min_length=1, description="the paper's claims")


class PublishedFile(Settings):
    """published.yaml."""

    systems: list[PublishedScore] = Field(min_length=1, description="the published scores")


def read_claims(path: Path) -> ClaimFile:
    """Read claims.yaml; an error has the line, and what to do."""
    content = read_yaml(path, ClaimFile)
    ids = [claim.id for claim in content.claims]
    for position, name in enumerate(ids):
        if name in ids[:position]:
            complaint = f"id {name} is used {ids.count(name)} times; give each claim its own"
            raise entry_error(path, position, complaint, "id")
    for position, claim in enumerate(content.claims):
        if claim.repeats is not None and claim.repeats not in ids:
            raise entry_error(path, position, f"repeats {claim.repeats}, which is no claim of the file", "repeats")
    return content


def read_published(path: Path) -> list[PublishedScore]:
    """Read the entries of published.yaml; an error has the line, and what to do."""
    return read_yaml(path, PublishedFile).systems


def entry_error(path: Path, position: int, complaint: str, wrong: Any) -> BertNerError:
    """Return the error about a key or a source of a claim, with its line."""
    keys = next(_places(load_yaml(path)["claims"][position], wrong), ())
    return BertNerError(f"{path}, line {line_of(path, ('claims', position, *keys))}: {complaint}")


def _places(content: Any, wanted: Any) -> Iterator[Location]:
    """Yield the keys that lead to a key or value."""
    items = content.items() if isinstance(content, dict) else enumerate(content if isinstance(content, list) else [])
    for key, value in items:
        if wanted in (key, value):
            yield (key,)
        yield from ((key, *rest) for rest in _places(value, wanted))
