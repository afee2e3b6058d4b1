"""What audit.py checks: the paper's statements about its data, encoder and examples."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.params import Run

import torch
from tokenizers.models import WordPiece
from transformers import AutoConfig, AutoModelForTokenClassification, BertConfig, PreTrainedConfig

from bert_ner.corpus.bio import Sentence, spans_of
from bert_ner.corpus.entities import entities
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.tagger import examples_of
from bert_ner.encoder.training import IGNORED
from bert_ner.model_folder import WEIGHTS
from bert_ner.tagger import Tagger
from claims.paper import PAPER_ENCODER, PAPER_ENTITIES, PAPER_TYPES, SHAPE
from claims.paper_alignment import EXAMPLE, PUNCTUATED, align, tally

Parts = Mapping[str, Sequence[Sentence]]  # by name: train, validation, test


def corpus_types(types: Sequence[str]) -> dict[str, str | None]:
    """Return the corpus's name for each type that the paper names; None if it has no such type."""
    return {name: next((found for found in names if found in types), None) for name, names in PAPER_TYPES.items()}


def describe_papers_encoder(classes: int) -> dict[str, Any]:
    """Describe BERT-base by its shape, which is transformers' default."""
    config = BertConfig()
    config.num_labels = classes
    facts = describe_encoder(config)
    return {"name": PAPER_ENCODER, **facts, **size_on_disk([], facts["parameters"])}


def describe_saved_encoder(folder: Path, classes: int) -> dict[str, Any]:
    """Describe the encoder in a folder."""
    config = AutoConfig.from_pretrained(folder, num_labels=classes, local_files_only=True, trust_remote_code=False)
    return describe_encoder(config)


def describe_encoder(config: PreTrainedConfig) -> dict[str, Any]:
    """Return an encoder's shape, and its number of parameters with a classifier over the labels; needs no weights."""
    with torch.device("meta"):
        model = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "parameters": parameters,
        "head_parameters": parameters - sum(parameter.numel() for parameter in model.base_model.parameters()),
        **{name: getattr(config, field, None) for name, field in SHAPE.items()},  # not every family has every field
    }


def size_on_disk(files: Iterable[Path], parameters: int) -> dict[str, Any]:
    """Return the bytes of the first of these model files that exists, or else of so many parameters."""
    for file in files:
        if file.is_file():
            return {"bytes": file.stat().st_size, "bytes_from": f"{WEIGHTS} of {file.parent.name}"}
    return {"bytes": 4 * parameters, "bytes_from": "four bytes a parameter"}


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
    counts = dict.fromkeys(("words", "words_with_a_piece", "labelled_pieces", "labelled_first_pieces"), 0)
    specials = 0
    for sentence in sentences:
        counts["words"] += len(sentence.words)
        word_ids = pieces.tokenizer.encode(list(sentence.words), is_pretokenized=True).word_ids
        first = {word: word_ids.index(word) for word in set(word_ids) - {None}}
        counts["words_with_a_piece"] += len(first)
        for example in examples_of([sentence], pieces, label_id):
            labelled = {i for i, label in enumerate(example.labels) if label != IGNORED}
            counts["labelled_pieces"] += len(labelled)
            counts["labelled_first_pieces"] += len(labelled & set(first.values()))
            specials += sum(word_ids[i] is None for i in labelled)
    only = counts["words_with_a_piece"] == counts["labelled_pieces"] == counts["labelled_first_pieces"]
    return {"first_pieces_only": only and not specials, **counts, "labelled_special_pieces": specials}


def audit_query(
    query: str, parts: Parts, paper_types: Mapping[str, str | None], trained: Mapping[Run, Tagger]
) -> dict[str, Any]:
    """Return where a query of the paper occurs, its gold entities, and the entities that each system finds."""
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
        "paper": PAPER_ENTITIES[query],
        "types_exist": {name: paper_types[name] is not None for name, _ in PAPER_ENTITIES[query]},
    }


def types_and_texts(words: Sequence[str], tags: Sequence[str]) -> list[list[str]]:
    """Return the type and the text of each entity."""
    return [[entity.type, entity.text] for entity in entities(words, tags)]


def duplicates(parts: Parts) -> dict[str, Any]:
    """Count the sentences that occur more than once, by whether their tags agree; corpus.json has the totals."""
    train, validation, test = (parts[name] for name in ("train", "validation", "test"))
    return {
        "within": {part: tagged_twice(sentences) for part, sentences in parts.items()},
        "across": {
            "validation in train": copies(validation, train),
            "test in train": copies(test, train),
            "test in training file": copies(test, [*train, *validation]),
        },
    }


def tagged_twice(sentences: Sequence[Sentence]) -> dict[str, int]:
    """Count the different sentences that occur more than once: those always tagged alike, and the others."""
    tags_by_words = defaultdict(list)
    for words, tags in sentences:
        tags_by_words[words].append(tags)
    repeated = [len(set(every)) for every in tags_by_words.values() if len(every) > 1]
    return {"same_tags": sum(n == 1 for n in repeated), "other_tags": sum(n > 1 for n in repeated)}


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
    known = set(forms(train))
    known_forms = {form for form, _ in known}

    def by_kind(entities: Collection[tuple[str, str]]) -> dict[str, int]:
        same = sum(entity in known for entity in entities)
        seen = sum(form in known_forms for form, _ in entities)
        return {"all": len(entities), "same_type": same, "other_type": seen - same, "unseen": len(entities) - seen}

    return {"mentions": by_kind(forms(test)), "forms": by_kind(set(forms(test)))}


def forms(sentences: Sequence[Sentence]) -> list[tuple[str, str]]:
    """Return the lower-cased words and the type of every entity."""
    return [(entity.text.lower(), entity.type) for words, tags in sentences for entity in entities(words, tags)]
