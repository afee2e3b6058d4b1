"""The command `bert-ner` in the test's own process."""

from __future__ import annotations

import sys

import pytest

from bert_ner import cli


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["bert-ner", *arguments])
    cli.main()
