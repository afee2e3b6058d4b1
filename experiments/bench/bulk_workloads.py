"""Workloads that tag a file of generated queries: by `bert-ner tag` in one process, and by actors of Ray."""

import math
import random
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.paths import DATA

from bench.measuring import Figures, encoder_folder
from bert_ner.corpus.sample import generate


def tag_files(queries: int, actors: int = 0) -> Figures:
    """Tag queries of the corpus `sample`, with the start of the program and of Ray; without actors, by `bert-ner tag`.

    The memory is that of the driver, which starts the actors.
    """
    train, test = generate()
    sentences = random.Random(0).choices([*train, *test], k=queries)
    found = {"sentences": queries, "tokens": sum(len(words) for words, _ in sentences)}
    DATA.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=DATA) as folder:  # on the disk that the project is on
        source, target = Path(folder, "queries.txt"), Path(folder, "tagged")
        with source.open("w", encoding="utf-8") as file:
            file.writelines(f"{' '.join(words)}\n" for words, _ in sentences)
        del train, test, sentences
        started = time.perf_counter()
        if not actors:
            program = [sys.executable, "-m", "bert_ner", "tag", str(source), "--model", str(encoder_folder())]
            with target.open("wb") as output:
                subprocess.run(program, stdout=output, check=True)
            return {"": {**found, "seconds": time.perf_counter() - started}, "memory": math.nan}
        from bert_ner import load_tagger
        from bert_ner.scale import tag_dataset

        tag_dataset(source, target, load_tagger(encoder_folder(), quantised=True), actors=actors)
        return {"": {**found, "seconds": time.perf_counter() - started}}
