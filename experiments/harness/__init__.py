"""What the stages share. Importing it puts this checkout's code before an installed copy, and handles Ctrl-C."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bert_ner.interrupts import exit_interrupted, handle_interrupts

if Path(__file__).resolve().parents[1] in Path(sys.argv[0]).resolve().parents:  # a script, not a test
    handle_interrupts(exit_interrupted)
