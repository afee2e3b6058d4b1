"""Try the tokenizer of a folder that others wrote, in a process of its own.

A hostile one may crash its process, or never end: its regular expressions may take exponential time.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

from bert_ner.encoder.alignment import WordPieces
from bert_ner.encoder.weights import WeightsUnavailable, load_tokenizer, loading_errors
from bert_ner.errors import BertNerError
from bert_ner.files import SUMS
from bert_ner.model_folder import MANIFEST

_SECONDS = 60  # importing transformers takes some of them
_MEMORY = 4 * 2**30  # bytes
_WORDS = ("film", "Zoe\u0301", "\u6620\u753b", "1990s", "\u2603", *(letter * 40 + "!" for letter in "aAx0 -"))


def probe_tokenizer(folder: Path) -> None:
    """Raise WeightsUnavailable if the tokenizer of a folder can't be loaded, or can't split a few words in a minute.

    Do nothing if the folder has a manifest or checksums, as those that this package writes.
    """
    if any((folder / name).is_file() for name in (MANIFEST, SUMS)):
        return
    command = [sys.executable, "-m", "bert_ner.encoder.probe", str(folder.absolute())]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise WeightsUnavailable(f"{folder}: its tokenizer takes more than {_SECONDS} s to split a few words") from None
    if done.returncode:
        reason = done.stdout.strip() or f"its tokenizer ended the process that tried it ({done.returncode})"
        raise WeightsUnavailable(reason if str(folder) in reason else f"{folder}: {reason}")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
    folder = Path(sys.argv[1])
    try:
        with loading_errors(folder, "tokenizer"):
            WordPieces.of(load_tokenizer(folder), limit=64).encode([_WORDS])
    except BertNerError as error:
        print(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
