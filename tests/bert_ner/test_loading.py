"""load_tagger: the right class for a folder, each file verified once, or a message that says what is wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from baselines.crf import CRFSettings, CRFTagger
from bert_ner import loading
from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.errors import BertNerError
from bert_ner.export.export import export
from bert_ner.export.tagger import OnnxTagger
from bert_ner.files import SUMS, Damaged, sha256_of, write_sums
from bert_ner.loading import KINDS, load_tagger, tagger_class, trained_folder
from bert_ner.model_folder import MANIFEST, TaggerUnavailable, write_manifest
from bert_ner.scoring import entity_f1
from bert_ner.settings import parse_settings
from bert_ner.tagger import ScoringTagger


def test_saved_crf(sentences: list[Sentence], tmp_path: Path) -> None:
    tagger = CRFTagger(CRFSettings(c1=[0.1], c2=[0.01], max_iterations=20), scoring=entity_f1)
    tagger.fit(sentences, sentences)
    tagger.save(tmp_path)
    loaded = load_tagger(str(tmp_path))
    assert isinstance(loaded, CRFTagger)
    words = [words for words, _ in sentences]
    assert loaded.tag(words) == tagger.tag(words)


def test_saved_encoder(trained: Any, sentences: list[Sentence]) -> None:
    loaded = load_tagger(trained.folder, quantised=False)
    assert isinstance(loaded, EncoderTagger)
    assert loaded.tag([words for words, _ in sentences]) == [list(tags) for _, tags in sentences]


def test_scoring_taggers_are_recognised(trained: Any, crf_folder: Path) -> None:
    assert isinstance(trained.tagger, ScoringTagger)
    assert isinstance(load_tagger(crf_folder), ScoringTagger)


def test_trained_folder_of_the_lowest_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a/encoder-100", "a/encoder-13", "a/encoder-x", "a/two-part-7", "b/encoder-1", "b/crf-0"):
        (tmp_path / "models" / name).mkdir(parents=True)
    assert trained_folder("a", "encoder") == Path("models/a/encoder-13")
    assert trained_folder("a", "two-part") == Path("models/a/two-part-7")
    assert trained_folder("b", "crf") == Path("models/b/crf-0")
    for nothing in ("crf", "*", "", "../b/crf", "two"):
        with pytest.raises(TaggerUnavailable, match=r"run 'make repro'.*--model; trained here: models/a/encoder-100, "):
            trained_folder("a", nothing)


def test_without_a_name_the_best_small_encoder_that_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models/a/crf-0").mkdir(parents=True)
    (tmp_path / "models/b/minilm_best-13").mkdir(parents=True)
    with pytest.raises(TaggerUnavailable, match=r"no system 'minilm' trained on a: .*models/a/crf-0"):
        trained_folder("a")
    for name in ("a/minilm-13", "more/a/minilm_tuned-42", "more/a/minilm_tuned-7", "more/a/minilm_best-87"):
        (tmp_path / "models" / name).mkdir(parents=True)
        expected = "more/a/minilm_tuned-7" if name.endswith("tuned-7") else name
        assert trained_folder("a") == Path("models") / expected


def test_nothing_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TaggerUnavailable) as caught:
        trained_folder("a", "crf")
    assert str(caught.value) == (
        f"no system 'crf' trained on a: {tmp_path}/models has neither a/crf-<seed> nor more/a/crf-<seed>; run "
        f"'make repro' in the repository, and this command there too, or name the folder of a saved tagger with --model"
    )


def test_manifest_keeps_settings(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    write_manifest(tmp_path, "crf", ("a",), note="é", sizes=[1, 2])
    content = json.loads((tmp_path / MANIFEST).read_text(encoding="utf-8"))
    assert content == {"tagger": "crf", "sha256": {"a": sha256_of(tmp_path / "a")}, "note": "é", "sizes": [1, 2]}


def test_every_kind_is_a_class() -> None:
    for kind in KINDS:
        assert callable(tagger_class(kind).load)
    with pytest.raises(TaggerUnavailable, match="no kind of tagger is named 'x'; valid kinds: majority, gazetteer,"):
        tagger_class("x")


def test_an_installed_package_adds_a_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = "[bert_ner.taggers]\nadded = added_kind:Added\nlost = added_kind:Lost\ncrf = added_kind:Added\n"
    (tmp_path / "added_kind-1.0.dist-info").mkdir()
    (tmp_path / "added_kind-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: added_kind\nVersion: 1.0\n"
    )
    (tmp_path / "added_kind-1.0.dist-info" / "entry_points.txt").write_text(entries)
    (tmp_path / "added_kind.py").write_text("class Added:\n    load = staticmethod(lambda folder: folder.name)\n")
    monkeypatch.syspath_prepend(tmp_path)
    loading._installed_kinds.cache_clear()
    try:
        (tmp_path / "model").mkdir()
        write_manifest(tmp_path / "model", "added", ())
        assert load_tagger(tmp_path / "model") == "model"  # type: ignore[comparison-overlap]
        with pytest.raises(TaggerUnavailable, match="added_kind has no Lost, which the kind 'lost' names"):
            tagger_class("lost")
        assert tagger_class("crf").__module__ == "baselines.crf"  # ours can't be replaced
    finally:
        loading._installed_kinds.cache_clear()


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each file is hashed."""
    counts: Counter[str] = Counter()
    digest = hashlib.file_digest

    def count(file: Any, name: str) -> Any:
        counts["/".join(Path(file.name).parts[-2:])] += 1
        return digest(file, name)

    monkeypatch.setattr("bert_ner.files.hashlib.file_digest", count)
    return counts


@pytest.mark.parametrize("kind", ["crf", "encoder", "encoder with its copy", "exported"])
def test_each_file_is_hashed_once(
    trained: Any, crf_folder: Path, tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    folder = Path(shutil.copytree(crf_folder if kind == "crf" else trained.folder, tmp_path / "model"))
    if kind != "crf":
        export(folder, folder / "int8", "int8")
    if kind == "exported":
        folder = folder / "int8"
    write_sums(folder)
    counts = request.getfixturevalue("hashed")
    load_tagger(folder, quantised=kind != "encoder")
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != SUMS]
    if kind == "encoder":
        files = [path for path in files if path.parent == folder]
    assert counts == {"/".join(path.parts[-2:]): 1 for path in files}


def test_weights_without_a_checksum_are_hashed_for_their_copy(
    trained: Any, tmp_path: Path, hashed: Counter[str]
) -> None:
    folder = Path(shutil.copytree(trained.folder, tmp_path / "model"))
    export(folder, folder / "int8", "int8")
    hashed.clear()
    assert isinstance(load_tagger(folder, quantised=True), OnnxTagger)
    assert hashed["model/model.safetensors"] == 1
    assert set(hashed.values()) == {1}


# The manifests of version 0.1.0: the class in place of the kind, and one checksum without the file's name.
FORMER = {
    "crf": ("baselines.crf:CRFTagger", "model.crfsuite"),
    "hmm": ("baselines.hmm:HMMTagger", "hmm.json"),
    "gazetteer": ("baselines.gazetteer:GazetteerTagger", "gazetteer.json"),
    "majority": ("baselines.majority:MajorityTagger", "majority.json"),
}


@pytest.mark.parametrize("kind", FORMER)
def test_a_folder_of_an_older_version_loads_and_is_verified(
    sentences: list[Sentence], tmp_path: Path, kind: str
) -> None:
    system = tagger_class(kind)
    settings = parse_settings(system.Settings, SETTINGS[kind])  # type: ignore[attr-defined]
    tagger = system(settings, scoring=entity_f1)  # type: ignore[call-arg]
    tagger.fit(sentences, sentences)
    tagger.save(tmp_path)
    path, file = FORMER[kind]
    digest = sha256_of(tmp_path / file)
    (tmp_path / MANIFEST).write_text(json.dumps({"tagger": path, "sha256": digest}))
    words = [words for words, _ in sentences]
    assert load_tagger(tmp_path).tag(words) == tagger.tag(words)
    for wrong in ("0" * 64, None):
        (tmp_path / MANIFEST).write_text(json.dumps({"tagger": path, "sha256": wrong}))
        with pytest.raises(
            Damaged, match=rf"{file} is not the file .* its SHA-256 is {digest}, expected {wrong}; train"
        ):
            load_tagger(tmp_path)


SETTINGS: dict[str, dict[str, Any]] = {
    "crf": {"c1": [0.1], "c2": [0.1], "max_iterations": 5},
    "hmm": {"suffix": [2], "rare": [1], "prior": [1.0]},
    "gazetteer": {"min_count": [1], "min_share": [0.5]},
    "majority": {},
}


def test_an_exported_folder_of_an_older_version_loads_and_is_verified(trained: Any, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    export(trained.folder, folder, "int8")
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, "tagger": "bert_ner.encoder.onnx:OnnxTagger"}))
    (folder / SUMS).unlink()
    assert isinstance(load_tagger(folder), OnnxTagger)
    with (folder / "model.onnx").open("ab") as file:
        file.write(b"?")
    with pytest.raises(Damaged, match=r"model\.onnx is not the file that was written"):
        load_tagger(folder)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(TaggerUnavailable, match="no such folder; train a system first"):
        load_tagger(tmp_path / "nothing")
    (tmp_path / "file").touch()
    with pytest.raises(TaggerUnavailable, match="no such folder"):
        load_tagger(tmp_path / "file")


def test_folder_without_a_tagger(tmp_path: Path) -> None:
    with pytest.raises(TaggerUnavailable, match=r"holds no tagger, neither tagger\.json nor"):
        load_tagger(tmp_path)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not a JSON object with 'tagger'"),
        (b"{'tagger': 1}", "not a JSON object with 'tagger'"),
        (b"\xff\xfe", "not a JSON object with 'tagger'"),
        (b"[]", "not a JSON object with 'tagger'"),
        (b'"tagger"', "not a JSON object with 'tagger'"),
        (b"null", "not a JSON object with 'tagger'"),
        (b"{}", "not a JSON object with 'tagger'"),
        (b'{"tagger": null}', "no kind of tagger is named 'None'; valid kinds: majority, "),
        (b'{"tagger": "os:system"}', "no kind of tagger is named 'os:system'"),
        (b'{"tagger": "baselines.crf:features"}', "no kind of tagger is named 'baselines.crf:features'"),
    ],
)
def test_broken_manifest(tmp_path: Path, content: bytes, complaint: str) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(TaggerUnavailable) as caught:
        load_tagger(tmp_path)
    assert complaint in str(caught.value)
    assert str(tmp_path / MANIFEST) in str(caught.value)
    assert isinstance(caught.value, BertNerError)


def test_whatever_load_raises_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(folder: Path) -> CRFTagger:
        raise FileNotFoundError(2, "No such file", str(folder / "model.crfsuite"))

    monkeypatch.setattr(CRFTagger, "load", load)
    write_manifest(tmp_path, "crf")
    with pytest.raises(TaggerUnavailable, match=r"train it again.*FileNotFoundError.*model\.crfsuite"):
        load_tagger(tmp_path)


def test_encoder_s_own_explanation_is_kept(trained: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "copy")
    (folder / "model.safetensors").write_bytes(b"cut off")
    write_sums(folder)
    with pytest.raises(BertNerError, match="its model can't be loaded"):
        load_tagger(folder)


def test_bare_encoder_is_no_tagger(wheel: Path) -> None:
    with pytest.raises(BertNerError, match=r"lack 2 parameter.*fine-tune it first"):
        load_tagger(wheel)
