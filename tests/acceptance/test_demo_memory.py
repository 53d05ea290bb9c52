"""The demo on a Weaviate server, whose plug is pulled while one chats."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.surroundings import surroundings

PATIENCE_S = 120.0


class Chat:
    """``make demo MEMORY=weaviate`` in the terminal's way, spoken to through its pipes."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            ["make", "-s", "demo", "MEMORY=weaviate"],
            cwd=folder,
            env=surroundings(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.said: list[str] = []
        self.told: list[str] = []
        self._readers = [
            threading.Thread(target=self.said.extend, args=(self.process.stdout,)),
            threading.Thread(target=self.told.extend, args=(self.process.stderr,)),
        ]
        for reader in self._readers:
            reader.start()

    def ask(self, question: str, answer: str) -> None:
        """Ask, and wait until this is part of what is answered."""
        assert self.process.stdin is not None
        before = len(self.said)
        self.process.stdin.write(question + "\n")
        self.process.stdin.flush()
        self.until(lambda: any(answer in line for line in self.said[before:]))

    def server(self, count: int) -> int:
        """The process id of the server, once it was started so often."""
        self.until(lambda: len(self._pids()) >= count)
        return self._pids()[-1]

    def _pids(self) -> list[int]:
        return [int(found[1]) for line in list(self.told) if (found := re.search(r"kill -9 (\d+)", line))]

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, "".join(self.told)
            assert time.monotonic() < deadline, "".join(self.said + self.told)
            time.sleep(0.1)

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        code = self.process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        return code


@pytest.mark.torture
def test_the_demo_answers_while_the_memorys_server_is_killed_and_started_again(
    copy: Path, weaviate_program: Path
) -> None:
    chat = Chat(copy)
    try:
        first = chat.server(1)
        chat.ask("IH20 berapa kak?", "Rp275.000")
        os.kill(first, signal.SIGKILL)
        chat.ask("Bagaimana cara daftar pasang internet?", "→ pelanggan")
        chat.ask("kalau IH20 berapa sebulan?", "Rp275.000")
        second = chat.server(2)
        assert second != first
        chat.ask("Berapa lama proses pemasangan?", "→ pelanggan")
        assert chat.end() == 0, "".join(chat.told)
    finally:
        chat.process.kill()
    assert "Traceback" not in "".join(chat.said + chat.told)
    # Nothing is left behind.
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)
