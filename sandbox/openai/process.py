"""The stand-in in a child process, for benchmarks and the demo; controlled over HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.request import Request, urlopen

_PROJECT = Path(__file__).resolve().parents[2]
_STOP_S = 5.0
_CONTROL_TIMEOUT_S = 10.0


class OpenAIStandInProcess:
    """Runs `python -m sandbox.openai` as long as the context lasts, and never longer than the parent.

    The calls block for about a millisecond each; inside an event loop use them between measurements.
    """

    def __init__(
        self,
        *,
        models: Sequence[str] | None = None,
        latency_ms_per_token: float = 0.0,
        record_file: Path | None = None,
    ) -> None:
        self._arguments = ["--latency-ms", str(latency_ms_per_token), "--stop-with-stdin"]
        if models is not None:
            self._arguments += ["--models", ",".join(models)]
        if record_file is not None:
            self._arguments += ["--record", str(record_file.resolve())]
        self._child: subprocess.Popen[str] | None = None
        self.base_url = ""

    def __enter__(self) -> Self:
        # The child holds the read end of this pipe: it sees the end of file even when the parent is killed.
        # A session of its own keeps the terminal's Ctrl-C from it: the chat still asks it while it drains.
        self._child = subprocess.Popen(
            [sys.executable, "-m", "sandbox.openai", *self._arguments],
            cwd=_PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        self.base_url = line.split()[-1] if " ready " in line else ""
        if not self.base_url:
            self.stop()
            raise RuntimeError("the OpenAI stand-in did not start; its own message is above")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The process id, for measuring its share of the CPU."""
        assert self._child is not None
        return self._child.pid

    def stop(self) -> int:
        """Ask the child to stop (SIGTERM), kill it if it does not, and give its exit code."""
        child = self._child
        if child is None:
            return 0
        self._child = None
        child.terminate()
        try:
            return child.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            return child.wait()
        finally:
            for pipe in (child.stdin, child.stdout):
                if pipe:
                    pipe.close()

    def control(self, **command: Any) -> dict[str, Any]:
        """Command a fault or recording; `for_` stands for the keyword `for`. Gives the state."""
        if "for_" in command:
            command["for"] = command.pop("for_")
        return self._call("POST", "/_control", command)

    def state(self) -> dict[str, Any]:
        """The rules in force."""
        return self._call("GET", "/_control")

    def requests(self) -> dict[str, Any]:
        """Counts by endpoint and status, requests in flight, and recorded bodies."""
        return self._call("GET", "/_requests")

    def reset_requests(self) -> None:
        """Start counting anew."""
        self._call("DELETE", "/_requests")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = Request(self.base_url.removesuffix("/v1") + path, data=data, method=method)
        with urlopen(request, timeout=_CONTROL_TIMEOUT_S) as response:
            found: dict[str, Any] = json.load(response)
        return found
