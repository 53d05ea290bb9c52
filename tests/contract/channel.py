"""What every channel must do: inherit ``ChannelContract`` and give the fixture ``harness``.

``FaultyChannel`` is a channel of the tests' own whose network fails on command; it passes the contract too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from types import SimpleNamespace
from typing import Any, Protocol

import pytest
from sqlalchemy import Row

from bot.channel import (
    Capability,
    Channel,
    FileGone,
    IncomingFile,
    IncomingMessage,
    Intake,
    Outcome,
    Outgoing,
    Quoted,
    Recorded,
    Retry,
    Sent,
    Signal,
    State,
    Traits,
    Unreadable,
)
from store.attachments import Document
from store.customers import Address
from store.inbox import RawEvent
from store.outbox import Kind

WAIT_S = 5.0


class FaultyChannel:
    """A channel without a network. ``outcome`` decides what becomes of each message that is sent."""

    def __init__(
        self,
        *,
        admin_room: str | None = "owner",
        capabilities: Collection[Capability] = (Capability.REACTIONS,),
    ) -> None:
        self.traits = Traits(transport="uji", admin_room=admin_room, capabilities=frozenset(capabilities))
        self.state = State.STARTING
        self.caution = 1.0
        self.online = asyncio.Event()
        self.online.set()
        self.outcome: Callable[[Outgoing], Outcome | None] = lambda message: None
        self.sending_takes_s = 0.0
        self.tried: list[Outgoing] = []
        self.sent: list[Outgoing] = []
        self.signals: list[tuple[str, Signal, tuple[str, ...]]] = []
        self.most_at_once: Counter[str] = Counter()
        self._at_once: Counter[str] = Counter()
        # What can be fetched, by the message's id: bytes, or why not. Each fetch is noted.
        self.files: dict[str, bytes | Exception] = {}
        self.fetched: list[str] = []
        self._ended = asyncio.Event()
        self._intake: Intake | None = None

    async def start(self, intake: Intake) -> None:
        self._intake = intake
        self.state = State.ONLINE

    async def run(self) -> None:
        await self._ended.wait()

    async def caught_up(self) -> None:
        """Nothing was sent before the test began."""

    async def own_chat(self) -> str | None:
        return None

    async def is_saved(self, chat: str) -> bool:
        return False

    async def reachable(self) -> None:
        await self.online.wait()

    async def stop(self, drain_s: float) -> None:
        self.state = State.STOPPED
        self._ended.set()

    async def close(self) -> None:
        self.state = State.STOPPED

    async def deliver(self, chat: str, text: str, message_id: str, **fields: Any) -> Recorded | None:
        """Somebody writes; None when the channel takes nothing in any more."""
        if self._intake is None or self.state is not State.ONLINE:
            return None
        raw, kind = fields.pop("raw", None), fields.pop("kind", "text")
        if raw is None:
            raw = json.dumps({"text": text, **fields}).encode()
        own = fields.get("own", False)
        event = RawEvent(
            account=self._intake.account,
            chat=chat,
            lane=f"own {chat}" if own else None,
            sender="own" if own else chat,
            message_id=message_id,
            kind=kind,
            codec="uji/1",
            raw=raw,
        )
        return await asyncio.to_thread(self._intake.record, event)

    def parse(self, event: Row[Any]) -> IncomingMessage:
        try:
            raw = json.loads(event.raw)
            addresses = raw.get("addresses") or [["uji", event.chat]]
            return IncomingMessage(
                chat=event.chat,
                sender=event.sender,
                message_id=event.message_id,
                kind=event.kind,
                text=raw["text"],
                addresses=tuple(Address(*address) for address in addresses),
                name=raw.get("name"),
                quoted_id=raw.get("quote"),
                context=raw.get("context", ""),
                sent_ms=raw.get("sent_ms"),
                detail=raw.get("detail", ""),
                file=IncomingFile(**raw["file"]) if "file" in raw else None,
                timer_s=raw.get("timer_s"),
                own=raw.get("own", False),
                past=raw.get("past", False),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as exc:
            raise Unreadable(f"row {event.id} is no event of the tests") from exc

    async def fetch(self, event: Row[Any]) -> bytes:
        self.fetched.append(event.message_id)
        found = self.files.get(event.message_id, FileGone("expired"))
        if isinstance(found, Exception):
            raise found
        return found

    async def send(self, message: Outgoing) -> Outcome:
        self.tried.append(message)
        self._at_once[message.chat] += 1
        self.most_at_once[message.chat] = max(self.most_at_once[message.chat], self._at_once[message.chat])
        try:
            await asyncio.sleep(self.sending_takes_s)
            outcome = self.outcome(message) or Sent(f"uji-{message.row_id}")
        finally:
            self._at_once[message.chat] -= 1
        if isinstance(outcome, Sent):
            self.sent.append(message)
        return outcome

    async def signal(self, chat: str, signal: Signal, message_ids: tuple[str, ...] = ()) -> None:
        self.signals.append((chat, signal, message_ids))


class Harness(Protocol):
    """A channel under test with its outside in the test's hands."""

    channel: Channel

    async def say(self, text: str, message_id: str) -> None:
        """A customer called budi writes."""
        ...

    def break_network(self) -> None:
        """From now on nothing can be shown or sent."""
        ...

    def end(self) -> None:
        """Nobody writes any more."""
        ...


class Record:
    """The intake's side: what was recorded, on which thread."""

    def __init__(self) -> None:
        self.events: list[RawEvent] = []
        self.threads: list[threading.Thread] = []
        self.answers: list[Recorded] = []
        self._loop = asyncio.get_running_loop()
        self._arrived = asyncio.Event()
        self.intake = Intake(account="utama", record_all=self._record_all, settled=self._settled)

    def _record_all(self, events: Sequence[RawEvent]) -> list[Recorded]:
        outcomes = []
        for event in events:
            outcomes.append(self._record(event))
            if outcomes[-1] is Recorded.FAILED:
                # They share a transaction.
                return outcomes + [Recorded.FAILED] * (len(events) - len(outcomes))
        return outcomes

    def _record(self, event: RawEvent) -> Recorded:
        self.events.append(event)
        self.threads.append(threading.current_thread())
        self._loop.call_soon_threadsafe(self._arrived.set)
        return self.answers.pop(0) if self.answers else Recorded.NEW

    async def _settled(self, chat: str) -> None:
        return None

    async def count(self, wanted: int) -> None:
        """Until so many events were recorded."""
        async with asyncio.timeout(WAIT_S):
            while len(self.events) < wanted:
                self._arrived.clear()
                if len(self.events) < wanted:
                    await self._arrived.wait()


def row_of(event: RawEvent, **changed: Any) -> Any:
    """The stored row of a raw event, as ``parse`` sees it."""
    values = {name: getattr(event, name) for name in RawEvent.__dataclass_fields__}
    return SimpleNamespace(**({"id": 1, "recorded_ms": 0} | values | changed))


INVOICE = Document(data=b"%PDF-1.7 invoice", filename="INV-7.pdf", mimetype="application/pdf")
PICTURE = Document(data=b"\x89PNG qris", filename="qris.png", mimetype="image/png")
VOICE = Document(data=b"OggS suara", filename="suara.ogg", mimetype="audio/ogg; codecs=opus")


def outgoing(
    row_id: int = 1, body: str = "Halo Kak", kind: Kind = Kind.TEXT, document: Document | None = None
) -> Outgoing:
    """A message to budi that replies to his m1."""
    return Outgoing(
        row_id=row_id,
        chat="budi",
        kind=kind,
        body=body,
        quoted_id="m1",
        quoted=None if kind is Kind.REACTION else Quoted(message_id="m1", text="ongkir?", sender="budi"),
        document=document,
        answers=("m1",),
    )


@contextlib.asynccontextmanager
async def running(harness: Harness) -> Any:
    """The channel started and running; stopped and closed at the end, as the bot does it."""
    record = Record()
    await harness.channel.start(record.intake)
    task = asyncio.create_task(harness.channel.run())
    try:
        yield record
    finally:
        await harness.channel.stop(0.1)
        await harness.channel.close()
        harness.end()
        await asyncio.wait_for(task, WAIT_S)


class ChannelContract:
    """Subclass it in a test module that gives the fixture ``harness``."""

    async def test_it_is_online_between_start_and_stop(self, harness: Harness) -> None:
        channel = harness.channel
        assert channel.state is State.STARTING
        async with running(harness):
            assert channel.state is State.ONLINE
            await channel.stop(0.1)
            # What was recorded may still be answered where that takes a connection.
            assert channel.state in (State.STOPPING, State.STOPPED)
        assert channel.state is State.STOPPED

    async def test_what_comes_in_is_recorded_off_the_event_loop_and_can_be_parsed(
        self, harness: Harness
    ) -> None:
        async with running(harness) as record:
            await harness.say("ongkir\nke Solo 😊?", "m1")
            await record.count(1)
        message = harness.channel.parse(row_of(record.events[0]))
        assert record.events[0].account == "utama"
        assert record.threads[0] is not threading.main_thread()
        assert message.chat == message.sender == record.events[0].chat
        assert message.message_id == record.events[0].message_id
        assert message.text.split() == ["ongkir", "ke", "Solo", "😊?"]
        assert message.addresses

    async def test_parsing_needs_nothing_but_the_row(self, harness: Harness) -> None:
        async with running(harness) as record:
            await harness.say("halo", "m1")
            await record.count(1)
        row = row_of(record.events[0])
        assert harness.channel.parse(row) == harness.channel.parse(row)

    @pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{}"])
    async def test_a_row_that_it_cannot_read_is_unreadable_and_nothing_worse(
        self, harness: Harness, raw: bytes
    ) -> None:
        async with running(harness) as record:
            await harness.say("halo", "m1")
            await record.count(1)
        with pytest.raises(Unreadable):
            harness.channel.parse(row_of(record.events[0], raw=raw))

    async def test_an_event_that_could_not_be_committed_does_not_end_it(self, harness: Harness) -> None:
        async with running(harness) as record:
            record.answers = [Recorded.FAILED, Recorded.DUPLICATE]
            for n in range(3):
                await harness.say(f"pesan {n}", f"m{n}")
            await record.count(3)
            assert harness.channel.state is State.ONLINE

    async def test_each_message_is_sent_under_an_id_of_its_own(self, harness: Harness) -> None:
        async with running(harness):
            outcomes = [
                await harness.channel.send(outgoing(1)),
                await harness.channel.send(outgoing(2)),
                await harness.channel.send(outgoing(3, "🙏", Kind.REACTION)),
            ]
        ids = [outcome.provider_id for outcome in outcomes if isinstance(outcome, Sent)]
        assert len(set(ids)) == 3
        assert all(ids)

    @pytest.mark.parametrize("caption", ["", "Ini invoicenya ya Kak"])
    @pytest.mark.parametrize(
        ("kind", "document"), [(Kind.DOCUMENT, INVOICE), (Kind.IMAGE, PICTURE), (Kind.AUDIO, VOICE)]
    )
    async def test_a_file_is_sent_like_any_message(
        self, harness: Harness, kind: Kind, document: Document, caption: str
    ) -> None:
        async with running(harness):
            sent = await harness.channel.send(outgoing(1, caption, kind, document))
            assert isinstance(sent, Sent)
            assert sent.provider_id
            harness.break_network()
            assert isinstance(await harness.channel.send(outgoing(2, caption, kind, document)), Retry)

    async def test_a_send_that_fails_is_an_outcome_and_no_exception(self, harness: Harness) -> None:
        async with running(harness):
            harness.break_network()
            assert isinstance(await harness.channel.send(outgoing()), Retry)

    async def test_a_signal_never_raises(self, harness: Harness) -> None:
        async with running(harness):
            for signal in Signal:
                await harness.channel.signal("budi", signal, ("m1",))
            harness.break_network()
            for signal in Signal:
                await harness.channel.signal("budi", signal)

    async def test_what_is_answered_while_it_stops_is_still_sent(self, harness: Harness) -> None:
        async with running(harness):
            await harness.channel.stop(0.1)
            assert isinstance(await harness.channel.send(outgoing()), Sent)

    async def test_nothing_is_taken_in_after_the_stop(self, harness: Harness) -> None:
        async with running(harness) as record:
            await harness.say("sebelum", "m1")
            await record.count(1)
            await harness.channel.stop(0.1)
            await harness.say("sesudah", "m2")
            # The reader may be between two lines; what it would do, it does at once.
            await asyncio.sleep(0.05)
            assert len(record.events) == 1

    async def test_stopping_and_closing_again_does_no_harm(self, harness: Harness) -> None:
        async with running(harness):
            await harness.channel.stop(0.1)
            await harness.channel.stop(0.1)
            await harness.channel.close()
            await harness.channel.close()
