"""Check a corpus, split its training file, find its parts, and write the statistics that the paper gives.

python experiments/prepare.py --corpus mit_movie_eng
"""

from harness.run_main import arguments, run_main

import json
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.params import read_params
from harness.paths import RESULTS, parts_file, prepared_file, raw_folder
from harness.remedies import stage_remedy

from bert_ner.corpus.acquire import check_acquired
from bert_ner.corpus.bio import Sentence, illegal_transitions, labels_of, spans_of, write_bio
from bert_ner.corpus.catalog import Corpus, corpus_named
from bert_ner.corpus.columns import BioError
from bert_ner.corpus.parts import ALPHA, LIKELIHOOD_RATIO, MIN_CHANGE, Break, agree, as_facts, find_breaks, part_names
from bert_ner.corpus.split import split
from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.weights import find_weights, load_tokenizer
from bert_ner.errors import BertNerError
from bert_ner.files import write_sums, write_whole
from bert_ner.wording import counted
from claims.paper import PAPER_LENGTH

FEW_SENTENCES = 6_400  # four epochs in batches of 32 are then fewer than 800 steps


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    params = read_params()
    raw = raw_folder(corpus.name)
    check_acquired(corpus, raw, stage_remedy("acquire", corpus.name))
    files = read_files(corpus, raw)
    training_file = files["train"]
    breaks = {name: find_breaks([words for words, _ in sentences]) for name, sentences in files.items()}
    part_of = parts_of(files, breaks)
    if "validation" not in files:
        drawn = params.split.validation_fraction, params.split.seed
        files["train"], files["validation"] = split(training_file, *drawn)
        part_of["train"], part_of["validation"] = split(part_of["train"], *drawn)
    parts = {part: files[part] for part in ("train", "validation", "test")}
    everything = [sentence for sentences in files.values() for sentence in sentences]
    types = {span.type for _, tags in everything for span in spans_of(tags)}
    labels = corpus.labels or labels_of(sorted(types))
    for part, sentences in parts.items():
        write_bio(prepared_file(corpus.name, f"{part}.bio"), sentences)
    # Training depends on these files alone, so that a new title of the corpus makes no model stale.
    write_whole(prepared_file(corpus.name, "labels.txt"), "\n".join(labels) + "\n")
    min_steps = prepared_file(corpus.name, "min_steps.txt")
    min_steps.unlink(missing_ok=True)  # the number of an earlier run would stay in force
    if corpus.min_steps:
        write_whole(min_steps, f"{corpus.min_steps}\n")
    write_sums(prepared_file(corpus.name, "labels.txt").parent)
    for name, found in part_of.items():
        write_whole(parts_file(corpus.name, name), "\n".join(found) + "\n")
    write_sums(parts_file(corpus.name, "train").parent)

    pieces = WordPieces.of(load_tokenizer(find_weights(params.tokenizer_encoder).folder), limit=1_000_000)
    facts = {
        "types": len(types),
        "tags": len({tag for _, tags in everything for tag in tags}),
        "training_file": describe(training_file, pieces),
        **{part: describe(sentences, pieces) for part, sentences in parts.items()},
        "also_in_train": {part: shared(parts[part], parts["train"]) for part in ("validation", "test")},
        "test_also_in_training_file": shared(parts["test"], training_file),
        "parts": describe_parts(breaks, part_of),
    }
    write_whole(RESULTS / corpus.name / "corpus.json", json.dumps(facts, indent=2) + "\n")
    print(", ".join(f"{part}: {counted(len(sentences), 'sentence')}" for part, sentences in parts.items()))
    if not agree(breaks.values()):
        print(
            f"{corpus.name}: its files differ in their parts, so it counts as one; corpus.json has the breaks of each"
        )
    if len(parts["train"]) < FEW_SENTENCES and not corpus.min_steps:
        print(f"{corpus.name} is small: add 'min_steps: 800' to {yaml_file(corpus)}, or an encoder learns little")


def read_files(corpus: Corpus, folder: Path) -> dict[str, list[Sentence]]:
    """Read the sentences of each file; an error names the YAML file, whose keys its remedy uses."""
    try:
        return corpus.read(folder)
    except BioError as error:
        raise BertNerError(f"{error}\n{yaml_file(corpus)} says how these files are read") from None


def yaml_file(corpus: Corpus) -> str:
    return f"corpora/{corpus.name}.yaml"


def parts_of(files: Mapping[str, Sequence[Sentence]], breaks: Mapping[str, Sequence[Break]]) -> dict[str, list[str]]:
    """Return the part of each sentence of each file; if the files differ in their parts, all are of part 1."""
    same = agree(breaks.values())
    return {name: part_names(breaks[name] if same else [], len(sentences)) for name, sentences in files.items()}


def describe_parts(breaks: Mapping[str, Sequence[Break]], part_of: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the rule's constants, the breaks of each file, and the number of sentences of each part."""
    return {
        "rule": {"alpha": ALPHA, "min_change": MIN_CHANGE, "likelihood_ratio": LIKELIHOOD_RATIO},
        "files_agree": agree(breaks.values()),
        "breaks": {name: [as_facts(each) for each in found] for name, found in breaks.items()},
        "sentences": {name: dict(sorted(Counter(found).items())) for name, found in part_of.items()},
    }


def describe(sentences: Sequence[Sentence], pieces: WordPieces) -> dict[str, Any]:
    """Count some sentences and their lengths; lengths in pieces include the special tokens."""
    entities = [span for _, tags in sentences for span in spans_of(tags)]
    in_words = [len(words) for words, _ in sentences]
    in_pieces = [sum(len(window.ids) for window in windows) for windows in pieces.encode([w for w, _ in sentences])]
    return {
        "sentences": len(sentences),
        "words": sum(in_words),
        "entities": len(entities),
        "multi_word_entities": sum(span.end - span.start > 1 for span in entities),
        "illegal_transitions": sum(len(illegal_transitions(tags)) for _, tags in sentences),
        "duplicate_sentences": len(sentences) - len({words for words, _ in sentences}),
        "words_per_sentence": lengths(in_words),
        "pieces_per_sentence": lengths(in_pieces)
        | {f"share_within_{PAPER_LENGTH}": sum(n <= PAPER_LENGTH for n in in_pieces) / len(in_pieces)},
    }


def lengths(values: Sequence[int]) -> dict[str, float]:
    """Return mean, median, 95th percentile (the smallest length that 95 % do not exceed) and maximum."""
    ordered = sorted(values)
    return {
        "mean": round(statistics.fmean(ordered), 4),
        "median": statistics.median(ordered),
        "percentile_95": ordered[-(-95 * len(ordered) // 100) - 1],
        "max": ordered[-1],
    }


def shared(sentences: Sequence[Sentence], others: Sequence[Sentence]) -> int:
    """Return how many sentences occur, word for word, among the others."""
    known = {words for words, _ in others}
    return sum(words in known for words, _ in sentences)


if __name__ == "__main__":
    run_main(main)
