"""Check the paper's statements about its data, encoder and examples against the files.

    python experiments/audit.py --corpus mit_movie_eng

Writes results/<corpus>/audit.json: counts, and no sentence of the corpus except the two that the paper quotes. Systems
that are not trained are left out of the queries, and named.
"""

from harness.run_main import arguments, run_main

import json

from harness.artifacts import model_folder, read_labels, read_part
from harness.params import read_params
from harness.parts import read_parts
from harness.paths import RESULTS

from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.weights import ENCODERS, find_weights, load_tokenizer
from bert_ner.files import write_whole
from bert_ner.loading import load_tagger
from bert_ner.model_folder import WEIGHTS
from bert_ner.scoring import score
from claims.paper import EXAMPLE_QUERY, PAPER_ENCODER, PIECES, QUERIES


def main() -> None:
    corpus = arguments(__doc__).corpus
    # Not at the top, because torch and transformers take seconds to import.
    from transformers import AutoConfig

    from claims import audit_checks as checks
    from claims.split_checks import check_split

    params, labels = read_params(), read_labels(corpus)
    parts = {part: read_part(corpus, part) for part in ("train", "validation", "test")}
    types = list(dict.fromkeys(label[2:] for label in labels if label != "O"))
    paper_types = checks.corpus_types(types)

    weights = find_weights(params.tokenizer_encoder)
    pieces = WordPieces.of(load_tokenizer(weights.folder), limit=1_000_000)
    local = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(weights.folder, num_labels=len(labels), **local)

    folders = {run: model_folder(corpus, run) for run in params.runs}
    trained = {run: load_tagger(folder, quantised=False) for run, folder in folders.items() if folder.is_dir()}
    untrained = [run.name for run in folders if run not in trained]
    fine_tuned = [folder / WEIGHTS for run, folder in folders.items() if run.system == params.encoders[0]]
    gold = [tags for _, tags in parts["test"]]
    all_o = score(gold, [["O"] * len(tags) for tags in gold])

    facts = {
        "encoder": checks.describe_encoder(params.tokenizer_encoder, config, fine_tuned)
        | {"is_papers": weights.sha256 == ENCODERS[PAPER_ENCODER].sha256},
        "papers_encoder": checks.describe_encoder(PAPER_ENCODER, AutoConfig.for_model("bert", num_labels=len(labels))),
        "tokenizer": type(pieces.tokenizer.model).__name__,
        "alignment": checks.audit_alignment(parts, pieces),
        "loss_mask": checks.loss_mask(parts["train"], pieces, labels),
        "pieces": {text: pieces.tokenizer.encode(text, add_special_tokens=False).tokens for text in PIECES},
        "queries": [checks.audit_query(*query, parts, paper_types, trained) for query in QUERIES.items()],
        "example": [checks.audit_query(*query, parts, paper_types, trained) for query in EXAMPLE_QUERY.items()],
        "not_trained": untrained,
        "all_o": {metric: round(value.value, 6) for metric, value in all_o.items()},
        "duplicates": checks.duplicates(parts),
        "entities_of_test_in_train": checks.entity_overlap(parts["train"], parts["test"]),
        "types": types,
        "paper_types": paper_types,
        "split": check_split(parts, {split: read_parts(corpus, split) for split in parts}, trained),
        "types_not_in_paper": [name for name in types if name not in paper_types.values()],
    }
    write_whole(RESULTS / corpus / "audit.json", json.dumps(facts, indent=2) + "\n")
    print(RESULTS / corpus / "audit.json")
    if untrained:
        print(f"left out of the queries, because they are not trained: {', '.join(untrained)}")


if __name__ == "__main__":
    run_main(main)
