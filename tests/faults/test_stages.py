"""Stages killed (SIGKILL) at any moment, or run while the clock jumps: the next run ends as if nothing had happened."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from harm import TRAIN_ENCODER, contents, put_back, untimed
from hypothesis import settings
from workplace import Workplace

from bert_ner.files import check_sums

KILLED = -9
STAGES = {
    "acquire": "experiments/acquire.py --corpus sample",
    "prepare": "experiments/prepare.py --corpus sample",
    "train_baseline": "experiments/train.py --corpus sample --system crf --seed 0",
    "train_encoder": TRAIN_ENCODER,
    "evaluate": "experiments/evaluate.py --corpus sample",
    "report": "experiments/report.py --corpus sample",
}
OUTPUTS = {  # the folders of a stage whose every file it writes
    "acquire": "data/raw/",
    "prepare": "data/prepared/",
    "train_baseline": "models/sample/crf-0/",
    "train_encoder": "models/more/sample/",
    "evaluate": "results/sample/predictions/",
    "report": "results/sample/plots/",
}
IN_EVERY_RUN = {"prepare", "train_baseline"}  # take seconds; the others are slow


def moments(count: int) -> Iterator[int]:
    """Choose the changes before which to kill: the one in the middle, or each in the nightly profile."""
    is_nightly = settings.default.max_examples >= 10_000
    yield from range(1, count + 1) if is_nightly else [1 + count // 2]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in IN_EVERY_RUN else pytest.mark.slow) for name in STAGES]
)
def test_killed_before_a_change_to_a_file(name: str, place: Workplace, faulty: Callable[..., Any]) -> None:
    with faulty(place, STAGES[name]) as run:
        before = contents(place)
        assert run()["status"] == 0
        after = contents(place)
        made = {path for path, data in after.items() if before.get(path) != data or path.startswith(OUTPUTS[name])}
        replaced = {path for path in made & set(before) if name != "report" and not path.endswith("provenance.json")}
        # Once as in a first run, once with the outputs of an older run in the way.
        first = {path: data for path, data in before.items() if path not in made}
        for start in (first, before | dict.fromkeys(replaced, b"older")):
            put_back(place, start)
            done = run(clock=1)
            assert done["status"] == 0
            assert untimed(contents(place)) == untimed(after)
            assert len(done["changes"]) > 5
            assert not done["in_place"]
            for moment in moments(len(done["changes"])):
                put_back(place, start)
                killed = run(kill=moment)
                assert killed["status"] == KILLED, killed["output"]
                for path, data in untimed(contents(place, ("data/raw", "data/prepared", "models", "results"))).items():
                    assert data in (start.get(path), after.get(path)), f"{path} is incomplete (change {moment})"
                again = run()
                assert again["status"] == 0, again["output"]
                assert untimed(contents(place)) == untimed(after), f"change {moment}"
                if name.startswith("train"):
                    check_models(place)


def check_models(place: Workplace) -> None:
    for sums in (place.folder / "models").rglob("SHA256SUMS"):
        check_sums(sums.parent, "")


class Training(NamedTuple):
    """A training of an encoder: how to run it, the files before it, and those after an undisturbed run."""

    place: Workplace
    run: Callable[..., dict[str, Any]]
    before: dict[str, bytes]
    whole: dict[str, bytes]

    def is_resumed_after(self, **fault: int) -> bool:
        """Kill it, check that there is no model, and start it again; return whether it resumed from a saved state."""
        put_back(self.place, self.before)
        assert self.run(**fault)["status"] == KILLED
        assert not list((self.place.folder / "models").glob("*/*/minilm_crf-13"))
        again = self.run()
        assert again["status"] == 0
        assert untimed(contents(self.place)) == self.whole
        return "resuming after epoch" in again["output"]


@pytest.fixture(scope="module")
def training(
    finished: Workplace, faulty: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Training]:
    place = finished.copy(tmp_path_factory.mktemp("training"))
    with faulty(place, TRAIN_ENCODER) as run:
        before = contents(place)
        assert run()["status"] == 0
        yield Training(place, run, before, untimed(contents(place)))


@pytest.mark.parametrize("step", [1, 6, 7, 11])  # of two epochs of six
def test_killed_in_training(training: Training, step: int) -> None:
    assert training.is_resumed_after(step=step) == (step > 6)


@pytest.mark.slow
@pytest.mark.parametrize("file", [1, 2, 3, 4])  # the states after both epochs, the model, the CRF layer
def test_killed_while_weights_are_written(training: Training, file: int) -> None:
    assert training.is_resumed_after(half=file) == (file > 1)


@pytest.mark.slow
def test_killed_while_the_8_bit_copy_is_written(place: Workplace, faulty: Callable[..., Any]) -> None:
    folder = place.folder / "models/sample/minilm-13"
    with faulty(place, "experiments/train.py --corpus sample --system minilm --seed 13") as run:
        done = run()
        whole = untimed(contents(place))
        shutil.rmtree(folder)
        in_copy = [moment for moment, path in enumerate(done["changes"], start=1) if "/int8" in path]
        assert run(kill=in_copy[len(in_copy) // 2])["status"] == KILLED
        assert not folder.exists()
        assert run()["status"] == 0
    assert untimed(contents(place)) == whole
    check_models(place)
