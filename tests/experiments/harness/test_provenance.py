"""What is recorded of the machine."""

from harness import provenance

import pytest


@pytest.mark.parametrize(
    ("cpuinfo", "processor"),
    [
        ("model name\t: AMD EPYC\nflags\t: fpu avx2 avx512f avx512_bf16\n", "AMD EPYC with avx2 avx512f avx512_bf16"),
        ("model name\t: AMD EPYC\nflags\t: fpu avx2\n", "AMD EPYC with avx2"),
        ("model name\t: old\nflags\t: fpu\n", "old with unknown matrix units"),
    ],
)  # fmt: skip
def test_processors_of_one_name_are_told_apart(cpuinfo: str, processor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_cpuinfo", lambda: cpuinfo)
    assert provenance.processor() == processor
    assert processor.startswith(f"{provenance.processor_name()} with ")


def test_without_the_file_of_linux_the_name_is_that_of_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "_cpuinfo", lambda: "")
    monkeypatch.setattr("platform.processor", lambda: "arm")
    assert provenance.processor() == "arm with unknown matrix units"
