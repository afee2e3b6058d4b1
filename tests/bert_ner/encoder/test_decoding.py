"""Legal paths, words without a piece, and labels of other schemes."""

from __future__ import annotations

import itertools
import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence, illegal_transitions, labels_of, spans_of
from bert_ner.encoder.chain import LinearChainCRF
from bert_ner.encoder.decoding import PathScores, best_path, legal_only
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.encoder.weights import WeightsUnavailable
from bert_ner.errors import BertNerError, InvalidValue
from bert_ner.export.export import export
from bert_ner.files import write_sums
from bert_ner.scoring import entity_f1
from bert_ner.settings import parse_settings

LABELS = labels_of(["GENRE", "PERSON"])
ZEROS = PathScores(np.zeros(5), np.zeros((5, 5)), np.zeros(5))
WORDS = [
    "who",
    "directed",
    "the",
    "lost",
    "island",
    "with",
    "a",
    "robot",
    "in",
    "space",
    "and",
    "which",
    "movies",
    "from",
    "last",
    "winter",
    "star",
    "her",
    "dog",
] * 2


# --- the best legal path ------------------------------------------------------------------------------------------


def test_the_best_legal_path_by_hand() -> None:
    """The first word's best label is O, the second's I-GENRE: B-GENRE I-GENRE loses 1, O B-GENRE or O O lose 2."""
    logits = np.array([[5, 4, 0, 0, 0], [0, 1, 3, 0, 0]], np.float32)
    legal = legal_only(ZEROS, LABELS)
    assert [LABELS[i] for i in best_path(logits, ZEROS)] == ["O", "I-GENRE"]
    assert [LABELS[i] for i in best_path(logits, legal)] == ["B-GENRE", "I-GENRE"]
    logits[0, 1] = 2.5  # now O B-GENRE is better
    assert [LABELS[i] for i in best_path(logits, legal)] == ["O", "B-GENRE"]


numbers = st.lists(st.floats(-3, 3, width=32), min_size=5, max_size=5)


@given(st.lists(numbers, min_size=1, max_size=4), st.lists(numbers, min_size=7, max_size=7))
def test_no_legal_path_is_better(rows: list[list[float]], learnt: list[list[float]]) -> None:
    scores = PathScores(np.array(learnt[0]), np.array(learnt[1:6]), np.array(learnt[6]))

    def total(path: tuple[int, ...]) -> float:
        emitted = sum(row[i] for row, i in zip(rows, path, strict=True))
        moves = sum(scores.transitions[a, b] for a, b in itertools.pairwise(path))
        return scores.start[path[0]] + emitted + moves + scores.end[path[-1]]

    paths = list(itertools.product(range(5), repeat=len(rows)))
    legal = [path for path in paths if not illegal_transitions([LABELS[i] for i in path])]
    found = tuple(best_path(np.array(rows), legal_only(scores, LABELS)))
    assert found in legal
    assert total(found) == pytest.approx(max(map(total, legal)), abs=1e-6)
    assert total(tuple(best_path(np.array(rows), scores))) == pytest.approx(max(map(total, paths)), abs=1e-6)


# --- taggers ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unsure(encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an encoder whose classifier is random, so that many of its best tags are illegal."""
    recipe = Recipe(
        name=str(encoder_folder), learning_rate=1e-9, batch_size=4, weight_decay=0.0, clip_norm=1.0, epochs=1,
        warmup=0.0, precision="float32", decoding="legal",
    )  # fmt: skip
    tagger = EncoderTagger(recipe, labels=LABELS, seed=3, scoring=entity_f1)
    sentences = [Sentence(("film",), ("O",))]
    tagger.fit(sentences, sentences)
    with torch.no_grad():
        tagger.model.classifier.weight.normal_(generator=torch.Generator().manual_seed(0))
        tagger.model.classifier.bias[0] = 3
    folder = tmp_path_factory.mktemp("unsure")
    tagger.save(folder)
    export(folder, folder / "int8", "int8")
    return folder


TEXTS = [WORDS[i : i + 1 + i % 6] for i in range(36)] + [WORDS * 4, [], ["\u200b"], ["who", "\u200b", "star"]]


@pytest.mark.parametrize("quantised", [False, True])
def test_a_legal_tagger_s_tags_are_legal_and_change_only_where_they_must(unsure: Path, quantised: bool) -> None:
    tagger = load_tagger(unsure, quantised)
    assert tagger.decoding == "legal"
    legal = tagger.tag(TEXTS)
    scored = tagger.tag_scored(TEXTS)
    tagger.decoding = "greedy"
    greedy = tagger.tag(TEXTS)
    was_legal = [not illegal_transitions(tags) for tags in greedy]
    assert 3 < sum(was_legal) < len(TEXTS) - 3
    assert not any(map(illegal_transitions, legal))
    assert [tags for tags, right in zip(legal, was_legal, strict=True) if right] == [
        tags for tags, right in zip(greedy, was_legal, strict=True) if right
    ]
    assert [[tag for tag, _ in row] for row in scored] == legal
    assert all(0 < score <= 1 for row in scored for _, score in row)


def test_a_crf_s_path_is_legal_too(unsure: Path) -> None:
    tagger = EncoderTagger.load(unsure)
    tagger.chain = LinearChainCRF(len(LABELS))
    with torch.no_grad():
        tagger.chain.transitions[0, LABELS.index("I-GENRE")] = 9
    tagger.decoding = "greedy"
    assert any(map(illegal_transitions, tagger.tag(TEXTS)))
    tagger.decoding = "legal"
    assert not any(map(illegal_transitions, tagger.tag(TEXTS)))
    assert all(0 <= score <= 1 for row in tagger.tag_scored(TEXTS) for _, score in row)


def test_the_setting_is_greedy_unless_given_and_stands_in_the_folder_if_legal(unsure: Path, trained: Any) -> None:
    assert Recipe.model_fields["decoding"].default == "greedy"
    assert json.loads((unsure / "config.json").read_text())["bert_ner_decoding"] == "legal"
    assert "bert_ner_decoding" not in json.loads((trained.folder / "config.json").read_text())
    assert EncoderTagger.load(trained.folder).decoding == "greedy"
    with pytest.raises(InvalidValue, match="decoding must be 'greedy' or 'legal', not 'best'"):
        parse_settings(Recipe, {**vars(trained.tagger.settings), "decoding": "best"})


@pytest.mark.parametrize("quantised", [False, True])
def test_a_copy_keeps_the_decoding(unsure: Path, quantised: bool) -> None:
    tagger = load_tagger(unsure, quantised)
    for decoding in ("greedy", "legal"):
        tagger.decoding = decoding
        tagger = pickle.loads(pickle.dumps(tagger))
        assert tagger.decoding == decoding
        assert any(map(illegal_transitions, tagger.tag(TEXTS))) == (decoding == "greedy")


def test_a_folder_with_an_unknown_decoding(trained: Any, tmp_path: Path) -> None:
    folder = relabelled(trained.folder, tmp_path / "other", bert_ner_decoding="best")
    with pytest.raises(WeightsUnavailable, match="bert_ner_decoding must be greedy or legal, not 'best'"):
        load_tagger(folder)


# --- words without a piece ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exported(trained: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "float32"
    export(trained.folder, folder, "float32")
    return folder


@pytest.mark.parametrize("nothing", ["", "\u200b", "\ufe0f", "\u00ad", "\ud800"])
def test_a_word_without_a_piece_does_not_cut_an_entity(trained: Any, exported: Path, nothing: str) -> None:
    words = ["with", "ada", nothing, nothing, "brook", nothing, "westerns", nothing]
    for tagger in (trained.tagger, load_tagger(exported)):
        [tags] = tagger.tag([words])
        assert spans_of(tags) == [("PERSON", 1, 5), ("GENRE", 6, 7)]
        [scored] = tagger.tag_scored([words])
        assert [tag for tag, _ in scored] == tags
        assert scored[2] == scored[3] == scored[4]
        assert scored[5] == scored[7] == ("O", 1.0)


# --- labels of other schemes --------------------------------------------------------------------------------------


def relabelled(folder: Path, target: Path, *names: str, **changes: Any) -> Path:
    """Copy a folder, and give its five labels other names."""
    copy = Path(shutil.copytree(folder, target))
    config = json.loads((copy / "config.json").read_text())
    if names:
        changes |= {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    (copy / "config.json").write_text(json.dumps({**config, **changes}))
    write_sums(copy)
    return copy


@pytest.mark.parametrize(
    ("names", "tags"),
    [
        # The model says O B-GENRE I-GENRE O B-PERSON I-PERSON of these words.
        (("O", "B-G", "E-G", "B-P", "E-P"), ["O", "B-G", "I-G", "O", "B-P", "I-P"]),  # BIOES
        (("O", "B-G", "L-G", "B-P", "L-P"), ["O", "B-G", "I-G", "O", "B-P", "I-P"]),  # BILOU
        (("O", "S-G", "U-G", "S-P", "S-Q"), ["O", "B-G", "B-G", "O", "B-P", "B-Q"]),
        (("O", "I-G", "I-H", "I-P", "I-Q"), ["O", "B-G", "B-H", "O", "B-P", "B-Q"]),  # IO
        (("O", "G", "H", "P", "Q"), ["O", "B-G", "B-H", "O", "B-P", "B-Q"]),  # IO without prefixes
        (("O", "B-G", "I-G", "B-P", "I-P"), ["O", "B-G", "I-G", "O", "B-P", "I-P"]),  # IOB2
    ],
)
def test_labels_of_any_scheme_give_iob2(
    trained: Any, exported: Path, tmp_path: Path, names: tuple[str, ...], tags: list[str]
) -> None:
    words = ["good", "heist", "comedy", "with", "ada", "brook"]
    tagger = load_tagger(relabelled(trained.folder, tmp_path / "scheme", *names))
    copy = Path(shutil.copytree(exported, tmp_path / "copy"))
    manifest = json.loads((copy / "tagger.json").read_text())
    (copy / "tagger.json").write_text(json.dumps({**manifest, "labels": tagger.labels}))
    (copy / "SHA256SUMS").unlink()
    for each in (tagger, load_tagger(copy)):
        assert each.tag([words, []]) == [tags, []]
        assert [tag for tag, _ in each.tag_scored([words])[0]] == tags


def test_words_of_one_type_that_touch_are_one_entity_in_io(trained: Any, tmp_path: Path) -> None:
    folder = relabelled(trained.folder, tmp_path / "io", "O", "GENRE", "GENRE2", "PERSON", "PERSON")
    assert load_tagger(folder).tag([["with", "ada", "\u200b", "brook"]]) == [["O", "B-PERSON", "I-PERSON", "I-PERSON"]]


@pytest.mark.parametrize(
    "names", [("O", "B-G", "X-G", "B-P", "I-P"), ("A", "B", "C", "D", "E"), ("O", "B-", "A", "B", "C")]
)
def test_labels_of_no_scheme(trained: Any, tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = relabelled(trained.folder, tmp_path / "none", *names)
    with pytest.raises(BertNerError, match=r"config\.json: id2label must number BIO tags .* is not one$"):
        load_tagger(folder)
