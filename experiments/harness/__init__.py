"""What the stages share. A script imports it before `bert_ner`: this checkout's code goes before an installed copy."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
