"""The terminal as a chat for people: a prompt at the bottom, bubbles above it, "sedang mengetik" between."""

from __future__ import annotations

import asyncio
import html
import shutil
import textwrap
from datetime import datetime
from typing import TYPE_CHECKING

from bot.channel import Capability, Outgoing, Recorded
from bot.terminal.channel import HELP, TerminalChannel, switched, typed
from bot.terminal.codec import OWNER, Line
from bot.terminal.faces import with_file
from store.outbox import Kind

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession


# Longer lines are hard to read.
MOST_COLUMNS = 88


class ScreenFace:
    """Bubbles above the prompt. Who speaks to whom is said, because several people share the screen."""

    def __init__(self, shop_name: str) -> None:
        self.shop_name = shop_name
        self.typing_to: str | None = None
        self.session: PromptSession[str] | None = None

    def ready(self) -> None:
        self._print(f"<ansibrightblack>{html.escape(HELP)}</ansibrightblack>\n")

    def recorded(self, line: Line, outcome: Recorded) -> None:
        if outcome in (Recorded.FAILED, Recorded.REFUSED):
            self.complain(
                "Pesan ini belum tersimpan; periksa ruang disk dan izin foldernya, lalu kirim lagi."
            )

    def message(self, message: Outgoing) -> None:
        if self.typing_to == message.chat:
            self.typing_to = None
        body = html.escape(_folded(with_file(message)))
        if message.kind is Kind.REACTION:
            self._print(body)
            return
        clock = datetime.now().astimezone().strftime("%H.%M")
        if message.chat == OWNER:
            head = f"<ansiyellow><b>untuk {OWNER} #{message.row_id}</b></ansiyellow>"
        else:
            shop = html.escape(self.shop_name)
            head = f"<ansigreen><b>{shop}</b></ansigreen> → {html.escape(message.chat)} #{message.row_id}"
        self._print(f"{head} <ansibrightblack>{clock}</ansibrightblack>\n{body}\n")

    def typing(self, chat: str) -> None:
        self.typing_to = chat
        if self.session is not None:
            self.session.app.invalidate()

    def complain(self, text: str) -> None:
        self._print(f"<ansired>{html.escape(text)}</ansired>")

    def toolbar(self) -> str:
        """The line below the prompt."""
        return f" {self.shop_name} sedang mengetik…" if self.typing_to else " Ctrl-D: selesai"

    @staticmethod
    def _print(markup: str) -> None:
        from prompt_toolkit import HTML, print_formatted_text

        # Control characters were removed from every text before; escape() keeps the markup ours.
        print_formatted_text(HTML(markup))


def _folded(text: str) -> str:
    """The text indented and broken between words; a terminal breaks anywhere and at its very edge."""
    width = min(shutil.get_terminal_size().columns, MOST_COLUMNS) - 1
    return "\n".join(
        textwrap.fill(line, width, initial_indent="  ", subsequent_indent="  ", replace_whitespace=False)
        for line in text.split("\n")
    )


class ScreenChannel(TerminalChannel):
    """An interactive chat; several people take turns at one keyboard with ``/as``."""

    face: ScreenFace

    def __init__(self, shop_name: str, *, person: str) -> None:
        super().__init__(
            ScreenFace(shop_name),
            capabilities=frozenset({Capability.REACTIONS, Capability.FRAGMENTS}),
        )
        self._person = person

    async def converse(self) -> None:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.patch_stdout import patch_stdout

        session: PromptSession[str] = PromptSession()
        self.face.session = session
        with patch_stdout(raw=True):
            while True:
                try:
                    text = await session.prompt_async(
                        lambda: f"{self._person} ▸ ", bottom_toolbar=self.face.toolbar
                    )
                except (EOFError, KeyboardInterrupt):
                    return
                await self._take(text)

    async def _take(self, text: str) -> None:
        if not text.startswith("/"):
            await asyncio.to_thread(self.record, typed(text, self._person))
        elif (person := switched(text)) is not None:
            self._person = person
        else:
            self.face.complain(HELP)
