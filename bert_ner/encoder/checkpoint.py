"""Save the state of a training after each epoch, so that a killed one resumes and ends with the same bits."""

import hashlib
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from bert_ner.encoder.optimizer import keep_best_weights
from bert_ner.errors import BertNerError, first_line
from bert_ner.unfinished import unfinished_folder

_STARTING_OVER = "broken or of another training: starting over"


def fingerprint(*facts: object) -> str:
    """Return a digest of everything that decides a training's bits: facts, this package's code, PyTorch, threads."""
    digest = hashlib.sha256(repr((facts, torch.__version__, torch.get_num_threads())).encode())
    folder = Path(__file__).parent
    for path in sorted([*folder.glob("*.py"), *folder.glob("*.json")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


class Checkpoint:
    """The state of a training after each epoch, in a file (if `path` is one) that belongs to the fingerprint `key`.

    Of several processes that train together, all read the file and one (`writes`) writes it. With `keeps_best`, the
    state has the weights of the best epoch, too; then each row that is saved must have a `validation_entity_f1`.

    Attributes:
        history: a row per finished epoch; empty if the file is missing, broken or of another training.
    """

    def __init__(self, path: Path | None, key: str, writes: bool = True, keeps_best: bool = False) -> None:
        self.path, self.key, self.writes, self.keeps_best = path, key, writes, keeps_best
        self.history: list[dict[str, Any]] = []
        self._tensors: dict[str, torch.Tensor] = {}
        if not (path and path.exists()):
            return
        with suppress(OSError, SafetensorError), safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("key") == key:
                self._tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
                self.history = json.loads(metadata["history"])
        outcome = f"resuming after epoch {len(self.history)}" if self.history else _STARTING_OVER
        print(f"{path}: {outcome}", file=sys.stderr)

    @property
    def epochs_since_best(self) -> int:
        """The number of epochs after the first one with the best validation F1."""
        scores = [row["validation_entity_f1"] for row in self.history]
        return len(scores) - 1 - scores.index(max(scores)) if scores else 0

    def attach(self, optimizer: torch.optim.Optimizer) -> None:
        """Restore the optimiser's state and its parameters from the file, and save them from now on."""
        self._optimizer = optimizer
        if not self.history:
            return
        states: dict[int, dict[str, torch.Tensor]] = {}
        for i, parameter in enumerate(self._parameters()):
            start = f"optimizer.{i}."
            parameter.detach().copy_(self._tensors[f"weights.{i}"])
            states[i] = {name.removeprefix(start): v for name, v in self._tensors.items() if name.startswith(start)}
        optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
        self._tensors.clear()

    def save(self, row: dict[str, Any]) -> None:
        """Add an epoch's row to the history, and write the state, whole or not at all, over an older one."""
        self.history.append(row)
        if self.keeps_best and not self.epochs_since_best:
            keep_best_weights(self._optimizer)
        if not (self.path and self.writes):
            return
        tensors = {f"weights.{i}": parameter.detach() for i, parameter in enumerate(self._parameters())}
        for i, state in self._optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{name}": tensor for name, tensor in state.items()}
        try:
            with unfinished_folder(self.path.parent) as scratch:
                part = scratch / self.path.name
                save_file(tensors, part, metadata={"key": self.key, "history": json.dumps(self.history)})
                part.replace(self.path)
        except (OSError, SafetensorError) as error:
            remedy = "free some space, and run again"
            raise BertNerError(f"{self.path} can't be written: {first_line(error)}; {remedy}") from None

    def _parameters(self) -> list[torch.Tensor]:
        return [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
