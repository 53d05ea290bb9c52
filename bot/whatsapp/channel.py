"""The WhatsApp channel: keeps the session, records what comes in, sends what the outbox has."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog
from google.protobuf.message import DecodeError
from sqlalchemy import Row

from bot.channel import (
    Capability,
    ChannelEnded,
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
from bot.exits import EXIT_AGAIN, EXIT_LATER, EXIT_MISCONFIGURED
from bot.whatsapp import codec, jids, outcomes, session
from bot.whatsapp import events as bridge_events
from bot.whatsapp.bridge import ME, Bridge, BridgeError, Callbacks, reaction, text_message
from bot.whatsapp.errors import SessionUnusable
from bot.whatsapp.machine import FINAL, Happened, Standing, after
from bot.whatsapp.pairing import PairingFiles
from bot.whatsapp.spill import Spill
from config.settings import Login, WhatsAppSettings
from store.outbox import Kind

log = structlog.get_logger(__name__)

TRANSPORT = "whatsapp"
# One second and up to three times as long: what careful senders keep to; WhatsApp publishes no limit.
PACE_S = 1.0
# A bubble of this length still reads well on a phone.
BUBBLE_CHARS = 700
# The server tells when everything that waited has come; without that word nobody waits longer than this.
CATCH_UP_S = 30.0
# After the phone accepted, the server lets us in anew within seconds; whatsmeow only logs when that fails.
LOGIN_AFTER_PAIRING_S = 60.0
# Between attempts to connect while there is no network: doubling from the first to the last.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
# A send that takes longer means that the server is silent: no other one is begun until it answers.
SLOW_SEND_S = 15.0
# So long may a connection be bad before a new process is the better try. whatsmeow itself gives a silent
# socket up after three minutes.
DEGRADED_AT_MOST_S = 300.0
# A session can look alive and bring nothing: after so long without a word WhatsApp is asked something.
SILENCE_S, ANSWER_TIMEOUT_S = 600.0, 60.0
WATCH_EVERY_S = 1.0
_FULL_DISK_BYTES = 1_000_000

Tell = Callable[[Standing], Awaitable[None]]


class WhatsAppChannel:
    """See ``bot.channel.Channel``. ``tell`` hears of every change of state, in order."""

    def __init__(
        self, neonize: Any, settings: WhatsAppSettings, *, account: str, folder: Path, tell: Tell
    ) -> None:
        self.traits = Traits(
            transport=TRANSPORT,
            capabilities=frozenset((Capability.FRAGMENTS, Capability.REACTIONS)),
            pace_s=PACE_S,
            bubble_chars=BUBBLE_CHARS,
        )
        self.unstoppable = False
        self._neonize = neonize
        self._settings = settings
        self._account = account
        self._session = folder / f"{account}-whatsapp.db"
        self._files = PairingFiles(folder, account)
        self._spill = Spill(folder / f"{account}-whatsapp.spill")
        self._standing = Standing(state=State.STARTING)
        self._tell = tell
        self._told: asyncio.Queue[Standing] = asyncio.Queue()
        self._intake: Intake | None = None
        self._bridge: Bridge | None = None
        self._online = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sending: dict[int, float] = {}  # outbox row to the time when its send began
        self._heard = time.monotonic()  # the last sign of life of WhatsApp
        self._since = time.monotonic()  # when the present state began
        self._bridge_talked = False
        self._code_asked = False

    @property
    def state(self) -> State:
        return self._standing.state

    @property
    def standing(self) -> Standing:
        """The state with its reason, for the health page."""
        return self._standing

    async def start(self, intake: Intake) -> None:
        """Look at the session file and begin to connect. Raises ``SessionUnusable`` (a ConfigError)."""
        self._intake = intake
        number = await asyncio.to_thread(session.check, self._session, number=self._settings.number)
        self._files.remove()
        await asyncio.to_thread(self._replay_spill)
        self._bridge = Bridge(
            self._neonize,
            session.address(self._session),
            account=self._account,
            callbacks=Callbacks(
                message=self._on_message, event=self._on_event, qr=self._on_qr, login=self._on_login
            ),
        )
        self._bridge.is_paired = number is not None
        self._hold("told", self._tell_in_order())
        self._hold("connection", self._keep_connected())
        self._hold("watch", self._watch())

    async def run(self) -> None:
        await self._ended

    async def caught_up(self) -> None:
        await self._caught_up.wait()

    async def reachable(self) -> None:
        await self._online.wait()

    async def stop(self, drain_s: float) -> None:
        """What still comes in is recorded until ``close``: WhatsApp would not send it again."""
        self._go(Happened.STOPPING)
        self._caught_up.set()
        if not self._ended.done():
            self._ended.set_result(None)

    async def close(self) -> None:
        self._caught_up.set()
        if self._bridge is not None:
            self.unstoppable = not await self._bridge.stop()
        self._go(Happened.CLOSED)
        self._files.remove()
        told = self._tasks.pop("told", None)
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if told is not None:
            # The last state must be written before the store closes.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.join(), 1.0)
            told.cancel()
            await asyncio.gather(told, return_exceptions=True)

    def parse(self, event: Row[Any]) -> IncomingMessage:
        return codec.parse(event)

    async def send(self, message: Outgoing) -> Outcome:
        bridge = self._bridge
        if bridge is None or not bridge.is_paired:
            return Retry("not logged in to WhatsApp")
        try:
            jids.split(message.chat)
        except ValueError as exc:
            return Refused(str(exc))
        if message.kind is Kind.REACTION:
            content = reaction(message.body, chat=message.chat, message_id=message.quoted_id or "")
        else:
            content = text_message(message.body)
        self._sending[message.row_id] = time.monotonic()
        try:
            # Shielded: Go cannot be told to stop, and the outcome of what it does would be nobody's.
            provider_id = await asyncio.shield(asyncio.ensure_future(bridge.send(message.chat, content)))
        except BridgeError as exc:
            return outcomes.of_error(str(exc))
        finally:
            del self._sending[message.row_id]
        self._heard = time.monotonic()
        return Sent(provider_id)

    async def signal(self, chat: str, signal: Signal, message_ids: tuple[str, ...] = ()) -> None:
        if self._bridge is None or not self._online.is_set() or chat.endswith(f"@{jids.GROUPS}"):
            return
        try:
            if signal is Signal.TYPING:
                await self._bridge.composing(chat)
            else:
                await self._bridge.mark_read(chat, message_ids)
        except (BridgeError, ValueError) as exc:
            log.info("signal_lost", signal=signal.value, reason=str(exc))

    # --- what comes in -------------------------------------------------------------------------------

    def _on_message(self, raw: bytes) -> None:
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
        """Whether the event is safe now: committed, known already, or nothing that is kept."""
        intake = self._intake
        if intake is None:
            return False
        try:
            event = codec.to_record(raw, account=self._account)
        except DecodeError as exc:
            log.error("event_unreadable", reason=str(exc))
            return True
        return event is None or intake.record(event) is not Recorded.FAILED

    def _replay_spill(self) -> None:
        if self._spill and (taken := self._spill.replay(self._record)):
            log.info("spill_recorded", events=taken, left=bool(self._spill))

    # --- the state -----------------------------------------------------------------------------------

    def _on_event(self, code: int, raw: bytes) -> None:
        self._heard = time.monotonic()
        self._bridge_talked = True
        if code == ME:
            return
        try:
            meant = bridge_events.meaning(code, raw)
        except DecodeError as exc:
            log.warning("event_unreadable", code=code, reason=str(exc))
            return
        if meant.offline_done:
            self._caught_up.set()
        if meant.happened is Happened.CONNECTED:
            # Only a login that is complete may ask Go's store.
            self._assume_bridge().is_paired = True
            self._hold("greeting", self._greet())
        elif meant.happened is not None:
            self._go(meant.happened, detail=meant.detail, until_ms=meant.until_ms)

    async def _greet(self) -> None:
        """Logged in: who are we, and quietly so."""
        bridge = self._assume_bridge()
        own = await bridge.own_jids()
        number = own[0].partition("@")[0] if own else None
        if self._settings.number and number != self._settings.number:
            self._end(
                "the phone that scanned the code has another number than WHATSAPP_NUMBER; "
                f"log this device out on that phone, move {self._session} away and start again",
                EXIT_MISCONFIGURED,
            )
            return
        with contextlib.suppress(BridgeError):
            # Without a name for the shop's profile WhatsApp refuses; nothing depends on it.
            await bridge.unavailable()
        self._files.remove()
        self._go(Happened.CONNECTED)
        self._hold("catch-up", self._catch_up_in_time())

    async def _catch_up_in_time(self) -> None:
        await asyncio.sleep(CATCH_UP_S)
        self._caught_up.set()

    def _go(self, happened: Happened, *, detail: str = "", until_ms: int | None = None) -> None:
        now = after(self._standing, happened, detail=detail, until_ms=until_ms)
        if now == self._standing:
            return
        if now.state is not self._standing.state:
            self._since = time.monotonic()
        self._standing = now
        log.info("whatsapp_state", state=now.state.value, detail=now.detail)
        if now.state is State.ONLINE:
            self._online.set()
        elif now.state is not State.STOPPING:
            # While stopping, what is under way may still go out over the connection that there is.
            self._online.clear()
        self._told.put_nowait(now)
        if now.state is State.LOGGED_OUT:
            self._end("logged out on the phone; a new code has to be scanned", EXIT_AGAIN)
        elif now.state in (State.REPLACED, State.OUTDATED):
            self._end(now.detail, EXIT_MISCONFIGURED)

    async def _tell_in_order(self) -> None:
        while True:
            standing = await self._told.get()
            try:
                await self._tell(standing)
            finally:
                self._told.task_done()

    # --- connecting ----------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        bridge, pause_s = self._assume_bridge(), FIRST_PAUSE_S
        while True:
            self._bridge_talked = False
            try:
                await bridge.connect()
            except BridgeError as exc:
                reason = str(exc)
                if "database" in reason or "sqlite" in reason:
                    self._end(f"the WhatsApp session {self._session} cannot be used: {reason}", EXIT_LATER)
                    return
                if not self._bridge_talked and not self._ended.done():
                    # No network yet: nobody but us tries again.
                    self._go(Happened.DISCONNECTED, detail="no connection to WhatsApp")
                    log.warning("whatsapp_unreachable", reason=outcomes.of_error(reason), again_in_s=pause_s)
                    await asyncio.sleep(pause_s)
                    pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                    continue
                self._end(f"the bridge to WhatsApp ended: {reason}", EXIT_LATER)
                return
            self._end("the bridge to WhatsApp ended", EXIT_LATER)
            return

    def _on_qr(self, text: str) -> None:
        self._bridge_talked = True
        self._go(Happened.QR_SHOWN)
        try:
            self._files.show_qr(text)
        except OSError as exc:
            self._end(f"the pairing code cannot be shown: {exc.strerror}", EXIT_LATER)
            return
        log.info("pairing_code_ready", file=f"{self._account}-pairing.png")
        if self._settings.login is Login.CODE and not self._code_asked:
            self._code_asked = True
            self._hold("code", self._ask_for_code())

    async def _ask_for_code(self) -> None:
        """The other way in, for a phone that cannot scan; the QR code goes on being shown."""
        try:
            code = await self._assume_bridge().pairing_code(self._settings.number or "")
        except BridgeError as exc:
            log.error(
                "pairing_code_refused",
                reason=str(exc),
                advice="check WHATSAPP_NUMBER; the QR code can be scanned instead",
            )
            self._standing = Standing(state=State.PAIRING, detail="WhatsApp refused WHATSAPP_NUMBER")
            self._told.put_nowait(self._standing)
            return
        self._files.show_code(code)
        log.info("pairing_code_to_type", file=f"{self._account}-pairing.json")

    def _on_login(self, status: str) -> None:
        self._bridge_talked = True
        if status == "success":
            self._go(Happened.PAIRED)
            self._files.remove()
            self._hold("login", self._expect_login())
        elif status == "timeout":
            self._end("nobody scanned the code in time; a new process shows a new one", EXIT_AGAIN)
        elif status == "err-client-outdated":
            self._go(Happened.OUTDATED, detail="WhatsApp wants a newer neonize")
        else:
            self._end(f"pairing failed ({status}){self._disk_hint()}", EXIT_AGAIN)

    async def _expect_login(self) -> None:
        await asyncio.sleep(LOGIN_AFTER_PAIRING_S)
        if self.state is State.CONNECTING:
            self._end("paired, but WhatsApp did not let us in", EXIT_LATER)

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
            if self._spill:
                await asyncio.to_thread(self._replay_spill)
            if self._sending and now - min(self._sending.values()) > SLOW_SEND_S:
                self._go(Happened.QUIET, detail="WhatsApp does not acknowledge what was sent")
            elif self.state is State.DEGRADED and not self._sending and self._heard > self._since:
                self._go(Happened.LIVELY)
            if self.state is State.DEGRADED and now - self._since > DEGRADED_AT_MOST_S:
                self._end("WhatsApp has been silent for too long", EXIT_LATER)
            elif self.state is State.ONLINE and now - self._heard > SILENCE_S:
                await self._ask_for_a_word()
            elif self.state is State.BANNED and self._ban_is_over():
                self._end("the ban is over; a new process tries to connect", EXIT_AGAIN)

    async def _ask_for_a_word(self) -> None:
        bridge = self._assume_bridge()
        own = await bridge.own_jids()
        try:
            answered = await asyncio.wait_for(
                bridge.answers(own[0].partition("@")[0] if own else ""), ANSWER_TIMEOUT_S
            )
        except TimeoutError:
            answered = False
        self._heard = time.monotonic()
        if not answered:
            self._end("the session looks alive but WhatsApp does not answer", EXIT_LATER)

    def _ban_is_over(self) -> bool:
        until_ms = self._standing.until_ms
        return until_ms is not None and time.time() * 1000 > until_ms

    # --- small things --------------------------------------------------------------------------------

    def _end(self, reason: str, exit_code: int) -> None:
        """The process must end: ``run`` raises, and Supervisor goes by the code."""
        if not self._ended.done():
            self._ended.set_exception(ChannelEnded(reason, exit_code=exit_code))

    def _hold(self, name: str, work: Any) -> None:
        """Run a task of ours; its failure is the channel's."""
        if (earlier := self._tasks.get(name)) is not None:
            earlier.cancel()
        task = self._tasks[name] = asyncio.create_task(work, name=f"whatsapp-{name}")
        task.add_done_callback(self._held_ended)

    def _held_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and not self._ended.done():
            self._ended.set_exception(error)

    def _assume_bridge(self) -> Bridge:
        if self._bridge is None:
            raise RuntimeError("the channel has not been started")
        return self._bridge


__all__ = ["FINAL", "SessionUnusable", "WhatsAppChannel"]
