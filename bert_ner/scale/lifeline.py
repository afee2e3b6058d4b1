"""Run a command that ends when its parent does, even if that is killed: `python -m bert_ner.scale.lifeline COMMAND`.

The parent starts this program in a session of its own and holds the other end of its standard input.
"""

import os
import signal
import subprocess
import sys
import threading


def main() -> None:
    threading.Thread(target=end_with_parent, daemon=True).start()
    status = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, check=False).returncode
    os._exit(status if status >= 0 else 128 - status)  # as a shell does for a signal


def end_with_parent() -> None:
    """Wait for the end of standard input, then kill the whole session."""
    os.read(0, 1)
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
