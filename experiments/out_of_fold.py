"""Tag the training file with models that have not seen the sentence that they tag.

    python experiments/out_of_fold.py --corpus mit_movie_eng

Trains the system of params.yaml's label_audit once for each fold, on the other folds, and writes the probability of
every tag of the fold's words to data/out_of_fold/<corpus>. The training file is that of the corpus, before the split.
"""

from harness.run_main import arguments, run_main

import io

from harness.artifacts import out_of_fold_file, read_labels, read_section, read_training_file
from harness.params import read_params
from harness.systems import build

import numpy as np
from tqdm import tqdm

from bert_ner.corpus.catalog import corpus_named
from bert_ner.corpus.split import split
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.tagger import ProbabilisticTagger
from labels.folds import folds_keeping_copies


def main() -> None:
    corpus = corpus_named(arguments(__doc__).corpus)
    params, labels, sentences = read_params(), read_labels(corpus.name), read_training_file(corpus)
    audit = params.label_audit
    section = read_section(corpus.name, audit.system) | audit.settings
    found = [np.empty(0)] * len(sentences)
    folds = folds_keeping_copies(sentences, audit.folds, audit.seed)
    for fold in tqdm(folds, desc="out of fold", unit="fold", disable=None):
        held_out = set(fold)
        others = [sentence for i, sentence in enumerate(sentences) if i not in held_out]
        tagger = build(audit.system, section, labels, audit.seed)
        if not isinstance(tagger, ProbabilisticTagger):
            raise BertNerError(f"{audit.system} gives no probability of every tag; choose another label_audit.system")
        tagger.fit(*split(others, params.split.validation_fraction, audit.seed))
        tables = tagger.tag_probabilities([sentences[i].words for i in fold], labels)
        for i, table in zip(fold, tables, strict=True):
            found[i] = table
    path, content = out_of_fold_file(corpus.name), io.BytesIO()
    # Five digits rank as well as more, and a file of the paper's corpus takes 1 MB in place of 20.
    np.savez_compressed(content, probabilities=np.concatenate(found).round(5).astype(np.float32))
    write_whole(path, content.getvalue())
    print(path)


if __name__ == "__main__":
    run_main(main)
