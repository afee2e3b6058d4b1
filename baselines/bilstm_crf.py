"""Words and characters -> BiLSTM -> CRF, trained from scratch: the neural tagger of the years before BERT.

The BiLSTM-CRF is that of Huang, Xu and Yu (2015), the convolution over characters that of Ma and Hovy (2016).
"""

from __future__ import annotations

import copy
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self

import safetensors.torch
import torch
from pydantic import Field
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.sequences import check_sequences
from bert_ner.encoder.batches import pad_rows, shuffled_batches, sorted_batches
from bert_ner.encoder.chain import LinearChainCRF
from bert_ner.encoder.forks import one_thread_after_fork
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.model_folder import read_manifest, write_manifest
from bert_ner.progress import Progress
from bert_ner.settings import Settings, parse_settings
from bert_ner.tagger import System

WEIGHTS, VOCABULARY = "model.safetensors", "vocabulary.json"
_PADDING, _UNKNOWN, _FIRST_KNOWN = 0, 1, 2  # ids; those of known words and characters count from 2 on
_CHARACTERS = 20  # read of each word; all rows have this width, so that a word's vector doesn't depend on its batch
_BATCH_WORDS = 2048  # tagged at once, except for a longer sentence
_CLIP_NORM = 5.0

_Size = Annotated[int, Field(ge=1)]
_Share = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]


class BiLSTMSettings(Settings):
    """How to build and train the network."""

    word_size: _Size = Field(description="Numbers in a word's vector.")
    character_size: _Size = Field(description="Numbers in a character's vector.")
    filters: _Size = Field(description="Filters of the convolution over three characters.")
    hidden: _Size = Field(description="Numbers in the LSTM's state, in each direction.")
    dropout: _Share = Field(description="The share of the LSTM's input and output that a training step drops.")
    word_dropout: _Share = Field(description="The probability that a training step treats a word as unknown.")
    learning_rate: float = Field(gt=0, lt=1, allow_inf_nan=False, description="Adam's at first; it falls to 0.")
    batch_size: _Size = Field(description="Sentences per step.")
    epochs: _Size = Field(description="Passes over the training sentences; the validation sentences choose one.")


class Vocabulary(NamedTuple):
    """The words, in lower case, and the characters with ids, in the order of their ids."""

    words: list[str]
    characters: list[str]

    @classmethod
    def from_sentences(cls, sentences: Sequence[Sentence]) -> Self:
        """Collect all words, and the characters found in at least two words; the others train the unknown character."""
        words = {word for words, _ in sentences for word in words}
        found_in = Counter(character for word in words for character in set(word))
        return cls(sorted({word.lower() for word in words}), sorted(c for c, count in found_in.items() if count > 1))


class Network(torch.nn.Module):
    """Word and character ids -> emissions for the CRF, for numbers of known words, known characters and tags."""

    def __init__(self, settings: BiLSTMSettings, words: int, characters: int, tags: int) -> None:
        super().__init__()
        self.words = torch.nn.Embedding(_FIRST_KNOWN + words, settings.word_size, padding_idx=_PADDING)
        self.characters = torch.nn.Embedding(_FIRST_KNOWN + characters, settings.character_size, padding_idx=_PADDING)
        self.convolution = torch.nn.Conv1d(settings.character_size, settings.filters, 3, padding=1)
        self.dropout = torch.nn.Dropout(settings.dropout)
        inputs = settings.word_size + settings.filters
        self.lstm = torch.nn.LSTM(inputs, settings.hidden, batch_first=True, bidirectional=True)
        self.emissions = torch.nn.Linear(2 * settings.hidden, tags)
        self.chain = LinearChainCRF(tags)

    def forward(self, batch: Batch) -> torch.Tensor:
        """Return emissions of shape (sentences, words of the longest, tags)."""
        parts = torch.split(batch.characters, _BATCH_WORDS)
        spelt = torch.cat([self.convolution(self.characters(part).transpose(1, 2)).amax(-1) for part in parts])
        seen = torch.cat([self.words(batch.words), spelt[batch.spelling]], -1)
        packed = pack_padded_sequence(self.dropout(seen), batch.lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return torch.as_tensor(self.emissions(self.dropout(states)))


class Batch(NamedTuple):
    """Sentences for one pass through the network; none of them is empty."""

    words: torch.Tensor  # ids, of shape (sentences, words of the longest)
    lengths: torch.Tensor  # the number of words in each sentence
    characters: torch.Tensor  # ids, of shape (different words, _CHARACTERS)
    spelling: torch.Tensor  # the row in `characters` of each word, of the shape of `words`


class BiLSTMCRFTagger(System):
    """A bidirectional LSTM over words and their characters, with a CRF over the tags. It runs on the CPU only."""

    Settings = BiLSTMSettings
    settings: BiLSTMSettings
    keeps_best = True

    @property
    def parameters(self) -> int:
        """The number of learnt parameters."""
        return sum(parameter.numel() for parameter in self.network.parameters())

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Train, and keep the epoch that tags the validation sentences best; losses are in nats per word.

        Deterministic for a seed, a machine and a number of threads.
        """
        train, validation = ([sentence for sentence in part if sentence.words] for part in (train, validation))
        self.check_labels([*train, *validation])
        if not train:
            raise BertNerError("nothing to learn from: the training sentences have no word")
        torch.manual_seed(self.seed)
        self._build(Vocabulary.from_sentences(train))
        history: list[dict[str, Any]] = []
        best = float("-inf")
        epochs, steps = self.settings.epochs, -(-len(train) // self.settings.batch_size)
        with Progress(f"bilstm_crf seed {self.seed}", epochs * steps, epochs) as progress:
            for row in self._epochs(train, epochs * steps, progress.step):
                f1 = self.scoring([tags for _, tags in validation], self.tag([words for words, _ in validation]))
                row |= {"validation_loss": self._mean_loss(validation), "validation_entity_f1": f1}
                progress.end_epoch(row)
                history.append(row)
                if f1 > best:
                    best, weights = f1, copy.deepcopy(self.network.state_dict())
        self.network.load_state_dict(weights)
        return history

    def _epochs(self, train: Sequence[Sentence], steps: int, on_step: Callable[..., None]) -> Iterator[dict[str, Any]]:
        """Train in as many steps, and yield a row after each epoch: epoch, train_loss and seconds."""
        optimizer = torch.optim.Adam(self.network.parameters(), lr=self.settings.learning_rate, fused=True)
        schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
        lengths = [len(words) for words, _ in train]
        for epoch in range(1, self.settings.epochs + 1):
            started = time.perf_counter()
            self.network.train()
            losses: list[float] = []
            for numbers in shuffled_batches(lengths, self.settings.batch_size, f"{self.seed}-{epoch}"):
                loss = self._loss([train[number] for number in numbers])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
                optimizer.step()
                schedule.step()
                losses.append(loss.item())
                mean = sum(losses) / len(losses)
                on_step(epoch=epoch, train_loss=mean)
            yield {"epoch": epoch, "train_loss": mean, "seconds": time.perf_counter() - started}

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return the best tag sequence of each sentence (Viterbi)."""
        return [[tag for tag, _ in words] for words in self._decode(sentences, with_scores=False)]

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """Return the same tags, each with its marginal probability."""
        return self._decode(sentences, with_scores=True)

    @torch.inference_mode()
    def _decode(self, sentences: Sequence[Sequence[str]], with_scores: bool) -> list[list[tuple[str, float]]]:
        check_sequences(sentences, "word")
        sentences = [list(words) for words in sentences]  # arrays have no truth; pandas has its own index
        one_thread_after_fork()
        self.network.eval()
        chain, decoded = self.network.chain, [list[tuple[str, float]]() for _ in sentences]
        nonempty = [number for number, words in enumerate(sentences) if words]
        for places in sorted_batches([len(sentences[number]) for number in nonempty], _BATCH_WORDS):
            numbers = [nonempty[place] for place in places]
            batch = self._batch([sentences[number] for number in numbers])
            emissions = self.network(batch)
            best = chain.viterbi(emissions, batch.lengths)
            scores = torch.ones(best.shape)
            if with_scores:
                scores = chain.marginals(emissions, batch.lengths).gather(-1, best[..., None]).squeeze(-1)
            for number, tags, tag_scores in zip(numbers, best.tolist(), scores.tolist(), strict=True):
                words = zip(tags, tag_scores, sentences[number], strict=False)  # without the padding
                decoded[number] = [(self.labels[tag], score) for tag, score, _ in words]
        return decoded

    def save(self, folder: Path) -> None:
        """Write the weights as safetensors, and the vocabulary as JSON."""
        write_whole(folder / WEIGHTS, safetensors.torch.save(self.network.state_dict()))
        write_whole(folder / VOCABULARY, json.dumps(self.vocabulary._asdict()) + "\n")
        files = (WEIGHTS, VOCABULARY)
        write_manifest(folder, "bilstm_crf", files, settings=self.settings.model_dump(), labels=self.labels)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        manifest = read_manifest(folder)
        tagger = cls.__new__(cls)
        tagger.settings, tagger.labels = parse_settings(cls.Settings, manifest["settings"]), tuple(manifest["labels"])
        tagger._build(Vocabulary(**json.loads((folder / VOCABULARY).read_text(encoding="utf-8"))))
        tagger.network.load_state_dict(safetensors.torch.load_file(folder / WEIGHTS))
        return tagger

    def _build(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._word_ids = {word: i for i, word in enumerate(vocabulary.words, _FIRST_KNOWN)}
        self._character_ids = {character: i for i, character in enumerate(vocabulary.characters, _FIRST_KNOWN)}
        self.network = Network(self.settings, len(vocabulary.words), len(vocabulary.characters), len(self.labels))

    def _batch(self, sentences: Sequence[Sequence[str]]) -> Batch:
        forms = {form: i for i, form in enumerate(dict.fromkeys(word for words in sentences for word in words))}
        ids = [[self._word_ids.get(word.lower(), _UNKNOWN) for word in words] for words in sentences]
        characters = [[self._character_ids.get(c, _UNKNOWN) for c in form[:_CHARACTERS]] for form in forms]
        spelling = [[forms[word] for word in words] for words in sentences]
        return Batch(
            words=torch.from_numpy(pad_rows(ids, _PADDING)),
            lengths=torch.tensor([len(words) for words in sentences]),
            characters=torch.tensor([[*row, *[_PADDING] * (_CHARACTERS - len(row))] for row in characters]),
            spelling=torch.from_numpy(pad_rows(spelling, 0)),  # the padding's is that of some word; nothing reads it
        )

    def _loss(self, sentences: Sequence[Sentence]) -> torch.Tensor:
        """Return a batch's negative log likelihood per word, in nats; in training, some words count as unknown."""
        batch = self._batch([words for words, _ in sentences])
        if self.network.training:
            dropped = torch.rand(batch.words.shape) < self.settings.word_dropout
            batch = batch._replace(words=batch.words.masked_fill(dropped, _UNKNOWN))
        label_id = {label: i for i, label in enumerate(self.labels)}
        tags = torch.from_numpy(pad_rows([[label_id[tag] for tag in tags] for _, tags in sentences], 0))
        losses = self.network.chain(self.network(batch), batch.lengths, tags)
        return torch.as_tensor(losses.sum() / batch.lengths.sum())

    @torch.inference_mode()
    def _mean_loss(self, sentences: Sequence[Sentence]) -> float:
        """Return the negative log likelihood per word, in nats; 0 if there is no word."""
        self.network.eval()
        lengths = [len(words) for words, _ in sentences]
        total = 0.0
        for numbers in sorted_batches(lengths, _BATCH_WORDS):
            total += self._loss([sentences[i] for i in numbers]).item() * sum(lengths[i] for i in numbers)
        return total / max(1, sum(lengths))
