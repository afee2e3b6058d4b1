"""Fetch files of a hub's repository at a pinned revision, through the hub's own client and its cache.

The limits of time and size are ours: the client waits without end, and writes a response of any length to the disk.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from bert_ner.errors import as_missing_extra, first_line

TIMEOUT = 10.0  # seconds without a byte
DEADLINE = 3600.0  # seconds for all files: 450 MB at 1 Mbit/s
MAX_BYTES = 2**30  # for all files
_Result = TypeVar("_Result")


class HubError(Exception):
    """The files are unavailable; the message says why, in one line."""


def cached(repository: str, revision: str, files: Sequence[str]) -> Path | None:
    """Return the folder in the client's cache that holds all of the files, if there is one.

    Raise a HubError if the client is not installed.
    """
    try:
        from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415 - slow to import, and rarely needed
    except ModuleNotFoundError as error:
        raise HubError(str(as_missing_extra(error) or error)) from None
    paths = [try_to_load_from_cache(repository, name, revision=revision) for name in files]
    found = [Path(path) for path in paths if isinstance(path, str)]
    return found[0].parent if len(found) == len(files) else None


def look_up(repository: str, revision: str, files: Sequence[str]) -> None:
    """Raise a HubError if the hub can't be reached, lacks a file, or the files are too large; fetch none of them."""
    from huggingface_hub import HfApi  # noqa: PLC0415 - as above

    ask = partial(HfApi().model_info, repository, revision=revision, files_metadata=True, timeout=TIMEOUT)
    facts = _within(2 * TIMEOUT, ask)
    sizes = {file.rfilename: file.size or 0 for file in facts.siblings or ()}
    if missing := [name for name in files if name not in sizes]:
        raise HubError(f"it holds no {' and no '.join(missing)}")
    if (total := sum(sizes[name] for name in files)) > MAX_BYTES:
        raise HubError(f"its files have {total} bytes, more than the limit of {MAX_BYTES}")


def download(repository: str, revision: str, files: Sequence[str]) -> Path:
    """Fetch files that `look_up` found into the client's cache, whole or not at all, or raise a HubError."""
    from huggingface_hub import hf_hub_download  # noqa: PLC0415 - as above
    from huggingface_hub.utils.tqdm import tqdm  # noqa: PLC0415

    class LimitedBar(tqdm):
        """The client's progress bar counts the bytes received, and its error ends the download."""

        received = 0

        def update(self, n: float | None = 1) -> bool | None:
            self.received += int(n or 0)
            if self.received > MAX_BYTES:
                raise HubError(f"a file is longer than the limit of {MAX_BYTES} bytes")
            return super().update(n)

    settings: Any = {"revision": revision, "etag_timeout": TIMEOUT, "tqdm_class": LimitedBar}
    paths = _within(DEADLINE, lambda: [hf_hub_download(repository, name, **settings) for name in files])
    return Path(paths[0]).parent


def forget(path: Path) -> None:
    """Remove a file from the client's cache: the link in the snapshot, and its target."""
    path.resolve().unlink()
    path.unlink(missing_ok=True)


def _within(seconds: float, work: Callable[[], _Result]) -> _Result:
    """Return the result of `work`; give it up after a time, because the client's time-outs do not end a trickle."""
    future: Future[_Result] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - the client lets errors of its transport through
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()  # an executor's thread would keep the process from ending
    if not wait([future], seconds).done:
        raise HubError(f"not done after {seconds:g} s")
    if error := future.exception():
        raise HubError(_reason(error)) from None
    return future.result()


def _reason(error: BaseException) -> str:
    from huggingface_hub import errors  # noqa: PLC0415 - as above

    if isinstance(error, errors.RevisionNotFoundError):
        return "the repository has no such revision"
    if isinstance(error, errors.RepositoryNotFoundError):
        return "no such repository there, or a private one"
    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__:
        return _reason(error.__cause__)
    if isinstance(error, ValueError | KeyError | TypeError):  # not JSON, or not the hub's
        return "the answer is not a hub's; does it come from a proxy or a login page?"
    return first_line(error)
