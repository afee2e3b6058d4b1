"""Save the state of a training after each epoch, so that a killed one resumes and ends with the same bits."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from bert_ner.errors import BertNerError, first_line

_WEIGHTS, _OPTIMIZER = "weights.", "optimizer."


def fingerprint(*facts: object) -> str:
    """Return a digest of everything that decides a training's bits: facts, this package's code, PyTorch, threads."""
    digest = hashlib.sha256(repr((facts, torch.__version__, torch.get_num_threads())).encode())
    folder = Path(__file__).parent
    for path in sorted([*folder.glob("*.py"), *folder.glob("*.json")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def save_checkpoint(
    path: Path,
    key: str,
    weights: Sequence[torch.Tensor],
    optimizer: torch.optim.Optimizer,
    history: list[dict[str, Any]],
) -> None:
    """Write the state after the epochs in `history`, whole or not at all, over an older one.

    `key` is the training's fingerprint, and `weights` are the optimiser's parameters, in its order.
    """
    tensors = {f"{_WEIGHTS}{i}": tensor.detach() for i, tensor in enumerate(weights)}
    for i, state in optimizer.state_dict()["state"].items():
        tensors |= {f"{_OPTIMIZER}{i}.{name}": tensor for name, tensor in state.items()}
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, part, metadata={"key": key, "history": json.dumps(history)})
        part.replace(path)
    except (OSError, SafetensorError) as error:
        part.unlink(missing_ok=True)
        raise BertNerError(f"{path} can't be written: {first_line(error)}; free some space, and run again") from None


def load_checkpoint(
    path: Path, key: str, weights: Sequence[torch.Tensor], optimizer: torch.optim.Optimizer
) -> list[dict[str, Any]]:
    """Restore the weights and the optimiser, and return the history so far.

    It is empty, and nothing changes, if the file is missing, broken or of another training.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("key") != key:
                return []
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (OSError, SafetensorError):
        return []
    states: dict[int, dict[str, torch.Tensor]] = {}
    for i, tensor in enumerate(weights):
        tensor.detach().copy_(tensors[f"{_WEIGHTS}{i}"])
        start = f"{_OPTIMIZER}{i}."
        states[i] = {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
    return list(json.loads(metadata["history"]))
