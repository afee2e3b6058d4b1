"""Train briefly for `check.py --fast`: the CRF and one encoder, minutes instead of hours, in a scratch folder.

The runs show that training and scoring still work; their scores are no results. So they have settings of their own, in
short_runs.yaml, and references of their own, in results/reference/fast.
"""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.paths import SHARED
from harness.provenance import environment
from harness.systems import build

from bert_ner.corpus.acquire import CorpusUnavailable, acquire
from bert_ner.corpus.bio import Sentence
from bert_ner.corpus.catalog import corpus_named
from bert_ner.corpus.split import split
from bert_ner.scoring import score
from bert_ner.scoring.gate import Runs
from bert_ner.yaml_files import load_yaml
from claims.paper import PAPER_CORPUS

CORPORA = ("sample", PAPER_CORPUS)
SENTENCES = 2000  # the first of the training part
SETTINGS = Path(__file__).with_suffix(".yaml")
SECTIONS = load_yaml(SETTINGS)
SEEDS = {"crf": [0], "minilm": [13, 42, 87, 7, 101]}  # a check uses the first, a reference all


def short_runs(is_for_reference: bool) -> dict[tuple[str, str], Runs]:
    """Train on each corpus that is available; return the runs by corpus and system."""
    found = {}
    for corpus in CORPORA:
        try:
            data = read_data(corpus)
        except CorpusUnavailable as error:
            print(f"{corpus} is left out: {error}\n")
            continue
        for system, seeds in SEEDS.items():
            found[corpus, system] = train(corpus, system, data, seeds if is_for_reference else seeds[:1])
    return found


def read_data(name: str) -> list[list[Sentence]]:
    """Fetch a corpus; return its training, validation and test sentences, as acquire.py and prepare.py do."""
    corpus = corpus_named(name)
    with TemporaryDirectory() as scratch:
        acquire(corpus, Path(scratch, name), shared=SHARED)
        parts = corpus.read(Path(scratch, name))
    train, validation = split(parts["train"], fraction=0.1, seed=42)
    return [train[:SENTENCES], validation, parts["test"]]


def train(name: str, system: str, data: Sequence[list[Sentence]], seeds: Sequence[int]) -> Runs:
    """Train a system with its short settings, once for each seed, and score the test sentences."""
    corpus = corpus_named(name)
    known, validation, test = data
    source = {"split": "test", "corpus": name, "data": str(corpus.test.sha256)[:8]}
    runs, signature = [], ""
    for seed in seeds:
        tagger = build(system, SECTIONS.get(system), corpus.labels or (), seed, path=SETTINGS)
        tagger.fit(known, validation)
        scores = score([tags for _, tags in test], tagger.tag([words for words, _ in test]), **source)
        signature = scores["entity_f1"].signature
        values = {metric: round(found.value, 6) for metric, found in scores.items()}
        runs.append({"seed": seed, "scores": values, "environment": environment()})
    settings = {key: value for key, value in SECTIONS[system].items() if key != "kind"} | {"sentences": SENTENCES}
    sums = {file.name: file.sha256 for file in corpus.files.values()}
    return Runs(name, system, {"signature": signature, "settings": settings, "data": sums, "weights": None}, runs)
