"""The models of claims.yaml and published.yaml, and their readers."""

from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, ValidationInfo, field_validator

from bert_ner.settings import Settings
from bert_ner.yaml_files import read_yaml
from claims.evidence import Place
from claims.fields import PaperValue, PublishedScore, Sources, Text
from claims.rules import AnyRule
from claims.rules.figures import Stated
from claims.rules.scores import Transfers


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
    encoder: Literal["required", "comparable", "vocabulary", "shape"] | None = Field(
        None,
        description="how the claim depends on the encoder: `required` is about the paper's own and not tested with "
        "another; `comparable` is at best partly reproduced with another; `vocabulary` needs the same word pieces; "
        "`shape` is at best partly reproduced from the library's description of the encoder",
    )
    proxy: Text | None = Field(None, description="what was measured instead: at best partly reproduced")
    command: Text = Field(description="the command that produces the evidence")

    @field_validator("judge")
    @classmethod
    def _fits_the_claim(cls, judge: AnyRule, info: ValidationInfo) -> AnyRule:
        if isinstance(judge, Stated) and info.data.get("kind") != "existence":
            raise ValueError("must be another rule: only a claim of kind existence may state its verdict")
        if isinstance(judge, Transfers) and info.data.get("about") != "domains":
            raise ValueError("must be another rule, or the claim must say `about: domains`: transfers compares corpora")
        return judge


class ClaimFile(Settings):
    """claims.yaml."""

    corpus: Text = Field(description="the corpus that the paper uses")
    encoder: Text = Field(description="the encoder that the paper uses")
    claims: list[Claim] = Field(min_length=1, description="the paper's claims")


class PublishedFile(Settings):
    """published.yaml."""

    systems: list[PublishedScore] = Field(min_length=1, description="the published scores")


class PlacedClaim(NamedTuple):
    """A claim, and its place in the file."""

    claim: Claim
    place: Place


def read_claims(path: Path) -> tuple[ClaimFile, list[PlacedClaim]]:
    """Read claims.yaml; an error has the line, and what to do."""
    content = read_yaml(path, ClaimFile)
    placed = [PlacedClaim(claim, Place(path, ("claims", i))) for i, claim in enumerate(content.claims)]
    uses = Counter(claim.id for claim in content.claims)
    for claim, place in reversed(placed):
        if uses[claim.id] > 1:
            raise place.at("id").error(f"id {claim.id} is used {uses[claim.id]} times; give each claim its own")
    return content, placed


def read_published(path: Path) -> list[PublishedScore]:
    """Read the entries of published.yaml; an error has the line, and what to do."""
    entries = read_yaml(path, PublishedFile).systems
    for i, entry in enumerate(entries):
        if not entry.comparable and not entry.reason:
            raise Place(path, ("systems", i, "comparable")).error("it is not comparable, so it needs the key reason")
    return entries
