"""The connection's life: what the bridge tells of it, and what follows from that."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import structlog
from google.protobuf.message import DecodeError

from bot.exits import EXIT_MISCONFIGURED
from bot.linked import Linked
from bot.whatsapp import codec, events, past, session
from bot.whatsapp.bridge import HISTORY_SYNC, ME, UNDECRYPTABLE, Bridge, BridgeError, Callbacks
from bot.whatsapp.course import Course
from bot.whatsapp.dialling import Dialler
from bot.whatsapp.errors import SessionUnusable
from bot.whatsapp.forgotten import Forgotten, Listener
from bot.whatsapp.linking import Linking
from bot.whatsapp.machine import Happened, Standing
from bot.whatsapp.notes import Notes
from bot.whatsapp.pairing import PairingFiles
from bot.whatsapp.past_reader import PastReader
from bot.whatsapp.pulse import Pulse
from bot.whatsapp.refusals import Refusals
from config.settings import WhatsAppSettings

log = structlog.get_logger(__name__)

# The server tells when everything that waited has come; without that word nobody waits longer than this.
CATCH_UP_S = 30.0


class Connection:
    """One account's connection for the life of this process; every method runs on the event loop.

    ``ended`` is raised from when only another process can go on (``ChannelEnded``), and is done when
    ``stop`` was called.
    """

    def __init__(
        self,
        neonize: Any,
        settings: WhatsAppSettings,
        *,
        account: str,
        room: str | None,
        folder: Path,
        on_message: Callable[[bytes], None],
        notes: Notes,
    ) -> None:
        self.caught_up = asyncio.Event()
        self.linked = Linked()
        self._neonize = neonize
        self._settings = settings
        self._account = account
        self._room = room
        self._session = folder / f"{account}-whatsapp.db"
        self._files = PairingFiles(folder, account)
        self._refusals = Refusals(folder, account)
        self._on_message = on_message
        self._notes = notes
        self._loop = asyncio.get_running_loop()
        self._listener = Listener(self._hear_forgotten)
        self._course = Course(notes)
        self._pulse = Pulse(self._course)
        self._past = PastReader(past.folder_in(folder, account), notes, keeps=bool(settings.history_days))
        self._linking = Linking(
            self._course,
            self._files,
            settings,
            account=account,
            folder=folder,
            pairing_code=lambda number: self.bridge.pairing_code(number),
        )
        self._bridge: Bridge | None = None
        self._dialler: Dialler | None = None

    @property
    def standing(self) -> Standing:
        return self._course.standing

    @property
    def online(self) -> asyncio.Event:
        return self._course.online

    @property
    def ended(self) -> asyncio.Future[None]:
        return self._course.ended

    @property
    def bridge(self) -> Bridge:
        if self._bridge is None:
            raise RuntimeError("the connection has not been started")
        return self._bridge

    def sending(self) -> AbstractContextManager[None]:
        """Around one send: a slow one is how a silent server is noticed first."""
        return self._pulse.sending()

    async def start(self) -> None:
        """Look at the session file and begin to connect. Raises ``SessionUnusable``."""
        course = self._course
        try:
            number = await asyncio.to_thread(session.check, self._session, number=self._settings.number)
        except SessionUnusable as exc:
            course.go(Happened.UNUSABLE, detail=str(exc))
            await self._notes.state(course.standing)
            raise
        self.linked = await self._notes.begin()
        self._linking.was_linked = self._session.exists()
        # They show a code of an earlier process, if any.
        self._files.remove()
        bridge = self._bridge = Bridge(
            self._neonize,
            session.address(self._session),
            account=self._account,
            callbacks=Callbacks(
                message=self._on_message, event=self._on_event, qr=self._on_qr, login=self._on_login
            ),
        )
        bridge.is_paired = number is not None
        dialler = self._dialler = Dialler(bridge, course, self._refusals, self._session)
        self._listener.begin()
        course.begin()
        course.hold("history", self._past.read(bridge))
        course.hold("connect", dialler.run())
        course.hold("watch", self._pulse.watch(bridge, lambda: dialler.is_trying))

    def stop(self) -> None:
        """The process is ending; what is under way may still go out over the connection that there is."""
        self._course.go(Happened.STOPPING)
        self.caught_up.set()
        if not self.ended.done():
            self.ended.set_result(None)

    async def close(self) -> bool:
        """Disconnect; whether everything that came in was handed over."""
        self.caught_up.set()
        is_quiet = self._bridge is None or await self._bridge.stop()
        self._listener.end()
        self._course.go(Happened.CLOSED)
        self._files.remove()
        await self._course.close()
        return is_quiet

    # --- what the bridge tells -----------------------------------------------------------------------

    def _on_event(self, code: int, raw: bytes) -> None:
        self._pulse.beat()
        dialler = self._talked()
        if code == ME:
            return
        if code == HISTORY_SYNC:
            self._past.put(raw)
            return
        if code == UNDECRYPTABLE:
            self._on_undecryptable(raw)
            return
        try:
            meant = events.meaning(code, raw)
        except DecodeError as exc:
            log.warning("event_unreadable", code=code, reason=str(exc))
            return
        course = self._course
        if meant.offline_done:
            self.caught_up.set()
        if meant.happened is Happened.CONNECTED:
            # Only a login that is complete may ask Go's store.
            self.bridge.is_paired = True
            course.hold("greet", self._greet())
        elif meant.happened is Happened.BANNED:
            # WhatsApp's own word, but never at once: some bans come without a time.
            until_ms = int((time.time() + self._refusals.note()) * 1000)
            course.go(meant.happened, detail=meant.detail, until_ms=max(until_ms, meant.until_ms or 0))
        elif meant.happened is Happened.REFUSED:
            course.hold("refused", dialler.end_later(meant.detail))
        elif meant.happened is not None:
            course.go(meant.happened, detail=meant.detail, until_ms=meant.until_ms)

    def _talked(self) -> Dialler:
        """The bridge told something, so it is connected, or was."""
        if self._dialler is None:
            raise RuntimeError("the connection has not been started")
        self._dialler.talked = True
        return self._dialler

    def _on_undecryptable(self, raw: bytes) -> None:
        """Noted; whether the real one follows is looked at later."""
        try:
            found = codec.undecryptable(raw, room=self._room)
        except DecodeError as exc:
            log.warning("event_unreadable", code=UNDECRYPTABLE, reason=str(exc))
            return
        if found is None or self.linked.is_past(found.sent_ms):
            return
        log.info("undecryptable", message_id=found.message_id, own=found.own)
        self._course.hold(f"undecryptable {found.message_id}", self._notes.undecryptable(found))

    def _hear_forgotten(self, found: Forgotten) -> None:
        """On the thread of the library's log."""
        with contextlib.suppress(RuntimeError):  # A closed loop means that the process is ending.
            self._loop.call_soon_threadsafe(self._on_forgotten, found)

    def _on_forgotten(self, found: Forgotten) -> None:
        self._course.hold(f"forgotten {found.message_id}", self._notes.forgotten(found))

    def _on_qr(self, text: str) -> None:
        self._talked()
        self._linking.show(text)

    def _on_login(self, status: str) -> None:
        self._talked()
        if status != "success":
            self._linking.failed(status)
            return
        self._course.go(Happened.PAIRED)
        self._course.hold("paired", self._note_paired())
        self._linking.accepted()

    async def _note_paired(self) -> None:
        # Known at once, whether it can be written or not: what is older is not answered.
        self.linked = replace(self.linked, paired_ms=int(time.time() * 1000))
        self.linked = await self._notes.paired() or self.linked

    async def _greet(self) -> None:
        """Logged in: who are we, and quietly so."""
        own = await self.bridge.own_jids()
        number = own[0].partition("@")[0] if own else None
        if self._settings.number and number != self._settings.number:
            self._course.end(
                "the phone that scanned the code has another number than WHATSAPP_NUMBER; "
                f"log this device out on that phone, move {self._session} away and start again",
                EXIT_MISCONFIGURED,
            )
            return
        with contextlib.suppress(BridgeError):
            # Without a name in the shop's profile WhatsApp refuses; nothing depends on it.
            await self.bridge.unavailable()
        self._files.remove()
        self._refusals.forget()
        self._course.go(Happened.CONNECTED)
        if number is not None:
            self.linked = await self._notes.number(number) or self.linked
        await asyncio.sleep(CATCH_UP_S)
        self.caught_up.set()
