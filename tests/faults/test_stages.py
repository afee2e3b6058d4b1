"""Every stage killed (-9) at any moment, and with a clock that jumps: it ends as if nothing had been."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from harm import TRAIN_ENCODER, contents, put_back, untimed
from hypothesis import settings

from bert_ner.files import check_sums

Workplace = Any
KILLED = -9
STAGES = {
    "acquire": "experiments/acquire.py --corpus sample",
    "prepare": "experiments/prepare.py --corpus sample",
    "train_baseline": "experiments/train.py --corpus sample --system crf --seed 0",
    "train_encoder": TRAIN_ENCODER,
    "evaluate": "experiments/evaluate.py --corpus sample",
    "report": "experiments/report.py --corpus sample",
}


def moments(count: int) -> Iterator[int]:
    """Before which of so many changes to kill: each in the nightly profile, else two in the midst."""
    wanted = count if settings.default.max_examples >= 10_000 else 2
    yield from (1 + int((i + 0.5) * count / wanted) for i in range(wanted))


@pytest.mark.parametrize("name", STAGES)
def test_killed_before_a_change_to_a_file(name: str, place: Workplace, faulty: Callable[..., Any]) -> None:
    with faulty(place, STAGES[name]) as run:
        if name == "prepare":
            assert run()["status"] == 0  # anew: the one that is there was made shorter
        before = contents(place)
        assert run()["status"] == 0
        after = contents(place)
        assert run(clock=1)["status"] == 0
        assert untimed(contents(place)) == untimed(after)
        made = {path for path, data in after.items() if before.get(path) != data or is_output(name, path)}
        replaced = {path for path in made & set(before) if name != "report" and not path.endswith("provenance.json")}
        # Once where it was never run, once over what an older run left.
        never = {path: data for path, data in before.items() if path not in made}
        for start in (never, before | dict.fromkeys(replaced, b"older")):
            put_back(place, start)
            done = run()
            assert done["changes"] > 5
            assert not done["in_place"]
            for moment in moments(done["changes"]):
                put_back(place, start)
                killed = run(kill=moment)
                assert killed["status"] == KILLED, killed["output"]
                for path, data in untimed(contents(place, ("data/raw", "data/prepared", "models", "results"))).items():
                    assert data in (start.get(path), after.get(path)), f"{path} is a part (change {moment})"
                again = run()
                assert again["status"] == 0, again["output"]
                assert untimed(contents(place)) == untimed(after), f"change {moment}"
                if name.startswith("train"):
                    check_models(place)


def is_output(stage: str, path: str) -> bool:
    """Whether it is a file that the stage makes, though it made the same one as was there."""
    folders = {
        "acquire": "data/raw/",
        "prepare": "data/prepared/",
        "train_baseline": "models/sample/crf-0/",
        "train_encoder": "models/more/sample/",
        "evaluate": "results/sample/predictions/",
        "report": "results/sample/plots/",
    }
    return path.startswith(folders[stage])


def check_models(place: Workplace) -> None:
    for sums in (place.folder / "models").rglob("SHA256SUMS"):
        check_sums(sums.parent, "")


@pytest.fixture(scope="module")
def training(
    whole: Workplace, faulty: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Training]:
    """An encoder's training, the files before it, and those after one that nothing happened to."""
    place = whole.copy(tmp_path_factory.mktemp("training"))
    with faulty(place, TRAIN_ENCODER) as run:
        before = contents(place)
        assert run()["status"] == 0
        yield Training(place, run, before, untimed(contents(place)))


class Training(NamedTuple):
    place: Workplace
    run: Callable[..., dict[str, Any]]
    before: dict[str, bytes]
    whole: dict[str, bytes]

    def is_whole_after(self, **fault: int) -> bool:
        """Kill it, see that there is no model, and start it again; whether that went on from a state it found."""
        put_back(self.place, self.before)
        assert self.run(**fault)["status"] == KILLED
        assert not list((self.place.folder / "models").glob("*/*/minilm_crf-13"))
        again = self.run()
        assert again["status"] == 0
        assert untimed(contents(self.place)) == self.whole
        return "going on after epoch" in again["output"]


@pytest.mark.parametrize("step", [1, 4, 5, 6, 9, 10])  # of two epochs of five
def test_killed_in_training(training: Training, step: int) -> None:
    assert training.is_whole_after(step=step) == (step > 5)


@pytest.mark.parametrize("file", [1, 2, 3, 4])  # the states after both epochs, the model, the chain
def test_killed_while_weights_are_written(training: Training, file: int) -> None:
    assert training.is_whole_after(half=file) == (file > 1)


def test_killed_while_the_8_bit_copy_is_written(place: Workplace, faulty: Callable[..., Any]) -> None:
    folder = place.folder / "models/sample/minilm-13"
    with faulty(place, "experiments/train.py --corpus sample --system minilm --seed 13") as run:
        done = run()
        whole = untimed(contents(place))
        shutil.rmtree(folder)
        assert run(kill=done["changes"] - 8)["status"] == KILLED
        assert not folder.exists()
        assert run()["status"] == 0
    assert untimed(contents(place)) == whole
    check_models(place)
