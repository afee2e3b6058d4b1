"""Words and characters -> BiLSTM -> chain, trained from scratch: the neural tagger of the years before BERT.

Huang, Xu and Yu (2015) have the BiLSTM with the chain above it, Ma and Hovy (2016) the convolution over characters.
"""

from __future__ import annotations

import copy
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import safetensors.torch
import torch
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tqdm import tqdm

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.batches import pad, shuffled_batches, sorted_batches
from bert_ner.encoder.chain import Chain
from bert_ner.errors import BertNerError, InvalidValue, brief
from bert_ner.files import write_sums, write_whole
from bert_ner.model_folder import read_manifest, write_manifest

WEIGHTS, VOCABULARY = "model.safetensors", "vocabulary.json"
_PADDING, _UNKNOWN, _KNOWN = 0, 1, 2  # ids; what is known counts from 2 on
_CHARACTERS = 20  # of a word are seen; all rows are as wide, so that a word's vector doesn't depend on its batch
_BATCH_WORDS = 2048  # that are tagged at once, but for a longer line
_CLIP_NORM = 5.0


@dataclass(frozen=True)
class BiLSTMSettings:
    """How to build and train the network.

    Attributes:
        word_size: numbers in a word's vector.
        character_size: numbers in a character's vector.
        filters: of the convolution over three characters.
        hidden: numbers in the LSTM's state, in each direction.
        dropout: the share, in [0, 1), of what goes into the LSTM and of what comes out that a training step drops.
        word_dropout: the chance, in [0, 1), that a step takes a word for unknown; its characters stay.
        learning_rate: Adam's, at the start; it falls to 0 at the last step.
        batch_size: sentences per step.
        epochs: passes over the training sentences, of which the validation sentences choose one.

    Raises:
        InvalidValue: a value has the wrong type or is out of range.
    """

    word_size: int
    character_size: int
    filters: int
    hidden: int
    dropout: float
    word_dropout: float
    learning_rate: float
    batch_size: int
    epochs: int

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name in {"dropout", "word_dropout"}:
                valid, wanted = _is_number(value) and 0 <= value < 1, "a number from 0 up to, not including, 1"
            elif name == "learning_rate":
                valid, wanted = _is_number(value) and 0 < value < 1, "a number between 0 and 1"
            else:
                valid, wanted = type(value) is int and value >= 1, "a whole number of at least 1"
            if not valid:
                raise InvalidValue(f"{name} must be {wanted}, not {brief(value)}")


class Vocabulary(NamedTuple):
    """What has ids of its own, in their order.

    Attributes:
        words: in lower case.
        characters: as they are written.
    """

    words: list[str]
    characters: list[str]

    @classmethod
    def of(cls, sentences: Sequence[Sentence]) -> Self:
        """All words, and the characters of two words or more: from the others it is learnt what an unknown one is."""
        words = {word for words, _ in sentences for word in words}
        found_in = Counter(character for word in words for character in set(word))
        return cls(sorted({word.lower() for word in words}), sorted(c for c, count in found_in.items() if count > 1))


class Network(torch.nn.Module):
    """Word and character ids -> the chain's emissions.

    Args:
        settings: the sizes.
        words: how many are known.
        characters: how many are known.
        tags: how many there are.
    """

    def __init__(self, settings: BiLSTMSettings, words: int, characters: int, tags: int) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(_KNOWN + words, settings.word_size, padding_idx=_PADDING)
        self.characters = torch.nn.Embedding(_KNOWN + characters, settings.character_size, padding_idx=_PADDING)
        self.convolution = torch.nn.Conv1d(settings.character_size, settings.filters, 3, padding=1)
        self.dropout = torch.nn.Dropout(settings.dropout)
        inputs = settings.word_size + settings.filters
        self.lstm = torch.nn.LSTM(inputs, settings.hidden, batch_first=True, bidirectional=True)
        self.emissions = torch.nn.Linear(2 * settings.hidden, tags)
        self.chain = Chain(tags)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Emissions of shape (sentences, words of the longest, tags)."""
        spelt = torch.cat([self._spelling(part) for part in torch.split(batch.characters, _BATCH_WORDS)])
        seen = torch.cat([self.words(batch.words), spelt[batch.spelling]], -1)
        packed = pack_padded_sequence(self.dropout(seen), batch.lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        emissions: torch.Tensor = self.emissions(self.dropout(states))
        return emissions

    def _spelling(self, characters: torch.Tensor) -> torch.Tensor:
        """A vector for each row of character ids."""
        found: torch.Tensor = self.convolution(self.characters(characters).transpose(1, 2)).amax(-1)
        return found


class Batch(NamedTuple):
    """Sentences to be seen at once; none of them is empty.

    Attributes:
        words: word ids, of shape (sentences, words of the longest).
        lengths: words in each sentence.
        characters: character ids of each word that occurs, of shape (different words, _CHARACTERS).
        spelling: the row in `characters` of each word; of the shape of `words`.
    """

    words: torch.Tensor
    lengths: torch.Tensor
    characters: torch.Tensor
    spelling: torch.Tensor


class BiLSTMCRFTagger:
    """A bidirectional LSTM over words and their characters, with a chain over the tags. It runs on the processor alone.

    Args:
        settings: how to build and train it.
        labels: the tag set.
        seed: of the first weights, the order of sentences and dropout.
        scoring: (gold, predicted) -> score, by which the validation sentences choose the epoch.
    """

    def __init__(
        self,
        settings: BiLSTMSettings,
        labels: Sequence[str],
        seed: int,
        scoring: Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], float],
    ) -> None:
        self.settings, self.labels, self.seed, self.scoring = settings, tuple(labels), seed, scoring

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Train, and keep the epoch that tags the validation sentences best. The same seed gives the same bits on the
        same machine with as many threads.

        Returns:
            A row per epoch: epoch, train_loss and validation_loss (nats a word), validation_entity_f1, and seconds
            (validation not included).

        Raises:
            BertNerError: a tag is not among the labels, or there is nothing to train on.
        """
        train, validation = ([sentence for sentence in part if sentence.words] for part in (train, validation))
        strange = {tag for _, tags in (*train, *validation) for tag in tags}.difference(self.labels)
        if strange:
            raise BertNerError(f"tags that are not among the labels: {', '.join(sorted(strange))}")
        if not train:
            raise BertNerError("nothing to learn from: the training sentences have no word")
        torch.manual_seed(self.seed)
        self._build(Vocabulary.of(train))
        optimizer = torch.optim.Adam(self.network.parameters(), lr=self.settings.learning_rate, fused=True)
        steps = self.settings.epochs * -(-len(train) // self.settings.batch_size)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
        history: list[dict[str, Any]] = []
        best = float("-inf")
        with tqdm(total=steps, desc=f"bilstm_crf seed {self.seed}", unit="step", disable=None) as bar:
            for epoch in range(1, self.settings.epochs + 1):
                started = time.perf_counter()
                self.network.train()
                losses = []
                lengths = [len(words) for words, _ in train]
                for numbers in shuffled_batches(lengths, self.settings.batch_size, f"{self.seed}-{epoch}"):
                    loss = self._loss([train[number] for number in numbers])
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
                    optimizer.step()
                    schedule.step()
                    losses.append(loss.item())
                    bar.update()
                seconds = time.perf_counter() - started
                f1 = self.scoring([tags for _, tags in validation], self.tag([words for words, _ in validation]))
                history.append(
                    {
                        "epoch": epoch,
                        "train_loss": sum(losses) / len(losses),
                        "validation_loss": self._mean_loss(validation),
                        "validation_entity_f1": f1,
                        "seconds": seconds,
                    }
                )
                if f1 > best:
                    best, weights = f1, copy.deepcopy(self.network.state_dict())
        self.network.load_state_dict(weights)
        return history

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The best tag sequence of each sentence (Viterbi)."""
        tags: list[list[str]] = [[] for _ in sentences]
        for numbers, emissions, lengths in self._emissions(sentences):
            best = self.network.chain.best(emissions, lengths)
            for number, row in zip(numbers, best.tolist(), strict=True):
                tags[number] = [self.labels[tag] for tag in row[: len(sentences[number])]]
        return tags

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """The same tags, each with its marginal probability."""
        scored: list[list[tuple[str, float]]] = [[] for _ in sentences]
        for numbers, emissions, lengths in self._emissions(sentences):
            best = self.network.chain.best(emissions, lengths)
            scores = self.network.chain.marginals(emissions, lengths).gather(-1, best[..., None]).squeeze(-1)
            for number, row, row_scores in zip(numbers, best.tolist(), scores.tolist(), strict=True):
                size = len(sentences[number])
                names = [self.labels[tag] for tag in row[:size]]
                scored[number] = list(zip(names, row_scores[:size], strict=True))
        return scored

    def save(self, folder: Path) -> None:
        """Write weights as safetensors, the vocabulary as JSON, and the sums by which `load_tagger` knows damage."""
        write_whole(folder / WEIGHTS, safetensors.torch.save(self.network.state_dict()))
        write_whole(folder / VOCABULARY, json.dumps(self.vocabulary._asdict()) + "\n")
        write_manifest(folder, "bilstm_crf", settings=vars(self.settings), labels=self.labels)
        write_sums(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        manifest = read_manifest(folder)
        tagger = cls.__new__(cls)
        tagger.settings, tagger.labels = BiLSTMSettings(**manifest["settings"]), tuple(manifest["labels"])
        tagger._build(Vocabulary(**json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))))
        tagger.network.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
        return tagger

    def _build(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._word_ids = {word: i for i, word in enumerate(vocabulary.words, _KNOWN)}
        self._character_ids = {character: i for i, character in enumerate(vocabulary.characters, _KNOWN)}
        self.network = Network(self.settings, len(vocabulary.words), len(vocabulary.characters), len(self.labels))

    def _batch(self, sentences: Sequence[Sequence[str]]) -> Batch:
        forms = {form: i for i, form in enumerate(dict.fromkeys(word for words in sentences for word in words))}
        characters = [
            [self._character_ids.get(character, _UNKNOWN) for character in form[:_CHARACTERS]] for form in forms
        ]
        ids = [[self._word_ids.get(word.lower(), _UNKNOWN) for word in words] for words in sentences]
        # The padding's spelling is that of some word; nothing sees it.
        spelling = [[forms[word] for word in words] for words in sentences]
        lengths = torch.tensor([len(words) for words in sentences])
        rows = [[*row, *[_PADDING] * (_CHARACTERS - len(row))] for row in characters]
        return Batch(
            torch.from_numpy(pad(ids, _PADDING)), lengths, torch.tensor(rows), torch.from_numpy(pad(spelling, 0))
        )

    def _loss(self, sentences: Sequence[Sentence]) -> torch.Tensor:
        """The mean over words of a batch's negative log likelihood; in training, some words are taken for unknown."""
        batch = self._batch([words for words, _ in sentences])
        if self.network.training:
            forgotten = torch.rand(batch.words.shape) < self.settings.word_dropout
            batch = batch._replace(words=batch.words.masked_fill(forgotten, _UNKNOWN))
        label_id = {label: i for i, label in enumerate(self.labels)}
        tags = torch.from_numpy(pad([[label_id[tag] for tag in tags] for _, tags in sentences], 0))
        loss: torch.Tensor = self.network.chain(self.network(batch), batch.lengths, tags).sum() / batch.lengths.sum()
        return loss

    @torch.inference_mode()
    def _mean_loss(self, sentences: Sequence[Sentence]) -> float:
        """The negative log likelihood of a word, in nats; 0 if there is none."""
        self.network.eval()
        lengths = [len(words) for words, _ in sentences]
        total = 0.0
        for numbers in sorted_batches(lengths, _BATCH_WORDS):
            total += self._loss([sentences[i] for i in numbers]).item() * sum(lengths[i] for i in numbers)
        return total / max(1, sum(lengths))

    @torch.inference_mode()
    def _emissions(self, sentences: Sequence[Sequence[str]]) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
        """The numbers of some sentences, their emissions and their lengths, for all that have words."""
        self.network.eval()
        filled = [number for number, words in enumerate(sentences) if words]
        for places in sorted_batches([len(sentences[number]) for number in filled], _BATCH_WORDS):
            numbers = [filled[place] for place in places]
            batch = self._batch([sentences[number] for number in numbers])
            yield numbers, self.network(batch), batch.lengths


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
