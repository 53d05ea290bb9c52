"""The WhatsApp channel: records what comes in, sends what the outbox has. Its connection lives next door."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from sqlalchemy import Row

from bot.channel import (
    Capability,
    IncomingMessage,
    Intake,
    Outcome,
    Outgoing,
    Recorded,
    Refused,
    Retry,
    Sent,
    Signal,
    State,
    Traits,
)
from bot.whatsapp import codec, jids, outcomes
from bot.whatsapp.bridge import BridgeError, reaction, text_message
from bot.whatsapp.connection import Connection, Tell
from bot.whatsapp.journal import Journal
from config.settings import WhatsAppSettings
from store.outbox import Kind

log = structlog.get_logger(__name__)

TRANSPORT = "whatsapp"
# One second and up to three times as long: what careful senders keep to; WhatsApp publishes no limit.
PACE_S = 1.0
# A bubble of this length still reads well on a phone.
BUBBLE_CHARS = 700
# Two commits that take as long as they may. What is left then is in the journal's file.
LAST_COMMITS_S = 10.0


class WhatsAppChannel:
    """See ``bot.channel.Channel``. ``tell`` hears of every change of state, in order."""

    def __init__(
        self,
        neonize: Any,
        settings: WhatsAppSettings,
        *,
        account: str,
        room: str | None,
        folder: Path,
        tell: Tell,
    ) -> None:
        self.traits = Traits(
            transport=TRANSPORT,
            admin_room=jids.room(room),
            capabilities=frozenset((Capability.FRAGMENTS, Capability.REACTIONS)),
            pace_s=PACE_S,
            bubble_chars=BUBBLE_CHARS,
        )
        self.unstoppable = False
        self._account = account
        self._journal = Journal(folder / f"{account}-whatsapp.journal", self._record)
        self._intake: Intake | None = None
        self._connection = Connection(
            neonize, settings, account=account, folder=folder, on_message=self._journal.keep, tell=tell
        )

    @property
    def state(self) -> State:
        return self._connection.standing.state

    async def start(self, intake: Intake) -> None:
        """Begin to connect. Raises ``SessionUnusable`` (a ConfigError)."""
        self._intake = intake
        await asyncio.to_thread(self._journal.open)
        await self._connection.start()

    async def run(self) -> None:
        await self._connection.ended

    async def caught_up(self) -> None:
        await self._connection.caught_up.wait()
        # The last of it may still be on its way from the journal into the inbox.
        await asyncio.to_thread(self._journal.wait_recorded, LAST_COMMITS_S)

    async def reachable(self) -> None:
        await self._connection.online.wait()

    async def stop(self, drain_s: float) -> None:
        """What still comes in is recorded until ``close``: WhatsApp would not send it again."""
        self._connection.stop()

    async def close(self) -> None:
        self.unstoppable = not await self._connection.close()
        await asyncio.to_thread(self._journal.close, LAST_COMMITS_S)

    def parse(self, event: Row[Any]) -> IncomingMessage:
        return codec.parse(event)

    async def send(self, message: Outgoing) -> Outcome:
        bridge = self._connection.bridge
        if not bridge.is_paired:
            return Retry("not logged in to WhatsApp")
        try:
            jids.split(message.chat)
        except ValueError as exc:
            return Refused(str(exc))
        if message.kind is Kind.REACTION:
            content = reaction(message.body, chat=message.chat, message_id=message.quoted_id or "")
        else:
            content = text_message(message.body)
        try:
            with self._connection.sending():
                # Shielded: Go cannot be told to stop, and the outcome of what it does would be nobody's.
                return Sent(await asyncio.shield(bridge.send(message.chat, content)))
        except BridgeError as exc:
            return outcomes.of_error(str(exc))

    async def signal(self, chat: str, signal: Signal, message_ids: tuple[str, ...] = ()) -> None:
        if not self._connection.online.is_set() or chat.endswith(f"@{jids.GROUPS}"):
            return
        with contextlib.suppress(BridgeError, ValueError):
            if signal is Signal.TYPING:
                await self._connection.bridge.composing(chat)
            else:
                await self._connection.bridge.mark_read(chat, message_ids)

    def _record(self, raw: bytes) -> bool:
        """On the journal's thread: whether the event is safe (committed now or before) or not to be kept."""
        if self._intake is None:
            return False
        try:
            event = codec.to_record(raw, account=self._account, room=self.traits.admin_room)
        except DecodeError as exc:
            log.error("event_unreadable", reason=str(exc))
            return True
        if event is None:
            return True
        recorded = self._intake.record(event)
        if recorded is Recorded.REFUSED:
            self._journal.set_aside(raw)
        return recorded is not Recorded.FAILED
