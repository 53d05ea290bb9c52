"""A node that is started again whenever it dies: for a demo in which one pulls its plug."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.weaviate.binary import Say
from sandbox.weaviate.node import WeaviateNode

# Long enough to ask something meanwhile.
PAUSE_S = 10.0


class KeptNode:
    """The node and the thread that looks after it, for as long as the block runs."""

    def __init__(self, program: Path, say: Say, *, pause_s: float = PAUSE_S) -> None:
        self.node = WeaviateNode(program)
        self._say = say
        self._pause_s = pause_s
        self._over = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="weaviate")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _keep(self) -> None:
        # The kernel ends the node together with the thread that started it, so this one does all of it.
        try:
            while not self._over.is_set():
                try:
                    self.node.start()
                except RuntimeError as exc:
                    self._say(str(exc))
                    return
                self._say(
                    f"the memory's server runs as process {self.node.pid}; pull its plug with"
                    f" kill -9 {self.node.pid}, it is started again after {self._pause_s:.0f} seconds"
                )
                self._ready.set()
                while not self.node.has_ended(0.2) and not self._over.is_set():
                    pass
                if not self._over.is_set():
                    self._say("the memory's server is gone; the bot searches by itself meanwhile")
                    self._over.wait(self._pause_s)
        finally:
            self._ready.set()
            with contextlib.suppress(OSError):
                self.node.remove()
