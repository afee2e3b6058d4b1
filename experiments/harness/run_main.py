"""How a script takes its options, and how it ends."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.params import SEEDS

from bert_ner.corpus.catalog import corpus_names
from bert_ner.errors import BertNerError, as_out_of_memory, escape_output, printable_message
from bert_ner.interrupts import exit_interrupted, handle_interrupts, interrupt


def command_line(description: str | None) -> argparse.ArgumentParser:
    """Make a parser that shows a module's docstring as it is."""
    return argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def arguments(description: str | None, **options: dict[str, Any]) -> argparse.Namespace:
    """Parse the command line of a stage: --corpus, and the options given."""
    parser = command_line(description)
    parser.add_argument("--corpus", choices=corpus_names(), default="mit_movie_eng", help="default: %(default)s")
    for name, settings in options.items():
        parser.add_argument(f"--{name}", **settings)
    return parser.parse_args()


def run_main(main: Callable[[], None]) -> None:
    """Run the main function of a script; an error that the user can correct is one message without a traceback."""
    name = Path(sys.argv[0]).name
    escape_output()
    handle_interrupts(interrupt)
    try:
        main()
        print(end="", flush=True)  # here, where a closed pipe is handled
    except BertNerError as error:
        sys.exit(f"{name}: {printable_message(error)}")
    except BrokenPipeError:
        os._exit(141)  # a shell's status for SIGPIPE; without another flush, which would fail again
    except (MemoryError, RuntimeError, OSError) as error:
        if shortage := as_out_of_memory(error):  # PyTorch and onnxruntime raise a RuntimeError
            sys.exit(f"{name}: {printable_message(shortage)}")
        if not isinstance(error, OSError):
            raise
        reason = f"{error.filename}: {error.strerror}" if error.filename else error
        sys.exit(f"{name}: {reason}; correct that, and run it again: finished work is kept")
    except KeyboardInterrupt:
        exit_interrupted()
    finally:
        handle_interrupts(exit_interrupted)  # while Python ends, it would print a KeyboardInterrupt and go on


def seed(text: str) -> int:
    """Parse a seed for argparse, which reports the error as wrong usage."""
    if not (text.isdecimal() and int(text) in SEEDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to {SEEDS[-1]}")
    return int(text)


def count(text: str) -> int:
    """Parse how many there shall be, at least one, for argparse."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)
