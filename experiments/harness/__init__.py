"""What the stages share. Importing it puts this checkout's code before an installed copy."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
