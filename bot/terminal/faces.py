"""What the terminal shows: JSON lines for programs, plain lines for pipes, a chat for people."""

from __future__ import annotations

import json
import sys
from typing import Protocol, TextIO

from bot.channel import Outgoing, Recorded
from bot.terminal.codec import OWNER, Line
from store.outbox import Kind


class Face(Protocol):
    """How the terminal channel shows what happens. Raises ``OSError`` when its output is gone."""

    def ready(self) -> None: ...

    def recorded(self, line: Line, outcome: Recorded) -> None: ...

    def message(self, message: Outgoing) -> None: ...

    def typing(self, chat: str) -> None: ...

    def complain(self, text: str) -> None: ...


class JsonFace:
    """One JSON object a line on standard output; the ids make every step checkable."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout

    def ready(self) -> None:
        self._say(type="ready")

    def recorded(self, line: Line, outcome: Recorded) -> None:
        self._say(type="recorded", id=line.message_id, outcome=outcome.value)

    def message(self, message: Outgoing) -> None:
        file = {} if message.document is None else {"file": message.document.filename}
        self._say(
            type=message.kind.value,
            id=str(message.row_id),
            to=message.chat,
            text=message.body,
            quote=message.quoted_id,
            answers=list(message.answers),
            **file,
        )

    def typing(self, chat: str) -> None:
        self._say(type="typing", to=chat)

    def complain(self, text: str) -> None:
        self._say(type="error", text=text)

    def _say(self, **event: object) -> None:
        # One write a line: a kill in between must not leave half of one.
        self._out.write(json.dumps(event, ensure_ascii=False) + "\n")
        self._out.flush()


class PlainFace:
    """Readable lines for pipes: the question is repeated, so that the output reads as a chat."""

    def __init__(self, shop_name: str, out: TextIO | None = None) -> None:
        self._shop_name = shop_name
        self._out = out or sys.stdout

    def ready(self) -> None:
        """Nothing to show: the first line follows at once."""

    def recorded(self, line: Line, outcome: Recorded) -> None:
        if outcome in (Recorded.FAILED, Recorded.REFUSED):
            self.complain(
                "Pesan ini belum tersimpan; periksa ruang disk dan izin foldernya, lalu kirim lagi."
            )
        self._say(f"\n{line.person}: {line.text}")

    def message(self, message: Outgoing) -> None:
        self._say(shown(message, self._shop_name))

    def typing(self, chat: str) -> None:
        """A pipe has nobody who watches."""

    def complain(self, text: str) -> None:
        self._say(f"! {text}")

    def _say(self, text: str) -> None:
        self._out.write(text + "\n")
        self._out.flush()


def shown(message: Outgoing, shop_name: str) -> str:
    """An outgoing message as people read it; what goes to the owner says so, with the number to quote."""
    if message.kind is Kind.REACTION:
        return f"{shop_name} {message.body}"
    if message.chat == OWNER:
        return f"[{OWNER} #{message.row_id}] {with_file(message)}"
    return f"{shop_name} → {message.chat}: {with_file(message)}"


def with_file(message: Outgoing) -> str:
    """The words, below the name of the file that they come with."""
    if message.document is None:
        return message.body
    return f"📄 {message.document.filename}\n{message.body}".strip()
