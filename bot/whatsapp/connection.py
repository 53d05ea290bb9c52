"""The connection's life: pairing, connecting, staying connected, and noticing when it only looks alive."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from google.protobuf.message import DecodeError

from bot.channel import ChannelEnded, State
from bot.exits import EXIT_AGAIN, EXIT_LATER, EXIT_MISCONFIGURED
from bot.linked import Linked
from bot.whatsapp import codec, events, past, session
from bot.whatsapp.bridge import HISTORY_SYNC, ME, UNDECRYPTABLE, Bridge, BridgeError, Callbacks
from bot.whatsapp.errors import SessionUnusable
from bot.whatsapp.forgotten import Forgotten, Listener
from bot.whatsapp.machine import Happened, Standing, after
from bot.whatsapp.notes import Notes
from bot.whatsapp.pairing import PairingFiles
from bot.whatsapp.refusals import Refusals
from config.settings import Login, WhatsAppSettings

log = structlog.get_logger(__name__)

# The server tells when everything that waited has come; without that word nobody waits longer than this.
CATCH_UP_S = 30.0
# After the phone accepted, the server lets us in anew within seconds; whatsmeow only logs when that fails.
LOGIN_AFTER_PAIRING_S = 60.0
REASON_COMES_WITHIN_S = 0.3
# Between attempts to connect while there is no network: doubling from the first to the last.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
# A ban whose reason neonize does not know comes without its end.
UNKNOWN_BAN_S = 3600.0
# A send that takes longer means that the server is silent: no other one is begun until it answers.
SLOW_SEND_S = 15.0
# So long may a connection be bad before a new process is the better try. whatsmeow itself gives a silent
# socket up after three minutes, but a send that it repeats after a drop waits for its answer for ever.
DEGRADED_AT_MOST_S = 200.0
# whatsmeow reconnects by itself, at ever longer intervals; now and then it only logs that it failed.
CONNECTING_AT_MOST_S = 900.0
# A session can look alive and bring nothing: after so long without a word WhatsApp is asked something.
SILENCE_S, ANSWER_TIMEOUT_S = 600.0, 60.0
WATCH_EVERY_S = 1.0
_FULL_DISK_BYTES = 1_000_000


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
        self.online = asyncio.Event()
        self.caught_up = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.standing = Standing(state=State.STARTING)
        self.linked = Linked()
        self._neonize = neonize
        self._settings = settings
        self._account = account
        self._room = room
        self._past = past.folder_in(folder, account)
        self._session = folder / f"{account}-whatsapp.db"
        self._files = PairingFiles(folder, account)
        self._refusals = Refusals(folder, account)
        self._on_message = on_message
        self._notes = notes
        self._loop = asyncio.get_running_loop()
        self._listener = Listener(self._hear_forgotten)
        self._to_tell: asyncio.Queue[Standing] = asyncio.Queue()
        # What the phone tells of chats from before; large, and in no hurry.
        self._to_read: asyncio.Queue[bytes] = asyncio.Queue()
        self._bridge: Bridge | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sends: dict[object, float] = {}  # those under way, and when each began
        self._heard = time.monotonic()  # WhatsApp's last sign of life
        self._since = time.monotonic()  # when the present state began
        self._bridge_talked = False
        self._go_tries = False  # Go is at work: it connects, or reconnects
        self._code_asked = False
        self._was_linked = False

    @property
    def bridge(self) -> Bridge:
        if self._bridge is None:
            raise RuntimeError("the connection has not been started")
        return self._bridge

    async def start(self) -> None:
        """Look at the session file and begin to connect. Raises ``SessionUnusable``."""
        try:
            number = await asyncio.to_thread(session.check, self._session, number=self._settings.number)
        except SessionUnusable as exc:
            self._go(Happened.UNUSABLE, detail=str(exc))
            await self._notes.state(self.standing)
            raise
        self.linked = await self._notes.begin()
        # Logged in once and thrown out: the owner may be far from this screen, and a code can be sent to him.
        self._was_linked = self._session.exists()
        # They show a code of an earlier process, if any.
        self._files.remove()
        self._bridge = Bridge(
            self._neonize,
            session.address(self._session),
            account=self._account,
            callbacks=Callbacks(
                message=self._on_message, event=self._on_event, qr=self._on_qr, login=self._on_login
            ),
        )
        self._bridge.is_paired = number is not None
        self._listener.begin()
        self._hold("tell", self._tell_in_order())
        self._hold("history", self._read_history())
        self._hold("connect", self._keep_connected())
        self._hold("watch", self._watch())

    def stop(self) -> None:
        """The process is ending; what is under way may still go out over the connection that there is."""
        self._go(Happened.STOPPING)
        self.caught_up.set()
        if not self.ended.done():
            self.ended.set_result(None)

    async def close(self) -> bool:
        """Disconnect; whether everything that came in was handed over."""
        self.caught_up.set()
        is_quiet = self._bridge is None or await self._bridge.stop()
        self._listener.end()
        self._go(Happened.CLOSED)
        self._files.remove()
        if "tell" in self._tasks:
            # The last state must be written before the store closes.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._to_tell.join(), 1.0)
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self.ended.done() and not self.ended.cancelled():
            # Whoever runs the channel has seen it, or never ran it.
            self.ended.exception()
        return is_quiet

    @contextlib.contextmanager
    def sending(self) -> Any:
        """Around one send: a slow one is how a silent server is noticed first."""
        token = object()
        self._sends[token] = time.monotonic()
        try:
            yield
        finally:
            del self._sends[token]
        self._heard = time.monotonic()

    # --- what the bridge tells -----------------------------------------------------------------------

    def _on_event(self, code: int, raw: bytes) -> None:
        self._heard = time.monotonic()
        self._bridge_talked = True
        if code == ME:
            return
        if code == HISTORY_SYNC:
            self._to_read.put_nowait(raw)
            return
        if code == UNDECRYPTABLE:
            self._on_undecryptable(raw)
            return
        try:
            meant = events.meaning(code, raw)
        except DecodeError as exc:
            log.warning("event_unreadable", code=code, reason=str(exc))
            return
        if meant.offline_done:
            self.caught_up.set()
        if meant.happened is Happened.CONNECTED:
            # Only a login that is complete may ask Go's store.
            self.bridge.is_paired = True
            self._hold("greet", self._greet())
        elif meant.happened is Happened.BANNED:
            # WhatsApp's own word, but never at once: some bans come without a time.
            until_ms = int((time.time() + self._refusals.note()) * 1000)
            self._go(meant.happened, detail=meant.detail, until_ms=max(until_ms, meant.until_ms or 0))
        elif meant.happened is Happened.REFUSED:
            self._hold("refused", self._end_later(meant.detail))
        elif meant.happened is not None:
            self._go(meant.happened, detail=meant.detail, until_ms=meant.until_ms)

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
        self._hold(f"undecryptable {found.message_id}", self._notes.undecryptable(found))

    def _hear_forgotten(self, found: Forgotten) -> None:
        """On the thread of the library's log."""
        with contextlib.suppress(RuntimeError):  # A closed loop means that the process is ending.
            self._loop.call_soon_threadsafe(self._on_forgotten, found)

    def _on_forgotten(self, found: Forgotten) -> None:
        self._hold(f"forgotten {found.message_id}", self._notes.forgotten(found))

    def _on_qr(self, text: str) -> None:
        self._bridge_talked = True
        self._go(Happened.QR_SHOWN)
        try:
            self._files.show_qr(text)
        except OSError as exc:
            self._end(f"the pairing code cannot be shown: {exc.strerror}{self._disk_hint()}", EXIT_LATER)
            return
        log.info("pairing_code_ready", file=f"{self._account}-pairing.png")
        wants_code = self._settings.login is Login.CODE or self._was_linked
        if self._settings.number is not None and wants_code and not self._code_asked:
            self._code_asked = True
            self._hold("code", self._ask_for_code())

    def _on_login(self, status: str) -> None:
        self._bridge_talked = True
        if status == "success":
            self._go(Happened.PAIRED)
            self._hold("paired", self._note_paired())
            self._files.remove()
            self._hold("login", self._expect_login())
        elif status == "timeout":
            self._end("nobody scanned the code in time; a new process shows a new one", EXIT_AGAIN)
        elif status == "err-client-outdated":
            self._go(Happened.OUTDATED, detail="WhatsApp wants a newer neonize")
        else:
            self._hold("failed", self._end_failed_pairing(status))

    # --- the state -----------------------------------------------------------------------------------

    def _go(self, happened: Happened, *, detail: str = "", until_ms: int | None = None) -> None:
        now = after(self.standing, happened, detail=detail, until_ms=until_ms)
        if self.standing.state is State.STOPPING:
            self._go_while_stopping(happened)
        if now == self.standing:
            return
        if now.state is not self.standing.state:
            self._since = time.monotonic()
        self.standing = now
        log.info("whatsapp_state", state=now.state.value, detail=now.detail)
        if now.state is State.ONLINE:
            self.online.set()
        elif now.state is not State.STOPPING:
            self.online.clear()
        self._to_tell.put_nowait(now)
        if now.state is State.LOGGED_OUT:
            self._end("logged out on the phone; a new code has to be scanned", EXIT_AGAIN)
        elif now.state in (State.REPLACED, State.OUTDATED):
            self._end(now.detail, EXIT_MISCONFIGURED)

    def _go_while_stopping(self, happened: Happened) -> None:
        """The socket may drop and come back during a stop, and what was answered waits to be sent over it."""
        if happened is Happened.CONNECTED:
            self.online.set()
        elif happened is Happened.DISCONNECTED:
            self.online.clear()

    def _end(self, reason: str, exit_code: int) -> None:
        """The process must end; Supervisor goes by the code."""
        if not self.ended.done():
            self.ended.set_exception(ChannelEnded(reason, exit_code=exit_code))

    async def _tell_in_order(self) -> None:
        while True:
            standing = await self._to_tell.get()
            try:
                await self._notes.state(standing)
            finally:
                self._to_tell.task_done()

    async def _note_paired(self) -> None:
        # Known at once, whether it can be written or not: what is older is not answered.
        self.linked = replace(self.linked, paired_ms=int(time.time() * 1000))
        self.linked = await self._notes.paired() or self.linked

    async def _read_history(self) -> None:
        """Take in what the phone tells of chats from before; one portion after the other."""
        while True:
            raw = await self._to_read.get()
            try:
                chats = await asyncio.to_thread(past.conversations, raw)
                if self._settings.history_days:
                    await asyncio.to_thread(self._keep_history, chats)
                own = await self.bridge.own_jids()
                found = [read for chat in chats if (read := past.read(chat, own=own)) is not None]
            except DecodeError as exc:
                log.warning("event_unreadable", code=HISTORY_SYNC, reason=str(exc))
                continue
            log.info("history_told", chats=len(found))
            await self._notes.past(found)

    def _keep_history(self, chats: list[Any]) -> None:
        try:
            for chat in chats:
                past.keep(self._past, chat)
        except OSError as exc:
            log.warning("history_not_kept", reason=exc.strerror)

    # --- connecting ----------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            self._bridge_talked, self._go_tries = False, True
            try:
                await self.bridge.connect()
            except BridgeError as exc:
                reason = str(exc)
            else:
                reason = "it stopped"
            self._go_tries = False
            if self.ended.done():
                return
            if "TemporaryBan" in reason:
                # The pump broke over a ban with a reason that neonize has no number for.
                self._refusals.note()
                until_ms = int((time.time() + UNKNOWN_BAN_S) * 1000)
                self._go(Happened.BANNED, detail="a reason that is new", until_ms=until_ms)
                return
            if self._bridge_talked:
                await self._bridge_ended(reason)
                return
            if "database" in reason or "sqlite" in reason:
                self._end(f"the WhatsApp session {self._session} cannot be used: {reason}", EXIT_LATER)
                return
            # No network yet, and nobody but us tries again.
            self._go(Happened.DISCONNECTED, detail="no connection to WhatsApp")
            log.warning("whatsapp_unreachable", reason=reason, again_in_s=pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    async def _bridge_ended(self, reason: str) -> None:
        """Go's event pump is over, and Go would go on acknowledging messages that reach nobody."""
        reason = f"the bridge to WhatsApp ended: {reason}"
        if self.standing.state in (State.ONLINE, State.DEGRADED):
            self._end(reason, EXIT_LATER)
            return
        # An event of a refused login that the bridge cannot pass on, such as a ban of an unknown kind.
        await self.bridge.disconnect()
        await self._end_later(reason)

    async def _end_later(self, reason: str) -> None:
        """WhatsApp does not want us now; the next process is to ask later, and later again."""
        pause_s = self._refusals.note()
        log.warning("whatsapp_refuses", reason=reason, next_try_in_s=pause_s)
        self._go(Happened.REFUSED, detail=reason)
        await asyncio.sleep(pause_s)
        self._end(reason, EXIT_LATER)

    async def _greet(self) -> None:
        """Logged in: who are we, and quietly so."""
        own = await self.bridge.own_jids()
        number = own[0].partition("@")[0] if own else None
        if self._settings.number and number != self._settings.number:
            self._end(
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
        self._go(Happened.CONNECTED)
        if number is not None:
            self.linked = await self._notes.number(number) or self.linked
        await asyncio.sleep(CATCH_UP_S)
        self.caught_up.set()

    async def _end_failed_pairing(self, status: str) -> None:
        # Why it failed is an event of its own, which may come just behind this word.
        await asyncio.sleep(REASON_COMES_WITHIN_S)
        reason = self.standing.detail or f"pairing failed ({status})"
        self._end(f"{reason}{self._disk_hint()}", EXIT_AGAIN)

    async def _expect_login(self) -> None:
        await asyncio.sleep(LOGIN_AFTER_PAIRING_S)
        if self.standing.state is State.CONNECTING:
            self._end("paired, but WhatsApp did not let us in", EXIT_LATER)

    async def _ask_for_code(self) -> None:
        """The other way in, for a phone that cannot scan; the QR code goes on being shown."""
        try:
            code = await self.bridge.pairing_code(self._settings.number or "")
        except BridgeError as exc:
            advice = "check WHATSAPP_NUMBER; the QR code can be scanned instead"
            log.error("pairing_code_refused", reason=str(exc), advice=advice)
            self._go(Happened.QR_SHOWN, detail=f"WhatsApp refused the number: {advice}")
            return
        self._files.show_code(code)
        log.info("pairing_code_to_type", file=f"{self._account}-pairing.json")

    def _disk_hint(self) -> str:
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self._session.parent).free < _FULL_DISK_BYTES:
                return ": the disk is full; free some space"
        return ""

    # --- watching ------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Looks whether the connection is what it says it is."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            now = time.monotonic()
            state, lasted_s = self.standing.state, now - self._since
            if self._sends and now - min(self._sends.values()) > SLOW_SEND_S:
                self._go(Happened.QUIET, detail="WhatsApp does not acknowledge what was sent")
            elif state is State.DEGRADED and not self._sends and self._heard > self._since:
                self._go(Happened.LIVELY)
            if state is State.DEGRADED and lasted_s > DEGRADED_AT_MOST_S:
                self._end("WhatsApp has been silent for too long", EXIT_LATER)
            elif state is State.CONNECTING and self._go_tries and lasted_s > CONNECTING_AT_MOST_S:
                self._end("WhatsApp could not be reached again; a new process tries", EXIT_LATER)
            elif state is State.ONLINE and now - self._heard > SILENCE_S:
                await self._ask_for_a_word()
            elif state is State.BANNED and _is_over(self.standing):
                self._end("the ban is over; a new process tries to connect", EXIT_AGAIN)

    async def _ask_for_a_word(self) -> None:
        own = await self.bridge.own_jids()
        try:
            question = self.bridge.answers(own[0].partition("@")[0] if own else "")
            answered = await asyncio.wait_for(question, ANSWER_TIMEOUT_S)
        except TimeoutError:
            answered = False
        self._heard = time.monotonic()
        if not answered:
            self._end("the session looks alive but WhatsApp does not answer", EXIT_LATER)

    # --- tasks ---------------------------------------------------------------------------------------

    def _hold(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task of ours; its failure is the channel's."""
        if (earlier := self._tasks.get(name)) is not None:
            earlier.cancel()
        task = self._tasks[name] = asyncio.create_task(work, name=f"whatsapp-{name}")
        task.add_done_callback(partial(self._held_ended, name))

    def _held_ended(self, name: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(name) is task:
            del self._tasks[name]
        if not task.cancelled() and (error := task.exception()) is not None and not self.ended.done():
            self.ended.set_exception(error)


def _is_over(ban: Standing) -> bool:
    return ban.until_ms is not None and time.time() * 1000 > ban.until_ms
