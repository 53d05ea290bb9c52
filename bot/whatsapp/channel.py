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
from bot.whatsapp.spill import Spill
from config.settings import WhatsAppSettings
from store.outbox import Kind

log = structlog.get_logger(__name__)

TRANSPORT = "whatsapp"
# One second and up to three times as long: what careful senders keep to; WhatsApp publishes no limit.
PACE_S = 1.0
# A bubble of this length still reads well on a phone.
BUBBLE_CHARS = 700
# How often it is tried to bring back what the database could not take.
REPLAY_EVERY_S = 1.0


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
        self._spill = Spill(folder / f"{account}-whatsapp.spill")
        self._intake: Intake | None = None
        self._connection = Connection(
            neonize, settings, account=account, folder=folder, on_message=self._take, tell=tell
        )

    @property
    def state(self) -> State:
        return self._connection.standing.state

    async def start(self, intake: Intake) -> None:
        """Begin to connect. Raises ``SessionUnusable`` (a ConfigError)."""
        self._intake = intake
        await asyncio.to_thread(self._replay_spill)
        await self._connection.start()

    async def run(self) -> None:
        replaying = asyncio.create_task(self._keep_replaying(), name="whatsapp-spill")
        try:
            await self._connection.ended
        finally:
            replaying.cancel()
            await asyncio.gather(replaying, return_exceptions=True)

    async def caught_up(self) -> None:
        await self._connection.caught_up.wait()

    async def reachable(self) -> None:
        await self._connection.online.wait()

    async def stop(self, drain_s: float) -> None:
        """What still comes in is recorded until ``close``: WhatsApp would not send it again."""
        self._connection.stop()

    async def close(self) -> None:
        self.unstoppable = not await self._connection.close()

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

    def _take(self, raw: bytes) -> None:
        """On Go's thread: when this returns, the message is on disk, or its loss is in the log."""
        if self._record(raw):
            return
        try:
            self._spill.keep(raw)
        except OSError as exc:
            log.critical("message_lost", reason=str(exc), bytes=len(raw))
        else:
            log.error("message_spilled", bytes=len(raw))

    def _record(self, raw: bytes) -> bool:
        """Whether the event is safe: committed now or before, or nothing that is kept."""
        if self._intake is None:
            return False
        try:
            event = codec.to_record(raw, account=self._account, room=self.traits.admin_room)
        except DecodeError as exc:
            log.error("event_unreadable", reason=str(exc))
            return True
        return event is None or self._intake.record(event) is not Recorded.FAILED

    async def _keep_replaying(self) -> None:
        while True:
            await asyncio.sleep(REPLAY_EVERY_S)
            if self._spill:
                await asyncio.to_thread(self._replay_spill)

    def _replay_spill(self) -> None:
        if self._spill and (taken := self._spill.replay(self._record)):
            log.info("spill_recorded", events=taken, left=bool(self._spill))
