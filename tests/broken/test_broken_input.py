"""Broken input, as a user meets it: one message that says what, where and what to do, and no traceback.

What a single function refuses is tested beside it (test_bio.py, test_stream.py, test_judge.py, ...). Here commands are
run on files that are broken in ways that happen: cut, in another encoding or format, half merged, with a typing error.
"""

from __future__ import annotations

import gzip
import importlib
import json
import os
import shutil
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from harness.run_main import run_main

import pytest
from ruamel.yaml import YAML

from bert_ner import cli
from bert_ner.corpus import read_bio
from bert_ner.corpus.bio import Sentence, labels_of, write_bio
from bert_ner.export.export import export
from bert_ner.files import SUMS, write_sums

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = ROOT / "experiments"

Change = bytes | str | None | Callable[[bytes], bytes]  # of a file: its new content, None to remove it, or an edit


class Case(NamedTuple):
    """A file that is broken, the command that meets it, and what the command says; FOLDER is where it runs."""

    path: str
    change: Change
    command: str
    message: str


def swapped(old: str, new: str) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        assert old.encode() in content, f"{old!r} is not in the file"
        return content.replace(old.encode(), new.encode())

    return edit


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def manifest(**settings: Any) -> Callable[[bytes], bytes]:
    return lambda content: json.dumps({**json.loads(content), **settings}).encode()


MERGE = "<<<<<<< HEAD\nO\ta\n=======\nO\tb\n>>>>>>> other\n"
LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n"
DEEP = "[" * 5_000
DEEP_YAML = "[" * 1_000  # its reader takes more frames for a level, and longer

BIO = [
    Case("x.bio", change, "read_bio x.bio", message)
    for change, message in [
        (
            "O\ta\n".encode("utf-16-be"),
            "x.bio: neither column looks like BIO tags; say which holds them with order='tag-first'",
        ),
        (
            "O\ta\n".encode("utf-32"),
            "x.bio:1: byte 0xff is not UTF-8; convert the file with iconv -f <its encoding> -t utf-",
        ),
        (
            gzip.compress(b"O\ta\n", mtime=0),
            "x.bio:1: byte 0x8b is not UTF-8; convert the file with iconv -f <its encoding> -t utf-",
        ),
        (
            b"\x00" * 40,
            "x.bio:1: 1 column, not a tag and a word: '\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00",
        ),
        (
            "<html><body>Please log in</body></html>\n",
            "x.bio:1: 3 columns, not a tag and a word: '<html><body>Please log in</body></html>'",
        ),
        (
            '{"words": ["a"], "tags": ["O"]}\n',
            'x.bio:1: 4 columns, not a tag and a word: \'{"words": ["a"], "tags": ["O"]}\'',
        ),
        ("O,a\nB-X,b\n", "x.bio:1: 1 column, not a tag and a word: 'O,a'"),
        (
            "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\n",
            "x.bio:1: 4 columns, not a tag and a word: '-DOCSTART- -X- -X- O'",
        ),
        ("B-X\ta\nE-X\tb\n", "x.bio:2: 'E-X' is not a tag; expected O, B-<type> or I-<type>"),
        ("B-X\ta\nL-X\tb\nU-X\tc\n", "x.bio:2: 'L-X' is not a tag; expected O, B-<type> or I-<type>"),
        ("b-x\ta\nO\tb\n", "x.bio:1: 'b-x' is not a tag; expected O, B-<type> or I-<type>"),
        ("B\u2013X\ta\nO\tb\n", "x.bio:1: 'B\u2013X' is not a tag; expected O, B-<type> or I-<type>"),
        ("B_X\ta\nO\tb\n", "x.bio:1: 'B_X' is not a tag; expected O, B-<type> or I-<type>"),
        ("B- X\ta\nO\tb\n", "x.bio:1: 3 columns, not a tag and a word: 'B- X\\ta'"),
        ("0\ta\nO\tb\nO\tc\n", "x.bio:1: '0' is not a tag; expected O, B-<type> or I-<type>"),
        ("\ta\nO\tb\n", "x.bio:1: 1 column, not a tag and a word: '\\ta'"),
        ("O\ta\x0bb\n\x0c\nO\tc\n", "x.bio:2: 1 column, not a tag and a word: '\\x0c'"),
        ("word\ttag\nfilms\tO\nby\tO\n", "x.bio:1: 'tag' is not a tag; expected O, B-<type> or I-<type>"),
        (MERGE, "x.bio:1: '<<<<<<<' is not a tag; expected O, B-<type> or I-<type>"),
        (LFS, "x.bio: neither column looks like BIO tags; say which holds them with order='tag-first'"),
        (
            b"O\ta\nO\t\x93quoted\x94\n",
            "x.bio:2: byte 0x93 is not UTF-8; convert the file with iconv -f <its encoding> -t utf-",
        ),
        (
            b"O\ta\nO\t\xed\xa0\xbd\xed\xb8\x80\n",
            "x.bio:2: byte 0xed is not UTF-8; convert the file with iconv -f <its encoding> -t utf-",
        ),
        (
            b"O\ta\nB-X\tcaf\xc3",
            "x.bio:2: byte 0xc3 is not UTF-8; convert the file with iconv -f <its encoding> -t utf-",
        ),
        ("x" * 1_000_000, "x.bio:1: 1 column, not a tag and a word: 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
        ("I-X\ta\nI-X\tb\n", "x.bio:1: 'I-X' at the start of a sentence; an entity opens with 'B-X'"),
    ]
] + [
    Case("x.bio", None, "read_bio x.bio", "x.bio can't be read: No such file or directory"),
    Case(
        "x.bio", "", "read_bio /dev/null", "/dev/null: no sentence in it; expected a line 'TAG<TAB>word' for each word"
    ),
    Case("x.bio", "", "read_bio loop", "loop can't be read: Too many levels of symbolic links"),
    Case(
        "x.bio",
        "",
        f"read_bio {'x' * 300}",
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    ),
    Case("x.bio", "", "read_bio nul\0byte", "embedded null byte"),
]

TRAIN_CRF = "train.py --corpus sample --system crf"
TRAIN_ENCODER = "train.py --corpus sample --system minilm --seed 13"
PARAMS = [
    Case("params.yaml", change, command, message)
    for change, command, message in [
        (b"\xff\xfe", TRAIN_CRF, "FOLDER/params.yaml: expected sections, as in the one in the repository"),
        (
            b"seeds: [1]\x00",
            TRAIN_CRF,
            "FOLDER/params.yaml can't be read: unacceptable character #x0000: special characters ar",
        ),
        ("seeds:\n\t- 1\n", TRAIN_CRF, "FOLDER/params.yaml can't be read: while scanning for the next token"),
        (lambda c: c + b"\nseeds: [1]\n", TRAIN_CRF, 'found duplicate key "seeds"'),
        (
            lambda c: c + b"\n---\na: 1\n",
            TRAIN_CRF,
            "FOLDER/params.yaml can't be read: expected a single document in the stream",
        ),
        (
            lambda c: b"<<<<<<< HEAD\n" + c,
            TRAIN_CRF,
            "FOLDER/params.yaml can't be read: mapping values are not allowed here",
        ),
        (
            "seeds: !!python/object/apply:os.system ['touch it-ran']\n",
            TRAIN_CRF,
            "FOLDER/params.yaml can't be read: could not determine a constructor for the tag 'tag:y",
        ),
        ("seeds: *nothing\n", TRAIN_CRF, "FOLDER/params.yaml can't be read: found undefined alias 'nothing'"),
        (DEEP_YAML, TRAIN_CRF, "FOLDER/params.yaml can't be read: maximum recursion depth exceeded"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{n}: &{n} [{','.join(['*' + m] * 9)}]\n" for m, n in pairwise("abcdefgh"))
            + "corpora: *h\nbaselines: *h\nseeds: *h\nsplit: *h\nencoders: *h\nmore: *h\n",
            TRAIN_CRF,
            "FOLDER/params.yaml: corpora must be a list of names, not [[[[...], [...], [...], [...]",
        ),
        (
            swapped("corpora:\n- sample", "corpora:\n- 5"),
            TRAIN_CRF,
            "FOLDER/params.yaml: corpora must be a list of names, not [5]",
        ),
        (
            swapped("validation_fraction: 0.1", "validation_fraction: 1.5"),
            "prepare.py --corpus sample",
            "FOLDER/params.yaml: split must be validation_fraction, a number between 0 and 1, and s",
        ),
        (
            swapped("validation_fraction: 0.1", "validation_fraction: .nan"),
            "prepare.py --corpus sample",
            "FOLDER/params.yaml: split must be validation_fraction, a number between 0 and 1, and s",
        ),
        (
            swapped("validation_fraction: 0.1", "validation_fraction: 0,1"),
            "prepare.py --corpus sample",
            "FOLDER/params.yaml: split must be validation_fraction, a number between 0 and 1, and s",
        ),
        (
            swapped("seed: 42", "sead: 42"),
            TRAIN_CRF,
            "FOLDER/params.yaml: split must be validation_fraction, a number between 0 and 1, and s",
        ),
        (
            swapped("max_iterations: 5", "max_iterations: many"),
            TRAIN_CRF,
            "params.yaml, section 'crf': max_iterations must be a whole number from 1 to 2147483647",
        ),
        (
            swapped("max_iterations: 5", "max_iterations: true"),
            TRAIN_CRF,
            "params.yaml, section 'crf': max_iterations must be a whole number from 1 to 2147483647",
        ),
        (
            swapped("max_iterations: 5", "max_iterations: 99999999999999999999"),
            TRAIN_CRF,
            "params.yaml, section 'crf': max_iterations must be a whole number from 1 to 2147483647",
        ),
        (
            swapped("max_iterations: 5", "max_iteration: 5"),
            TRAIN_CRF,
            "params.yaml, section 'crf': CRFTagger.__init__() got an unexpected keyword argument 'm",
        ),
        (
            swapped("c1:\n  - 0.1", "c1: {a: 1}\n#"),
            TRAIN_CRF,
            "params.yaml, section 'crf': c1 must be a list of numbers of at least 0, not {'a': 1}",
        ),
        (
            swapped("c1:\n  - 0.1", "c1:\n  - .inf"),
            TRAIN_CRF,
            "params.yaml, section 'crf': c1 must be a list of numbers of at least 0, not [inf]",
        ),
        (
            swapped("c1:\n  - 0.1", "c1:\n  - true"),
            TRAIN_CRF,
            "params.yaml, section 'crf': c1 must be a list of numbers of at least 0, not [True]",
        ),
        (
            swapped("c1:\n  - 0.1", "c1: '0.1'\n#"),
            TRAIN_CRF,
            "params.yaml, section 'crf': c1 must be a list of numbers of at least 0, not '0.1'",
        ),
        (lambda c: c.replace(b"crf:", b"crf_:"), TRAIN_CRF, "params.yaml has no section 'crf'"),
        (
            lambda c: c[: c.index(b"crf:\n")] + b"crf: 5\n" + c[c.index(b"minilm:") :],
            TRAIN_CRF,
            "params.yaml, section 'crf' must be settings and values, not 5",
        ),
        (
            lambda c: c[: c.index(b"crf:\n")] + b"crf:\n" + c[c.index(b"minilm:") :],
            TRAIN_CRF,
            "params.yaml, section 'crf' must be settings and values, not None",
        ),
        (
            swapped("epochs: 1\n", "epochs: 0\n"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': epochs must be a whole number of at least 1, not 0",
        ),
        (
            swapped("epochs: 1\n", "epochs: 1.0\n"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': epochs must be a whole number of at least 1, not 1.0",
        ),
        (
            swapped("epochs: 1\n", "epochs:\n"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': epochs must be a whole number of at least 1, not None",
        ),
        (
            swapped("batch_size: 32", "batch_size: true"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': batch_size must be a whole number of at least 1, not True",
        ),
        (
            swapped("learning_rate: ", "learning_rate: ~ #"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': learning_rate must be a number above 0, not None",
        ),
        (
            swapped("learning_rate: ", "learning_rate: .inf #"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': learning_rate must be a number above 0, not inf",
        ),
        (
            swapped("precision: float32", "precision: fp16"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': precision must be one of auto, bfloat16, float32, not 'fp16'",
        ),
        (
            swapped("warmup: 0.0", "warmup: 10%"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': warmup must be a number from 0 up to, not including, 1, not '10%'",
        ),
        (
            swapped("name: ", "name: no-such-encoder #"),
            TRAIN_ENCODER,
            "no encoder and no folder is named 'no-such-encoder'; 'bert-ner encoders' lists what ca",
        ),
        (
            swapped("name: ", "name: models #"),
            TRAIN_ENCODER,
            "models: config.json and tokenizer.json and model.safetensors missing; a Hugging Face m",
        ),
        (
            swapped("name: ", "name: params.yaml #"),
            TRAIN_ENCODER,
            "no encoder and no folder is named 'params.yaml'; 'bert-ner encoders' lists what can be",
        ),
        (
            swapped("warmup: 0.0", "warmup: 0.0\n  dropout: 0.1"),
            TRAIN_ENCODER,
            "params.yaml, section 'minilm': Recipe.__init__() got an unexpected keyword argument '",
        ),
    ]
]

JUDGE = "judge.py --corpus mit_movie_eng"
CLAIMS = [
    Case("experiments/claims.yaml", change, JUDGE, message)
    for change, message in [
        (None, "FOLDER/experiments/claims.yaml can't be read: [Errno 2] No such file or directory: 'FO"),
        (b"\xff\xfe\x00", "FOLDER/experiments/claims.yaml is not YAML: unacceptable character #x0000: truncated d"),
        (b"corpus: a\x00", "FOLDER/experiments/claims.yaml is not YAML: unacceptable character #x0000: special cha"),
        (DEEP_YAML, "FOLDER/experiments/claims.yaml can't be read: maximum recursion depth exceeded"),
        (
            "corpus: x\nencoder: y\nclaims: {a: 1}\n",
            "FOLDER/experiments/claims.yaml, line 3: claims must be a list of entries, not {a: 1}",
        ),
        ("- 1\n", "FOLDER/experiments/claims.yaml, line 1: expected the keys corpus, encoder, claims, not"),
        (
            "corpus: x\nencoder: y\nclaims: !!python/object/apply:os.system ['touch it-ran']\n",
            "FOLDER/experiments/claims.yaml, line 3: expected the keys id, section, claim, kind, pa",
        ),
        (
            "corpus: !!python/name:os.system\n",
            "FOLDER/experiments/claims.yaml, line 1: corpus must be text (in quotes, if it looks li",
        ),
        ("corpus: x\ncorpus: y\n", 'found duplicate key "corpus"'),
        (
            "corpus: x\n---\ncorpus: y\n",
            "FOLDER/experiments/claims.yaml is not YAML: expected a single document in the stream",
        ),
        (
            "corpus: x\nencoder: y\nclaims:\n  - &a\n    id: *a\n",
            "FOLDER/experiments/claims.yaml, line 5: id must be text (in quotes, if it looks like a",
        ),
        (
            "corpus: x\nencoder: y\nclaims:\n  - {id: [a], section: b}\n",
            "FOLDER/experiments/claims.yaml, line 4: id must be text (in quotes, if it looks like a",
        ),
        ("!!set a\n", "FOLDER/experiments/claims.yaml can't be read: 'ScalarNode' object has no attribute"),
        ("!!bool a\n", "FOLDER/experiments/claims.yaml can't be read: 'a'; take the one in the repository"),
        ("? [a, b]\n: c\n", "FOLDER/experiments/claims.yaml, line 1: unknown key '('a', 'b')'; the keys here are co"),
        ("1: x\n", "FOLDER/experiments/claims.yaml, line 1: unknown key '1'; the keys here are corpus, enc"),
        (cut, "FOLDER/experiments/claims.yaml is not YAML: while "),
        (
            lambda c: b"<<<<<<< HEAD\n" + c,
            "FOLDER/experiments/claims.yaml is not YAML: expected '<document start>', but found ('<",
        ),
    ]
] + [
    Case("experiments/published.yaml", change, JUDGE, message)
    for change, message in [
        (None, "FOLDER/experiments/published.yaml can't be read: [Errno 2] No such file or directory: "),
        ("systems:\n  -\n", "FOLDER/experiments/published.yaml, line 2: expected the keys system, parameters, score"),
        ("5\n", "FOLDER/experiments/published.yaml, line 1: expected the keys systems, not 5"),
        (
            "systems: [a: b, c]\n",
            "FOLDER/experiments/published.yaml, line 1: unknown key 'a'; the keys here are system, ",
        ),
    ]
]

TAG = "bert-ner tag queries --model models/sample/"
MODELS = [
    Case(f"models/sample/{path}", change, f"{TAG}{path.split('/')[0]}", message)
    for path, change, message in [
        ("crf-0/tagger.json", DEEP, "models/sample/crf-0/tagger.json: not a JSON object with 'tagger' in it"),
        ("crf-0/tagger.json", cut, "models/sample/crf-0/tagger.json: not a JSON object with 'tagger' in it"),
        ("crf-0/tagger.json", b"\x00" * 50, "models/sample/crf-0/tagger.json: not a JSON object with 'tagger' in it"),
        ("crf-0/tagger.json", manifest(sha256=5), "models/sample/crf-0/model.crfsuite: its SHA-256"),
        (
            "crf-0/tagger.json",
            '{"tagger": "bert_ner.export.export:OnnxTagger"}',
            "models/sample/crf-0/tagger.json: sha256 must be the files' sums, not None; export it a",
        ),
        (
            "crf-0/tagger.json",
            '{"tagger": "bert_ner.encoder.tagger:EncoderTagger"}',
            "models/sample/crf-0: its model can't be loaded; is a file in it missing, broken or cut",
        ),
        (
            "crf-0/tagger.json",
            '{"tagger": "baselines.crf:CRFTagger:x"}',
            "models/sample/crf-0/tagger.json: 'baselines.crf:CRFTagger:x' can't be found in this ve",
        ),
        (
            "crf-0/tagger.json",
            '{"tagger": "bert_ner..tagger:X"}',
            "models/sample/crf-0/tagger.json: 'bert_ner..tagger:X' can't be found in this version (",
        ),
        (
            "crf-0/tagger.json",
            '{"tagger": "bert_ner.tagger:Tagger"}',
            "models/sample/crf-0/tagger.json: 'bert_ner.tagger:Tagger' is not a tagger",
        ),
        ("crf-0/model.crfsuite", b"", "models/sample/crf-0/model.crfsuite: its SHA-256"),
        (
            "minilm-13/model.safetensors",
            cut,
            "models/sample/minilm-13/model.safetensors is not the file that was written: its SHA-2",
        ),
        (
            "minilm-13/model.safetensors",
            flipped,
            "models/sample/minilm-13/model.safetensors is not the file that was written: its SHA-2",
        ),
        (
            "minilm-13/model.safetensors",
            b"",
            "models/sample/minilm-13/model.safetensors is not the file that was written: its SHA-2",
        ),
        (
            "minilm-13/model.safetensors",
            LFS,
            "models/sample/minilm-13/model.safetensors is not the file that was written: its SHA-2",
        ),
        (
            "minilm-13/config.json",
            cut,
            "models/sample/minilm-13/config.json is not the file that was written: its SHA-256",
        ),
        (
            "minilm-13/config.json",
            None,
            "models/sample/minilm-13/config.json is missing, but SHA256SUMS beside it has its sum;",
        ),
        (
            "minilm-13/config.json",
            manifest(id2label={"0": "O"}),
            "models/sample/minilm-13/config.json is not the file that was written: its SHA-256",
        ),
        (
            "minilm-13/tokenizer.json",
            cut,
            "models/sample/minilm-13/tokenizer.json is not the file that was written: its SHA-256",
        ),
        (
            "minilm-13/tokenizer_config.json",
            "[]",
            "models/sample/minilm-13/tokenizer_config.json is not the file that was written: its S",
        ),
        ("onnx/model.onnx", flipped, "models/sample/onnx/model.onnx: its SHA-256"),
        ("onnx/tokenizer.json", flipped, "models/sample/onnx/tokenizer.json: its SHA-256"),
        (
            "onnx/tagger.json",
            manifest(labels=[1, 2]),
            "models/sample/onnx/tagger.json: labels must be a list of BIO tags, not [1, 2]; export ",
        ),
        (
            "onnx/tagger.json",
            manifest(labels=["O"]),
            "models/sample/onnx/tagger.json: 1 labels, but the model tells 5 apart; export it again",
        ),
        (
            "onnx/tagger.json",
            manifest(labels=None),
            "models/sample/onnx/tagger.json: labels must be a list of BIO tags, not None; export it",
        ),
        (
            "onnx/tagger.json",
            manifest(labels=["O", "B-X", "Q", "Q", "Q"]),
            "models/sample/onnx/tagger.json: labels must be a list of BIO tags, not ['O', 'B-X', 'Q",
        ),
        (
            "onnx/tagger.json",
            manifest(special={"cls": 101}),
            "models/sample/onnx/tagger.json: special must be the ids of cls, sep and pad, not {'cls",
        ),
        (
            "onnx/tagger.json",
            manifest(special={"cls": "a", "sep": "b", "pad": "c"}),
            "models/sample/onnx/tagger.json: special must be the ids of cls, sep and pad, not {'cls",
        ),
        (
            "onnx/tagger.json",
            manifest(special={"cls": -1, "sep": 10**9, "pad": 0}),
            "models/sample/onnx/tagger.json: special must be the ids of cls, sep and pad, not {'cls",
        ),
        (
            "onnx/tagger.json",
            manifest(limit=0),
            "models/sample/onnx/tagger.json: limit must be a whole number of at least 3, not 0; exp",
        ),
        (
            "onnx/tagger.json",
            manifest(limit="48"),
            "models/sample/onnx/tagger.json: limit must be a whole number of at least 3, not '48'; ",
        ),
        (
            "onnx/tagger.json",
            manifest(sha256=[]),
            "models/sample/onnx/tagger.json: sha256 must be the files' sums, not []; export it agai",
        ),
    ]
]

RESULTS = [
    Case(path, change, command, message)
    for path, change, command, message in [
        (
            "data/prepared/sample/labels.txt",
            b"\xff",
            TRAIN_CRF,
            "FOLDER/data/prepared/sample/labels.txt is not the file that was written: its SHA-256",
        ),
        (
            "data/prepared/sample/labels.txt",
            "",
            TRAIN_CRF,
            "FOLDER/data/prepared/sample/labels.txt is not the file that was written: its SHA-256",
        ),
        (
            "data/prepared/sample/labels.txt",
            "O\nB-X\n",
            TRAIN_CRF,
            "FOLDER/data/prepared/sample/labels.txt is not the file that was written: its SHA-256",
        ),
        (
            "data/prepared/sample/train.bio",
            cut,
            TRAIN_CRF,
            "FOLDER/data/prepared/sample/train.bio is not the file that was written: its SHA-256",
        ),
        (
            "data/prepared/sample/train.bio",
            flipped,
            TRAIN_CRF,
            "FOLDER/data/prepared/sample/train.bio is not the file that was written: its SHA-256",
        ),
        (
            "data/prepared/sample/train.bio",
            None,
            TRAIN_CRF,
            "FOLDER/data/prepared/sample/train.bio is missing, but SHA256SUMS beside it has its sum",
        ),
        (
            "data/raw/sample/sampletrain.bio",
            flipped,
            "prepare.py --corpus sample",
            "FOLDER/data/raw/sample/sampletrain.bio is not the sampletrain.bio that bert_ner/corpus",
        ),
        (
            "data/raw/sample/sampletrain.bio",
            cut,
            "prepare.py --corpus sample",
            "FOLDER/data/raw/sample/sampletrain.bio is not the sampletrain.bio that bert_ner/corpus",
        ),
        (
            "models/sample/crf-0/run.json",
            DEEP,
            "evaluate.py --corpus sample",
            "FOLDER/models/sample/crf-0/run.json can't be read",
        ),
        (
            "models/sample/crf-0/run.json",
            "{}",
            "evaluate.py --corpus sample",
            "FOLDER/models/sample/crf-0/run.json: no settings or no history in it; run python exper",
        ),
        (
            "models/sample/crf-0/run.json",
            "[]",
            "evaluate.py --corpus sample",
            "FOLDER/models/sample/crf-0/run.json: not a JSON object; remove it, and run the stage t",
        ),
        (
            "models/sample/crf-0/run.json",
            None,
            "evaluate.py --corpus sample",
            "FOLDER/models/sample/crf-0/run.json is missing; run python experiments/train.py --corp",
        ),
        (
            "models/sample/crf-0/model.crfsuite",
            cut,
            "evaluate.py --corpus sample",
            "FOLDER/models/sample/crf-0/model.crfsuite: its SHA-256",
        ),
        (
            "models/sample/minilm-13/model.safetensors",
            flipped,
            "evaluate.py --corpus sample",
            "FOLDER/models/sample/minilm-13/model.safetensors is not the file that was written: it",
        ),
        (
            "results/sample/scores.csv",
            "",
            "compare.py --corpus sample",
            "FOLDER/results/sample/scores.csv can't be read (No columns to parse from file); run py",
        ),
        (
            "results/sample/scores.csv",
            b"\xff\xfe",
            "compare.py --corpus sample",
            "FOLDER/results/sample/scores.csv can't be read ('utf-8' codec can't decode byte 0xff i",
        ),
        (
            "results/sample/scores.csv",
            'a,"b\n',
            "compare.py --corpus sample",
            "FOLDER/results/sample/scores.csv can't be read (Error tokenizing data. C error: EOF in",
        ),
        (
            "results/sample/scores.csv",
            "system\ncrf\n",
            "compare.py --corpus sample",
            "FOLDER/results/sample/scores.csv: no column encoder, seed, signature; run python exper",
        ),
        (
            "results/sample/scores.csv",
            swapped("crf,", "../../x,"),
            "compare.py --corpus sample",
            "FOLDER/results/sample/predictions/../../x-0.tags is missing, but scores.csv has a row ",
        ),
        (
            "results/sample/scores.csv",
            swapped(",0,", ",zero,"),
            "compare.py --corpus sample",
            "FOLDER/results/sample/scores.csv: a seed is not a whole number; run python experiments",
        ),
        (
            "results/sample/predictions/crf-0.tags",
            b"\xff\n",
            "compare.py --corpus sample",
            "FOLDER/results/sample/predictions/crf-0.tags: its SHA-256 is ",
        ),
        (
            "results/sample/predictions/crf-0.tags",
            cut,
            "compare.py --corpus sample",
            "FOLDER/results/sample/predictions/crf-0.tags: its SHA-256 is ",
        ),
        (
            "results/sample/predictions/crf-0.tags",
            None,
            "compare.py --corpus sample",
            "FOLDER/results/sample/predictions/crf-0.tags is missing, but scores.csv has a row of i",
        ),
        (
            "results/sample/predictions/crf-0.tags",
            lambda c: c.replace(b"O", b"Q", 1),
            "compare.py --corpus sample",
            "FOLDER/results/sample/predictions/crf-0.tags: its SHA-256 is ",
        ),
        (
            "results/provenance.json",
            '{"sample": 5}',
            "report.py --corpus sample",
            "FOLDER/results/provenance.json: not as it was written (AttributeError: 'int' object ha",
        ),
    ]
]

LINES = [
    Case("queries.jsonl", change, "bert-ner tag queries.jsonl --model models/sample/crf-0", message)
    for change, message in [
        (b'{"text": "caf\xe9"}\n', "byte 14 is 0xe9, which is not UTF-8 there"),
        ('{"text": "a"}\n'.encode("utf-16"), "byte 1 is 0xff, which is not UTF-8 there"),
        (gzip.compress(b'{"text": "a"}\n', mtime=0), "byte 2 is 0x8b, which is not UTF-8 there"),
        ("{'text': 'a'}\n", "not JSON: "),
        ('{"text": "a",}\n', "not JSON: "),
        ('{"text": "a"} {"text": "b"}\n', "not JSON: "),
        ('{"text": "a"', "not JSON: "),
        ('[{"text": "a"}]\n', 'not a JSON object with "words" or "text"'),
        ('"a"\n', 'not a JSON object with "words" or "text"'),
        ("null\n", 'not a JSON object with "words" or "text"'),
        ("{}\n", 'not a JSON object with "words" or "text"'),
        ('{"Text": "a"}\n', 'not a JSON object with "words" or "text"'),
        ('{"text": null}\n', '"text" is not a string'),
        ('{"text": ["a"]}\n', '"text" is not a string'),
        ('{"words": "a b"}\n', '"words" is not a list of strings'),
        ('{"words": ["a", null]}\n', '"words" is not a list of strings'),
        ('{"words": {"a": 1}}\n', '"words" is not a list of strings'),
        ('{"words": [["a"]]}\n', '"words" is not a list of strings'),
        ('{"text": NaN}\n', "not JSON: NaN is no number in it"),
        ('{"text": -Infinity}\n', "not JSON: -Infinity is no number in it"),
        ('{"n": ' + "9" * 5000 + "}\n", "not JSON that can be read: Exceeds the limit"),
        (DEEP + "\n", "JSON that is nested too deeply"),
        ('{"a":' * 5_000, "JSON that is nested too deeply"),
        ('{"text": "a\tb"}\n', "not JSON: "),
        ('{"text": "\\ud8"}\n', "not JSON: "),
        ('{"text": "' + "a" * 2**20 + '"}\n', "longer than 1,048,576 bytes"),
        (LFS, "not JSON: "),
    ]
]

ARGUMENTS = [
    Case("queries", "", command, message)
    for command, message in [
        ("bert-ner", "error: the following arguments are required: command"),
        ("bert-ner tga", "error: argument command: invalid choice: 'tga'"),
        ("bert-ner tag --model", "error: argument --model: expected one argument"),
        ("bert-ner tag nowhere", "nowhere can't be read: No such file or directory"),
        ("bert-ner tag models", "models can't be read: Is a directory"),
        (
            "bert-ner tag queries --model queries",
            "queries: no such folder; train a system first, for example with 'make repro'",
        ),
        (
            "bert-ner tag queries --model models",
            "models: holds no tagger, neither tagger.json nor a Hugging Face config.json",
        ),
        (
            "bert-ner tag queries --model nul\udcff",
            "nul\\udcff: no such folder; train a system first, for example with 'make repro'",
        ),
        ("bert-ner tag queries --system", "error: argument --system: expected one argument"),
        (
            "bert-ner tag queries --system crf --corpus mit_restaurant",
            "no system 'crf' trained on mit_restaurant in FOLDER/models; run 'make repro' in the re",
        ),
        (
            "bert-ner tag queries --system ../../etc --corpus sample",
            "no system '../../etc' trained on sample in FOLDER/models; run 'make repro' in the repo",
        ),
        ("bert-ner tag queries --corpus movies", "error: argument --corpus: invalid choice: 'movies'"),
        ("bert-ner tag queries --format tsv", "error: argument --format: invalid choice: 'tsv'"),
        ("bert-ner tag queries --output html", "error: argument --output: invalid choice: 'html'"),
        ("bert-ner export", "error: the following arguments are required: FOLDER, NEW_FOLDER"),
        ("bert-ner export models/sample/minilm-13", "error: the following arguments are required: NEW_FOLDER"),
        ("bert-ner export nowhere new", "nowhere: no such folder; train a system first, for example with 'make repro'"),
        (
            "bert-ner export models/sample/crf-0 new",
            "models/sample/crf-0 holds no encoder, so there is nothing to export",
        ),
        (
            "bert-ner export models/sample/onnx new",
            "models/sample/onnx holds no encoder, so there is nothing to export",
        ),
        ("bert-ner export models/sample/minilm-13 queries", "queries exists already; name a new folder"),
        ("bert-ner export models/sample/minilm-13 queries/new", "queries/new can't be written: File exists"),
        (
            "bert-ner export models/sample/minilm-13 new --weights int4",
            "error: argument --weights: invalid choice: 'int4'",
        ),
        ("bert-ner encoders all", "error: unrecognized arguments: all"),
        ("train.py", "error: the following arguments are required: --system"),
        ("train.py --corpus sample", "error: the following arguments are required: --system"),
        ("train.py --corpus sample --system svm", "error: argument --system: invalid choice: 'svm'"),
        (
            "train.py --corpus sample --system crf --seed one",
            "error: argument --seed: 'one' is not a whole number from 0 to 4294967295",
        ),
        (
            "train.py --corpus sample --system minilm --seed 99999999999999999999999",
            "error: argument --seed: '99999999999999999999999' is not a whole number from 0 to 4294967295",
        ),
        (
            "train.py --corpus sample --system minilm --seed -99999999999999999999999",
            "error: argument --seed: '-99999999999999999999999' is not a whole number from 0 to 4294967295",
        ),
        ("train.py --corpus sample --sys crf", "error: the following arguments are required: --system"),
        ("train.py sample", "error: the following arguments are required: --system"),
        ("evaluate.py --corpus", "error: argument --corpus: expected one argument"),
        ("compare.py --corpus ../etc", "error: argument --corpus: invalid choice: '../etc'"),
        ("study.py --corpus sample", "error: the following arguments are required: --study"),
        (
            "study.py --corpus sample --study nothing",
            "params.yaml has no study 'nothing' under 'studies'; there are warmup, no_decay, no_cli",
        ),
        ("repro.py --corpus conll", "error: argument --corpus: invalid choice: 'conll'"),
        ("repro.py --corpus mit_restaurant", "mit_restaurant is not among the corpora in params.yaml; add it there"),
        ("benchmark.py --tasks nothing", "error: unrecognized arguments: --tasks nothing"),
        ("acquire.py --corpus=", "error: argument --corpus: invalid choice: ''"),
    ]
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, encoder_folder: Path) -> Path:
    """Everything as it should be, on a corpus of eight sentences: what a case breaks one file of."""
    folder = tmp_path_factory.mktemp("whole")
    sentences = [
        Sentence(("films", "by", "ada", f"brook{i}"), ("O", "O", "B-DIRECTOR", "I-DIRECTOR")) for i in range(8)
    ]
    for part in ("train", "validation", "test"):
        write_bio(folder / f"data/prepared/sample/{part}.bio", sentences)
    (folder / "data/prepared/sample/labels.txt").write_text("\n".join(labels_of(["DIRECTOR", "GENRE"])))
    write_sums(folder / "data/prepared/sample")
    params = YAML(typ="safe").load(ROOT / "params.yaml")
    params |= {"corpora": ["sample"], "baselines": ["crf"], "encoders": ["minilm"], "seeds": [13], "more": {}}
    params["crf"] = {"c1": [0.1], "c2": [0.1], "max_iterations": 5}
    params["minilm"] |= {"name": str(encoder_folder), "epochs": 1, "precision": "float32"}
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.dump(params, folder / "params.yaml")
    (folder / "experiments").mkdir()
    for name in ("claims.yaml", "published.yaml"):
        shutil.copy(EXPERIMENTS / name, folder / "experiments" / name)
    (folder / "queries").write_text("films by ada\n")
    with pytest.MonkeyPatch.context() as patch:
        move(patch, folder)
        for command in ("acquire.py --corpus sample", TRAIN_CRF, TRAIN_ENCODER, "evaluate.py --corpus sample"):
            assert told_by(command) is None
    export(folder / "models/sample/minilm-13", folder / "models/sample/onnx", "float32")
    for name in ("crf-0", "onnx"):
        (folder / "models/sample" / name / SUMS).unlink()  # as without train.py, or by an older version
    return folder


def move(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Make a folder the one that the commands work in."""
    for path in EXPERIMENTS.glob("*.py"):
        module = importlib.import_module(path.stem)
        for name, value in list(vars(module).items()):
            if isinstance(value, Path) and value.is_relative_to(ROOT):
                patch.setattr(module, name, folder / value.relative_to(ROOT))
    patch.chdir(folder)


def told_by(command: str) -> str | None:
    """Run a command; what it says if it fails, else None."""
    program, *arguments = command.split(" ")
    if program == "read_bio":
        try:
            read_bio(*arguments)
        except ValueError as error:
            return str(error)
        return None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", command.split(" "))
        try:
            if program == "bert-ner":
                cli.main()
            else:
                run_main(importlib.import_module(program.removesuffix(".py")).main)
        except SystemExit as end:
            return None if end.code in (0, None) else str(end.code)
    return None


@pytest.mark.parametrize(
    "case",
    [*BIO, *PARAMS, *CLAIMS, *MODELS, *RESULTS, *LINES, *ARGUMENTS],
    ids=lambda case: f"{case.path}-{case.command.split()[0]}",
)
def test_broken(
    case: Case, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "work"
    shutil.copytree(base, folder, copy_function=os.link)
    (folder / "loop").symlink_to("loop")
    path = folder / case.path
    content = path.read_bytes() if path.is_file() else b""
    path.unlink(missing_ok=True)
    new = case.change(content) if callable(case.change) else case.change
    if new is not None:
        path.write_bytes(new.encode() if isinstance(new, str) else new)
    move(monkeypatch, folder)
    said = told_by(case.command)
    out, err = capfd.readouterr()
    errors = [json.loads(line).get("error", "") for line in out.splitlines() if line.startswith("{")]
    everything = "\n".join([said or "", err, *errors]).replace(str(folder), "FOLDER")
    assert said is not None, "it went through"
    assert case.message in everything
    assert "Traceback" not in everything
    assert not (folder / "it-ran").exists()
