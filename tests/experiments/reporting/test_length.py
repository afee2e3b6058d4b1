"""The Markdown of the committed results stays short enough to read."""

from __future__ import annotations

from harness.paths import RESULTS

import pytest

from reporting import markdown
from reporting.content import report_content


@pytest.mark.parametrize("corpus", ["mit_movie_eng", "mit_movie_trivia", "mit_restaurant"])
def test_a_report_has_at_most_250_lines(corpus: str) -> None:
    assert len(markdown.render(*report_content(RESULTS, corpus)).splitlines()) <= 250
