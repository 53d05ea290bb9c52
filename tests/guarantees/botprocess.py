"""The real bot in a child process, spoken to through its pipes; everything goes into the ledger."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import IO, Any, Self

from tests.guarantees.home import PROJECT, Home, command
from tests.guarantees.ledger import Ledger

START_S = 60.0
END_S = 60.0
# A mutant that breaks the code, rather than the guarantee, must never pass for a proof.
_BROKEN = ("TypeError", "AttributeError", "NameError", "ImportError", "UnboundLocalError", "AssertionError")


class BotBroke(Exception):
    """The bot ended or failed in a way that the scenario did not ask for: an error of the test."""


class BotProcess:
    """One life of the bot; the ledger outlives it. Leave the context after ``kill``, ``died`` or ``end``."""

    def __init__(
        self, home: Home, ledger: Ledger, *, mutant: str | None = None, faults: Sequence[str] = ()
    ) -> None:
        self.home = home
        self.ledger = ledger
        self.log: list[str] = []
        self.acknowledged: dict[str, str] = {}
        self.answered: set[str] = set()
        self.heard = threading.Condition()
        self.last_heard = time.monotonic()
        self._is_ready = False
        self._over = False
        ledger.note("started", mutant=mutant, faults=list(faults))
        self.process = subprocess.Popen(
            command(mutant, faults),
            cwd=PROJECT,
            env=home.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            threading.Thread(target=self._listen, args=(self.process.stdout,)),
            threading.Thread(target=self._keep_log, args=(self.process.stderr,)),
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self._join()

    @property
    def pid(self) -> int:
        return self.process.pid

    def wait_ready(self) -> Self:
        """Returns once the bot takes messages."""
        self.wait(lambda: self._is_ready or self._over, START_S)
        if not self._is_ready:
            raise BotBroke(f"the bot did not start: {self._last_words()}")
        return self

    def send(self, message_id: str, chat: str, text: str) -> None:
        """Hand the bot a message. A bot that is dead by now does not get it, as in life."""
        assert self.process.stdin is not None
        self.ledger.note("sent", id=message_id, chat=chat)
        line = json.dumps({"id": message_id, "from": chat, "text": text})
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Whether the condition came true in time; it is looked at whenever the bot says something."""
        with self.heard:
            return self.heard.wait_for(condition, timeout_s)

    def wait_quiet(self, wanted: Callable[[], bool], *, patience_s: float) -> bool:
        """Whether it came true before the bot had said nothing for ``patience_s``."""
        while True:
            if self.wait(wanted, 0.2):
                return True
            if self._over or time.monotonic() - self.last_heard > patience_s:
                return False

    def kill(self) -> tuple[int, int]:
        """kill -9; how many inbox and outbox rows it had in hand. Raises when it was dead already."""
        if self.process.poll() is not None:
            raise BotBroke(f"the bot ended by itself: {self._last_words()}")
        self.process.kill()
        return self._buried()

    def died(self) -> tuple[int, int]:
        """Wait for a death that was asked for at launch; what it had in hand."""
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired as exc:
            raise BotBroke("the bot never came to the step at which it was to die") from exc
        return self._buried()

    def end(self) -> None:
        """A stop in good order (SIGTERM)."""
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(END_S)
        except subprocess.TimeoutExpired as exc:
            raise BotBroke(f"the bot does not stop: {self._last_words()}") from exc
        self._join()
        if code != 0:
            raise BotBroke(f"exit code {code} after SIGTERM: {self._last_words()}")
        self._look_for_bugs()
        self.ledger.note("ended")

    def _buried(self) -> tuple[int, int]:
        code = self.process.wait(END_S)
        self._join()
        if code != -signal.SIGKILL:
            raise BotBroke(f"exit code {code}: {self._last_words()}")
        self._look_for_bugs()
        inbox, outbox = self.home.claimed("inbox"), self.home.claimed("outbox")
        self.ledger.note("killed", claimed=outbox, inbox_claimed=inbox)
        return len(inbox), len(outbox)

    def _join(self) -> None:
        """What the bot had written before its end is read to the last line."""
        if self.process.stdin is not None:
            # Bytes that the dead bot will never read cannot be flushed.
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
        self.process.wait()
        for reader in self._readers:
            reader.join()
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def _listen(self, pipe: IO[str]) -> None:
        for line in pipe:
            with contextlib.suppress(ValueError):  # The kernel may cut the last line of a killed process.
                self._take(json.loads(line))
        with self.heard:
            self._over = True
            self.heard.notify_all()

    def _take(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "ready":
                with self.heard:
                    self._is_ready = True
            case "recorded":
                self.ledger.note("recorded", id=event["id"], outcome=event["outcome"])
                with self.heard:
                    self.acknowledged[event["id"]] = event["outcome"]
            case "text" | "reaction":
                self.ledger.note(
                    "delivered",
                    row=event["id"],
                    chat=event["to"],
                    answers=event["answers"],
                    text=event["text"],
                )
                with self.heard:
                    self.answered.update(event["answers"])
            case "error":
                raise BotBroke(f"the bot did not understand the test: {event['text']}")
        with self.heard:
            self.last_heard = time.monotonic()
            self.heard.notify_all()

    def _keep_log(self, pipe: IO[str]) -> None:
        for line in pipe:
            with self.heard:
                self.log.append(line)
                self.heard.notify_all()

    def _look_for_bugs(self) -> None:
        if found := [line for line in self.log if any(name in line for name in _BROKEN)]:
            raise BotBroke(f"an error that no fault explains: {found[0][:2000]}")

    def _last_words(self) -> str:
        return "".join(self.log[-20:])[-3000:]
