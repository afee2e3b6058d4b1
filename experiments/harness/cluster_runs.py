"""Train on the machines of a Ray cluster, each training in a copy of this checkout on its node.

There, DVC fetches the stage's inputs, runs it, and hands the model over: to the cache of this checkout where the nodes
share its disk, else to its remote. Then `dvc repro` finds the finished run here, and writes the lock file as usual.
Studies and searches have no output in DVC. Each of their trainings is a run, whose scores and tags come back with Ray;
after the last one, `dvc repro` here puts all of them into the table.
"""

import shlex
import shutil
import subprocess
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.artifacts import model_folder
from harness.dvc_runs import DVC, PIPELINE, THREADS, call, open_repository, run_dvc, show
from harness.live_display import DONE, FAILED, LiveDisplay, label
from harness.params import Params, Section, read_trials
from harness.paths import ROOT, outcome_file
from harness.stage_names import is_training, parse_stage
from harness.systems import has_weights
from harness.teachers import teachers_of
from harness.trials import open_folds, state_name, trials_of

import ray

from bert_ner.cores import asked_cores
from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.markdown import table
from bert_ner.progress import VARIABLE
from bert_ner.scale.runs import Outcome, Run, pack, run_all

# They decide the bits, as on one machine.
CORES = asked_cores() or THREADS
NODE_DVC = ("python", "-m", "dvc")
UNFINISHED = "data/unfinished"  # the checkpoints
WITHOUT_DEAD_LINK = ("sh", "-c", f"test -d {UNFINISHED} || rm {UNFINISHED}")  # dead where the disk is not shared


async def train_on_cluster(
    display: LiveDisplay, stages: Sequence[str], params: Params, outcomes: list[Outcome]
) -> None:
    """Run the stages, which train, on the connected cluster, and record each that succeeds with DVC.

    `outcomes` gets an entry for each.

    Raises:
        BertNerError: some failed; the others are finished and recorded.
    """
    shown: dict[str, str | None] = {}  # the stage that each run is in, as DVC's lines say

    def on_line(run: str, line: str | None) -> None:
        shown[run] = None if line is None else show(display, line, shown[run])

    models = {folder for stage in stages for folder in teacher_models(stage, params)}
    with shared_checkout([*all_inputs(stages), *sorted(models)]) as (archive, pull):
        gpus = int(ray.cluster_resources().get("GPU", 0) > 0)
        runs = [(stage, run) for stage in stages for run in cluster_runs(stage, params, gpus)]
        stage_of = {run.name: stage for stage, run in runs}
        missing = Counter(stage_of.values())
        # The largest need most memory, and their trainings take longest.
        largest_first = sorted((run for _, run in runs), key=lambda run: run.memory, reverse=True)
        async for outcome in run_all(largest_first, archive, on_line):
            outcomes.append(outcome)
            if outcome.error:
                display.end(outcome.run, FAILED)
                display.print(f"{label(outcome.run)}: {outcome.error}")
            else:
                display.end(outcome.run, DONE)
                for name, content in outcome.files.items():
                    write_whole(ROOT / name, content)
                stage = stage_of[outcome.run]
                missing[stage] -= 1
                if not missing[stage]:
                    # One at a time, because the next outcome waits.
                    await run_dvc(display, "repro", *pull, "--single-item", stage, OMP_NUM_THREADS=str(CORES))
    if failed := [label(outcome.run) for outcome in outcomes if outcome.error]:
        raise BertNerError(
            f"{len(failed)} of {len(outcomes)} trainings failed ({', '.join(failed)}); the others are kept, and the "
            "same command continues from there"
        )


def outcome_table(outcomes: Sequence[Outcome]) -> str:
    """Return what ran where, as a table in Markdown."""
    rows = [
        [label(run), error or "done", node, str(tries), f"{seconds:.0f}"]
        for run, node, tries, seconds, error, _ in outcomes
    ]
    return table(["run", "result", "node", "tries", "seconds"], sorted(rows), 3)


def runs_on_cluster(stage: str) -> bool:
    """Whether a stage trains: one model, or those of a study or a search."""
    return is_training(stage) or has_parts(stage)


def has_parts(stage: str) -> bool:
    """Whether a stage is a study or a search: its trainings are runs of their own."""
    return parse_stage(stage).stage in ("study", "search")


def cluster_runs(stage: str, params: Params, gpus: int) -> list[Run]:
    """Return the runs of a stage: one for a training, and one for each training of a study or a search."""
    parts = parse_stage(stage)
    if parts.stage == "study":
        return study_runs(stage, params, gpus)
    if parts.stage == "search":
        return search_runs(stage, params, gpus)
    commands = [
        (*NODE_DVC, "repro", "--single-item", stage),
        (*NODE_DVC, "push", "--quiet", "--run-cache", stage),
    ]
    inputs = [*inputs_of(stage), *teacher_models(stage, params)]
    return [node_run(stage, inputs, commands, [params[parts.system]], gpus)]


def study_runs(stage: str, params: Params, gpus: int) -> list[Run]:
    """Return a run for each training of a study, but for those without weights."""
    corpus, runs = corpus_of(stage), []
    for trial in read_trials(parse_stage(stage).item, params):
        if has_weights(trial.settings):
            file = outcome_file(corpus, trial.state)
            runs.append(part_run(stage, trial.name, ["--trial", trial.name], [trial.settings], [file], gpus))
    return runs


def search_runs(stage: str, params: Params, gpus: int) -> list[Run]:
    """Return a run for each training that a search still needs.

    If a trial has teachers, one run has all trainings of a fold, so that the fold's teachers are trained once.
    """
    corpus, system = corpus_of(stage), parse_stage(stage).system
    trials = trials_of(system, params)
    # Also those of a trial without teachers: `--fold` alone trains every open trial of the fold.
    is_by_fold = any(settings.get("teachers") for settings in trials.values())
    groups: dict[str, list[tuple[int, int]]] = {}
    for row in open_folds(corpus, system, params):
        trial, fold = row["trial"], row["fold"]
        options = f"--fold {fold}" if is_by_fold else f"--fold {fold} --trial {trial}"
        groups.setdefault(options, []).append((trial, fold))
    runs = []
    for options, parts in groups.items():
        sections = [trials[trial] for trial, _ in parts]
        sections += [params[run.system] for section in sections for run in teachers_of(system, section, params)]
        files = [outcome_file(corpus, state_name(system, trial, fold)) for trial, fold in parts]
        runs.append(part_run(stage, options.replace("--", ""), options.split(), sections, files, gpus))
    return runs


def part_run(
    stage: str, name: str, options: Sequence[str], sections: Sequence[Section], files: Sequence[Path], gpus: int
) -> Run:
    """Return the run of a part of a stage, with these options of its command; the files come back."""
    name = f"{stage} {name}"
    # The first line shows it as running, as DVC does for the others.
    commands = [("echo", f"Running stage '{name}':"), [*shlex.split(command_of(stage)), *options]]
    run = node_run(name, inputs_of(stage), commands, sections, gpus)
    return run._replace(files=[str(path.relative_to(ROOT)) for path in files])


def node_run(
    name: str, inputs: Sequence[str], commands: Sequence[Sequence[str]], sections: Sequence[Section], gpus: int
) -> Run:
    """Return a run of these commands after DVC has fetched their inputs; it trains each of the sections."""
    size, is_soup = max(map(weights_size, sections)), any(section.get("soup", 1) > 1 for section in sections)
    return Run(
        name,
        [WITHOUT_DEAD_LINK, (*NODE_DVC, "pull", "--quiet", *inputs), *commands],
        environment={
            "OMP_NUM_THREADS": str(CORES),
            "PYTHONUNBUFFERED": "1",
            "DVC_SITE_CACHE_DIR": ".dvc/tmp/site",  # removed with the copy
            VARIABLE: "lines",
        },
        cores=CORES,
        memory=750_000_000 + (5 if is_soup else 4) * size,  # weights, gradients, two moments; of a soup, a sum
        gpus=gpus if size else 0,
    )


def weights_size(section: Section) -> int:
    """Return the bytes of an encoder's pretrained weights in float32; 0 for a system without an encoder."""
    from bert_ner.encoder.weights import ENCODERS

    name = str(section.get("name", ""))
    if name in ENCODERS:
        return 4 * ENCODERS[name].parameters
    return sum(path.stat().st_size for path in Path(name).glob("*.safetensors")) if name else 0


@cache
def command_of(stage: str) -> str:
    """Return the command of a stage in the pipeline."""
    with open_repository(ROOT) as repo:
        [found] = repo.stage.collect(stage)
        return str(found.cmd)


def corpus_of(stage: str) -> str:
    """Return the corpus of a stage that trains."""
    if has_parts(stage):
        words = shlex.split(command_of(stage))
        return words[words.index("--corpus") + 1]
    return parse_stage(stage).corpus


def inputs_of(stage: str) -> list[str]:
    """Return the stages that make the inputs of a stage that trains; studies and searches read the raw files, too."""
    kinds = ("acquire", "prepare") if has_parts(stage) else ("prepare",)
    return [f"{PIPELINE}:{kind}@{corpus_of(stage)}" for kind in kinds]


def teacher_models(stage: str, params: Params) -> list[str]:
    """Return the folders of the models that teach that of a stage; the teachers of a search are trained in it."""
    if has_parts(stage):
        return []
    parts = parse_stage(stage)
    runs = teachers_of(parts.system, params[parts.system], params)
    folders = [model_folder(parts.corpus, run) for run in runs]
    return [folder.relative_to(ROOT).as_posix() for folder in folders]


def all_inputs(stages: Sequence[str]) -> list[str]:
    """Return the stages that make the inputs of all these."""
    return sorted({name for stage in stages for name in inputs_of(stage)})


@contextmanager
def shared_checkout(inputs: Sequence[str]) -> Iterator[tuple[bytes, list[str]]]:
    """Yield the checkout for the nodes as an archive, and the options with which `dvc repro` finds their results.

    In the archive, DVC's default remote is the checkout's; if it has none, it is the checkout's cache, under a name
    that no other machine has by chance.
    """
    with open_repository(ROOT) as repo:
        cache, remote = Path(repo.cache.legacy.path), repo.config["core"].get("remote")
        url = repo.config["remote"][remote]["url"] if remote else ""
    cache.mkdir(parents=True, exist_ok=True)
    (ROOT / UNFINISHED).mkdir(parents=True, exist_ok=True)
    link = ROOT / ".dvc/tmp" / f"cache-{uuid.uuid4().hex}"
    link.symlink_to(cache)
    try:
        with TemporaryDirectory() as folder:
            copy_checkout(ROOT, Path(folder))
            unfinished = Path(folder, UNFINISHED)
            unfinished.parent.mkdir()
            unfinished.symlink_to(ROOT / UNFINISHED)
            if remote:
                call(ROOT, *DVC, "push", "--quiet", *inputs)
                # A relative path in the settings is now an absolute one.
                call(folder, *DVC, "remote", "modify", "--quiet", "--local", remote, "url", url)
            else:
                call(folder, *DVC, "remote", "add", "--quiet", "--local", "--default", link.name, str(link))
            archive = pack(Path(folder))
        yield archive, ["--pull"] if remote else []
    finally:
        link.unlink()


def copy_checkout(root: Path, folder: Path) -> None:
    """Copy the last commit without its history, all files that Git does not ignore, and DVC's private settings."""
    call(root, "git", "clone", "--quiet", "--depth", "1", "--no-checkout", root.as_uri(), str(folder))
    names = subprocess.check_output(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root)
    for name in [*filter(None, names.decode().split("\0")), ".dvc/config.local"]:
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    call(folder, "git", "reset", "--quiet")
