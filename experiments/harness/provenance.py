"""Where a result comes from: code, packages and machine. Kept apart from the metrics, so that those can be equal.

results/provenance.json has the record of each corpus, by its name. Git merges it line by line, so it is checked.
"""

import importlib.metadata
import json
import os
import platform
import re
import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

from harness.artifacts import PROVENANCE_REMEDY, read_json
from harness.locks import sole_writer
from harness.paths import RESULTS, ROOT
from harness.sums import note_sum

from pydantic import Field, RootModel, ValidationError, model_validator

from bert_ner.errors import BertNerError
from bert_ner.files import write_whole
from bert_ner.settings import Settings, complaints

MATRIX_UNITS = "avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8"  # in the names of Linux
PACKAGES = "torch", "transformers", "tokenizers", "sklearn-crfsuite", "python-crfsuite", "scikit-learn", "numpy", "dvc"


class Environment(Settings, extra="allow"):
    """Where a run was made. The gate compares these fields; others are kept."""

    python: str = Field(description="version")
    packages: dict[str, str] = Field(description="versions by name")
    processor: str = Field(description="name")


class Weights(Settings, extra="allow"):
    """The pretrained weights of a run."""

    source: str = Field(description="the package, hub or folder that they came from")
    sha256: str = Field(description="of the file")


class RunRecord(Settings, extra="allow"):
    """What is recorded of a run, and is read again; other facts are kept."""

    system: str = Field(description="a section of params.yaml")
    settings: dict[str, Any] = Field(description="those in that section")
    seconds: float | None = Field(description="of the training; null if another system's model tags", ge=0)
    history: list[dict[str, Any]] = Field(description="one entry for each epoch, or for each combination of settings")
    cost: dict[str, Any] = Field(description="a row of costs.csv")
    environment: Environment = Field(description="machine, versions and time")
    weights: Weights | None = Field(default=None, description="None for a system without an encoder")
    predictions: str = Field(description="SHA-256 of the tags of the test sentences")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if "name" in self.settings and self.weights is None:
            raise ValueError("must have the weights of its encoder")
        return self


class Evaluation(Settings, extra="allow"):
    """Where and when the runs of a corpus were evaluated."""

    processor: str = Field(description="name")


class CorpusRecord(Settings, extra="allow"):
    """What is recorded of a corpus."""

    files: dict[str, str] = Field(default={}, description="SHA-256 of each file")
    evaluated: Evaluation | None = Field(default=None, description="of its runs")
    runs: dict[Annotated[str, Field(pattern=r"-\d+$")], RunRecord] = Field(
        default={}, description="by name: <system>-<seed>"
    )
    studies: dict[str, dict[str, str]] = Field(default={}, description="SHA-256 of each study's predictions")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.runs and not self.files:
            raise ValueError("must have the files that its runs were made from")
        if self.runs and not self.evaluated:
            raise ValueError("must have evaluated, the machine on which its runs were evaluated")
        return self


class _Provenance(RootModel[dict[str, CorpusRecord]]):
    pass


def environment() -> dict[str, Any]:
    """Return the code's revision, package versions and machine, as of now."""
    import torch  # slow to import, and most users of this module only read records

    changes = _git("status", "--porcelain", "--", ":!results", ":!dvc.lock", ":!pipeline/dvc.lock")
    return {
        "revision": _git("rev-parse", "HEAD"),
        "uncommitted_changes": changes if changes is None else changes.splitlines(),
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def record(corpus: str, facts: dict[str, Any]) -> None:
    """Put facts of a corpus into results/provenance.json, and keep its other ones and those of other corpora."""
    with sole_writer("provenance"):
        _write(corpus, facts)


def record_study(corpus: str, study: str, sums: dict[str, str]) -> None:
    """Put the SHA-256 of a study's predictions, by their names, into results/provenance.json."""
    with sole_writer("provenance"):
        _write(corpus, {"studies": recorded(corpus).get("studies", {}) | {study: sums}})


def _write(corpus: str, facts: dict[str, Any]) -> None:
    path = RESULTS / "provenance.json"
    records = read_provenance(RESULTS)
    write_whole(path, json.dumps(records | {corpus: records.get(corpus, {}) | facts}, indent=2) + "\n")
    note_sum(RESULTS, path)


def recorded(corpus: str) -> dict[str, Any]:
    """Return the recorded facts of a corpus; empty if there are none yet."""
    facts: dict[str, Any] = read_provenance(RESULTS).get(corpus, {})
    return facts


def read_provenance(results: Path) -> dict[str, Any]:
    """Read and check the records of all corpora; empty if there is no file."""
    path = results / "provenance.json"
    records = read_json(path, PROVENANCE_REMEDY) if path.is_file() else {}
    try:
        _Provenance.model_validate(records)
    except ValidationError as error:
        problems = "; ".join(text for _, text in complaints(error, _Provenance))
        raise BertNerError(f"{path}: {problems}; {PROVENANCE_REMEDY}") from None
    return records


def _git(*arguments: str) -> str | None:
    """Return the output of git; None without git or a repository."""
    with suppress(FileNotFoundError, subprocess.CalledProcessError):
        return subprocess.check_output(["git", *arguments], cwd=ROOT, stderr=subprocess.DEVNULL, text=True).strip()
    return None


def processor() -> str:
    """Return the processor's name, and what it has for matrix products: the last bits of a result depend on both."""
    units = [name for name in MATRIX_UNITS if name in _cpuinfo().split()]
    return f"{processor_name()} with {' '.join(units) or 'unknown matrix units'}"


def processor_name() -> str:
    """Return the processor's name, as the operating system gives it. Processors of two kinds can have the same."""
    model = re.search(r"^model name\s*:(.*)", _cpuinfo(), re.MULTILINE)
    return model[1].strip() if model else platform.processor() or platform.machine()


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8") if path.is_file() else ""
