"""What the stages share.

Importing it puts this checkout's code before an installed copy. In a script, it also handles Ctrl-C and the absence of
a package, before the script imports anything else.
"""

import os.path
import sys
from types import TracebackType

# os.path, because pathlib is slow to import.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))  # noqa: PTH120

from bert_ner.interrupts import exit_interrupted, handle_interrupts

_REMEDY = "install all that the pipeline needs with: make .venv/ready, or pip install -e '.[pipeline]'"


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print an error that nothing has caught; the absence of a package as one line."""
    if isinstance(error, ModuleNotFoundError):
        print(f"{os.path.basename(sys.argv[0])}: {error.name} is not installed; {_REMEDY}", file=sys.stderr)  # noqa: PTH119
    else:
        sys.__excepthook__(kind, error, trace)


_EXPERIMENTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
if os.path.realpath(sys.argv[0]).startswith(os.path.join(_EXPERIMENTS, "")):  # noqa: PTH118 - a script, not a test
    handle_interrupts(exit_interrupted)
    sys.excepthook = _report
