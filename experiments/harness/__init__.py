"""What the stages share. Importing it puts this checkout's code before an installed copy, and handles Ctrl-C."""

import os.path
import sys

# os.path, because pathlib is slow to import.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__)))))  # noqa: PTH120

from bert_ner.interrupts import exit_interrupted, handle_interrupts

_EXPERIMENTS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # noqa: PTH120
if os.path.realpath(sys.argv[0]).startswith(os.path.join(_EXPERIMENTS, "")):  # noqa: PTH118 - a script, not a test
    handle_interrupts(exit_interrupted)
