"""The base of every error that the user can fix, and how errors are printed."""

import io
import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from reprlib import Repr

# The extras of pyproject.toml to install for a package, by the name under which it is imported. Only the export imports
# onnx and onnxscript, and it needs PyTorch as well.
EXTRAS = {
    "pycrfsuite": "crf", "sklearn_crfsuite": "crf",
    "huggingface_hub": "encoder", "safetensors": "encoder", "torch": "encoder", "transformers": "encoder",
    "onnx": "encoder,onnx", "onnxscript": "encoder,onnx", "onnxruntime": "onnx", "tokenizers": "onnx",
    "pyarrow": "parquet", "ray": "cluster", "pandas": "pipeline",
}  # fmt: skip
_NO_MEMORY = re.compile(r"can't allocate memory|cannot allocate memory|out of memory|bad_alloc", re.IGNORECASE)
_SHORT = Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxstring, _SHORT.maxother = 3, 9, 9, 80, 80


class BertNerError(Exception):
    """The input is wrong; the message says what is wrong, where, and what to do."""


class InvalidValue(BertNerError, ValueError):
    """An argument or a setting is out of range."""


class NotExportable(BertNerError):
    """An encoder that PyTorch can't export, or whose numbers do not fit into 8 bits."""


class OutOfMemory(BertNerError, MemoryError):
    """There is too little memory."""


def install_command(package: str) -> str:
    """Return the command that installs a package which is in an extra, by the name under which it is imported."""
    return f"pip install 'bert-ner[{EXTRAS[package]}]'"


def as_missing_extra(error: ModuleNotFoundError) -> BertNerError | None:
    """Return an error that names the extras for a package that is not installed; None if it is in no extra."""
    package = str(error.name).partition(".")[0]
    if package not in EXTRAS:
        return None
    return BertNerError(f"{package} is not installed; install it with: {install_command(package)}")


def as_out_of_memory(error: BaseException) -> OutOfMemory | None:
    """Return an OutOfMemory for an error with which a library reports that memory ran out, else None."""
    if not (isinstance(error, MemoryError) or _NO_MEMORY.search(str(error))):
        return None
    if isinstance(error, OutOfMemory):
        return error
    return OutOfMemory(f"not enough memory ({first_line(error)}); close other programs, or process less at once")


@contextmanager
def library_errors(message: str, kind: type[BertNerError] = BertNerError) -> Iterator[None]:
    """Turn any error of a library, a panic in Rust included, into one of ours: a message, and the error's first line.

    Errors of ours, Ctrl-C and the absence of a package stay as they are.
    """
    try:
        yield
    except (BertNerError, ModuleNotFoundError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a panic is no Exception
        if shortage := as_out_of_memory(error):
            raise shortage from error
        raise kind(f"{message} ({type(error).__name__}: {first_line(error)})") from error


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, or the error's class if it has no message."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def shorten(value: object) -> str:
    """Return a value's repr, cut to fit into a message."""
    return _SHORT.repr(value)


def escape_output() -> None:
    """Let standard output escape the letters that its encoding lacks, as standard error does."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def printable(text: str, encoding: str = "utf-8") -> str:
    """Escape the characters that don't print, so that no input reaches the terminal as a command.

    Those that `encoding`, the output's, lacks are escaped as well.
    """
    if not text.isprintable():
        text = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return text if text.isascii() else text.encode(encoding, "backslashreplace").decode(encoding)


def printable_message(error: BaseException) -> str:
    """Return an error's message, made printable line by line."""
    return "\n".join(map(printable, str(error).split("\n")))


def first_difference(found: str, expected: str) -> str:
    """Return where two texts differ, by code point, for a message; "" if they are in ASCII, where it is easy to see.

    Accents that are composed or not, letters of other scripts and invisible characters look alike.
    """
    if found.isascii() and expected.isascii():
        return ""
    i = next((i for i, (ours, theirs) in enumerate(zip(found, expected, strict=False)) if ours != theirs), None)
    i = min(len(found), len(expected)) if i is None else i
    ours, theirs = (name_letter(text[i]) if i < len(text) else "the end" for text in (found, expected))
    return f" (character {i + 1} is {ours}, not {theirs})"


def unusual_letters(text: str) -> str:
    """Return the first three characters outside ASCII by name, for a message about a text that is not as expected."""
    names = [name_letter(letter) for letter in dict.fromkeys(text) if not letter.isascii()]
    return f" (with {', '.join(names[:3])})" if names else ""


def name_letter(letter: str) -> str:
    """Return a character's code point and name, in ASCII."""
    return f"U+{ord(letter):04X} {unicodedata.name(letter, 'without a name')}"
