"""Fetch a corpus into data/raw/<corpus>, and verify the SHA-256 that its YAML file gives.

python experiments/acquire.py --corpus mit_movie_eng
"""

from harness.run_main import arguments, run_main

from harness.paths import SHARED, raw_folder

from bert_ner.corpus.acquire import acquire
from bert_ner.corpus.catalog import corpus_named
from bert_ner.files import sha256_of


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    folder = raw_folder(corpus.name)
    sources = acquire(corpus, folder, shared=SHARED)
    for file in corpus.files.values():
        found = "verified" if file.sha256 else f"{sha256_of(folder / file.name)}, not in corpora/{corpus.name}.yaml"
        print(f"{corpus.name}/{file.name}: {sources[file.name]}, SHA-256 {found}")


if __name__ == "__main__":
    run_main(main)
