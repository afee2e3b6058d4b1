"""A pretrained encoder with a classifier over each word's first piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import torch
from torch.nn.functional import cross_entropy
from transformers import AutoModelForTokenClassification, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.batches import sorted_batches
from bert_ner.encoder.training import IGNORED, Example, Recipe, fine_tune, model_inputs
from bert_ner.encoder.weights import WeightsUnavailable, find_weights, first_line
from bert_ner.errors import BertNerError

_BATCH_PIECES = 2048  # of a batch to tag: enough for the matrix products to be efficient, small enough for the cache

logging.set_verbosity_error()  # type: ignore[no-untyped-call] # else each load reports that the classifier is new
logging.disable_progress_bar()  # type: ignore[no-untyped-call]


class EncoderTagger:
    """Fine-tunes an encoder and tags with it.

    Args:
        recipe: how to fine-tune.
        labels: the tag set.
        seed: of the weights that are not pretrained, the order of sentences and dropout.
        scoring: (gold, predicted) -> score, for the history.
        checkpoint: a file for the state after each epoch; a `fit` that was killed goes on from it.
    """

    def __init__(
        self,
        recipe: Recipe,
        labels: Sequence[str],
        seed: int,
        scoring: Callable[[Sequence[Sequence[str]], Sequence[Sequence[str]]], float],
        checkpoint: Path | None = None,
    ) -> None:
        self.recipe, self.labels, self.seed, self.scoring = recipe, tuple(labels), seed, scoring
        self.checkpoint = checkpoint

    def fit(self, train: Sequence[Sentence], validation: Sequence[Sentence]) -> list[dict[str, Any]]:
        """Fine-tune; the history has a row per epoch with training and validation loss and validation entity F1.

        Raises:
            WeightsUnavailable: the encoder can't be had or can't be loaded.
            BertNerError: a tag is not among the labels, or there is nothing to train on.
        """
        strange = {tag for _, tags in (*train, *validation) for tag in tags}.difference(self.labels)
        if strange:
            raise BertNerError(f"tags that are not among the labels: {', '.join(sorted(strange))}")
        label_id = {label: i for i, label in enumerate(self.labels)}
        folder = find_weights(self.recipe.name).folder
        torch.manual_seed(self.seed)
        names = {"id2label": dict(enumerate(self.labels)), "label2id": label_id}
        self._read(folder, new_classifier=True, pretrained=self.recipe.pretrained, **names)
        examples = examples_of(train, self.pieces, label_id)
        in_validation = {
            piece
            for windows in self.pieces.encode([words for words, _ in validation])
            for window in windows
            for piece in window.ids
        }

        def validate() -> dict[str, float]:
            predicted, loss = self._tag([words for words, _ in validation], [tags for _, tags in validation])
            f1 = self.scoring([tags for _, tags in validation], predicted)
            return {"validation_loss": loss, "validation_entity_f1": f1}

        pad_id = self.pieces.tokenizer.pad_token_id
        return fine_tune(self.model, examples, self.recipe, self.seed, pad_id, validate, in_validation, self.checkpoint)

    def tag(self, sentences: Sequence[Sequence[str]]) -> list[list[str]]:
        """The likeliest tag of each word; `O` for a word that the tokenizer maps to nothing."""
        return self._tag(sentences)[0]

    def tag_scored(self, sentences: Sequence[Sequence[str]]) -> list[list[tuple[str, float]]]:
        """The same tags, each with its softmax probability; 1 for a word that the tokenizer maps to nothing."""
        scored = [[("O", 1.0)] * len(words) for words in sentences]
        for words, logits in self._logits(sentences):
            best = logits.softmax(-1).max(-1)
            for (sentence, word), label, score in zip(words, best.indices.tolist(), best.values.tolist(), strict=True):
                scored[sentence][word] = (self.labels[label], score)
        return scored

    def save(self, folder: Path) -> None:
        """Write a plain Hugging Face folder: safetensors, config with id2label, tokenizer."""
        self.model.save_pretrained(folder)
        self.pieces.tokenizer.save_pretrained(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a Hugging Face folder with a token-classification model, whoever wrote it.

        Raises:
            WeightsUnavailable: a file of it is missing, broken or not for tagging words with BIO tags.
        """
        tagger = cls.__new__(cls)
        tagger._read(folder, new_classifier=False)
        names = tagger.model.config.id2label
        tagger.labels = tuple(str(names.get(i)) for i in range(len(names)))
        if strange := [label for label in tagger.labels if not re.fullmatch(r"O|[BI]-\S+", label)]:
            raise WeightsUnavailable(
                f"{folder / 'config.json'}: id2label must number BIO tags from 0 on, O, B-<type> or I-<type>; "
                f"{strange[0]!r} is none"
            )
        return tagger

    def _read(self, folder: Path, new_classifier: bool, pretrained: bool = True, **settings: Any) -> None:
        """Take a folder's model and tokenizer; nothing that the folder names is fetched, unpickled or run."""
        safely = {"local_files_only": True, "trust_remote_code": False}
        with _explained(folder, "model"):
            model, report = AutoModelForTokenClassification.from_pretrained(
                folder,
                dtype=torch.float32,  # else that of the file, and half precision doesn't train
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **safely,
                **settings,
            )
        with _explained(folder, "tokenizer"):
            # RoBERTa's takes words only with this; others ignore it.
            tokenizer = AutoTokenizer.from_pretrained(folder, add_prefix_space=True, **safely)
            known = model.get_input_embeddings().num_embeddings
            # Without its file, the library makes one up that knows the special tokens alone.
            if not len(tokenizer.all_special_ids) < len(tokenizer) <= known:
                raise ValueError(f"it has {len(tokenizer)} pieces, while the model knows {known}")
            self.pieces = WordPieces(tokenizer, _most_pieces(model, tokenizer))
        # The library fills gaps with random numbers, which is right for a new classifier alone.
        needed = f"{model.base_model_prefix}." if new_classifier else ""
        gaps = [*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])]
        if gaps := sorted(name for name in gaps if name.startswith(needed)):
            raise WeightsUnavailable(
                f"{folder}: its weights lack {len(gaps)} parameter(s) that its config.json asks for, or have them in "
                f"another shape, {gaps[0]} for one; "
                + ("name a folder with a whole encoder" if new_classifier else "fine-tune it first")
            )
        if not pretrained:
            model = AutoModelForTokenClassification.from_config(model.config, dtype=torch.float32)  # type: ignore[no-untyped-call]
        self.model = model.to("cuda" if torch.cuda.is_available() else "cpu")

    def _tag(
        self, sentences: Sequence[Sequence[str]], gold: Sequence[Sequence[str]] | None = None
    ) -> tuple[list[list[str]], float]:
        """The tags and, where gold is given, the mean cross-entropy per word."""
        tags = [["O"] * len(words) for words in sentences]
        loss, n_words = 0.0, 0
        for words, logits in self._logits(sentences):
            for (sentence, word), label in zip(words, logits.argmax(-1).tolist(), strict=True):
                tags[sentence][word] = self.labels[label]
            if gold is not None:
                targets = torch.tensor([self.model.config.label2id[gold[sentence][word]] for sentence, word in words])
                loss += cross_entropy(logits, targets.to(logits.device), reduction="sum").item()
            n_words += len(words)
        return tags, loss / n_words if n_words else 0.0

    @torch.inference_mode()
    def _logits(self, sentences: Sequence[Sequence[str]]) -> Iterator[tuple[list[tuple[int, int]], torch.Tensor]]:
        """Batch by batch, (sentence, word) of each word that has a piece, and its row of logits."""
        self.model.eval()
        windows = [(i, window) for i, windows in enumerate(self.pieces.encode(sentences)) for window in windows]
        for batch in sorted_batches([len(window.ids) for _, window in windows], _BATCH_PIECES):
            chosen = [windows[i] for i in batch]
            ids = [window.ids for _, window in chosen]
            inputs = model_inputs(ids, self.pieces.tokenizer.pad_token_id, self.model.device)
            rows = [row for row, (_, window) in enumerate(chosen) for _ in window.words]
            at = [position for _, window in chosen for position in window.positions]
            words = [(sentence, word) for sentence, window in chosen for word in window.words]
            yield words, self.model(**inputs).logits[rows, at].float()


@contextmanager
def _explained(folder: Path, part: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        raise WeightsUnavailable(
            f"{folder}: its {part} can't be loaded; is a file in it missing, broken or cut off? {first_line(error)}"
        ) from error


def _most_pieces(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """The most pieces, special tokens included, that both take."""
    limits = [tokenizer.model_max_length]  # 1e30 where its author set none
    limits.append(getattr(model.config, "max_position_embeddings", limits[0]))
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            # RoBERTa and MPNet count positions from after the padding's: of 514, 512 are for pieces.
            limits.append(module.num_embeddings - module.padding_idx - 1)
    return min(limits)


def examples_of(sentences: Sequence[Sentence], pieces: WordPieces, label_id: Mapping[str, int]) -> list[Example]:
    """What to learn from: the windows of some sentences, each word's label on its first piece."""
    return [
        Example(window.ids, _labels_of_pieces(window.ids, window.positions, [label_id[tags[i]] for i in window.words]))
        for (_, tags), windows in zip(sentences, pieces.encode([words for words, _ in sentences]), strict=True)
        for window in windows
    ]


def _labels_of_pieces(ids: Sequence[int], positions: Sequence[int], labels: Sequence[int]) -> list[int]:
    row = [IGNORED] * len(ids)
    for position, label in zip(positions, labels, strict=True):
        row[position] = label
    return row
