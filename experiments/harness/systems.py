"""Build the systems of params.yaml."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from harness.params import WEIGHTS_OF, kind_of, settings_of
from harness.paths import ROOT

from pydantic import ValidationError

from bert_ner.errors import BertNerError, shorten
from bert_ner.loading import load_tagger, tagger_class
from bert_ner.model_folder import MANIFEST
from bert_ner.scoring import entity_f1
from bert_ner.settings import Location
from bert_ner.tagger import System, Tagger
from bert_ner.yaml_files import at_line, located


def build(
    name: str,
    section: Any,
    labels: Sequence[str],
    seed: int,
    checkpoint: Path | None = None,
    where: Location = (),
    path: Path | None = None,
) -> Tagger:
    """Build a system that is not trained yet, from its name and its section.

    The section is at `where` in the file `path`, by default params.yaml, which errors name.
    """
    path, where = path or ROOT / "params.yaml", where or (name,)
    try:
        system = _class_of(name, section)
    except BertNerError as error:
        raise BertNerError(at_line(path, where, where, str(error))) from None
    try:
        settings = system.Settings.model_validate(settings_of(section))
    except ValidationError as error:
        raise located(error, system.Settings, path, where) from None
    return system(settings, scoring=entity_f1, labels=labels, seed=seed, checkpoint=checkpoint)


def _class_of(name: str, section: Any) -> type[System]:
    if not isinstance(section, dict):
        raise BertNerError(f"expected names and values of settings, not {shorten(section)}")
    system = tagger_class(kind_of(name, section))
    if not issubclass(system, System):
        raise BertNerError(f"{kind_of(name, section)} can't be trained: it is no bert_ner.tagger.System")
    written = {name for base in system.__mro__ if base is not Tagger for name in vars(base)}
    if missing := [name for name in ("fit", "tag", "save", "load") if name not in written]:
        raise BertNerError(f"{system.__name__} lacks {', '.join(missing)}; bert_ner.tagger.Tagger describes them")
    return system


def load_model(folder: Path, section: Mapping[str, Any]) -> Tagger:
    """Load a trained model, with the decoding of its section if that takes the weights of another system."""
    tagger = load_tagger(folder, quantised=False)
    if WEIGHTS_OF in section:
        cast(Any, tagger).decoding = section["decoding"]
    return tagger


def check_saved(tagger: Tagger, folder: Path, words: Sequence[str]) -> None:
    """Raise a BertNerError unless a saved tagger loads, and tags a sentence as it did before."""
    name = type(tagger).__name__
    if not any((folder / file).is_file() for file in (MANIFEST, "config.json")):
        raise BertNerError(f"{name}.save wrote no {MANIFEST}; let it call bert_ner.model_folder.write_model")
    try:
        found = load_tagger(folder, quantised=False).tag([words])
    except BertNerError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise BertNerError(f"{name}.load does not restore all that {name}.tag needs ({reason})") from error
    if found != tagger.tag([words]):
        raise BertNerError(f"a saved {name} tags differently once it is loaded; compare {name}.save with {name}.load")


def has_weights(section: Mapping[str, Any]) -> bool:
    """Return whether the weights of a system's encoder are available; also true for a system without an encoder."""
    from bert_ner.encoder.weights import ENCODERS, availability

    name = section.get("name")
    return name not in ENCODERS or availability(ENCODERS[name])[0]
