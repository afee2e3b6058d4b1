"""A pretrained encoder with a classifier over each word's first piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoModelForTokenClassification, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from bert_ner.corpus.bio import Sentence
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.chain import Chain, by_row, in_line
from bert_ner.encoder.decoding import Batch, PieceTagger, log_softmax
from bert_ner.encoder.training import IGNORED, Example, Precision, Recipe, compute_type, fine_tune, model_inputs
from bert_ner.encoder.weights import Weights, WeightsUnavailable, explained, find_weights, load_tokenizer
from bert_ner.errors import BertNerError, first_line

CHAIN = "chain.safetensors"

logging.set_verbosity_error()  # type: ignore[no-untyped-call] # else each load reports that the classifier is new
logging.disable_progress_bar()  # type: ignore[no-untyped-call]


class EncoderTagger(PieceTagger):
    """Fine-tunes an encoder, with a chain above it if the recipe has one, and tags with it.

    Args:
        recipe: how to fine-tune.
        labels: the tag set.
        seed: of the weights that are not pretrained, the order of sentences and dropout.
        scoring: (gold, predicted) -> score, for the history.
        checkpoint: a file for the state after each epoch; a `fit` that was killed goes on from it.

    Attributes:
        weights: what `fit` started from, and its SHA-256.
    """

    weights: Weights

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
        self.precision: Precision = recipe.precision
        self.chain: Chain | None = None

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
        self.weights = find_weights(self.recipe.name)
        torch.manual_seed(self.seed)
        names = {"id2label": dict(enumerate(self.labels)), "label2id": label_id}
        self._read(self.weights.folder, new_classifier=True, pretrained=self.recipe.pretrained, **names)
        self.model.config.bert_ner_chain = self.recipe.crf  # so that `load` misses a chain that is not there
        self.chain = Chain(len(self.labels)).to(self.model.device) if self.recipe.crf else None
        examples = examples_of(train, self.pieces, label_id)
        in_validation = {
            piece
            for windows in self.pieces.encode([words for words, _ in validation])
            for window in windows
            for piece in window.ids
        }

        def validate() -> dict[str, float]:
            predicted = [["O"] * len(words) for words, _ in validation]
            losses, count = [], 0
            for batch in self.batches([words for words, _ in validation]):
                logits = self.logits(batch)
                targets = np.array([label_id[validation[sentence].tags[word]] for sentence, word in batch.words])
                losses += self._losses(batch, logits, targets)
                count += len(targets)
                for (sentence, word), label in zip(batch.words, self.best(batch, logits).tolist(), strict=True):
                    predicted[sentence][word] = self.labels[label]
            f1 = self.scoring([tags for _, tags in validation], predicted)
            return {"validation_loss": sum(losses) / count if count else 0.0, "validation_entity_f1": f1}

        pad_id = self.pieces.special.pad
        return fine_tune(
            self.model,
            examples,
            self.recipe,
            self.seed,
            pad_id,
            validate,
            in_validation,
            self.checkpoint,
            self.chain,
        )

    @property
    def parameters(self) -> int:
        """How many numbers the model has, classifier and chain included."""
        modules = [self.model, *([self.chain] if self.chain else [])]
        return sum(parameter.numel() for module in modules for parameter in module.parameters())

    @torch.inference_mode()
    def logits(self, batch: Batch) -> NDArray[np.float32]:
        """The logits of a batch's words, of shape (words, labels)."""
        self.model.eval()
        device = self.model.device
        dtype = compute_type(self.precision, device)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            logits = self.model(**model_inputs(batch.ids, batch.mask, device)).logits
        of_words: NDArray[np.float32] = logits[batch.first].float().cpu().numpy()
        return of_words

    def best(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.int64]:
        """The number of the label of each of a batch's words; with a chain, those of each window's best path."""
        if not self.chain:
            return super().best(batch, logits)
        emissions, lengths = self._by_window(batch, logits)
        best: NDArray[np.int64] = in_line(self.chain.best(emissions, lengths), lengths).cpu().numpy()
        return best

    def probabilities(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """How likely each label of each of a batch's words is; with a chain, its marginal probability."""
        if not self.chain:
            return super().probabilities(batch, logits)
        emissions, lengths = self._by_window(batch, logits)
        likely: NDArray[np.float32] = in_line(self.chain.marginals(emissions, lengths), lengths).cpu().numpy()
        return likely

    def save(self, folder: Path) -> None:
        """Write a plain Hugging Face folder: safetensors, config with id2label, tokenizer; a chain in its own file.

        Raises:
            BertNerError: it can't be written.
        """
        try:
            self.model.save_pretrained(folder)
            if self.chain:
                save_file(self.chain.state_dict(), folder / CHAIN)
            self.tokenizer.save_pretrained(folder)
        except SafetensorError as error:  # where others raise OSError
            raise BertNerError(f"{folder} can't be written: {first_line(error)}; make room, and run again") from None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a Hugging Face folder with a token-classification model, whoever wrote it.

        Raises:
            WeightsUnavailable: a file of it is missing, broken or not for tagging words with BIO tags.
        """
        tagger = cls.__new__(cls)
        tagger._read(folder, new_classifier=False)
        tagger.precision = "auto"
        names = tagger.model.config.id2label
        tagger.labels = tuple(str(names.get(i)) for i in range(len(names)))
        if strange := [label for label in tagger.labels if not re.fullmatch(r"O|[BI]-\S+", label)]:
            raise WeightsUnavailable(
                f"{folder / 'config.json'}: id2label must number BIO tags from 0 on, O, B-<type> or I-<type>; "
                f"{strange[0]!r} is none"
            )
        tagger.chain = None
        if getattr(tagger.model.config, "bert_ner_chain", False):
            tagger.chain = _read_chain(folder / CHAIN, len(names)).to(tagger.model.device)
        return tagger

    @torch.inference_mode()
    def _losses(self, batch: Batch, logits: NDArray[np.float32], targets: NDArray[np.int64]) -> list[float]:
        """The negative log likelihood, in nats, of each of a batch's words or, with a chain, of each window."""
        losses: list[float]
        if not self.chain:
            losses = (-log_softmax(logits)[np.arange(len(targets)), targets]).tolist()
        else:
            emissions, lengths = self._by_window(batch, logits)
            tags = by_row(torch.from_numpy(targets).to(lengths.device), lengths)
            losses = self.chain(emissions, lengths, tags).tolist()
        return losses

    def _by_window(self, batch: Batch, logits: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
        """A batch's logits as a chain takes them: by window, and the windows' lengths in words."""
        lengths = torch.from_numpy(np.bincount(batch.first[0])).to(self.model.device)
        return by_row(torch.from_numpy(logits).to(self.model.device), lengths), lengths

    def _read(self, folder: Path, new_classifier: bool, pretrained: bool = True, **settings: Any) -> None:
        """Take a folder's model and tokenizer; nothing that the folder names is fetched, unpickled or run."""
        safely = {"local_files_only": True, "trust_remote_code": False}
        with explained(folder, "model"):
            model, report = AutoModelForTokenClassification.from_pretrained(
                folder,
                dtype=torch.float32,  # else that of the file, and half precision doesn't train
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **safely,
                **settings,
            )
        self.tokenizer = load_tokenizer(folder)
        with explained(folder, "tokenizer"):
            known = model.get_input_embeddings().num_embeddings
            # Without its file, the library makes one up that knows the special tokens alone.
            if not len(self.tokenizer.all_special_ids) < len(self.tokenizer) <= known:
                raise ValueError(f"it has {len(self.tokenizer)} pieces, while the model knows {known}")
            self.pieces = WordPieces.of(self.tokenizer, _most_pieces(model, self.tokenizer))
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


def _read_chain(path: Path, tags: int) -> Chain:
    chain = Chain(tags)
    try:
        chain.load_state_dict(load_file(path))
    except Exception as error:
        raise WeightsUnavailable(
            f"{path} is missing or broken, and its config.json asks for it; train it again. {first_line(error)}"
        ) from error
    return chain


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
    examples = []
    for (_, tags), windows in zip(sentences, pieces.encode([words for words, _ in sentences]), strict=True):
        for window in windows:
            labels = [IGNORED] * len(window.ids)
            for position, word in zip(window.positions, window.words, strict=True):
                labels[position] = label_id[tags[word]]
            examples.append(Example(window.ids, labels))
    return examples
