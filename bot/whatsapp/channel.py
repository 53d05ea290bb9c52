"""The WhatsApp channel: records what comes in, sends what the outbox has. Its connection lives next door."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from sqlalchemy import Row

from bot.channel import (
    Capability,
    FileAway,
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
from bot.whatsapp import codec, jids, outcomes, writing
from bot.whatsapp.bridge import BridgeError
from bot.whatsapp.connection import Connection
from bot.whatsapp.journal import Journal
from bot.whatsapp.notes import TRANSPORT, Notes
from config.settings import Mode, WhatsAppSettings
from store.inbox import RawEvent

log = structlog.get_logger(__name__)

# One second and up to three times as long: what careful senders keep to; WhatsApp publishes no limit.
PACE_S = 1.0
# A bubble of this length still reads well on a phone.
BUBBLE_CHARS = 700
# Signs of typing under way at once; in a greater crowd Go's threads are for the answers themselves.
MOST_TYPING = 8
# What waited while nobody was there is in the inbox within this; the answers wait for it no longer.
CATCH_UP_COMMITS_S = 10.0
# What is left at the end is in the journal's file, and the next process takes it up.
LAST_COMMITS_S = 3.0


class WhatsAppChannel:
    """See ``bot.channel.Channel``. ``notes`` is where it writes down what must not be forgotten."""

    def __init__(
        self,
        neonize: Any,
        settings: WhatsAppSettings,
        *,
        account: str,
        room: str | None,
        folder: Path,
        notes: Notes,
    ) -> None:
        self.traits = Traits(
            transport=TRANSPORT,
            admin_room=jids.room(room),
            first_mode=Mode.NEW,
            capabilities=frozenset((Capability.FRAGMENTS, Capability.REACTIONS)),
            pace_s=PACE_S,
            foreign_threads=True,
            bubble_chars=BUBBLE_CHARS,
        )
        self._account = account
        self._journal = Journal(folder / f"{account}-whatsapp.journal", self._record)
        self._intake: Intake | None = None
        self._notes = notes
        self._refused_since: float | None = None
        self._signs: set[asyncio.Task[None]] = set()
        self._connection = Connection(
            neonize,
            settings,
            account=account,
            room=self.traits.admin_room,
            folder=folder,
            on_message=self._journal.keep,
            notes=notes,
        )

    @property
    def state(self) -> State:
        return self._connection.standing.state

    @property
    def caution(self) -> float:
        return self._connection.linked.caution(int(time.time() * 1000))

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
        await asyncio.to_thread(self._journal.wait_recorded, CATCH_UP_COMMITS_S)

    async def own_chat(self) -> str | None:
        own = await self._connection.bridge.own_jids()
        return own[0] if own else None

    async def is_saved(self, chat: str) -> bool:
        try:
            return await self._connection.bridge.is_saved(chat)
        except BridgeError as exc:
            log.warning("contact_unknown", reason=str(exc))
            return False

    async def reachable(self) -> None:
        await self._connection.online.wait()

    async def stop(self, drain_s: float) -> None:
        """What still comes in is recorded until ``close``: WhatsApp would not send it again."""
        self._connection.stop()

    async def close(self) -> None:
        for sign in self._signs:
            sign.cancel()
        await asyncio.gather(*self._signs, return_exceptions=True)
        if await self._connection.close():
            await asyncio.to_thread(self._journal.close, LAST_COMMITS_S)
        else:
            # The socket could not be closed in time. What still comes goes into the journal's file until the
            # process ends, and the next process takes it up.
            await asyncio.to_thread(self._journal.wait_recorded, LAST_COMMITS_S)

    def parse(self, event: Row[Any]) -> IncomingMessage:
        message = codec.parse(event)
        if self._connection.linked.is_past(message.sent_ms):
            return replace(message, past=True)
        return message

    async def fetch(self, event: Row[Any]) -> bytes:
        message = codec.file_in(event)
        bridge = self._connection.bridge
        if not bridge.is_paired:
            raise FileAway("not logged in to WhatsApp")
        try:
            return await bridge.download(message)
        except BridgeError as exc:
            raise outcomes.of_download_error(str(exc)) from exc

    async def send(self, message: Outgoing) -> Outcome:
        bridge = self._connection.bridge
        if not bridge.is_paired:
            return Retry("not logged in to WhatsApp")
        try:
            jids.split(message.chat)
        except ValueError as exc:
            return Refused(str(exc))
        uploaded = None
        if message.document is not None:
            try:
                uploaded = await bridge.upload(message.document.data, message.kind)
            except BridgeError as exc:
                return outcomes.of_upload_error(str(exc))
        own = None
        if message.quoted is not None and message.quoted.sender is None:
            own = _own_in(message.chat, await bridge.own_jids())
        content = writing.message(message, own=own, uploaded=uploaded)
        try:
            with self._connection.sending():
                # Shielded: Go cannot be told to stop, and the outcome of what it does would be nobody's.
                return Sent(await asyncio.shield(bridge.send(message.chat, content)))
        except BridgeError as exc:
            return outcomes.of_error(str(exc))

    async def signal(self, chat: str, signal: Signal, message_ids: tuple[str, ...] = ()) -> None:
        if not self._connection.online.is_set() or chat.endswith(f"@{jids.GROUPS}"):
            return
        if signal is Signal.READ:
            # Waited for: it comes right before the answer, never after it.
            with contextlib.suppress(BridgeError, ValueError):
                await self._connection.bridge.mark_read(chat, message_ids)
        elif len(self._signs) < MOST_TYPING:
            # Waited for by nobody: no answer is later for it.
            sign = asyncio.create_task(self._compose(chat), name="whatsapp-sign")
            self._signs.add(sign)
            sign.add_done_callback(self._signs.discard)

    async def _compose(self, chat: str) -> None:
        with contextlib.suppress(BridgeError, ValueError):
            await self._connection.bridge.composing(chat)

    def _record(self, portion: Sequence[bytes]) -> int:
        """On the journal's thread: how many of these, from the first on, need not be kept any longer."""
        if self._intake is None:
            return 0
        events = [self._to_record(raw) for raw in portion]
        recorded = iter(self._intake.record_all([event for event in events if event is not None]))
        for safe, (raw, event) in enumerate(zip(portion, events, strict=True)):
            if event is None:
                continue
            outcome = next(recorded)
            if outcome is Recorded.FAILED:
                self._refused_since = self._refused_since or time.monotonic()
                return safe
            if outcome is Recorded.REFUSED:
                self._journal.set_aside(raw)
        if self._refused_since is not None:
            self._notes.outage(time.monotonic() - self._refused_since)
            self._refused_since = None
        return len(portion)

    def _to_record(self, raw: bytes) -> RawEvent | None:
        """The row for a message event; None for what nobody is to answer."""
        try:
            return codec.to_record(
                raw, account=self._account, room=self.traits.admin_room, code=self.traits.room_code
            )
        except DecodeError as exc:
            log.error("event_unreadable", reason=str(exc))
            return None


def _own_in(chat: str, own: Sequence[str]) -> str | None:
    """The shop's address in this chat: people who hide their number see a number that hides ours."""
    server = jids.split(chat)[1]
    return next((jid for jid in own if jid.endswith(f"@{server}")), own[0] if own else None)
