"""A stand-in, a server or a bot of a run that was killed does not stay behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
PATIENCE_S = 30.0
CHILD = "import time; print('here', flush=True); time.sleep(60)"
PARENT = f"""
import signal, subprocess, sys
from functools import partial
from sandbox.parent import end_with_parent
subprocess.Popen([sys.executable, "-c", {CHILD!r}], preexec_fn=partial(end_with_parent, signal.SIGINT)).wait()
"""


def test_a_killed_parent_takes_its_child_along_by_the_chosen_signal() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "here\n"
        parent.kill()
        # The pipe ends when the child, who holds its other end, is gone.
        last_words, _ = parent.communicate(timeout=PATIENCE_S)
    assert "KeyboardInterrupt" in last_words
