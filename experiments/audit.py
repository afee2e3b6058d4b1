"""Check what the paper says about its data, encoder and examples against the files.

    python experiments/audit.py --corpus mit_movie_eng

Writes results/<corpus>/audit.json: counts, no sentence of the corpus but the two that the paper quotes. Systems that
are not trained are left out of the queries' part, and named.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.artifacts import model_folder, read_labels, read_part
from harness.params import Run, first_encoder, read_params, runs
from harness.paths import RESULTS
from harness.run_main import arguments, run_main

import torch
from tokenizers.models import WordPiece
from transformers import AutoConfig, AutoModelForTokenClassification, BertConfig, PreTrainedConfig

from bert_ner.corpus.bio import Sentence, Span, spans_of
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.tagger import examples_of
from bert_ner.encoder.training import IGNORED
from bert_ner.encoder.weights import ENCODERS, find_weights, load_tokenizer
from bert_ner.files import write_whole
from bert_ner.loading import load_tagger
from bert_ner.model_folder import WEIGHTS
from bert_ner.scoring import score
from bert_ner.tagger import Tagger
from claims.paper_alignment import EXAMPLE, PUNCTUATED, align, tally

PAPER_ENCODER = "bert-base-uncased"
PIECES = ("gibson", "movies starring mel gibson")  # section 5.3.2

# What section 3.2 gives of the encoder, and the library's name for it.
SHAPE = {
    "layers": "num_hidden_layers",
    "width": "hidden_size",
    "heads": "num_attention_heads",
    "vocabulary": "vocab_size",
    "positions": "max_position_embeddings",
    "feed_forward": "intermediate_size",
}

# The types that sections 3.1 and 5.4.1 name, and what the corpora call them.
PAPER_TYPES = {
    "ACTOR": ("ACTOR", "Actor"),
    "DIRECTOR": ("DIRECTOR", "Director"),
    "WRITER": (),
    "PRODUCER": (),
    "GENRE": ("GENRE", "Genre"),
    "TITLE": ("TITLE",),
    "PLOT": ("PLOT", "Plot"),
    "CHARACTER": ("CHARACTER", "Character_Name"),
    "YEAR": ("YEAR", "Year"),
    "RATING": ("RATING",),
    "LANGUAGE": (),
    "COUNTRY": (),
    "QUOTE": ("Quote",),
    "SONG": ("SONG", "Soundtrack"),
    "AWARD": ("Award",),
    "PERSON": (),
    "CONTENT_TYPE": (),
}

# Section 5.4.1: a query, and the entities that the paper says it found.
QUERIES = {
    "show me films with drew barrymore from the 1980s": [["ACTOR", "drew barrymore"], ["YEAR", "1980s"]],
    "what leonard cohen songs have been used in a movie": [["PERSON", "leonard cohen"], ["CONTENT_TYPE", "songs"]],
}

EXAMPLE_QUERY = {"movies starring mel gibson": [["ACTOR", "mel gibson"]]}  # section 5.3.2
PAPER_ENTITIES = QUERIES | EXAMPLE_QUERY


def main() -> None:
    corpus = arguments(__doc__).corpus
    params, labels = read_params(), read_labels(corpus)
    parts = {part: read_part(corpus, part) for part in ("train", "validation", "test")}
    types = list(dict.fromkeys(label[2:] for label in labels if label != "O"))
    weights = find_weights(first_encoder(params))
    pieces = WordPieces.of(load_tokenizer(weights.folder), limit=1_000_000)
    trained = {
        run: load_tagger(folder, quantised=False)
        for run in runs(params)
        if (folder := model_folder(corpus, run)).is_dir()
    }
    untrained = [run.name for run in runs(params) if run not in trained]
    gold = [tags for _, tags in parts["test"]]
    all_o = score(gold, [["O"] * len(tags) for tags in gold])
    paper_types = corpus_types(types)

    encoder = describe_encoder(
        AutoConfig.from_pretrained(
            weights.folder, num_labels=len(labels), local_files_only=True, trust_remote_code=False
        )
    )
    files = [model_folder(corpus, run) / WEIGHTS for run in runs(params) if run.system == params["encoders"][0]]

    facts = {
        "encoder": {
            "name": first_encoder(params),
            **encoder,
            **size_on_disk(files, encoder["parameters"]),
            "is_papers": weights.sha256 == ENCODERS[PAPER_ENCODER].sha256,
        },
        "papers_encoder": papers_encoder(len(labels)),
        "tokenizer": type(pieces.tokenizer.model).__name__,
        "alignment": audit_alignment(parts, pieces),
        "loss_mask": loss_mask(parts["train"], pieces, labels),
        "pieces": {text: pieces.tokenizer.encode(text, add_special_tokens=False).tokens for text in PIECES},
        "queries": [audit_query(query, parts, paper_types, trained) for query in QUERIES],
        "example": [audit_query(query, parts, paper_types, trained) for query in EXAMPLE_QUERY],
        "not_trained": untrained,
        "all_o": {metric: round(value.value, 6) for metric, value in all_o.items()},
        "duplicates": duplicates(parts),
        "entities_of_test_in_train": entity_overlap(parts["train"], parts["test"]),
        "types": types,
        "paper_types": paper_types,
        "types_not_in_paper": [name for name in types if name not in paper_types.values()],
    }
    write_whole(RESULTS / corpus / "audit.json", json.dumps(facts, indent=2) + "\n")
    print(RESULTS / corpus / "audit.json")
    if untrained:
        print(f"left out of the queries, as they are not trained: {', '.join(untrained)}")


def corpus_types(types: Sequence[str]) -> dict[str, str | None]:
    """What a corpus calls each type that the paper names; None if it has no such type."""
    return {name: next((ours for ours in names if ours in types), None) for name, names in PAPER_TYPES.items()}


def papers_encoder(classes: int) -> dict[str, Any]:
    """BERT-base by its shape alone, which is what the library's defaults are: what the paper's figures come to."""
    config = BertConfig()
    config.num_labels = classes
    facts = describe_encoder(config)
    return {"name": PAPER_ENCODER, **facts, **size_on_disk([], facts["parameters"])}


def describe_encoder(config: PreTrainedConfig) -> dict[str, Any]:
    """An encoder's shape and, with a classifier over the labels, its number of parameters; needs no weights."""
    with torch.device("meta"):
        model = AutoModelForTokenClassification.from_config(config)  # type: ignore[no-untyped-call]
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "parameters": parameters,
        "head_parameters": parameters - sum(parameter.numel() for parameter in model.base_model.parameters()),
        **{name: getattr(config, field, None) for name, field in SHAPE.items()},  # some families name a field otherwise
    }


def size_on_disk(files: Iterable[Path], parameters: int) -> dict[str, Any]:
    """The bytes of the first fine-tuned model that is there; else what its parameters come to."""
    for file in files:
        if file.is_file():
            return {"bytes": file.stat().st_size, "bytes_from": f"{WEIGHTS} of {file.parent.name}"}
    return {"bytes": 4 * parameters, "bytes_from": "four bytes a parameter"}


def audit_alignment(parts: Mapping[str, Sequence[Sentence]], pieces: WordPieces) -> dict[str, Any]:
    """The paper's alignment beside ours, on each part, on punctuated sentences, and in full on one of those."""
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
    """Which pieces carry a label in training, beside the tokenizer's own account of where words begin."""
    label_id = {label: i for i, label in enumerate(labels)}
    backend = pieces.tokenizer
    counts = dict.fromkeys(("words", "words_with_a_piece", "labelled_pieces", "labelled_first_pieces"), 0)
    specials = 0
    for sentence in sentences:
        counts["words"] += len(sentence.words)
        word_ids = backend.encode(list(sentence.words), is_pretokenized=True).word_ids
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
    query: str,
    parts: Mapping[str, Sequence[Sentence]],
    paper_types: Mapping[str, str | None],
    trained: Mapping[Run, Tagger],
) -> dict[str, Any]:
    """Where one of the paper's queries occurs, what the corpus says of it, and what each system finds in it."""
    words = tuple(query.split())
    found = {part: [tags for other, tags in sentences if other == words] for part, sentences in parts.items()}
    annotations = [*found["test"], *found["train"], *found["validation"]]
    by_run = {run: spans_of(tagger.tag([words])[0]) for run, tagger in trained.items()}
    first_of_system: dict[str, list[Span]] = {}
    for run, spans in by_run.items():
        first_of_system.setdefault(run.system, spans)
    return {
        "query": query,
        "in_test": bool(found["test"]),
        "in_train": bool(found["train"] or found["validation"]),  # the paper's training file
        "copies": {part: len(copies) for part, copies in found.items()},
        "gold": entities(words, spans_of(annotations[0])) if annotations else None,
        "gold_spans": spans_of(annotations[0]) if annotations else None,
        "gold_is_the_same_everywhere": len(set(annotations)) <= 1,
        "predicted": {system: entities(words, spans) for system, spans in first_of_system.items()},
        "predicted_by_run": {run.name: entities(words, spans) for run, spans in by_run.items()},
        "paper": PAPER_ENTITIES[query],
        "types_exist": {name: paper_types[name] is not None for name, _ in PAPER_ENTITIES[query]},
    }


def entities(words: Sequence[str], spans: Iterable[Span]) -> list[list[str]]:
    """Type and text of each entity."""
    return [[span.type, " ".join(words[span.start : span.end])] for span in spans]


def duplicates(parts: Mapping[str, Sequence[Sentence]]) -> dict[str, Any]:
    """Sentences that occur more than once, word for word, by whether their tags agree; corpus.json has the totals."""
    training_file = [*parts["train"], *parts["validation"]]
    return {
        "within": {part: tagged_twice(sentences) for part, sentences in parts.items()},
        "across": {
            "validation in train": copies(parts["validation"], parts["train"]),
            "test in train": copies(parts["test"], parts["train"]),
            "test in training file": copies(parts["test"], training_file),
        },
    }


def tagged_twice(sentences: Sequence[Sentence]) -> dict[str, int]:
    """Of the different sentences that occur more than once, how many always have the same tags and how many do not."""
    tags_by_words = defaultdict(list)
    for words, tags in sentences:
        tags_by_words[words].append(tags)
    repeated = [len(set(every)) for every in tags_by_words.values() if len(every) > 1]
    return {"same_tags": sum(n == 1 for n in repeated), "other_tags": sum(n > 1 for n in repeated)}


def copies(sentences: Sequence[Sentence], others: Sequence[Sentence]) -> dict[str, int]:
    """Of the sentences that occur among the others, how many have the tags of some copy there, and how many of none."""
    known, known_words = set(others), {words for words, _ in others}
    same = [sentence in known for sentence in sentences if sentence.words in known_words]
    return {"same_tags": sum(same), "other_tags": len(same) - sum(same)}


def entity_overlap(train: Sequence[Sentence], test: Sequence[Sentence]) -> dict[str, dict[str, int]]:
    """How many entities of the test part have, lower-cased, the words of an entity of the training part.

    Counted as they occur (`mentions`) and each form and type once (`forms`): with the same type there, with other
    types alone, or not at all.
    """
    types_of = defaultdict(set)
    for form, name in forms(train):
        types_of[form].add(name)

    def by_kind(every: Iterable[tuple[str, str]]) -> dict[str, int]:
        counts = dict.fromkeys(("all", "same_type", "other_type", "unseen"), 0)
        for form, name in every:
            known = types_of.get(form, set())
            counts["all"] += 1
            counts["same_type" if name in known else "other_type" if known else "unseen"] += 1
        return counts

    return {"mentions": by_kind(forms(test)), "forms": by_kind(set(forms(test)))}


def forms(sentences: Sequence[Sentence]) -> list[tuple[str, str]]:
    """The lower-cased words and the type of every entity."""
    return [(text.lower(), name) for words, tags in sentences for name, text in entities(words, spans_of(tags))]


if __name__ == "__main__":
    run_main(main)
