"""What audit.py checks: the paper's statements about its data, encoder and examples."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.params import Run

import torch
from tokenizers.models import WordPiece
from transformers import AutoModelForTokenClassification, PreTrainedConfig

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.entities import entities
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.tagger import examples_of
from bert_ner.encoder.training import IGNORED
from bert_ner.errors import BertNerError
from bert_ner.model_folder import WEIGHTS
from bert_ner.scoring.subgroups import entities_of, known_entities
from bert_ner.tagger import Tagger
from claims.paper import PAPER_TYPES, SHAPE

Parts = Mapping[str, Sequence[Sentence]]  # by name: train, validation, test
Labels = list[str | int]  # for each piece: a tag, or IGNORED


class Outcome(NamedTuple):
    """The labels of one sentence under both alignments."""

    pieces: list[str]
    paper: Labels  # for each piece; they end where its algorithm ran out of labels
    ours: Labels
    raises: bool  # whether it ran out of labels, which ends the paper's program with an IndexError

    @property
    def differs(self) -> bool:
        """Whether the paper's algorithm gave other labels than alignment by word index."""
        return self.paper != self.ours[: len(self.paper)]


def _tagged(text: str) -> Sentence:
    """Return the words and tags of a text such as `films with mel|B-ACTOR gibson|I-ACTOR`; those without one are O."""
    pairs = [word.partition("|") for word in text.split()]
    return Sentence(tuple(word for word, _, _ in pairs), tuple(tag or "O" for _, _, tag in pairs))


# Queries with punctuation, as people type them; the corpus has almost none. The last five need no split inside a word.
_TEXTS = Path(__file__).with_name("punctuated.txt").read_text(encoding="utf-8")
PUNCTUATED = [_tagged(text) for text in _TEXTS.splitlines()]
EXAMPLE = PUNCTUATED[0]


def corpus_types(types: Sequence[str]) -> dict[str, str | None]:
    """Return the corpus's name for each type that the paper names; None if it has no such type."""
    return {name: next((found for found in names if found in types), None) for name, names in PAPER_TYPES.items()}


def describe_encoder(name: str, config: PreTrainedConfig, saved: Iterable[Path] = ()) -> dict[str, Any]:
    """Return an encoder's shape and size, with a classifier; without a saved model, four bytes for each parameter."""
    with torch.device("meta"):
        model = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    parameters, headless = (sum(each.numel() for each in part.parameters()) for part in (model, model.base_model))
    file = next((file for file in saved if file.is_file()), None)
    return {
        "name": name,
        "parameters": parameters,
        "head_parameters": parameters - headless,
        **{figure: getattr(config, field, None) for figure, field in SHAPE.items()},  # not every family has every field
        "bytes": file.stat().st_size if file else 4 * parameters,
        "bytes_from": f"{WEIGHTS} of {file.parent.name}" if file else "four bytes a parameter",
    }


def paper_labels(ids: Sequence[int], tags: Sequence[str], pieces: WordPieces) -> tuple[Labels, bool]:
    """Label as the paper prints it: the next tag for each piece without ##. Return also whether the tags ran out."""
    labels: Labels = []
    remaining = iter(tags)
    for piece in ids:
        is_ignored = piece in pieces.special or str(pieces.tokenizer.id_to_token(piece)).startswith("##")
        label = IGNORED if is_ignored else next(remaining, None)
        if label is None:
            return labels, True
        labels.append(label)
    return labels, False


def align(sentence: Sentence, pieces: WordPieces) -> Outcome:
    """Label one sentence's pieces as the paper does, its words joined by spaces, and by word index."""
    encoding = pieces.tokenizer.encode(" ".join(sentence.words))
    paper, raises = paper_labels(encoding.ids, sentence.tags, pieces)
    ours: Labels = [IGNORED] * len(encoding.ids)
    for window in pieces.encode([sentence.words])[0]:
        if window.ids != encoding.ids:
            raise BertNerError("this tokenizer splits a sentence differently from its words; pieces can't be compared")
        for word, position in zip(window.words, window.positions, strict=True):
            ours[position] = sentence.tags[word]
    return Outcome(encoding.tokens, paper, ours, raises)


def tally(sentences: Sequence[Sentence], pieces: WordPieces) -> dict[str, int]:
    """Count the sentences that the paper's algorithm labels differently, and those where it runs out of labels.

    `differ` is without those of `raise`; `raise_shifted` is those of `raise` with a label on a wrong piece before.
    """
    outcomes = [align(sentence, pieces) for sentence in sentences]
    kinds = Counter((outcome.raises, outcome.differs) for outcome in outcomes)
    raised = {"raise": kinds[True, True] + kinds[True, False], "raise_shifted": kinds[True, True]}
    return {"sentences": len(outcomes), "differ": kinds[False, True], **raised}


def audit_alignment(parts: Parts, pieces: WordPieces) -> dict[str, Any]:
    """Compare the paper's alignment with ours, on each part and on punctuated sentences, one of them in full."""
    model = pieces.tokenizer.model
    if not isinstance(model, WordPiece):
        return {"not_tested": f"the algorithm looks for ##, and {type(model).__name__} pieces have none"}
    outcome = align(EXAMPLE, pieces)
    return {
        **{part: tally(sentences, pieces) for part, sentences in parts.items()},
        "punctuated": tally(PUNCTUATED, pieces),
        "example": {"words": EXAMPLE.words, "tags": EXAMPLE.tags, **outcome._asdict()},
    }


def loss_mask(sentences: Sequence[Sentence], pieces: WordPieces, labels: Sequence[str]) -> dict[str, Any]:
    """Count the pieces that carry a label in training, and compare them with the tokenizer's first pieces of words."""
    label_id = {label: i for i, label in enumerate(labels)}
    counts: Counter[str] = Counter()
    for sentence in sentences:
        word_ids = pieces.tokenizer.encode(list(sentence.words), is_pretokenized=True).word_ids
        first = {word_ids.index(word) for word in set(word_ids) - {None}}
        for example in examples_of([sentence], pieces, label_id):
            labelled = {i for i, label in enumerate(example.labels) if label != IGNORED}
            counts.update(
                words=len(sentence.words),
                words_with_a_piece=len(first),
                labelled_pieces=len(labelled),
                labelled_first_pieces=len(labelled & first),
                labelled_special_pieces=sum(word_ids[i] is None for i in labelled),
            )
    only = counts["words_with_a_piece"] == counts["labelled_pieces"] == counts["labelled_first_pieces"]
    return {"first_pieces_only": only, **counts}


def audit_query(
    query: str, paper: list[list[str]], parts: Parts, types: Mapping[str, str | None], trained: Mapping[Run, Tagger]
) -> dict[str, Any]:
    """Return where a query of the paper occurs, its gold entities, and those that the paper and each system find."""
    words = tuple(query.split())
    found = {part: [tags for other, tags in sentences if other == words] for part, sentences in parts.items()}
    annotations = [*found["test"], *found["train"], *found["validation"]]
    gold = spans_of(annotations[0]) if annotations else None
    by_run = {run: types_and_texts(words, tagger.tag([words])[0]) for run, tagger in trained.items()}
    first_of_system: dict[str, list[list[str]]] = {}
    for run, predicted in by_run.items():
        first_of_system.setdefault(run.system, predicted)
    return {
        "query": query,
        "in_test": bool(found["test"]),
        "in_train": bool(found["train"] or found["validation"]),  # the paper's training file
        "copies": {part: len(copies) for part, copies in found.items()},
        "gold": types_and_texts(words, annotations[0]) if annotations else None,
        "gold_spans": gold,
        "gold_is_the_same_everywhere": len(set(annotations)) <= 1,
        "predicted": first_of_system,
        "predicted_by_run": {run.name: predicted for run, predicted in by_run.items()},
        "paper": paper,
        "types_exist": {name: types[name] is not None for name, _ in paper},
    }


def types_and_texts(words: Sequence[str], tags: Sequence[str]) -> list[list[str]]:
    """Return the type and the text of each entity."""
    return [[entity.type, entity.text] for entity in entities(words, tags)]


def duplicates(parts: Parts) -> dict[str, Any]:
    """Count the sentences that occur more than once, by whether their tags agree; corpus.json has the totals."""
    return {
        "within": {part: tagged_twice(sentences) for part, sentences in parts.items()},
        "across": {
            "validation in train": copies(parts["validation"], parts["train"]),
            "test in train": copies(parts["test"], parts["train"]),
            "test in training file": copies(parts["test"], [*parts["train"], *parts["validation"]]),
        },
    }


def tagged_twice(sentences: Sequence[Sentence]) -> dict[str, int]:
    """Count the different sentences that occur more than once: those always tagged alike, and the others."""
    times, versions = (Counter(words for words, _ in group) for group in (sentences, set(sentences)))
    repeated = [versions[words] for words, n in times.items() if n > 1]
    return {"same_tags": repeated.count(1), "other_tags": len(repeated) - repeated.count(1)}


def copies(sentences: Sequence[Sentence], others: Sequence[Sentence]) -> dict[str, int]:
    """Count the sentences that occur among the others: those with the tags of some copy there, and those without."""
    known, known_words = set(others), {words for words, _ in others}
    same = [sentence in known for sentence in sentences if sentence.words in known_words]
    return {"same_tags": sum(same), "other_tags": len(same) - sum(same)}


def entity_overlap(train: Sequence[Sentence], test: Sequence[Sentence]) -> dict[str, dict[str, int]]:
    """Count the entities of the test part whose lower-cased words are an entity of the training part.

    `mentions` counts them as they occur, `forms` each form and type once: seen with the same type, only with other
    types, or unseen.
    """
    known, mentions = known_entities(train), [entity for sentence in test for entity in entities_of(sentence)]
    known_forms = {words for _, words in known}
    overlap = {}
    for name, found in {"mentions": mentions, "forms": set(mentions)}.items():
        same, seen = sum(entity in known for entity in found), sum(words in known_forms for _, words in found)
        overlap[name] = {"all": len(found), "same_type": same, "other_type": seen - same, "unseen": len(found) - seen}
    return overlap
