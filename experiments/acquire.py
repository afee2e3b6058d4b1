"""Fetch a corpus into data/raw/<corpus>, verified.

python experiments/acquire.py --corpus mit_movie_eng
"""

from harness.run_main import arguments, run_main

from harness.paths import SHARED, raw_folder

from bert_ner.corpus.acquire import acquire
from bert_ner.corpus.catalog import corpus_named


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    for file, source in acquire(corpus, raw_folder(corpus.name), shared=SHARED).items():
        print(f"{corpus.name}/{file}: {source}, SHA-256 verified")


if __name__ == "__main__":
    run_main(main)
