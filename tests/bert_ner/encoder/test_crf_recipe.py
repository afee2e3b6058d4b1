"""An encoder with `crf: true`: trained with its chain, tagging whole paths, saved beside the weights."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from transformers import AutoModelForTokenClassification

from bert_ner import load_tagger
from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.chain import LinearChainCRF
from bert_ner.encoder.checkpoint import Checkpoint
from bert_ner.encoder.optimizer import CRF_RATE
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import IGNORED, Example, Recipe, fine_tune
from bert_ner.encoder.weights import WeightsUnavailable
from bert_ner.errors import BertNerError
from bert_ner.export.export import export
from bert_ner.scoring import entity_f1

LABELS = ("O", "B-GENRE", "I-GENRE", "B-PERSON", "I-PERSON")


@pytest.fixture(scope="module")
def history() -> list[dict[str, Any]]:
    return []


@pytest.fixture(scope="module")
def chained(recipe: Recipe, sentences: list[Sentence], history: list[dict[str, Any]]) -> EncoderTagger:
    tagger = EncoderTagger(
        recipe.model_copy(update={"epochs": 40, "crf": True}), labels=LABELS, seed=1, scoring=entity_f1
    )
    history += tagger.fit(sentences, sentences)
    return tagger


@pytest.fixture
def folder(chained: EncoderTagger, tmp_path: Path) -> Path:
    (tmp_path / "saved").mkdir()
    chained.save(tmp_path / "saved")
    return tmp_path / "saved"


def factors(tagger: EncoderTagger, words: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the factors exp(emission) of each word's first piece, and those of the transitions."""
    encoding = tagger.tokenizer([list(words)], is_split_into_words=True, return_tensors="pt").to(tagger.model.device)
    with torch.no_grad():
        logits = tagger.model.eval()(**encoding).logits[0]
    first = [encoding.word_ids().index(word) for word in range(len(words))]
    return exp(logits[first]), exp(tagger.chain.transitions)


def exp(scores: torch.Tensor) -> NDArray[np.float64]:
    return scores.detach().double().exp().cpu().numpy()


def test_overfits_eight_sentences(
    chained: EncoderTagger, history: list[dict[str, Any]], sentences: list[Sentence]
) -> None:
    assert chained.tag([words for words, _ in sentences]) == [list(tags) for _, tags in sentences]
    assert history[-1]["validation_entity_f1"] == 1.0
    assert history[-1]["train_loss"] < 0.1 * history[0]["train_loss"]
    transitions = chained.chain.transitions
    assert transitions[LABELS.index("B-PERSON"), LABELS.index("I-PERSON")] > transitions[0, LABELS.index("I-PERSON")]


def test_validation_loss_is_the_chain_s_per_word(
    chained: EncoderTagger, history: list[dict[str, Any]], sentences: list[Sentence]
) -> None:
    start, end = exp(chained.chain.start), exp(chained.chain.end)
    loss, count = 0.0, 0
    for words, names in sentences:
        emitted, moved = factors(chained, words)
        tags = [LABELS.index(name) for name in names]
        forward, path = start * emitted[0], start[tags[0]] * emitted[0, tags[0]]
        for word in range(1, len(words)):
            forward = forward @ moved * emitted[word]
            path *= moved[tags[word - 1], tags[word]] * emitted[word, tags[word]]
        loss -= np.log(path * end[tags[-1]] / (forward @ end))
        count += len(words)
    assert history[-1]["validation_loss"] == pytest.approx(loss / count, rel=1e-3)


def test_scores_are_marginals(chained: EncoderTagger) -> None:
    words = ["ada", "brook", "westerns", "unheard"]
    emitted, moved = factors(chained, words)
    start, end = exp(chained.chain.start), exp(chained.chain.end)
    forward, backward = [start * emitted[0]], [end]
    for row in emitted[1:]:
        forward.append(forward[-1] @ moved * row)
        backward.insert(0, moved @ (emitted[len(words) - len(backward)] * backward[0]))
    marginals = np.array(forward) * np.array(backward) / (forward[-1] @ end)
    [scored] = chained.tag_scored([["ada", "", "brook", "westerns", "\ud800", "unheard"]])  # two without a piece
    known = [scored[i] for i in (0, 2, 3, 5)]
    assert scored[1] == (known[1] if (known[0][0], known[1][0]) == ("B-PERSON", "I-PERSON") else ("O", 1.0))
    for (tag, score), row in zip(known, marginals, strict=True):
        assert score == pytest.approx(row[LABELS.index(tag)], abs=1e-4)
    assert [[tag for tag, _ in scored]] == chained.tag([["ada", "", "brook", "westerns", "\ud800", "unheard"]])


def test_a_path_is_tagged_as_a_whole(folder: Path, sentences: list[Sentence]) -> None:
    tagger = EncoderTagger.load(folder)
    with torch.no_grad():
        tagger.chain.transitions[0, 0] = -1e4  # no O follows an O
    texts = [words for words, _ in sentences]
    tagged = tagger.tag(texts)
    assert all(("O", "O") not in pairwise(tags) for tags in tagged)
    assert tagged == [tagger.tag([words])[0] for words in texts]
    assert tagger.tag(texts[::-1]) == tagged[::-1]


def test_as_many_tags_as_words(chained: EncoderTagger) -> None:
    odd = [[], [""], ["film", "", "film"], ["\ud800"], ["x" * 100_000, "film"], ["film"] * 3000, ["two words", "😀"]]
    assert [len(tags) for tags in chained.tag(odd)] == [len(words) for words in odd]
    assert chained.tag([]) == []


def test_saved_beside_the_weights_of_a_plain_folder(
    folder: Path, chained: EncoderTagger, sentences: list[Sentence]
) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "chain.safetensors", "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    }  # fmt: skip
    _, report = AutoModelForTokenClassification.from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    texts = [words for words, _ in sentences]
    loaded = EncoderTagger.load(folder)
    loaded.precision = chained.precision
    assert loaded.tag_scored(texts) == chained.tag_scored(texts)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def of_other_labels(path: Path) -> None:
    save_file(LinearChainCRF(3).state_dict(), path)


def without_end(path: Path) -> None:
    save_file({name: tensor for name, tensor in load_file(path).items() if name != "end"}, path)


@pytest.mark.parametrize("spoil", [Path.unlink, cut, of_other_labels, without_end])
def test_a_chain_that_is_missing_or_broken_is_named(folder: Path, spoil: Any) -> None:
    spoil(folder / "chain.safetensors")
    with pytest.raises(WeightsUnavailable, match=r"chain\.safetensors is missing or broken.*train it again") as caught:
        load_tagger(folder)
    assert len(str(caught.value).splitlines()) == 1


def test_trained_further_without_a_chain(folder: Path, recipe: Recipe, sentences: list[Sentence]) -> None:
    plain = EncoderTagger(recipe.model_copy(update={"name": str(folder)}), labels=LABELS, seed=1, scoring=entity_f1)
    plain.fit(sentences, sentences)
    assert plain.chain is None
    (folder / "again").mkdir()
    plain.save(folder / "again")
    assert EncoderTagger.load(folder / "again").chain is None


def test_not_exported(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(BertNerError, match=r"has a CRF on top of its encoder.*crf: false"):
        export(folder, tmp_path / "new", "int8")
    shutil.rmtree(folder)
    assert not list(tmp_path.iterdir())


def test_steps_are_adamw_s_at_two_rates(recipe: Recipe) -> None:
    """Three steps on one example, against a plain loop, without dropout."""
    example = Example([101, 2001, 2002, 2003, 2004, 102], [IGNORED, 0, 2, IGNORED, 1, IGNORED])
    ours, theirs = (AutoModelForTokenClassification.from_pretrained(recipe.name, num_labels=3) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    for module in (*ours.modules(), *theirs.modules()):
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    chain, reference = LinearChainCRF(3), LinearChainCRF(3)
    rate = 1e-4
    settings = {"epochs": 3, "learning_rate": rate, "schedule": "constant", "clip_norm": 100.0, "crf": True}
    history = list(fine_tune(ours, [example], recipe.model_copy(update=settings), 1, 0, chain=chain))

    theirs.train()
    groups = [
        {"params": theirs.parameters(), "lr": rate},
        {"params": reference.parameters(), "lr": rate * CRF_RATE, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay)
    for row in history:
        words = theirs(input_ids=torch.tensor([example.ids])).logits[:, [1, 2, 4]]
        loss = reference(words, torch.tensor([3]), torch.tensor([[0, 2, 1]])).sum() / 3
        assert row["train_loss"] == pytest.approx(loss.item(), rel=1e-4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.testing.assert_close(ours.classifier.weight, theirs.classifier.weight, rtol=0, atol=1e-5)
    torch.testing.assert_close(chain.transitions, reference.transitions, rtol=0, atol=1e-4)
    assert chain.transitions.abs().max() > 0.02


def test_interrupted_it_goes_on_with_the_same_bits(recipe: Recipe, tmp_path: Path) -> None:
    examples = [Example([101, 2000 + i, 2001, 102], [IGNORED, i % 3, 1, IGNORED]) for i in range(12)]
    three = recipe.model_copy(update={"epochs": 3, "crf": True})

    def train(checkpoint: Path | None, stop: bool) -> str:
        torch.manual_seed(0)
        model, chain = AutoModelForTokenClassification.from_pretrained(recipe.name, num_labels=3), LinearChainCRF(3)
        state = Checkpoint(checkpoint, "key")
        done = len(state.history)
        with closing(fine_tune(model, examples, three, 1, 0, chain=chain, checkpoint=state)) as rows:
            for epoch, row in enumerate(rows, 1):
                if stop and epoch == 2:
                    raise KeyboardInterrupt
                state.save(row)
        assert (done, epoch) == ((1, 2) if checkpoint else (0, 3))
        tensors = [*model.state_dict().values(), *chain.state_dict().values()]
        return hashlib.sha256(b"".join(tensor.numpy().tobytes() for tensor in tensors)).hexdigest()

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "state", stop=True)
    assert train(tmp_path / "state", stop=False) == train(None, stop=False)
