"""Run a script of the pipeline in children of a process that has imported it, each with a fault of its own.

    python child.py experiments/evaluate.py --corpus sample

Reads one fault a line, as JSON, and answers each with an outcome. A child is a fork: it costs the script's own work
but not its three seconds of imports, so a kill before every single write is affordable.

Faults; a line has at most one:
    kill      SIGKILL before the n-th change to a file
    half      SIGKILL when half of the n-th file that safetensors writes is on the disk
    step      SIGKILL before the n-th step of the optimiser
    memory    MiB of address space more than the imports took (RLIMIT_AS)
    file      the largest size of a file, in bytes (RLIMIT_FSIZE)
    clock     the time of day jumps ten years ahead or back each time it is read
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import resource
import runpy
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

CHANGES = {"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
MIB = 2**20
# Scripts that import models only when they need them, and the modules that they need: a fork has them already.
LOADERS = {"train.py", "evaluate.py", "audit.py"}
LOADED_LATER = (
    "transformers.modeling_utils",
    "bert_ner.encoder.checkpoint",
    "bert_ner.encoder.tagger",
    "baselines.crf",
)


def main() -> None:
    script = Path(sys.argv.pop(1)).resolve()
    sys.argv[0] = str(script)
    sys.path.insert(0, str(script.parent))
    stage = runpy.run_path(str(script), run_name="stage")  # runs its imports; main() does its work
    if script.name in LOADERS:
        for name in LOADED_LATER:
            importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(outcome(stage, script.parents[1], json.loads(line))), flush=True)


def outcome(stage: dict[str, Any], root: Path, fault: dict[str, int]) -> dict[str, Any]:
    """Run the stage in a child.

    Returns:
        status: its exit status, or minus the signal that ended it; output: its output and errors; changes: the path of
        each change to a file, in order; in_place: the files that it wrote directly, not through a hidden part.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as output, tempfile.TemporaryFile("w+") as log:
        child = os.fork()
        if not child:
            os.setsid()
            for number in (1, 2):
                os.dup2(output.fileno(), number)
            status = 70
            try:
                sys.addaudithook(Watch(str(root) + os.sep, fault.get("kill", 0), log.fileno()))
                afflict(fault)
                stage["run_main"](stage["main"])
                status = 0
            except SystemExit as end:
                if isinstance(end.code, str):
                    os.write(2, f"{end.code}\n".encode())
                status = end.code if isinstance(end.code, int) else 1
            except BaseException:  # noqa: BLE001 - does what Python does with an error that nobody catches
                sys.excepthook(*sys.exc_info())
                status = 1
            finally:
                sys.stdout.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        output.seek(0)
        log.seek(0)
        changes = [line.split(" ", 1) for line in log.read().splitlines()]
        return {
            "status": os.waitstatus_to_exitcode(status),
            "output": output.read(),
            "changes": [path for _, path in changes],
            "in_place": [path for event, path in changes if event == "open" and not is_aside(Path(path), root)],
        }


class Watch:
    """Log each change to a file below a folder before it happens, and kill the process before one of them."""

    def __init__(self, root: str, last: int, log: int) -> None:
        self.root, self.last, self.log, self.count = root, last, log, 0

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in CHANGES or (event == "open" and not (arguments[2] or 0) & WRITING):
            return
        path = str(arguments[0])
        if not path.startswith(self.root) or "__pycache__" in path:
            return
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(self.log, f"{event} {path}\n".encode(errors="replace"))


def is_aside(path: Path, root: Path) -> bool:
    """Return whether a part of a path below the root is hidden: such files are moved when they are complete."""
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def afflict(fault: dict[str, int]) -> None:
    """Cause a fault in this process."""
    if "half" in fault:
        kill_half_way(fault["half"])
    if "step" in fault:
        import torch  # noqa: PLC0415 - not every script imports it

        steps, step = itertools.count(1), torch.optim.AdamW.step

        def counted(self: Any) -> Any:
            if next(steps) == fault["step"]:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(self)

        torch.optim.AdamW.step = counted
    if "memory" in fault:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + fault["memory"] * MIB,) * 2)
    if "file" in fault:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # the write fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (fault["file"],) * 2)
    if "clock" in fault:
        jumps, now = itertools.cycle((0, 1, -1)), time.time
        time.time = lambda: now() + next(jumps) * 10 * 365 * 86400


def kill_half_way(number: int) -> None:
    """Make the n-th call of safetensors' save_file write half of its file, and end there."""
    import safetensors.torch  # noqa: PLC0415 - not every script imports it

    calls, save = itertools.count(1), safetensors.torch.save_file

    def save_file(tensors: Any, path: Any, metadata: Any = None) -> None:
        if next(calls) == number:
            whole = safetensors.torch.save(tensors, metadata=metadata)
            Path(path).write_bytes(whole[: len(whole) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        save(tensors, path, metadata=metadata)

    for module in list(sys.modules.values()):
        for name in ("save_file", "safe_save_file"):
            if vars(module).get(name) is save:
                setattr(module, name, save_file)


if __name__ == "__main__":
    main()
