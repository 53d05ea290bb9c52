"""Starts ``store_process`` several times, lets all go at the same moment and collects the answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120.0


def run_processes(scenario: str, address: str | Path, *, count: int = 1) -> list[Any]:
    """What ``count`` processes return for the scenario; fails with their errors when one of them fails."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.integration.store_process", scenario, str(address)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = []
        for process in processes:
            out, err = process.communicate(timeout=DEADLINE_S)
            assert process.returncode == 0, err
            answers.append(json.loads(out))
        return answers
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
