"""params.yaml, checked, and the trainings that it asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from harness.paths import ROOT

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert_ner.errors import BertNerError, brief


class Run(NamedTuple):
    """One training of one system."""

    system: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.system}-{self.seed}"


def read_params() -> dict[str, Any]:
    """params.yaml, read by the YAML library that DVC reads and writes it with (PyYAML takes 3e-05 for a word).

    Raises:
        BertNerError: it is missing, not YAML, or lacks a section, or a section is not of the kind it has to be.
    """
    path = ROOT / "params.yaml"
    try:
        params = YAML(typ="safe", pure=True).load(path)
    except (OSError, YAMLError, ValueError, RecursionError) as error:
        raise BertNerError(f"{path} can't be read: {error}; mend it, or take the one in the repository") from None
    if not isinstance(params, dict):
        raise BertNerError(f"{path}: expected sections, as in the one in the repository")
    if missing := {name for name, _, _ in _SECTIONS} - set(params):
        raise BertNerError(f"{path}: no {', '.join(sorted(missing))} in it; see the one in the repository")
    for name, is_valid, wanted in _SECTIONS:
        if not is_valid(params[name]):
            raise BertNerError(f"{path}: {name} must be {wanted}, not {brief(params[name])}")
    return params


def _is_list_of(kind: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(type(item) is kind for item in value)


def _is_groups(value: Any) -> bool:
    kinds = {"corpora": str, "systems": str, "seeds": int}
    return isinstance(value, dict) and all(
        isinstance(group, dict)
        and set(group) == set(kinds)
        and all(_is_list_of(kind)(group[name]) for name, kind in kinds.items())
        for group in value.values()
    )


def _is_split(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"validation_fraction", "seed"}:
        return False
    fraction = value["validation_fraction"]
    return type(fraction) is float and 0 < fraction < 1 and type(value["seed"]) is int


def is_seed(value: int) -> bool:
    """Whether every random generator that is used here takes it."""
    return 0 <= value < 2**32


SEEDS = "a list of whole numbers from 0 to 4294967295"
_SECTIONS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("corpora", _is_list_of(str), "a list of names"),
    ("baselines", _is_list_of(str), "a list of names"),
    ("encoders", _is_list_of(str), "a list of names"),
    ("seeds", lambda value: _is_list_of(int)(value) and all(map(is_seed, value)), SEEDS),
    ("more", _is_groups, "groups, each with lists of corpora, systems and seeds"),
    ("split", _is_split, "validation_fraction, a number between 0 and 1, and seed, a whole number"),
)


def runs(params: dict[str, Any]) -> list[Run]:
    """What `dvc repro` trains on each corpus: each baseline once, as none draws random numbers, encoders per seed."""
    return [Run(name, 0) for name in params["baselines"]] + [
        Run(name, seed) for name in params["encoders"] for seed in params["seeds"]
    ]


def all_runs(params: dict[str, Any], corpus: str) -> list[Run]:
    """The same with what `make repro-all` adds; systems in the order of their sections in params.yaml.

    Raises:
        BertNerError: a system has no section.
    """
    groups = [group for group in params["more"].values() if corpus in group["corpora"]]
    more = [Run(system, seed) for group in groups for system in group["systems"] for seed in group["seeds"]]
    order = list(params)
    if missing := {run.system for run in [*runs(params), *more]}.difference(order):
        raise BertNerError(f"{ROOT / 'params.yaml'}: it names {', '.join(sorted(missing))}, but has no section for it")
    return sorted(dict.fromkeys([*runs(params), *more]), key=lambda run: order.index(run.system))


def first_encoder(params: dict[str, Any]) -> str:
    """The encoder of the first system that has one: whose word pieces are counted.

    Raises:
        BertNerError: the system has no section with an encoder's name.
    """
    system = params["encoders"][0]
    section = params.get(system)
    if not (isinstance(section, dict) and isinstance(section.get("name"), str)):
        raise BertNerError(f"{ROOT / 'params.yaml'}: {system}, the first of encoders, needs a section with a name")
    return str(section["name"])
