"""Actors that tag pieces."""

from __future__ import annotations

import os
import pickle
from typing import Any

import pytest

pytest.importorskip("ray", reason="Ray is not installed: pip install 'bert-ner[cluster]'")

from bert_ner.scale.actors import PieceActor


class Threads:
    """What stands for a tagger; unpickled, it is the number of threads that a tagger would have."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.getenv, ("OMP_NUM_THREADS",)


def test_an_actor_has_one_thread_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setattr("ray.get", lambda reference: reference)
    assert PieceActor(pickle.dumps(Threads()), []).tagger == "1"
