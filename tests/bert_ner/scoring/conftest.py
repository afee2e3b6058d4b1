"""A fixture for tests whose resamples are counted by hand."""

from __future__ import annotations

import pytest

from bert_ner.scoring import resampling


@pytest.fixture
def few_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a handful of sentences be resampled, so few that all possible resamples can be listed."""
    monkeypatch.setattr(resampling, "MIN_SENTENCES", 1)
