"""Taggers in forked processes, in many threads and in pickles: each in a child process, because some faults hang."""

from __future__ import annotations

import json
import os
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from baselines.bilstm_crf import BiLSTMCRFTagger, BiLSTMSettings
from baselines.gazetteer import GazetteerSettings, GazetteerTagger
from baselines.hmm import HMMSettings, HMMTagger
from baselines.majority import MajorityTagger
from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence, labels_of
from bert_ner.export.export import export
from bert_ner.loading import KINDS
from bert_ner.scoring import entity_f1
from bert_ner.settings import Settings
from bert_ner.tagger import ScoringTagger

pytestmark = pytest.mark.slow  # many processes or trainings
SECONDS = 120  # after which a child counts as hung; each takes a few
BILSTM = {
    "word_size": 8, "character_size": 4, "filters": 4, "hidden": 8, "dropout": 0.1, "word_dropout": 0.1,
    "learning_rate": 0.01, "batch_size": 4, "epochs": 3,
}  # fmt: skip

FORK = """
import multiprocessing, sys
from bert_ner import load_tagger

tagger = load_tagger(sys.argv[1])
tagger.batch_pieces = 256
texts = [["ada", "brook", f"w{i}", *["westerns"] * (i % 7)] for i in range(300)]


def tag(start):
    return tagger.tag(texts[start:])


expected = tagger.tag(texts)
with multiprocessing.get_context("fork").Pool(2) as pool:
    found = pool.map_async(tag, [0, 100]).get(timeout=60)
assert found == [expected, expected[100:]], "a child's tags differ"
"""

THREADS = """
import random, sys
from concurrent.futures import ThreadPoolExecutor
from bert_ner import load_tagger
from bert_ner.encoder import alignment

alignment._CACHE_LIMIT = 200  # so that the cache is full all the time
sys.setswitchinterval(1e-5)
tagger, draw = load_tagger(sys.argv[1]), random.Random(0)
method = getattr(tagger, "tag_scored", tagger.tag)
words = ["ada", "brook", "olaf", "westerns", "heist", "comedy"] + [f"x{i}" for i in range(50)]
texts = [draw.choices(words, k=draw.randint(1, 14)) for _ in range(150)]
alone = [method([text]) for text in texts]
with ThreadPoolExecutor(4) as pool:
    together = list(pool.map(lambda text: method([text]), texts * 2))
assert together == alone * 2, "the tags of some threads differ"
"""


@pytest.fixture(scope="module")
def folders(
    trained: Any, crf_folder: Path, sentences: list[Sentence], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Return a saved tagger of each kind."""
    root = tmp_path_factory.mktemp("kinds")
    others = {
        "majority": MajorityTagger(Settings(), scoring=entity_f1),
        "gazetteer": GazetteerTagger(GazetteerSettings(min_count=[1], min_share=[0.5]), scoring=entity_f1),
        "hmm": HMMTagger(HMMSettings(suffix=[2], rare=[1], prior=[0.5]), scoring=entity_f1),
        "bilstm_crf": BiLSTMCRFTagger(
            BiLSTMSettings(**BILSTM), scoring=entity_f1, labels=labels_of(["GENRE", "PERSON"]), seed=1
        ),
    }
    for kind, tagger in others.items():
        tagger.fit(sentences, sentences)
        (root / kind).mkdir()
        tagger.save(root / kind)
    export(trained.folder, root / "onnx", "int8")
    return {**{kind: root / kind for kind in (*others, "onnx")}, "crf": crf_folder, "encoder": trained.folder}


def succeed(code: str, *arguments: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_kind_is_tested(folders: dict[str, Path]) -> None:
    assert set(folders) == set(KINDS)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
@pytest.mark.parametrize("kind", KINDS)
def test_a_child_tags_after_its_parent_has(folders: dict[str, Path], kind: str) -> None:
    succeed(FORK, str(folders[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_threads_do_not_disturb_each_other(folders: dict[str, Path], kind: str) -> None:
    succeed(THREADS, str(folders[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickle_tags_the_same_elsewhere(
    folders: dict[str, Path], sentences: list[Sentence], tmp_path: Path, kind: str
) -> None:
    tagger = load_tagger(folders[kind])
    texts = [list(words) for words, _ in sentences]
    (tmp_path / "tagger.pickle").write_bytes(pickle.dumps(pickle.loads(pickle.dumps(tagger))))  # a copy of a copy
    (tmp_path / "texts.json").write_text(json.dumps(texts))
    code = (
        "import json, pickle, sys; tagger = pickle.load(open('tagger.pickle', 'rb'));"
        "print(json.dumps(tagger.tag(json.load(open('texts.json')))))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False, timeout=SECONDS)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == tagger.tag(texts)
    copy = pickle.loads(pickle.dumps(tagger))
    if isinstance(tagger, ScoringTagger):
        assert copy.tag_scored(texts) == tagger.tag_scored(texts)
    (tmp_path / "saved").mkdir()
    copy.save(tmp_path / "saved")
    assert load_tagger(tmp_path / "saved").tag(texts) == tagger.tag(texts)


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickle_names_the_class_and_holds_files_only(folders: dict[str, Path], kind: str) -> None:
    data = pickle.dumps(load_tagger(folders[kind]))
    module, name = KINDS[kind].split(":")
    opcodes = [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(data)]
    strings = [argument for opcode, argument in opcodes if "UNICODE" in opcode]
    # A class is named by two strings and STACK_GLOBAL; copyreg makes an object without calling its __init__.
    globals_ = sum(opcode in ("STACK_GLOBAL", "GLOBAL") for opcode, _ in opcodes)
    assert globals_ == 1
    assert strings[:2] == [module, name]
    assert "tagger.json" in strings or "config.json" in strings
