"""The channel contract over the WhatsApp channel, with a bridge that has no Go behind it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.channel import Channel, Intake, Outcome, Outgoing, Parked, Quoted, Refused, Retry, Signal, Unknown
from bot.linked import Linked
from bot.whatsapp import bridge as bridges
from bot.whatsapp import connection
from bot.whatsapp.bridge import BridgeError, Callbacks
from bot.whatsapp.channel import WhatsAppChannel
from bot.whatsapp.codec import Undecryptable
from bot.whatsapp.forgotten import Forgotten
from bot.whatsapp.machine import Standing
from config.settings import WhatsAppSettings
from store.outbox import Kind
from store.past_chats import PastChat
from tests.contract.channel import (
    INVOICE,
    WAIT_S,
    ChannelContract,
    Harness,
    Record,
    outgoing,
    running,
)

BUDI = "62812@s.whatsapp.net"
# What neonize answers to an upload.
UPLOADED = SimpleNamespace(
    url="https://mmg.whatsapp.net/v/1",
    DirectPath="/v/1?ccb=11-4",
    MediaKey=b"k" * 32,
    FileSHA256=b"s" * 32,
    FileEncSHA256=b"e" * 32,
    FileLength=16,
)


class FakeBridge:
    """Does at once what Go does after a while; an event comes on a thread of its own, as Go's do."""

    def __init__(self, neonize: Any, address: str, *, account: str, callbacks: Callbacks) -> None:
        self.callbacks = callbacks
        self.is_paired = False
        self.error = ""
        self.sent: list[tuple[str, Any]] = []
        self.upload_error = ""
        self.uploads: list[tuple[bytes, Kind]] = []
        self.signals: list[str] = []
        self._stopped = asyncio.Event()

    async def connect(self) -> None:
        self.callbacks.event(bridges.CONNECTED, b"")
        self.callbacks.event(bridges.OFFLINE_COMPLETED, b"")
        await self._stopped.wait()

    async def own_jids(self) -> tuple[str, ...]:
        return ("62811@s.whatsapp.net", "999@lid")

    async def unavailable(self) -> None:
        self.signals.append("unavailable")

    async def send(self, chat: str, message: Any) -> str:
        self._work()
        self.sent.append((chat, message))
        return f"3EB0{len(self.sent)}"

    async def upload(self, data: bytes, kind: Kind) -> Any:
        self._work()
        if self.upload_error:
            raise BridgeError(self.upload_error)
        self.uploads.append((data, kind))
        return UPLOADED

    async def mark_read(self, chat: str, message_ids: tuple[str, ...]) -> None:
        self._work()
        self.signals.append("read")

    async def composing(self, chat: str) -> None:
        self._work()
        self.signals.append("typing")

    async def stop(self) -> bool:
        self._stopped.set()
        return True

    def _work(self) -> None:
        if self.error:
            raise BridgeError(self.error)


class FakeNotes:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.known = Linked()
        self.states: list[str] = []
        self.numbers: list[str] = []
        self.unread: list[Undecryptable] = []
        self.outages: list[float] = []

    async def begin(self) -> Linked:
        return self.known

    async def state(self, now: Standing) -> None:
        self.states.append(now.state.value)

    async def paired(self) -> Linked | None:
        return None

    async def number(self, number: str) -> Linked | None:
        self.numbers.append(number)
        return None

    async def undecryptable(self, found: Undecryptable) -> None:
        self.unread.append(found)

    async def forgotten(self, found: Forgotten) -> None:
        """Nothing is asked for again."""

    async def past(self, chats: Sequence[PastChat]) -> None:
        """Nothing is told of earlier chats."""

    def outage(self, seconds: float) -> None:
        self.outages.append(seconds)


class OnlineChannel(WhatsAppChannel):
    """Starts like the terminal does: connected once ``start`` returns. Budi's address is short."""

    async def start(self, intake: Intake) -> None:
        await super().start(intake)
        async with asyncio.timeout(WAIT_S):
            await self.reachable()

    async def send(self, message: Outgoing) -> Outcome:
        chat = BUDI if message.chat == "budi" else message.chat
        return await super().send(replace(message, chat=chat))


class WhatsAppHarness:
    def __init__(self, folder: Path, event: Callable[..., bytes]) -> None:
        self._event = event
        self.notes = FakeNotes()
        self.told = self.notes.states
        self._online = OnlineChannel(
            None, WhatsAppSettings(), account="utama", room=None, folder=folder, notes=self.notes
        )

        self.channel: Channel = self._online

    @property
    def bridge(self) -> Any:
        return self._online._connection.bridge

    async def say(self, text: str, message_id: str) -> None:
        from sandbox.whatsapp.protos import E2E

        raw = self._event(E2E.Message(conversation=text), chat=BUDI, message_id=message_id)
        go = threading.Thread(target=self.bridge.callbacks.message, args=(raw,))
        go.start()
        await asyncio.to_thread(go.join)

    def break_network(self) -> None:
        self.bridge.error = "websocket not connected"

    def end(self) -> None:
        """Customers have no say in it."""


@pytest.fixture
async def harness(
    tmp_path: Path, event: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> WhatsAppHarness:
    monkeypatch.setattr(connection, "Bridge", FakeBridge)
    return WhatsAppHarness(tmp_path, event)


class TestWhatsAppChannel(ChannelContract):
    async def test_an_event_that_could_not_be_committed_does_not_end_it(self, harness: Harness) -> None:
        """And it comes again, before anything newer: WhatsApp would not send it twice."""
        from bot.channel import Recorded
        from bot.whatsapp import journal

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(journal, "RETRY_EVERY_S", 0.01)
            async with running(harness) as record:
                record.answers = [Recorded.FAILED, Recorded.DUPLICATE]
                for number in range(3):
                    await harness.say(f"pesan {number}", f"m{number}")
                await record.count(4)
        assert [event.message_id for event in record.events] == ["m0", "m0", "m1", "m2"]

    async def test_nothing_is_taken_in_after_the_stop(self, harness: Harness) -> None:
        """Until the connection is closed it is: WhatsApp counts it as delivered."""
        async with running(harness) as record:
            await harness.channel.stop(0.1)
            await harness.say("sesudah", "m2")
            await record.count(1)
        assert [event.message_id for event in record.events] == ["m2"]


async def test_an_event_that_can_never_be_recorded_is_set_aside_and_holds_nobody_up(
    harness: WhatsAppHarness, tmp_path: Path
) -> None:
    from bot.channel import Recorded
    from bot.whatsapp import journal

    async with running(harness) as record:
        record.answers = [Recorded.REFUSED]
        await harness.say("racun", "m0")
        await harness.say("halo", "m1")
        await record.count(2)
    assert [event.message_id for event in record.events] == ["m0", "m1"]
    [aside] = tmp_path.glob("*.unrecorded")
    assert aside.stat().st_mode & 0o077 == 0
    assert journal.read(aside.read_bytes())[0] == [record.events[0].raw]


async def test_every_change_of_state_is_told_in_order(harness: WhatsAppHarness) -> None:
    async with running(harness):
        pass
    assert harness.told == ["online", "stopping", "stopped"]


async def test_it_shows_itself_as_absent_once_it_is_logged_in(harness: WhatsAppHarness) -> None:
    async with running(harness):
        assert harness.bridge.signals == ["unavailable"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("websocket not connected", Retry),
        ("timed out waiting for message send response", Unknown),
        ("server returned error 463", Parked),
        ("server returned error 403", Refused),
    ],
)
async def test_go_s_errors_become_outcomes(
    harness: WhatsAppHarness, error: str, outcome: type[Outcome]
) -> None:
    async with running(harness):
        harness.bridge.error = error
        assert isinstance(await harness.channel.send(outgoing()), outcome)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        ("failed to refresh media connections: websocket disconnected before info query returned", Retry),
        ("upload failed with status code 500", Retry),
        ("upload failed with status code 413", Refused),
        ("the upload took too long", Retry),
    ],
)
async def test_a_file_that_could_not_be_uploaded_was_not_sent(
    harness: WhatsAppHarness, error: str, outcome: type[Outcome]
) -> None:
    async with running(harness):
        harness.bridge.upload_error = error
        assert isinstance(await harness.channel.send(outgoing(1, "", Kind.DOCUMENT, INVOICE)), outcome)
        assert harness.bridge.sent == []


async def test_a_quote_of_the_shop_s_own_words_names_the_shop(harness: WhatsAppHarness) -> None:
    quoted = Quoted(message_id="B1", text="Totalnya Rp275.000, Kak. Jadi?", sender=None)
    async with running(harness):
        for chat in (BUDI, "111@lid"):
            message = replace(outgoing(), chat=chat, quoted_id="B1", quoted=quoted)
            await harness.channel.send(message)
    contexts = [message.extendedTextMessage.contextInfo for _, message in harness.bridge.sent]
    assert [context.participant for context in contexts] == ["62811@s.whatsapp.net", "999@lid"]
    assert contexts[0].stanzaID == "B1"
    assert contexts[0].quotedMessage.conversation == quoted.text


async def test_an_address_that_is_none_is_refused(harness: WhatsAppHarness) -> None:
    async with running(harness):
        message = Outgoing(row_id=1, chat="siapa", kind=Kind.TEXT, body="halo")
        assert isinstance(await harness.channel.send(message), Refused)


async def test_groups_see_neither_receipts_nor_typing(harness: WhatsAppHarness) -> None:
    async with running(harness):
        for signal in Signal:
            await harness.channel.signal("120363@g.us", signal, ("m1",))
        assert harness.bridge.signals == ["unavailable"]


async def test_a_channel_that_is_closed_without_having_run_ends_too(harness: WhatsAppHarness) -> None:
    record = Record()
    await harness.channel.start(record.intake)
    await harness.channel.close()
    assert harness.told[-1] == "stopped"
