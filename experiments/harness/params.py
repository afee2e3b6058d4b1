"""params.yaml as a model, and the trainings that it asks for."""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

from harness.paths import ROOT

import pandas as pd
from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from bert_ner.corpus.catalog import corpus_names
from bert_ner.encoder.decoding import Decoding
from bert_ner.errors import BertNerError
from bert_ner.loading import kinds
from bert_ner.scoring import METRICS
from bert_ner.settings import Location, Settings
from bert_ner.yaml_files import read_yaml

REFERENCE = "crf"  # every other system is compared with it
WEIGHTS_OF = "weights_of"  # in a section: the system whose trained models it tags with, by another decoding
SEEDS = range(2**32)  # every random generator that the systems use takes these

Section = dict[str, Any]
Grid = dict[str, Annotated[list[Any], Field(min_length=1)]]  # values to try of each setting
Names = Annotated[list[str], Field(min_length=1)]
Seed = Annotated[int, Field(ge=SEEDS.start, lt=SEEDS.stop)]
Seeds = Annotated[list[Seed], Field(min_length=1)]


def _known_corpus(name: str) -> str:
    if name not in corpus_names():
        raise ValueError("must be the name of a corpus, a file in corpora/")
    return name


KnownCorpus = Annotated[str, AfterValidator(_known_corpus)]
Corpora = Annotated[list[KnownCorpus], Field(min_length=1)]


class Run(NamedTuple):
    """One training of one system."""

    system: str
    seed: int

    @property
    def name(self) -> str:  # of its model and of its predictions
        return f"{self.system}-{self.seed}"


class Trial(NamedTuple):
    """One training of a study: a system, all its settings, and the part of the training sentences that it sees."""

    study: str
    variant: str
    system: str
    seed: int
    fraction: float | None  # the part is a share of the sentences,
    per_type: int | None  # or so many of each entity type; then it also validates on so many
    settings: dict[str, Any]
    candidates: list[dict[str, Any]]  # changes to the settings; the validation sentences choose one
    new_type: str | None = None  # per_type holds for this type alone; every sentence without it is kept

    @property
    def name(self) -> str:
        """Return the name of its predictions, which is its own within the study."""
        sizes = [f"{size:g}" for size in (self.per_type, self.fraction) if size is not None]
        sees = [*([self.new_type] if self.new_type else []), *([] if self.fraction == 1 else sizes)]
        return "-".join([self.system, *sees, str(self.seed)])

    @property
    def state(self) -> str:
        """Return the name of its files while it is unfinished; those of a study are in one folder."""
        return f"study-{self.study}/{self.name}"


IDENTITY = Trial._fields[:6]  # the columns of studies.csv that identify a training


def kind_of(name: str, section: Section) -> str:
    """Return the kind of a system, a key of `kinds()`: the one in its section, otherwise its name."""
    return str(section.get("kind", name))


def combinations(grid: Grid) -> list[Section]:
    """Return every combination of a grid's values; one without settings if the grid has none."""
    return [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]


def settings_of(section: Section) -> Section:
    """Return the settings in a section: all but its kind, and the system whose weights it takes."""
    return {name: value for name, value in section.items() if name not in {"kind", WEIGHTS_OF}}


def identity(row: Mapping[Any, Any]) -> tuple[Any, ...]:
    """Return the cells of a row of studies.csv that identify its training."""
    return tuple(None if pd.isna(row[name]) else row[name] for name in IDENTITY)


class Split(Settings):
    """How the training file is split."""

    validation_fraction: float = Field(description="share of the training sentences that validates", gt=0, lt=1)
    seed: Seed = Field(description="draws the sentences")


class Group(Settings):
    """Extra runs: every combination of a corpus, a system and a seed."""

    corpora: Corpora = Field(description="names of files in corpora/")
    systems: Names = Field(description="sections of params.yaml")
    seeds: Seeds = Field(description="one training of each system with each")


class LabelAudit(Settings):
    """How the training file is tagged out of fold, to question its labels."""

    system: str = Field(description="a section of params.yaml whose tagger knows the probability of every tag")
    folds: int = Field(ge=2, description="parts of the training file; each is tagged by a model of the others")
    seed: Seed = Field(description="draws the folds, and trains")
    settings: Section = Field(default={}, description="settings of the system that replace those of its section")


class Confirmatory(Settings):
    """The tests that Holm's correction is over. All other comparisons are exploratory."""

    corpora: list[KnownCorpus] = Field(default=[], description="on these alone")
    systems: list[str] = Field(default=[], description="the first of these that was scored is tested")
    baselines: list[str] = Field(default=[], description="it is compared with each of these")
    metrics: list[Literal[*METRICS]] = Field(default=[], description="by each")  # type: ignore[valid-type]


class Study(Settings):
    """Trainings with something changed. Every further key is a system, with the settings that are changed."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Section | None] = Field(init=False)

    seeds: Seeds = Field(default=[13], description="one training with each; they also draw the sentences")
    fractions: list[Annotated[float, Field(gt=0, le=1)]] = Field(default=[], description="shares of the training part")
    per_type: list[Annotated[int, Field(ge=1)]] = Field(default=[], description="sentences of each type in both parts")
    new_types: list[str] = Field(default=[], description="types of which alone there are only per_type, one at a time")
    grids: dict[str, Grid] = Field(
        default={}, description="settings that the validation sentences choose: a grid for each system"
    )

    @property
    def changes(self) -> dict[str, Section]:
        """The changed settings of each system."""
        return {system: settings or {} for system, settings in self.__pydantic_extra__.items()}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.changes:
            raise ValueError("must name one system or more")
        if self.fractions and self.per_type:
            raise ValueError("must have either fractions or per_type")
        if self.new_types and not self.per_type:
            raise ValueError("must have per_type with new_types: how many sentences of the new type there are")
        if self.grids and set(self.grids) != set(self.changes):
            raise ValueError("must have a grid for each of its systems, or none")
        if len({len(combinations(grid)) for grid in self.grids.values()}) > 1:
            raise ValueError("must have grids with equally many combinations")
        return self


class Search(Settings):
    """How settings are chosen: each trial is cross-validated over the training file."""

    folds: int = Field(
        default=3, ge=2, description="parts of the training file; a trial is trained without one and tags it"
    )
    seed: Seed = Field(default=42, description="draws the folds, and is that of each training")
    trials: dict[str, list[Grid]] = Field(
        default={}, description="for each system grids of settings; their trials are listed from the simplest on"
    )
    fewer_folds: dict[str, Annotated[int, Field(ge=1)]] = Field(
        default={}, description="systems that tag the first ones"
    )

    @field_validator("fewer_folds")
    @classmethod
    def _of_searched_systems(cls, value: dict[str, int], others: ValidationInfo) -> dict[str, int]:
        folds, trials = others.data.get("folds", math.inf), others.data.get("trials", value)
        if any(system not in trials or number >= folds for system, number in value.items()):
            raise ValueError(f"must name systems that have trials, and numbers below {folds}")
        return value

    def folds_for(self, system: str) -> int:
        return self.fewer_folds.get(system, self.folds)

    def changes(self, system: str) -> list[Section]:
        """Return the changed settings of each trial: all combinations of a grid's values, grid after grid."""
        return [changes for grid in self.trials[system] for changes in combinations(grid)]


class Params(Settings):
    """The content of params.yaml. Every further key is a section; that of a system has a kind, or a kind's name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Section] = Field(init=False)

    corpora: Corpora = Field(description="names of files in corpora/; the stages of pipeline/dvc.yaml run on each")
    baselines: Names = Field(description="systems without random numbers; each trains once on every corpus")
    encoders: Names = Field(description="systems that train on every corpus with each of the seeds")
    seeds: Seeds = Field(description="the encoders' random numbers")
    extra_runs: dict[str, Group] = Field(description="runs that `make repro-all` adds")
    split: Split = Field(description="how the training file becomes a training and a validation part")
    search: Search = Field(default=Search(), description="how settings are chosen")
    label_audit: LabelAudit = Field(description="the trainings behind the audit of the labels")
    confirmatory: Confirmatory = Field(default=Confirmatory(), description="the tests that confirm a claim")
    studies: dict[str, Study] = Field(default={}, description="trainings with something changed, by name")

    @property
    def systems(self) -> dict[str, Section]:
        """The sections of the systems, in the order of the file."""
        known = kinds()
        sections = {name: self._whole(section) for name, section in self.__pydantic_extra__.items()}
        return {name: section for name, section in sections.items() if kind_of(name, section) in known}

    def _whole(self, section: Section) -> Section:
        """Return a section, with the settings of the system whose weights it takes."""
        return {**self._lender(section), **section}

    def _lender(self, section: Section) -> Section:
        """Return the section of the system whose weights a section takes; empty if there is none."""
        name = section.get(WEIGHTS_OF)
        return self.__pydantic_extra__.get(name, {}) if isinstance(name, str) else {}

    def __getitem__(self, system: str) -> Section:
        if system not in self.systems:
            raise BertNerError(f"params.yaml has no system '{system}'; its systems are {', '.join(self.systems)}")
        return self.systems[system]

    def kind(self, system: str) -> str:
        return kind_of(system, self[system])

    def section(self, system: str, min_steps: int) -> Section:
        """Return the section of a system; an encoder's has the least number of steps that a corpus asks for."""
        asked = {"min_steps": min_steps} if min_steps and self.kind(system) == "encoder" else {}
        return asked | self[system]

    @property
    def tokenizer_encoder(self) -> str:
        """The encoder whose word pieces are counted: that of the first system in `encoders`."""
        name = self[self.encoders[0]].get("name")
        if not isinstance(name, str):
            raise BertNerError(f"params.yaml: {self.encoders[0]}, the first of encoders, must have an encoder's name")
        return name

    @property
    def runs(self) -> list[Run]:
        """The trainings of `dvc repro` on each corpus."""
        baselines = [Run(name, 0) for name in self.baselines]
        return baselines + [Run(name, seed) for name in self.encoders for seed in self.seeds]

    def all_runs(self, corpus: str) -> list[Run]:
        """Return `runs` and the extra runs on a corpus, in the order of the systems' sections."""
        groups = [group for group in self.extra_runs.values() if corpus in group.corpora]
        extra = [Run(system, seed) for group in groups for system in group.systems for seed in group.seeds]
        order = list(self.systems)
        return sorted(dict.fromkeys([*self.runs, *extra]), key=lambda run: order.index(run.system))

    @model_validator(mode="after")
    def _check(self) -> Self:
        lists: dict[Location, list[str]] = {("baselines",): self.baselines, ("encoders",): self.encoders}
        lists |= {("extra_runs", name, "systems"): group.systems for name, group in self.extra_runs.items()}
        named = {(*where, i): system for where, systems in lists.items() for i, system in enumerate(systems)}
        named[("label_audit", "system")] = self.label_audit.system
        named |= {("studies", name, system): system for name, study in self.studies.items() for system in study.changes}
        named |= {("search", "trials", system): system for system in self.search.trials}
        for key in ("systems", "baselines"):
            named |= {("confirmatory", key, i): system for i, system in enumerate(getattr(self.confirmatory, key))}
        given = {
            (name, "kind"): section["kind"] for name, section in self.__pydantic_extra__.items() if "kind" in section
        }
        known = {*self.systems, *(name for name, _ in given)}  # a wrong kind is one error, not one for each use
        rule = "must be the name of a system, a section with a kind in this file"
        problems = [(where, system, rule) for where, system in named.items() if system not in known]
        rule = f"must be one of {', '.join(kinds())}, or come from an installed package"
        problems += [(where, kind, rule) for where, kind in given.items() if str(kind) not in kinds()]
        rule = "must be the name of a system that is trained, an encoder; the only setting that changes is decoding"
        decodings = get_args(Decoding)
        for name, section in self.__pydantic_extra__.items():
            if WEIGHTS_OF in section:
                other = self._lender(section)
                changed = {key for key, value in section.items() if other.get(key) != value}
                if changed != {WEIGHTS_OF, "decoding"} or other.get("kind") != "encoder" or WEIGHTS_OF in other:
                    problems.append(((name, WEIGHTS_OF), section[WEIGHTS_OF], rule))
                elif section["decoding"] not in decodings:
                    problems.append(((name, "decoding"), section["decoding"], f"must be one of {', '.join(decodings)}"))
        rule = "must be a list, such as [mpnet-13], or be left out"
        problems += [(where, value, rule) for where, value in self._teachers() if not isinstance(value, list)]
        if problems:
            details = [
                InitErrorDetails(type=PydanticCustomError("name", text), loc=where, input=value)
                for where, value, text in problems
            ]
            raise ValidationError.from_exception_data("Params", details)
        return self

    def _teachers(self) -> Iterator[tuple[Location, Any]]:
        """Yield the teachers of each section and each trial, with their place in the file."""
        for name, section in self.__pydantic_extra__.items():
            if "teachers" in section:
                yield (name, "teachers"), section["teachers"]
        for system, grids in self.search.trials.items():
            for i, grid in enumerate(grids):
                for j, value in enumerate(grid.get("teachers", [])):
                    yield ("search", "trials", system, i, "teachers", j), value


def read_trials(name: str, params: Params) -> list[Trial]:
    """Return the trainings of a study: each of its systems, with each seed, on each part of the training sentences."""
    if name not in params.studies:
        raise BertNerError(f"params.yaml has no study '{name}'; its studies are {', '.join(params.studies) or 'none'}")
    study = params.studies[name]
    parts: list[dict[str, Any]] = [{"fraction": share} for share in study.fractions]
    new_types = [{"new_type": name} for name in study.new_types] or [{}]
    parts += [{**new_type, "per_type": n} for new_type, n in product(new_types, study.per_type)]
    trials = []
    for (system, changes), part, seed in product(study.changes.items(), parts or [{}], study.seeds):
        variant = ", ".join(f"{name}={value}" for name, value in {**changes, **part}.items())
        sees = {"fraction": None if "per_type" in part else 1.0, "per_type": None, **part}
        settings, candidates = {**params[system], **changes}, combinations(study.grids.get(system, {}))
        trials.append(Trial(name, variant, system, seed, **sees, settings=settings, candidates=candidates))
    return trials


def all_trials(params: Params) -> list[Trial]:
    """Return the trainings of all studies."""
    return [trial for study in params.studies for trial in read_trials(study, params)]


def read_params() -> Params:
    """Read and check params.yaml."""
    path = ROOT / "params.yaml"
    return _read(path, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=1)
def _read(path: Path, _changed: int) -> Params:
    return read_yaml(path, Params)
