"""A soup: the mean weights of several trainings that start alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.checkpoint import Checkpoint
from bert_ner.encoder.tagger import EncoderTagger
from bert_ner.encoder.training import Recipe
from bert_ner.scoring import entity_f1

LABELS = ("O", "B-GENRE", "I-GENRE", "B-PERSON", "I-PERSON")


@pytest.mark.parametrize("crf", [False, True])
def test_a_soup_is_the_mean_of_trainings_that_start_alike(
    recipe: Recipe, sentences: list[Sentence], monkeypatch: pytest.MonkeyPatch, crf: bool
) -> None:
    starts: list[list[torch.Tensor]] = []
    ends: list[list[torch.Tensor]] = []
    plain = EncoderTagger._train

    def recording(tagger: EncoderTagger, *others: Any) -> Any:
        starts.append([weights.clone() for weights in tagger._weights()])
        history = plain(tagger, *others)
        ends.append([weights.clone() for weights in tagger._weights()])
        return history

    monkeypatch.setattr(EncoderTagger, "_train", recording)
    several = recipe.model_copy(update={"soup": 3, "epochs": 2, "crf": crf})
    tagger = EncoderTagger(several, labels=LABELS, seed=1, scoring=entity_f1)
    history = tagger.fit(sentences, sentences)
    assert [row["epoch"] for row in history] == [1, 2, 3, 4, 5, 6]
    for first, second, third in zip(*starts, strict=True):
        assert torch.equal(first, second)
        assert torch.equal(first, third)
    assert any(not torch.equal(first, second) for first, second in zip(*ends[:2], strict=True))
    for weights, *members in zip(tagger._weights(), *ends, strict=True):
        assert torch.equal(weights, sum(members) / 3)
    alone = EncoderTagger(several.model_copy(update={"soup": 1}), labels=LABELS, seed=1, scoring=entity_f1)
    assert alone.fit(sentences, sentences)[-1]["train_loss"] == history[1]["train_loss"]  # the first is the usual one


def test_a_killed_soup_goes_on_with_the_training_it_was_in(
    recipe: Recipe, sentences: list[Sentence], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    several = recipe.model_copy(update={"soup": 2, "epochs": 2})

    def soup(state: Path) -> EncoderTagger:
        return EncoderTagger(several, labels=LABELS, seed=1, scoring=entity_f1, checkpoint=state)

    whole = soup(tmp_path / "whole.safetensors")
    whole.fit(sentences, sentences)
    plain, saved = Checkpoint.save, []

    def stopping(checkpoint: Checkpoint, row: dict[str, Any]) -> None:
        plain(checkpoint, row)
        saved.append(checkpoint.path.name)
        if len(saved) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", stopping)
    killed = soup(tmp_path / "killed.safetensors")
    with pytest.raises(KeyboardInterrupt):
        killed.fit(sentences, sentences)
    history = killed.fit(sentences, sentences)
    assert saved == ["killed.safetensors"] * 2 + ["killed.training2.safetensors"] * 2
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    assert all(torch.equal(a, b) for a, b in zip(killed._weights(), whole._weights(), strict=True))
    kept = sorted(path.name for path in tmp_path.iterdir())  # until the caller has saved the model
    assert kept == [f"{name}{number}.safetensors" for name in ("killed", "whole") for number in ("", ".training2")]
