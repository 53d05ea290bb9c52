"""A shop with the real bot as its own process, for tests that do what people do.

The model is the stand-in, a process of its own as well; everything else is the product.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sandbox.surroundings import surroundings

PROJECT = Path(__file__).resolve().parents[2]
SAMPLE = PROJECT / "data"
# Far more than a loaded machine needs; a test that works never waits for it.
PATIENCE_S = 30.0
OWNER = "owner"

Event = dict[str, Any]


@dataclass(kw_only=True)
class Shop:
    """The folders and settings of one shop, and its processes."""

    folder: Path
    base_url: str
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def state(self) -> Path:
        return self.folder / "var"

    @property
    def log(self) -> Path:
        """What every process of the shop wrote to stderr."""
        return self.folder / "log"

    def environment(self, **settings: str) -> dict[str, str]:
        """Nothing of the developer's own settings reaches the shop, and nobody waits for bursts."""
        return {
            **surroundings(),
            "OPENAI_API_KEY": "sk-uji-penerimaan",
            "OPENAI_BASE_URL": self.base_url,
            "DATA_DIR": str(self.data),
            "STATE_DIR": str(self.state),
            "BURST_QUIET_S": "0",
            "BURST_QUESTION_S": "0",
            "LOOP_ANSWERS": "0",
            "POLL_S": "0.05",
            "WATCH_KNOWLEDGE": "false",
            "NO_PROXY": "127.0.0.1",
            # The packages are the project's, the folder (and so the .env) is the shop's.
            "PYTHONPATH": str(PROJECT),
            "PYTHONWARNINGS": "error",
            **self.settings,
            **settings,
        }

    def run(self, *command: str | Path, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """One command of the product to its end: ``run("-m", "rag.ingest")``."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=self.environment(**settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 2,
            check=False,
        )
        with self.log.open("a") as log:
            log.write(done.stderr)
        return done

    def read_knowledge(self, **settings: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "rag.ingest", **settings)

    def chat(self, *lines: str, person: str = "budi", **settings: str) -> subprocess.CompletedProcess[str]:
        """A piped conversation: the lines in, everything that is shown out."""
        stdin = "".join(f"{line}\n" for line in lines)
        return self.run(PROJECT / "run_bot.py", "--as", person, stdin=stdin, **settings)

    def bot(self, **settings: str) -> Bot:
        """The bot in the form for programs; use it as a context."""
        return Bot(self, self.environment(**settings))


class Bot:
    """``run_bot.py --jsonl``: lines in, events out, each with an id."""

    def __init__(self, shop: Shop, environment: dict[str, str]) -> None:
        self._shop = shop
        self._environment = environment
        self._events: list[Event] = []
        self._changed = threading.Condition()
        self._lines = 0

    def __enter__(self) -> Self:
        with self._shop.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, PROJECT / "run_bot.py", "--jsonl"],
                cwd=self._shop.folder,
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.expect(type="ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        if self.process.poll() is None and error is None:
            self.stop()
        self.process.kill()
        self.process.wait()
        self._reader.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def say(self, person: str, text: str, *, quote: str | None = None, name: str | None = None) -> str:
        """The person writes; the message's id, once it is committed."""
        self._lines += 1
        message_id = f"{person}-{self._lines}-{self.process.pid}"
        given = {"id": message_id, "from": person, "text": text, "quote": quote, "name": name}
        self.write(json.dumps({key: value for key, value in given.items() if value is not None}))
        assert self.expect(type="recorded", id=message_id)["outcome"] == "new"
        return message_id

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, person: str, text: str, *, name: str | None = None) -> str:
        """The person writes and is answered; the answer's text."""
        message_id = self.say(person, text, name=name)
        answer = self.expect(lambda event: message_id in event.get("answers", ()))
        assert answer["to"] == person
        text_of_answer: str = answer["text"]
        return text_of_answer

    def told_owner(self, containing: str) -> Event:
        """The message to the owner with these words."""
        return self.expect(lambda event: event.get("to") == OWNER and containing in event.get("text", ""))

    def expect(self, fits: Callable[[Event], bool] | None = None, **values: object) -> Event:
        """The first event that fits, already seen or still to come."""

        def found() -> Event | None:
            for event in self._events:
                if (fits is None or fits(event)) and values.items() <= _plain(event).items():
                    return event
            return None

        deadline = time.monotonic() + PATIENCE_S
        with self._changed:
            while (event := found()) is None:
                left_s = deadline - time.monotonic()
                assert left_s > 0, (
                    f"nothing like {values or fits} in {self._events}\n{self._shop.log.read_text()}"
                )
                assert self._reader.is_alive(), f"the bot ended: {self._shop.log.read_text()}"
                self._changed.wait(min(left_s, 0.2))
        return event

    def events(self) -> list[Event]:
        with self._changed:
            return list(self._events)

    def end_input(self) -> int:
        """Ctrl-D; the exit code."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self._ended()

    def stop(self) -> int:
        """SIGTERM, as Supervisor does it; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        code = self.process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self._events.append(json.loads(line))
                self._changed.notify_all()


def _plain(event: Event) -> dict[str, object]:
    """What can be compared as a set: lists are no part of it."""
    return {key: value for key, value in event.items() if not isinstance(value, list)}


def sample_data(folder: Path) -> None:
    """A copy of the sample shop's folder: tests may change it."""
    shutil.copytree(SAMPLE, folder)
