"""Where things are: the checkout, its data, models and results."""

from glob import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA, MODELS, RESULTS = ROOT / "data", ROOT / "models", ROOT / "results"
RUN_FILE = "run.json"  # in each model's folder
DOMAINS = "domains"  # the stage that compares corpora, and its folder in results/


def main_checkout(root: Path) -> Path:
    """Return the checkout that a copy in its .dvc/tmp/exps was made from, as `dvc exp run --temp` does; else `root`."""
    return next((folder.parent for folder in root.parents if folder.name == ".dvc"), root)


SHARED = main_checkout(ROOT).parent / "shared"  # a folder beside the checkout that may hold corpora


def raw_folder(corpus: str) -> Path:
    """Return the folder of a corpus's files as they were published."""
    return DATA / "raw" / corpus


def prepared_file(corpus: str, name: str) -> Path:
    """Return the path of a file that prepare.py writes."""
    return DATA / "prepared" / corpus / name


def parts_file(corpus: str, split: str) -> Path:
    """Return the path of the parts of the train, validation or test sentences.

    It is not in the folder of the sentences, so that parts found in another way make no model stale.
    """
    return DATA / "parts" / corpus / f"{split}.txt"


def predictions_file(results: Path, corpus: str, run: str) -> Path:
    """Return the path of a run's tags of the test sentences."""
    return results / corpus / "predictions" / f"{run}.tags"


def state_file(corpus: str, name: str) -> Path:
    """Return the path where a training keeps its state; unknown to DVC, which removes outputs before a stage runs."""
    return DATA / "unfinished" / corpus / f"{name}.safetensors"


def remove_state(corpus: str, name: str) -> None:
    """Remove the state of a training that is saved; a soup's later trainings have a number before the suffix."""
    path = state_file(corpus, name)
    for state in (path, *path.parent.glob(f"{escape(path.stem)}.training*{path.suffix}")):
        state.unlink(missing_ok=True)


def outcome_file(corpus: str, name: str) -> Path:
    """Return the path where a finished training of a study or a search waits until it is put into its table."""
    return state_file(corpus, name).with_suffix(".json")
