"""Train one system on one corpus, into models/<corpus>/<system>-<seed>.

python experiments/train.py --corpus mit_movie_eng --system minilm --seed 13
torchrun --nproc-per-node 2 experiments/train.py --corpus mit_movie_eng --system minilm --seed 13
"""

from harness.run_main import arguments, run_main, seed

import json
import shutil
import time
import warnings

from harness.artifacts import model_folder, read_labels, read_part, read_section
from harness.params import WEIGHTS_OF, Run, kind_of, read_params, settings_of
from harness.paths import MODELS, RUN_FILE, remove_state, state_file
from harness.provenance import environment
from harness.systems import build, check_saved
from harness.teachers import fit, teacher_folders, teachers_of

from bert_ner.encoder.ranks import launched_ranks
from bert_ner.errors import BertNerError, NotExportable
from bert_ner.files import write_sums, write_whole
from bert_ner.model_folder import QUANTISED, weights_sha256
from bert_ner.unfinished import unfinished_folder


def main() -> None:
    options = arguments(
        __doc__,
        system={"required": True, "help": "a section of params.yaml"},
        seed={"type": seed, "default": 0, "help": "for systems that use random numbers; default: %(default)s"},
    )
    run = Run(options.system, options.seed)
    state = state_file(options.corpus, run.name)
    section = read_section(options.corpus, run.system)
    if WEIGHTS_OF in section:
        raise BertNerError(f"{run.system} has the weights of {section[WEIGHTS_OF]}; train that")
    kind, ranks = kind_of(run.system, section), launched_ranks()
    if ranks.size > 1 and kind != "encoder":
        raise BertNerError(f"{run.system} trains in one process; start it with python, not with torchrun")
    tagger = build(run.system, section, read_labels(options.corpus), run.seed, state)
    train, validation = read_part(options.corpus, "train"), read_part(options.corpus, "validation")
    teachers = teacher_folders(options.corpus, teachers_of(run.system, section, read_params()))

    before, started = environment(), time.perf_counter()
    history = fit(tagger, train, validation, list(teachers.values()))
    seconds = time.perf_counter() - started
    if not ranks.is_first:
        return  # all have the same weights, and the first saves them

    weights = getattr(tagger, "weights", None)  # pretrained ones, from which an encoder starts
    folder = model_folder(options.corpus, run)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with unfinished_folder(MODELS) as scratch:
        # Written elsewhere and moved at the end, so that a folder with this name is always complete.
        unfinished = scratch / run.name
        unfinished.mkdir()
        tagger.save(unfinished)
        # `load_tagger` uses an 8-bit copy in an encoder's folder.
        if kind == "encoder" and not section.get("crf"):
            from bert_ner.export.export import export  # imports torch, which other systems don't need

            write_sums(unfinished)  # which mark it as ours
            try:
                export(unfinished, unfinished / QUANTISED, "int8")
            except NotExportable as error:
                warnings.warn(f"{error}; it will tag with float weights, slower", stacklevel=1)
        facts = {
            "corpus": options.corpus,
            "system": run.system,
            "seed": run.seed,
            "settings": settings_of(section),
            "seconds": round(seconds, 2),
            "processes": ranks.size,
            "history": history,
            "weights": {"source": weights.source, "sha256": weights.sha256} if weights else None,
            "environment": before,
        }
        if teachers:
            facts["teachers"] = {name: weights_sha256(teacher) for name, teacher in teachers.items()}
        write_whole(unfinished / RUN_FILE, json.dumps(facts, indent=2) + "\n")
        write_sums(unfinished)
        check_saved(tagger, unfinished, train[0].words)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    remove_state(options.corpus, run.name)
    print(f"{run.name} on {options.corpus}: {seconds:.0f} s")


if __name__ == "__main__":
    run_main(main)
