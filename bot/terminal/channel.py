"""The terminal channel: lines from standard input become recorded events, answers are shown."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
import threading
from abc import ABC, abstractmethod
from typing import Any, TextIO

import structlog
from sqlalchemy import Row

from bot.channel import (
    Capability,
    FileGone,
    IncomingMessage,
    Intake,
    Outcome,
    Outgoing,
    Recorded,
    Retry,
    Sent,
    Signal,
    State,
    Traits,
)
from bot.terminal import codec
from bot.terminal.codec import BadLine, Line
from bot.terminal.faces import Face

log = structlog.get_logger(__name__)

TRANSPORT = "terminal"
HELP = """Ketik pesan sebagai pelanggan. Yang lain:
  /as NAMA   berbicara sebagai orang lain; /as owner: sebagai pemilik toko
  >12 teks   membalas pesan #12; begini pemilik menjawab pertanyaan pelanggan
  /help      petunjuk ini
  Ctrl-D     selesai"""


class TerminalChannel(ABC):
    """Base of the terminal's three forms; a form reads its lines in ``converse`` and has a ``Face``."""

    def __init__(self, face: Face, *, capabilities: frozenset[Capability]) -> None:
        self.traits = Traits(transport=TRANSPORT, admin_room=codec.OWNER, capabilities=capabilities)
        self.face = face
        self.state = State.STARTING
        self.caution = 1.0
        self.intake: Intake | None = None

    async def start(self, intake: Intake) -> None:
        self.intake = intake
        self.state = State.ONLINE

    async def run(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self.face.ready()
        await self.converse()

    @abstractmethod
    async def converse(self) -> None:
        """Read and record lines until the input is over."""

    async def caught_up(self) -> None:
        return None  # Nobody wrote while the terminal was closed.

    async def own_chat(self) -> str | None:
        return None

    async def is_saved(self, chat: str) -> bool:
        return False

    async def reachable(self) -> None:
        return None  # Whoever reads the terminal is there.

    async def stop(self, drain_s: float) -> None:
        self.state = State.STOPPED

    async def close(self) -> None:
        self.state = State.STOPPED

    def parse(self, event: Row[Any]) -> IncomingMessage:
        return codec.parse(event)

    async def fetch(self, event: Row[Any]) -> bytes:
        raise FileGone("nobody sends files in a terminal")

    async def send(self, message: Outgoing) -> Outcome:
        try:
            self.face.message(message)
        except (OSError, ValueError) as exc:
            # Python reports a stream that was closed meanwhile as a ValueError.
            return Retry(f"the terminal is gone: {exc}")
        return Sent(str(message.row_id))

    async def signal(self, chat: str, signal: Signal, message_ids: tuple[str, ...] = ()) -> None:
        if signal is Signal.TYPING:
            with contextlib.suppress(OSError, ValueError):
                self.face.typing(chat)

    def record(self, line: Line) -> Recorded:
        """Commit the line and show that it was; not on the event loop's thread."""
        if self.intake is None:
            raise RuntimeError("the channel has not been started")
        outcome = self.intake.record(codec.encode(line, account=self.intake.account))
        self.face.recorded(line, outcome)
        return outcome


class StreamChannel(TerminalChannel):
    """Lines from a pipe. A thread of its own reads and records them, as a foreign library would.

    ``json_lines`` are taken as fast as they come. Plain lines are a conversation: the next one waits
    until everything about the last one is settled.
    """

    def __init__(
        self, face: Face, *, json_lines: bool, person: str = "pelanggan", lines: TextIO | None = None
    ) -> None:
        # A piped line is a whole message; a program that sends fragments says so by its pace.
        fragments = {Capability.FRAGMENTS} if json_lines else set()
        super().__init__(face, capabilities=frozenset({Capability.REACTIONS, *fragments}))
        self._json_lines = json_lines
        self._person = person
        self._lines = lines or sys.stdin
        self._ended = asyncio.Event()
        self._stopping = threading.Event()
        self._loop = asyncio.get_running_loop()
        # A daemon: a thread that waits for a line which never comes must not keep the process alive.
        self._reader = threading.Thread(target=self._read_all, name="terminal-reader", daemon=True)

    async def converse(self) -> None:
        self._reader.start()
        await self._ended.wait()

    async def stop(self, drain_s: float) -> None:
        self._stopping.set()
        await super().stop(drain_s)

    def _read_all(self) -> None:
        try:
            for text in self._lines:
                if self._stopping.is_set():
                    return
                self._take(text.rstrip("\n"))
        except (OSError, ValueError) as exc:
            log.warning("input_broke", reason=str(exc))
        except RuntimeError:
            # The event loop is closed: the process is ending.
            log.info("input_left")
        finally:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._ended.set)

    def _take(self, text: str) -> None:
        if self._json_lines:
            if not text.strip():
                return
            try:
                line = codec.from_json(text)
            except BadLine as exc:
                self.face.complain(str(exc))
                return
            self.record(line)
            return
        self._converse(text)

    def _converse(self, text: str) -> None:
        if text.startswith("/"):
            if (person := switched(text)) is not None:
                self._person = person
            else:
                self.face.complain(HELP)
            return
        line = typed(text, self._person)
        if self.record(line) is Recorded.NEW and self.intake is not None:
            settled = self.intake.settled(line.person)
            asyncio.run_coroutine_threadsafe(_as_coroutine(settled), self._loop).result()


async def _as_coroutine(awaitable: Any) -> None:
    await awaitable


def typed(text: str, person: str) -> Line:
    """A line as somebody typed it, with a fresh id; ``>12 …`` quotes."""
    body, quoted = codec.with_quote(text)
    return Line(person=person, text=body, message_id=secrets.token_hex(8), quoted_id=quoted)


def switched(text: str) -> str | None:
    """The person that ``/as NAME`` switches to; None when the command is something else."""
    command, _, name = text.partition(" ")
    name = name.strip().lower()
    return name if command in ("/as", "/sebagai") and codec.is_person(name) else None
