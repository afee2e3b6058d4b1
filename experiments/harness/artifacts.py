"""What the stages leave for each other: prepared sentences, trained models, predictions and JSON files."""

import json
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from harness.params import WEIGHTS_OF, Run, Section, read_params
from harness.paths import DATA, MODELS, RUN_FILE, prepared_file, raw_folder
from harness.remedies import stage_remedy, training_remedy

from bert_ner.corpus.bio import Sentence, read_bio
from bert_ner.corpus.catalog import Corpus
from bert_ner.errors import BertNerError
from bert_ner.files import check_sums, read_sums, sha256_of


def read_part(corpus: str, part: str) -> list[Sentence]:
    """Read the train, validation or test sentences that prepare.py wrote."""
    labels, path = read_labels(corpus), prepared_file(corpus, f"{part}.bio")
    check_sums(path.parent, stage_remedy("prepare", corpus), [path.name, "labels.txt"])
    return read_bio(path, labels)


def read_labels(corpus: str) -> list[str]:
    """Read the tag set that prepare.py wrote, in the order of the catalog."""
    path = prepared_file(corpus, "labels.txt")
    if not path.is_file():
        raise BertNerError(f"{path} is missing; {stage_remedy('prepare', corpus)}")
    return path.read_text(encoding="utf-8", errors="replace").split()


def read_training_file(corpus: Corpus) -> list[Sentence]:
    """Read the training file as it was published, before prepare.py split it."""
    return corpus.read(raw_folder(corpus.name))["train"]


def out_of_fold_file(corpus: str) -> Path:
    """Return the path of the probabilities that out_of_fold.py writes."""
    return DATA / "out_of_fold" / corpus / "probabilities.npz"


def read_section(corpus: str, system: str) -> Section:
    """Return a system's section of params.yaml, with what prepare.py noted for the corpus."""
    path = prepared_file(corpus, "min_steps.txt")
    if path.is_file() or path.name in read_sums(path.parent):
        check_sums(path.parent, stage_remedy("prepare", corpus), [path.name])
    return read_params().section(system, int(path.read_text(encoding="utf-8")) if path.is_file() else 0)


def signature_source(corpus: Corpus) -> dict[str, str]:
    """Return what signatures say of the test sentences; `data` is the sum of the published file, not of our copy."""
    digest = sha256_of(raw_folder(corpus.name) / corpus.test.name)
    return {"split": "test", "corpus": corpus.name, "data": digest[:8]}


def model_folder(corpus: str, run: Run) -> Path:
    """Return the folder of a model; those of extra runs are apart, so that no stage of `dvc repro` waits for them."""
    params = read_params()
    trained = run._replace(system=params[run.system].get(WEIGHTS_OF, run.system))
    return (MODELS if trained in params.runs else MODELS / "more") / corpus / trained.name


def read_run(corpus: str, run: Run) -> dict[str, Any]:
    """Read what train.py recorded with a model: settings, history, weights and environment."""
    path = model_folder(corpus, run) / RUN_FILE
    content = read_json(path) if path.is_file() else {}
    if not (isinstance(content.get("settings"), dict) and isinstance(content.get("history"), list)):
        raise BertNerError(f"{path} is missing, or has no settings or no history; {training_remedy(corpus, run)}")
    return content


def read_json(path: Path, remedy: str = "") -> dict[str, Any]:
    """Read a JSON object that a stage wrote; an error ends with the remedy, by default to run that stage."""
    if not path.is_file():
        raise BertNerError(f"{path} is missing; {remedy or 'run the stage that writes it'}")
    remedy = remedy or "remove it, and run the stage that writes it"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BertNerError(f"{path} can't be read ({error}); {remedy}") from None
    if not isinstance(content, dict):
        raise BertNerError(f"{path} is not a JSON object; {remedy}")
    return content


# Most of its runs have no model here, so no stage can write it again.
PROVENANCE_REMEDY = "take the file from Git"


def study_folder(results: Path, corpus: str, study: str) -> Path:
    """Return the folder of a study's tags of the test sentences, below results/."""
    return results / corpus / "studies" / study


def predictions_text(tags: Iterable[Sequence[str]]) -> str:
    """Return tags as the text of a file of predictions: a sentence on each line."""
    return "".join(" ".join(sentence) + "\n" for sentence in tags)


def read_predictions(path: Path, test: Sequence[Sentence], remedy: str) -> list[list[str]]:
    """Read a run's tags of the test sentences; an error ends with the remedy."""
    if not path.is_file():
        raise BertNerError(f"{path} is missing; {remedy}")
    check_predictions(path, remedy)
    try:
        tags = [line.split(" ") for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    except ValueError as error:
        raise BertNerError(f"{path} is not UTF-8 ({error}); {remedy}") from None
    lengths = zip_longest(map(len, tags), (len(words) for words, _ in test))
    if line := next((line for line, (found, wanted) in enumerate(lengths, 1) if found != wanted), None):
        raise BertNerError(f"{path}, line {line}, does not fit the test sentences; {remedy}")
    return tags


def check_predictions(path: Path, remedy: str) -> None:
    """Compare a run's tags, or a study's, with their sum in results/provenance.json, if that has one."""
    *_, parent, folder = path.parent.parts
    if parent == "studies":
        root, names = path.parents[3], (path.parents[2].name, "studies", folder, path.stem)
    else:
        root, names = path.parents[2], (parent, "runs", path.stem, "predictions")
    record = root / "provenance.json"
    known: Any = read_json(record, PROVENANCE_REMEDY) if record.is_file() else {}
    for name in names:
        known = known.get(name) if isinstance(known, dict) else None
    if known and (found := sha256_of(path)) != known:
        raise BertNerError(f"{path}: its SHA-256 is {found}, but {record} has {known}; {remedy}")
