"""What to do about a file that a stage writes: run the stage alone or, by DVC, with all that it depends on.

Plain `dvc repro` would run the stages of the paper's corpus, so these commands name the stage and the corpus.
"""

from harness.params import WEIGHTS_OF, Run, read_params


def stage_remedy(stage: str, corpus: str) -> str:
    """Return the commands that run a stage on a corpus."""
    return f"run python experiments/{stage}.py --corpus {corpus}, or {_by_dvc(stage, corpus)}"


def training_remedy(corpus: str, run: Run) -> str:
    """Return the commands that train a model; DVC's only if params.yaml asks for it."""
    params = read_params()
    system = params[run.system].get(WEIGHTS_OF, run.system)
    trained = run._replace(system=system)
    command = f"run python experiments/train.py --corpus {corpus} --system {system} --seed {run.seed}"
    stages = ["train_baseline" if system in params.baselines else "train_encoder"] if trained in params.runs else []
    for name, group in params.extra_runs.items():
        if corpus in group.corpora and system in group.systems and run.seed in group.seeds:
            stages.append(name)
    return f"{command}, or {_by_dvc(stages[0], f'{corpus}-{trained.name}')}" if stages else command


def _by_dvc(stage: str, item: str) -> str:
    return f"dvc repro pipeline/dvc.yaml:{stage}@{item}"
