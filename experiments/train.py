"""Train one system on one corpus, into models/<corpus>/<system>-<seed>.

python experiments/train.py --corpus mit_movie_eng --system minilm --seed 13
"""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.artifacts import model_folder, read_labels, read_part
from harness.params import Run, read_params
from harness.paths import DATA, MODELS, RUN_FILE
from harness.provenance import environment
from harness.run_main import arguments, run_main, seed
from harness.systems import SYSTEMS, build

from bert_ner.files import write_sums, write_whole
from bert_ner.tagger import Tagger


def main() -> None:
    options = arguments(
        __doc__,
        system={"choices": SYSTEMS, "required": True, "help": "what to train"},
        seed={"type": seed, "default": 0, "help": "for systems that draw random numbers; default: %(default)s"},
    )
    run, params = Run(options.system, options.seed), read_params()
    state = state_file(options.corpus, run.name)
    tagger = build(run.system, params, read_labels(options.corpus), run.seed, state)
    train, validation = read_part(options.corpus, "train"), read_part(options.corpus, "validation")

    origin, started = environment(), time.perf_counter()
    history = tagger.fit(train, validation)
    seconds = time.perf_counter() - started

    folder = model_folder(options.corpus, run)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=MODELS, prefix=".unfinished-") as scratch:
        # Written aside and moved at the end: a folder of that name is a whole one.
        whole = Path(scratch) / run.name
        whole.mkdir()
        tagger.save(whole)
        facts = {
            "corpus": options.corpus,
            "system": run.system,
            "seed": run.seed,
            "settings": params[run.system],
            "seconds": round(seconds, 2),
            "history": history,
            "weights": weights_of(tagger),
            "environment": origin,
        }
        write_whole(whole / RUN_FILE, json.dumps(facts, indent=2) + "\n")
        write_sums(whole)
        shutil.rmtree(folder, ignore_errors=True)
        whole.rename(folder)
    state.unlink(missing_ok=True)
    print(f"{run.name} on {options.corpus}: {seconds:.0f} s")


def weights_of(tagger: Tagger) -> dict[str, str] | None:
    """Where the pretrained weights that a system started from came from, and their SHA-256; None if it has none."""
    weights = getattr(tagger, "weights", None)
    return {"source": weights.source, "sha256": weights.sha256} if weights else None


def state_file(corpus: str, name: str) -> Path:
    """Where a training keeps its state between epochs.

    Not among what DVC knows: it removes a stage's outputs before it runs the stage again.
    """
    return DATA / "unfinished" / corpus / f"{name}.safetensors"


if __name__ == "__main__":
    run_main(main)
