"""A pretrained encoder with a classifier over each word's first piece."""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from itertools import repeat
from pathlib import Path
from typing import Any, Self, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForTokenClassification, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.schemes import SCHEME_TAG
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.chain import LinearChainCRF, pad_sentences, unpad_sentences
from bert_ner.encoder.checkpoint import Checkpoint, fingerprint
from bert_ner.encoder.decoding import Batch, Decoding, PathScores, PieceTagger, log_softmax
from bert_ner.encoder.distillation import Targets, digest_of, soft_targets
from bert_ner.encoder.forks import one_thread_after_fork
from bert_ner.encoder.probe import probe_tokenizer
from bert_ner.encoder.ranks import Ranks, join_ranks
from bert_ner.encoder.training import IGNORED, Example, Precision, Recipe, compute_type, fine_tune, model_inputs
from bert_ner.encoder.weights import ENCODERS, Weights, WeightsUnavailable, find_weights, load_tokenizer, loading_errors
from bert_ner.errors import BertNerError, first_line
from bert_ner.progress import Progress
from bert_ner.tagger import ProbabilisticTagger, System
from bert_ner.wording import counted

CHAIN = "chain.safetensors"
STRIDE = 2**32  # seeds are below this, so those of a soup's later trainings are no run's

logging.set_verbosity_error()  # type: ignore[no-untyped-call] # otherwise each load reports that the classifier is new
logging.disable_progress_bar()  # type: ignore[no-untyped-call]


class EncoderTagger(System, PieceTagger):
    """Fine-tunes an encoder, with a CRF on top if the recipe has one, and tags with it."""

    Settings = Recipe
    settings: Recipe
    weights: Weights  # that `fit` started from
    precision: Precision  # the recipe's after `fit`, `auto` after `load`
    chain: LinearChainCRF | None

    def fit(
        self,
        train: Sequence[Sentence],
        validation: Sequence[Sentence],
        teachers: Iterable[ProbabilisticTagger] = (),
    ) -> list[dict[str, Any]]:
        """Fine-tune; the history has a row per epoch: training loss and, if validated, validation loss and entity F1.

        Processes that torchrun started share each batch, and end with the same weights; the first writes checkpoints.

        Args:
            teachers: those that the recipe names, with the same labels. A generator may load one after the other.

        Raises:
            BertNerError: the encoder is unavailable, a tag is not among the labels, there is no word, a teacher has
                other labels, or teachers are named and none is given, or the reverse.
        """
        self.check_labels([*train, *validation])
        if teachers and not self.settings.teachers:
            raise BertNerError("`fit` was given teachers, but the recipe names none; add their names to it")
        if self.settings.train_on == "all":
            train, validation = [*train, *validation], []
        ranks, label_id = join_ranks(), {label: i for i, label in enumerate(self.labels)}
        self.precision, self.decoding = self.settings.precision, self.settings.decoding
        self.weights = find_weights(self.settings.name)
        if self.settings.name not in ENCODERS:
            probe_tokenizer(self.weights.folder)
        self._start(label_id)
        examples = self._examples(train, label_id, teachers)
        history = self._train(examples, validation, label_id, ranks)
        if self.settings.soup > 1:
            history += self._add_to_soup(examples, validation, label_id, ranks)
        return history

    def _start(self, label_id: Mapping[str, int]) -> None:
        """Load the encoder, with a new classifier and, if the recipe has one, a new CRF; the seed draws them."""
        torch.manual_seed(self.seed)
        names = {"id2label": dict(enumerate(self.labels)), "label2id": label_id}
        self._read(self.weights.folder, new_classifier=True, pretrained=self.settings.pretrained, **names)
        self.model.config.bert_ner_chain = self.settings.crf  # so that `load` notices a missing CRF
        self.chain = LinearChainCRF(len(self.labels)).to(self.model.device) if self.settings.crf else None

    def _add_to_soup(
        self,
        examples: Sequence[Example],
        validation: Sequence[Sentence],
        label_id: Mapping[str, int],
        ranks: Ranks,
    ) -> list[dict[str, Any]]:
        """Train again from the same start, as often as the recipe says, and take the mean of all weights."""
        sums, history = [weights.clone() for weights in self._weights()], []
        for member in range(1, self.settings.soup):
            self._start(label_id)
            history += self._train(examples, validation, label_id, ranks, member)
            for total, weights in zip(sums, self._weights(), strict=True):
                total.add_(weights)
        for total, weights in zip(sums, self._weights(), strict=True):
            weights.copy_(total / self.settings.soup)
        return history

    def _train(
        self,
        examples: Sequence[Example],
        validation: Sequence[Sentence],
        label_id: Mapping[str, int],
        ranks: Ranks,
        member: int = 0,
    ) -> list[dict[str, Any]]:
        """Train, and return the history; `member` is the number of the training in a soup, and numbers its epochs."""
        validation_words = [words for words, _ in validation]
        windows = [window for windows in self.pieces.encode(validation_words) for window in windows]
        also_used = {piece for window in windows for piece in window.ids}

        def validate() -> dict[str, float]:
            predicted = [["O"] * len(words) for words, _ in validation]
            losses, count = [], 0
            for batch in self.batches(validation_words):
                logits = self.logits(batch)
                targets = np.array([label_id[validation[sentence].tags[word]] for sentence, word in batch.words])
                losses += self._losses(batch, logits, targets)
                count += len(targets)
                for (sentence, word), label in zip(batch.words, self.best_labels(batch, logits).tolist(), strict=True):
                    predicted[sentence][word] = self.labels[label]
            f1 = self.scoring([tags for _, tags in validation], predicted)
            return {"validation_loss": sum(losses) / count if count else 0.0, "validation_entity_f1": f1}

        steps = -(-len(examples) // self.settings.batch_size)  # in an epoch
        epochs = max(self.settings.epochs, math.ceil(self.settings.min_steps / max(steps, 1)))
        recipe, seed = self.settings.model_copy(update={"epochs": epochs}), self.seed + member * STRIDE
        taught = digest_of(example.targets for example in examples if example.targets is not None)
        key = fingerprint(recipe, seed, [example[:2] for example in examples], taught, ranks.size)
        state = self._state(member)
        checkpoint = Checkpoint(state, key, writes=ranks.is_first, keeps_best=bool(recipe.patience))
        if not ranks.agree_on(len(checkpoint.history)):
            remedy = "let them share its folder, or remove it"
            raise BertNerError(f"not all processes read the same checkpoint, {state}: {remedy}")
        done = steps * len(checkpoint.history)
        task = f"{recipe.name} seed {self.seed}" + (f", {member + 1} of {recipe.soup}" if recipe.soup > 1 else "")
        progress = Progress(task, steps * recipe.epochs, recipe.epochs, done, shown=ranks.is_first)
        rows = fine_tune(
            self.model, examples, recipe, seed, self.pieces.special.pad,
            also_used=also_used, chain=self.chain, checkpoint=checkpoint, ranks=ranks, on_step=progress.step,
        )  # fmt: skip
        with progress, closing(rows):
            for row in rows:
                if self.settings.train_on == "train":
                    row.update(validate())
                progress.end_epoch(row)
                checkpoint.save(row)
        return [row | {"epoch": row["epoch"] + member * recipe.epochs} for row in checkpoint.history]

    def _state(self, member: int) -> Path | None:
        """Return the checkpoint's path: of a soup, each training has its own, numbered before the suffix."""
        path = self.checkpoint
        return path.with_suffix(f".training{member + 1}{path.suffix}") if path and member else path

    def _weights(self) -> list[torch.Tensor]:
        """Return all trained weights, those of the classifier and the CRF included."""
        modules = [self.model, self.chain] if self.chain else [self.model]
        return [parameter.data for module in modules for parameter in module.parameters()]

    @property
    def parameters(self) -> int:
        """The number of parameters, classifier and CRF included."""
        return sum(weights.numel() for weights in self._weights())

    @torch.inference_mode()
    def logits(self, batch: Batch) -> NDArray[np.float32]:
        """Return the logits of a batch's words, of shape (words, labels)."""
        one_thread_after_fork()
        self.model.eval()
        device = self.model.device
        dtype = compute_type(self.precision, device)
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            logits = self.model(**model_inputs(batch.ids, batch.mask, device)).logits
        word_logits: NDArray[np.float32] = logits[batch.first].float().cpu().numpy()
        return word_logits

    def best_labels(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return the index of each word's best label; with a CRF, that on its window's best path."""
        if not self.chain:
            return super().best_labels(batch, logits)
        emissions, lengths = self._emissions(batch, logits)
        best: NDArray[np.int64] = unpad_sentences(self.chain.viterbi(emissions, lengths), lengths).cpu().numpy()
        return best

    def probabilities(self, batch: Batch, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of each label of each word; with a CRF, its marginal probability."""
        if not self.chain:
            return super().probabilities(batch, logits)
        emissions, lengths = self._emissions(batch, logits)
        found: NDArray[np.float32] = unpad_sentences(self.chain.marginals(emissions, lengths), lengths).cpu().numpy()
        return found

    def path_scores(self) -> PathScores:
        """Return the CRF's scores of labels that follow each other; zeros without one."""
        if not self.chain:
            return super().path_scores()
        learnt = (self.chain.start, self.chain.transitions, self.chain.end)
        return PathScores(*(scores.detach().double().cpu().numpy() for scores in learnt))

    def save(self, folder: Path) -> None:
        """Write a plain Hugging Face folder: safetensors, config with id2label, tokenizer; a CRF in its own file."""
        config = vars(self.model.config)
        config.pop("bert_ner_decoding", None)
        if self.decoding != "greedy":  # which folders without the key mean
            config["bert_ner_decoding"] = self.decoding
        try:
            self.model.save_pretrained(folder)
            if self.chain:
                save_file(self.chain.state_dict(), folder / CHAIN)
            self.tokenizer.save_pretrained(folder)
        except SafetensorError as error:  # raised in place of OSError
            remedy = "free some space, and run again"
            raise BertNerError(f"{folder} can't be written: {first_line(error)}; {remedy}") from None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read any Hugging Face folder with a token-classification model whose labels are tags of a known scheme.

        Raise WeightsUnavailable if it is not one, or a file is missing or broken.
        """
        tagger = cls.__new__(cls)
        tagger._read(folder, new_classifier=False)
        tagger.precision = "auto"
        names, path = tagger.model.config.id2label, folder / "config.json"
        tagger.labels = _with_prefixes([str(names.get(i)) for i in range(len(names))])
        if invalid := [label for label in tagger.labels if not SCHEME_TAG.fullmatch(label)]:
            raise WeightsUnavailable(
                f"{path}: id2label must number BIO tags from 0 on, O, B-<type> or I-<type>, or tags of BIOES, BILOU or "
                f"IO; {invalid[0]!r} is not one"
            )
        tagger.decoding = getattr(tagger.model.config, "bert_ner_decoding", "greedy")
        if tagger.decoding not in get_args(Decoding):
            raise WeightsUnavailable(f"{path}: bert_ner_decoding must be greedy or legal, not {tagger.decoding!r}")
        tagger.chain = None
        if getattr(tagger.model.config, "bert_ner_chain", False):
            tagger.chain = _read_chain(folder / CHAIN, len(names)).to(tagger.model.device)
        return tagger

    @torch.inference_mode()
    def _losses(self, batch: Batch, logits: NDArray[np.float32], targets: NDArray[np.int64]) -> list[float]:
        """Return the negative log likelihood, in nats, of each of a batch's words or, with a CRF, of each window."""
        if not self.chain:
            return list((-log_softmax(logits)[np.arange(len(targets)), targets]).tolist())
        emissions, lengths = self._emissions(batch, logits)
        tags = pad_sentences(torch.from_numpy(targets).to(lengths.device), lengths)
        return list(self.chain(emissions, lengths, tags).tolist())

    def _examples(
        self, train: Sequence[Sentence], label_id: Mapping[str, int], teachers: Iterable[ProbabilisticTagger]
    ) -> list[Example]:
        """Return the training sentences as examples, with the targets of the teachers that the recipe names."""
        targets = None
        if self.settings.teachers:
            targets = soft_targets(teachers, [words for words, _ in train], self.labels)
        return examples_of(train, self.pieces, label_id, targets)

    def _emissions(self, batch: Batch, logits: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a batch's logits as the CRF's emissions, a row per window, and the windows' lengths in words."""
        lengths = torch.from_numpy(np.bincount(batch.first[0])).to(self.model.device)
        return pad_sentences(torch.from_numpy(logits).to(self.model.device), lengths), lengths

    def _read(self, folder: Path, new_classifier: bool, pretrained: bool = True, **settings: Any) -> None:
        """Load a folder's model and tokenizer; never fetch, unpickle or run anything that the folder names."""
        safely = {"local_files_only": True, "trust_remote_code": False}
        with loading_errors(folder, "model"):
            theirs = AutoConfig.from_pretrained(folder, **safely).id2label
            model, report = AutoModelForTokenClassification.from_pretrained(
                folder,
                dtype=torch.float32,  # the default is the file's type, and half precision can't be trained
                use_safetensors=True,
                ignore_mismatched_sizes=True,
                output_loading_info=True,
                **safely,
                **settings,
            )
        self.tokenizer = load_tokenizer(folder)
        with loading_errors(folder, "tokenizer"):
            known = model.get_input_embeddings().num_embeddings
            # If the file is missing, the library makes a tokenizer that knows only the special tokens.
            if not len(self.tokenizer.all_special_ids) < len(self.tokenizer) <= known:
                raise ValueError(f"it has {len(self.tokenizer)} pieces, while the model knows {known}")
            if (last := max(self.tokenizer.get_vocab().values())) >= known:
                raise ValueError(f"it has a piece with the id {last}, while the model knows {known}")
            self.pieces = WordPieces.of(self.tokenizer, _most_pieces(model, self.tokenizer))
        # The library fills gaps with random numbers, which is right only for a new classifier.
        needed = f"{model.base_model_prefix}." if new_classifier else ""
        filled = [*report["missing_keys"], *(name for name, *_ in report["mismatched_keys"])]
        if gaps := sorted(name for name in filled if name.startswith(needed)):
            raise WeightsUnavailable(
                f"{folder}: its weights lack {counted(len(gaps), 'parameter')} that its config.json asks for, or have "
                f"them in another shape, for example {gaps[0]}; "
                + ("name a folder with a whole encoder" if new_classifier else "fine-tune it first")
            )
        # The classifier of a fine-tuned folder fits in shape if it has as many labels, but is wrong if they are others.
        if not pretrained or (new_classifier and not filled and theirs != model.config.id2label):
            encoder = model.base_model.state_dict()
            model = AutoModelForTokenClassification.from_config(model.config, dtype=torch.float32)  # type: ignore[no-untyped-call]
            if pretrained:
                model.base_model.load_state_dict(encoder)
        self.model = model.to("cuda" if torch.cuda.is_available() else "cpu")


def _with_prefixes(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels as tags: some models in IO name the bare types, with `O` for the words outside."""
    if "O" in labels and not any("-" in label for label in labels):
        return tuple(label if label == "O" else f"I-{label}" for label in labels)
    return tuple(labels)


def _read_chain(path: Path, tags: int) -> LinearChainCRF:
    chain = LinearChainCRF(tags)
    try:
        chain.load_state_dict(load_file(path))
    except Exception as error:
        raise WeightsUnavailable(
            f"{path} is missing or broken, and its config.json asks for it; train it again. {first_line(error)}"
        ) from error
    return chain


def _most_pieces(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> int:
    """Return the most pieces, special tokens included, that both model and tokenizer take."""
    limits = [tokenizer.model_max_length]  # 1e30 if its author set none
    limits.append(getattr(model.config, "max_position_embeddings", limits[0]))
    for name, module in model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            # RoBERTa and MPNet count positions from the padding's id on: of 514, 512 are for pieces.
            limits.append(module.num_embeddings - module.padding_idx - 1)
    return min(limits)


def examples_of(
    sentences: Sequence[Sentence],
    pieces: WordPieces,
    label_id: Mapping[str, int],
    targets: Sequence[Targets] | None = None,
) -> list[Example]:
    """Return the windows of some sentences as training examples, each word's label and targets on its first piece."""
    examples = []
    encoded = pieces.encode([words for words, _ in sentences])
    for (_, tags), windows, rows in zip(sentences, encoded, targets or repeat(None, len(sentences)), strict=True):
        for window in windows:
            labels = [IGNORED] * len(window.ids)
            for position, word in zip(window.positions, window.words, strict=True):
                labels[position] = label_id[tags[word]]
            examples.append(Example(window.ids, labels, None if rows is None else rows[window.words]))
    return examples
