"""A process that is spoken to in JSON lines: one in, one out."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from bench.questions import PROJECT

_END_S = 20.0


class Pipe:
    """A module of ours in a child process. It says something once it is ready, which is ``told``."""

    def __init__(self, *command: str, env: Mapping[str, str] | None = None, is_quiet: bool = False) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if is_quiet else None,
            text=True,
        )
        self.told = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The end of its input ends it; only one that hangs is killed.
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        """Give a command and wait for what it gives. Raises RuntimeError when the process ended."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the measured process ended; its own message, if it has one, is above")
        found: dict[str, Any] = json.loads(line)
        return found
