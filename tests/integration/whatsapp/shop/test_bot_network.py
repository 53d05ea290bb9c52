"""The network fails in every way it knows: what customers sent is answered, and answered once."""

from __future__ import annotations

import asyncio
import json

import pytest

from sandbox.whatsapp.binary import Node
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.people import ask, heard, hears, stranger
from tests.whatsapp_bot import WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def crowd(wa: WhatsAppServer, size: int = 10) -> list[Customer]:
    return [await stranger(wa) for _ in range(size)]


async def all_hear(customers: list[Customer], asked: list[list[str]], bot: WhatsAppBot) -> None:
    """Every customer has each of his answers, once and in order, when nothing is left to do."""
    await asyncio.gather(*(hears(who, *codes) for who, codes in zip(customers, asked, strict=True)))
    await bot.settled()
    assert [heard(who) for who in customers] == asked


async def test_what_was_sent_while_the_bot_was_down_is_answered_once(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    customers = await crowd(wa)
    known = [await ask(who) for who in customers[:5]]
    await asyncio.gather(*(hears(who, code) for who, code in zip(customers[:5], known, strict=True)))
    assert await bot.stop() == 0
    asked = [[await ask(who), await ask(who)] for who in customers]
    await bot.start()
    for codes, code in zip(asked[:5], known, strict=True):
        codes.insert(0, code)
    await all_hear(customers, asked, bot)


async def test_a_bot_that_starts_without_a_network_connects_when_there_is_one(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)
    assert await bot.stop() == 0
    await wa.stop()
    await bot.start()
    await bot.wait_until(lambda: bot.standing().get("detail") == "no connection to WhatsApp", "its absence")
    assert bot.standing()["state"] == "connecting"
    await wa.start()
    code = await ask(budi)
    await all_hear([budi], [[code]], bot)
    assert bot.standing()["state"] == "online"


async def test_a_bot_that_is_stopped_without_a_network_ends_in_good_order(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    assert await bot.stop() == 0
    await wa.stop()
    await bot.start()
    await bot.wait_until(lambda: bot.standing().get("detail") == "no connection to WhatsApp", "its absence")
    assert await bot.stop() == 0, bot.tail()
    await wa.start()
    await bot.start()
    await bot.online()


async def test_a_bot_that_is_stopped_right_after_its_network_went_away_leaves_the_answers_to_the_next(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    customers = await crowd(wa)
    asked = [[await ask(who)] for who in customers]
    await hears(customers[0], asked[0][0])
    await wa.stop()
    assert await bot.stop() == 0, bot.tail()
    # Nobody waited for sends that could not be: only the network's return was waited for, and in vain.
    slow = [json.loads(line) for line in bot.log.read_text().splitlines() if '"slow_stop"' in line]
    assert {each["part"] for each in slow} >= {"reachable"}
    assert "outbox" not in {each["part"] for each in slow}
    await wa.start()
    await bot.start()
    await asyncio.gather(*(hears(who, *codes) for who, codes in zip(customers, asked, strict=True)))
    await bot.settled()


async def test_a_dropped_connection_loses_and_doubles_nothing(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    customers = await crowd(wa)
    asked: list[list[str]] = [[] for _ in customers]
    for dropped in (False, True, False, True):
        for who, codes in zip(customers, asked, strict=True):
            codes.append(await ask(who))
        if dropped:
            # In the middle of it: some are answered, some recorded, some on their way.
            await hears(customers[0], asked[0][-2])
            await wa.drop()
    await asyncio.gather(*(hears(who, *codes) for who, codes in zip(customers, asked, strict=True)))
    await bot.settled()
    for who, codes in zip(customers, asked, strict=True):
        assert list(dict.fromkeys(heard(who))) == codes
    unknown = bot.log.read_text().count("outcome unknown")
    # A send that the cut caught without its acknowledgement may come again, and no other.
    assert sum(len(heard(who)) for who in customers) - sum(map(len, asked)) <= unknown


async def test_a_network_that_stands_still_for_seconds_loses_and_doubles_nothing(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    customers = await crowd(wa)
    asked = [[await ask(who)] for who in customers]
    wa.freeze()
    for who, codes in zip(customers, asked, strict=True):
        codes.append(await ask(who))
    await asyncio.sleep(2)
    wa.thaw()
    await all_hear(customers, asked, bot)


async def test_a_slow_acknowledgement_holds_one_send_up_and_doubles_nothing(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    wa.slow_ack(0.3)
    customers = await crowd(wa, 4)
    asked = [[await ask(who)] for who in customers]
    await all_hear(customers, asked, bot)
    wa.slow_ack(0)


async def test_a_server_error_is_tried_again(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await stranger(wa)
    wa.nack(500)
    code = await ask(budi)
    await all_hear([budi], [[code]], bot)


async def test_a_stream_error_of_a_restarting_server_is_survived(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    pid = bot.running.pid
    for code in (503, 515):
        wa.stream_error(code)
        await wa.offline()
        await wa.online()
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
    assert bot.running.pid == pid
    assert bot.running.returncode is None


async def test_a_network_that_disappears_and_comes_back_loses_and_doubles_nothing(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    pid = bot.running.pid
    customers = await crowd(wa, 5)
    asked = [[await ask(who)] for who in customers]
    await all_hear(customers, asked, bot)
    await wa.stop()
    await bot.wait_for_state("connecting")
    for who, codes in zip(customers, asked, strict=True):
        codes += [await ask(who), await ask(who)]
    await wa.start()
    await all_hear(customers, asked, bot)
    assert (bot.running.pid, bot.standing()["state"]) == (pid, "online")


async def test_a_device_that_comes_back_gets_nothing_before_it_says_that_it_is_ready(
    wa: WhatsAppServer, bot: WhatsAppBot, stanzas: list[Node]
) -> None:
    """Every login is a passive one; what waited must not be given out before the client takes it."""
    budi = await stranger(wa)
    codes = []
    for _ in range(3):
        stanzas.clear()
        await wa.drop()
        codes.append(await ask(budi))
        await hears(budi, *codes)
        ready = [place for place, node in enumerate(stanzas) if node.child("active") is not None]
        answers = [place for place, node in enumerate(stanzas) if node.tag in ("message", "receipt")]
        assert len(ready) == 1
        assert min(answers) > ready[0]
    await bot.settled()
    assert heard(budi) == codes
