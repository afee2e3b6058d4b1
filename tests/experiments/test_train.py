"""train.py: the folder that it leaves, with an encoder's 8-bit copy."""

from __future__ import annotations

import json
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from unittest.mock import MagicMock

from harness.params import Params

import pytest

import train
from baselines.majority import MajorityTagger
from bert_ner import load_tagger, loading
from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.errors import BertNerError, NotExportable
from bert_ner.export import export
from bert_ner.export.tagger import OnnxTagger
from bert_ner.files import check_sums, sha256_of

LABELS = ["O", "B-GENRE", "I-GENRE", "B-PERSON", "I-PERSON"]
Train = Callable[..., Path]


@pytest.fixture
def run(tmp_path: Path, sentences: list[Sentence], monkeypatch: pytest.MonkeyPatch) -> Train:
    """Train a system on eight sentences, and return its folder."""

    def run(system: str, **section: Any) -> Path:
        general = {"corpora": ["sample"], "baselines": [system], "encoders": [system], "seeds": [3], "extra_runs": {}}
        general["split"] = {"validation_fraction": 0.1, "seed": 1}
        general["label_audit"] = {"system": system, "folds": 2, "seed": 1}
        params = Params.model_validate({**general, system: section})
        for name, value in (
            ("read_section", lambda corpus, system: params[system]),
            ("read_labels", lambda corpus: LABELS),
            ("read_part", lambda corpus, part: sentences),
            ("MODELS", tmp_path),
            ("state_file", lambda corpus, name: tmp_path / "state"),
            ("remove_state", lambda corpus, name: (tmp_path / "state").unlink(missing_ok=True)),
            ("model_folder", lambda corpus, run: tmp_path / corpus / run.name),
        ):
            monkeypatch.setattr(train, name, value)
        monkeypatch.setattr(sys, "argv", ["train.py", "--corpus", "sample", "--system", system, "--seed", "3"])
        train.main()
        assert [path.name for path in tmp_path.iterdir()] == ["sample"]
        folder = tmp_path / "sample" / f"{system}-3"
        check_sums(folder, "train it again")
        facts = json.loads((folder / "run.json").read_text())
        assert (facts["system"], facts["seed"], facts["processes"]) == (system, 3, 1)
        assert facts["settings"] == {name: value for name, value in section.items() if name != "kind"}
        return folder

    return run


def test_a_baseline(run: Train) -> None:
    assert isinstance(load_tagger(run("majority")), MajorityTagger)


def test_only_an_encoder_trains_in_several_processes(run: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(BertNerError, match="majority trains in one process; start it with python"):
        run("majority")


def test_an_encoder_gets_its_8_bit_copy(run: Train, recipe: Recipe) -> None:
    folder = run("tiny", kind="encoder", **recipe.model_dump())
    assert isinstance(load_tagger(folder), OnnxTagger)
    weights = json.loads((folder / "run.json").read_text())["weights"]
    assert weights["source"] == f"folder {recipe.name}"


def test_a_student_learns_from_trained_models_and_records_them(
    run: Train, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"kind": "encoder", **recipe.model_dump()}
    monkeypatch.setattr("harness.teachers.model_folder", lambda corpus, run: tmp_path / corpus / run.name)
    monkeypatch.setattr("harness.artifacts.model_folder", lambda corpus, run: tmp_path / corpus / run.name)
    student = {**settings, "teachers": ["minilm-3"]}
    params = MagicMock(systems=["minilm"], kind=lambda _: "encoder")
    params.__getitem__.return_value = settings
    monkeypatch.setattr(train, "read_params", lambda: params)
    with pytest.raises(
        BertNerError, match=r"minilm-3/run.json is missing.*train.py --corpus sample --system minilm --"
    ):
        run("tiny", **student)
    teacher = run("minilm", **settings)
    folder = run("tiny", **student)
    recorded = json.loads((folder / "run.json").read_text())["teachers"]
    assert recorded == {"minilm-3": sha256_of(teacher / "model.safetensors")}
    assert sha256_of(folder / "model.safetensors") != recorded["minilm-3"]
    assert "teachers" not in json.loads((teacher / "run.json").read_text())

    facts = json.loads((teacher / "run.json").read_text())
    (teacher / "run.json").write_text(json.dumps({**facts, "corpus": "other"}))
    with pytest.raises(
        BertNerError, match="minilm-3 was trained on other and can't teach a model of sample; run python"
    ):
        run("tiny", **student)


@pytest.mark.filterwarnings("error")
def test_a_crf_gets_none_and_no_warning(run: Train, recipe: Recipe) -> None:
    folder = run("tiny", kind="encoder", **{**recipe.model_dump(), "crf": True})
    assert not (folder / "int8").exists()
    assert isinstance(load_tagger(folder), EncoderTagger)


def test_an_encoder_that_can_not_be_exported_is_saved_with_a_warning(
    run: Train, recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise NotExportable("PyTorch can't export a bert model: no such operator")

    monkeypatch.setattr(export, "write_graph", fail)
    with pytest.warns(UserWarning, match="can't export a bert model: no such operator; it will tag with .* slower"):
        folder = run("tiny", kind="encoder", **recipe.model_dump())
    assert not (folder / "int8").exists()
    assert isinstance(load_tagger(folder), EncoderTagger)


class Forgetful(MajorityTagger):
    """A system whose author left something out."""

    def save(self, folder: Path) -> None:
        (folder / "table.json").write_text("{}")


class Partial(MajorityTagger):
    """A system that loads less than it needs."""

    @classmethod
    def load(cls, _: Path) -> Self:
        return cls.__new__(cls)


class Other(MajorityTagger):
    """A system that loads another model than it saved."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        tagger = super().load(folder)
        tagger.tag_of = dict.fromkeys(tagger.tag_of, "B-GENRE")
        return tagger


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Forgetful, "Forgetful.save wrote no tagger.json; let it call bert_ner.model_folder.write_model"),
        (Partial, "Partial.load does not restore all that Partial.tag needs (AttributeError: "),
        (Other, "a saved Other tags differently once it is loaded; compare Other.save with Other.load"),
    ],
)
def test_a_model_that_does_not_come_back_as_it_was_is_named_and_not_kept(
    run: Train, kind: type[MajorityTagger], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(loading.KINDS, "majority", f"{__name__}:{kind.__name__}")
    monkeypatch.setitem(sys.modules, __name__, sys.modules.get(__name__) or types.SimpleNamespace(**globals()))
    with pytest.raises(BertNerError) as caught:
        run("majority")
    assert message in str(caught.value)
    assert not (tmp_path / "sample" / "majority-3").exists()
