"""The teachers of a system: the trained encoders that its section of params.yaml names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from harness.artifacts import model_folder, read_run
from harness.params import Params, Run, Section
from harness.remedies import training_remedy
from harness.systems import has_weights

from bert_ner.corpus.bio import Sentence
from bert_ner.errors import BertNerError
from bert_ner.loading import load_tagger
from bert_ner.tagger import Tagger


def teachers_of(system: str, settings: Section, params: Params) -> list[Run]:
    """Return the trainings that a system's settings name as teachers: of encoders that have none themselves."""
    encoders = [name for name in params.systems if params.kind(name) == "encoder" and not params[name].get("teachers")]
    runs = []
    for name in settings.get("teachers", []):
        teacher, _, seed = str(name).rpartition("-")
        if teacher not in encoders or not seed.isdecimal():
            problem = f"params.yaml: {system}.teachers: {name!r} must be <system>-<seed>, such as mpnet-13"
            raise BertNerError(f"{problem}, with an encoder that no other teaches")
        runs.append(Run(teacher, int(seed)))
    return runs


def is_available(system: str, params: Params) -> bool:
    """Return whether the weights that a system and its teachers start from are available."""
    names = {system, *(run.system for run in teachers_of(system, params[system], params))}
    return all(has_weights(params[name]) for name in names)


def teacher_folders(corpus: str, runs: Sequence[Run]) -> dict[str, Path]:
    """Return the folder of each teacher by its name; raise a BertNerError unless all are trained on the corpus."""
    for run in runs:
        found = read_run(corpus, run).get("corpus")
        if found != corpus:
            problem = f"{model_folder(corpus, run)} was trained on {found} and can't teach a model of {corpus}"
            raise BertNerError(f"{problem}; {training_remedy(corpus, run)}")
    return {run.name: model_folder(corpus, run) for run in runs}


def fit(
    tagger: Tagger, train: Sequence[Sentence], validation: Sequence[Sentence], teachers: Sequence[Path]
) -> list[dict[str, Any]]:
    """Train a tagger, with the models in these folders as its teachers, if there are any."""
    if not teachers:
        return tagger.fit(train, validation)
    # One at a time is in memory. The probabilities of an 8-bit copy would be less exact.
    loaded = (load_tagger(folder, quantised=False) for folder in teachers)
    return cast(list[dict[str, Any]], cast(Any, tagger).fit(train, validation, teachers=loaded))
