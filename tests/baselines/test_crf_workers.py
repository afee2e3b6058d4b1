"""Ctrl-C in a process that starts to train a CRF."""

from __future__ import annotations

import signal
import subprocess
import sys

from baselines.crf_workers import interrupts_blocked


def test_a_process_that_starts_holds_an_interrupt_back() -> None:
    child = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('starting', flush=True);{end} print('after')"
    with interrupts_blocked():
        starts = [
            subprocess.run([sys.executable, "-c", child.format(end=end)], capture_output=True, text=True, check=False)
            for end in ("", "from baselines.crf_workers import end_at_interrupts; end_at_interrupts();")
        ]
    assert [(done.returncode, done.stdout, done.stderr) for done in starts] == [
        (0, "starting\nafter\n", ""), (-signal.SIGINT, "starting\n", ""),
    ]  # fmt: skip
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
