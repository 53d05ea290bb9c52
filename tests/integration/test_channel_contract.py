"""The channel contract over the two stream forms of the terminal and over the faulty channel."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

import pytest

from bot.channel import Intake, Outgoing, Recorded, Retry
from bot.terminal.channel import HELP, StreamChannel
from bot.terminal.faces import JsonFace, PlainFace
from store.inbox import RawEvent
from tests.contract.channel import ChannelContract, FaultyChannel, Harness, Record, running


class Pipe:
    """Lines that are written while somebody reads them."""

    def __init__(self) -> None:
        reading, writing = os.pipe()
        self.lines: TextIO = os.fdopen(reading, "r", encoding="utf-8")
        self._writing = os.fdopen(writing, "w", encoding="utf-8")

    def write(self, line: str) -> None:
        self._writing.write(line + "\n")
        self._writing.flush()

    def end(self) -> None:
        self._writing.close()


class StreamHarness:
    def __init__(self, *, json_lines: bool) -> None:
        self.json_lines = json_lines
        self.out = io.StringIO()
        self.pipe = Pipe()
        face = JsonFace(self.out) if json_lines else PlainFace("Toko Uji", self.out)
        self.channel = StreamChannel(face, json_lines=json_lines, person="budi", lines=self.pipe.lines)

    async def say(self, text: str, message_id: str) -> None:
        if self.json_lines:
            self.pipe.write(json.dumps({"id": message_id, "from": "budi", "text": text}))
        else:
            # A line is a message here.
            self.pipe.write(text.replace("\n", " "))

    def break_network(self) -> None:
        self.out.close()

    def end(self) -> None:
        self.pipe.end()


class FaultyHarness:
    def __init__(self) -> None:
        self.channel = FaultyChannel()

    async def say(self, text: str, message_id: str) -> None:
        await self.channel.deliver("budi", text, message_id)

    def break_network(self) -> None:
        self.channel.outcome = lambda message: Retry("the network is gone")

    def end(self) -> None:
        """It has no input that could end."""


@pytest.fixture
def stream_harness() -> Iterator[list[StreamHarness]]:
    """Harnesses that the test opened; their pipes are closed so that the reading threads end."""
    opened: list[StreamHarness] = []
    yield opened
    for harness in opened:
        harness.pipe.end()
        if harness.channel._reader.ident is not None:
            harness.channel._reader.join(5)
        harness.pipe.lines.close()


class TestJsonTerminal(ChannelContract):
    @pytest.fixture
    async def harness(self, stream_harness: list[StreamHarness]) -> Harness:
        stream_harness.append(StreamHarness(json_lines=True))
        return stream_harness[0]


class TestPlainTerminal(ChannelContract):
    @pytest.fixture
    async def harness(self, stream_harness: list[StreamHarness]) -> Harness:
        stream_harness.append(StreamHarness(json_lines=False))
        return stream_harness[0]


class TestFaultyChannel(ChannelContract):
    @pytest.fixture
    async def harness(self) -> Harness:
        return FaultyHarness()


async def test_the_terminal_ends_by_itself_when_its_input_does(stream_harness: list[StreamHarness]) -> None:
    harness = StreamHarness(json_lines=True)
    stream_harness.append(harness)
    record = Record()
    await harness.channel.start(record.intake)
    task = asyncio.create_task(harness.channel.run())
    await harness.say("halo", "m1")
    harness.pipe.end()
    await asyncio.wait_for(task, 5)
    assert len(record.events) == 1


async def test_bad_lines_are_answered_and_the_next_one_is_taken(stream_harness: list[StreamHarness]) -> None:
    harness = StreamHarness(json_lines=True)
    stream_harness.append(harness)
    async with running(harness) as record:
        for line in ("bukan json", "", "[" * 50_000, '{"id": "a b", "from": "budi", "text": "x"}'):
            harness.pipe.write(line)
        await harness.say("halo", "m1")
        await record.count(1)
    kinds = [json.loads(line)["type"] for line in harness.out.getvalue().splitlines()]
    assert kinds == ["ready", "error", "error", "error", "recorded"]


async def test_a_plain_conversation_waits_until_a_line_is_settled(
    stream_harness: list[StreamHarness],
) -> None:
    harness = StreamHarness(json_lines=False)
    stream_harness.append(harness)
    events: list[RawEvent] = []
    asked, answered = asyncio.Event(), asyncio.Event()

    async def settled(chat: str) -> None:
        asked.set()
        await answered.wait()

    def take(brought: Sequence[RawEvent]) -> list[Recorded]:
        events.extend(brought)
        return [Recorded.NEW] * len(brought)

    await harness.channel.start(Intake(account="utama", record_all=take, settled=settled))
    task = asyncio.create_task(harness.channel.run())
    harness.pipe.write("satu")
    harness.pipe.write("dua")
    harness.pipe.end()
    await asyncio.wait_for(asked.wait(), 5)
    assert len(events) == 1
    answered.set()
    await asyncio.wait_for(task, 5)
    assert len(events) == 2


async def test_plain_lines_switch_people_quote_and_ask_for_help(stream_harness: list[StreamHarness]) -> None:
    harness = StreamHarness(json_lines=False)
    stream_harness.append(harness)
    async with running(harness) as record:
        for line in ("/as owner", ">7 bisa kak", "/apa", "halo"):
            harness.pipe.write(line)
        await record.count(2)
    parsed: list[Any] = [json.loads(event.raw) for event in record.events]
    assert [event.chat for event in record.events] == ["owner", "owner"]
    assert [(raw["text"], raw["quote"]) for raw in parsed] == [("bisa kak", "7"), ("halo", None)]
    assert f"! {HELP}" in harness.out.getvalue()


async def test_the_faulty_channel_counts_what_is_under_way_in_a_chat() -> None:
    channel = FaultyChannel()
    channel.sending_takes_s = 0.02
    messages = [
        Outgoing(row_id=n, chat=chat, kind=outgoing_kind(), body="x")
        for n, chat in enumerate(["a", "a", "b"])
    ]
    await asyncio.gather(*(channel.send(message) for message in messages))
    assert channel.most_at_once == {"a": 2, "b": 1}


def outgoing_kind() -> Any:
    from store.outbox import Kind

    return Kind.TEXT
