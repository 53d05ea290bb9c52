"""Another bot writes to the shop: the two must not answer each other for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.echo_model import question
from tests.integration.whatsapp.shop.people import ask, heard, hears, stranger
from tests.integration.whatsapp.shop.test_bot_room import notice
from tests.whatsapp_bot import PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM = "081377770021"
MOST_ANSWERS = 6


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rina(wa: WhatsAppServer) -> Customer:
    """The owner, with her private phone."""
    return await wa.customer("62" + ROOM[1:], name="Bu Rina")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(make_bot: MakeBot, rina: Customer) -> AsyncIterator[WhatsAppBot]:
    """The file's bot, on its guard."""
    bot = make_bot(RUANG_ADMIN=ROOM, LOOP_ANSWERS=str(MOST_ANSWERS))
    async with bot:
        await bot.pair()
        yield bot


async def is_silent(wa: WhatsAppServer, bot: WhatsAppBot, robot: Customer, rina: Customer) -> None:
    """The owner was told once, the robot hears nothing more, and everybody else is answered."""
    told = await notice(rina, "berputar-putar")
    assert robot.user.name in told.text
    answers = len(robot.received)
    await ask(robot)
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    await bot.settled()
    assert len(robot.received) == answers
    rows = bot.query("SELECT silent_reason FROM customers WHERE name = ?", robot.user.name)
    assert rows == [("loop",)]
    assert sum(robot.user.name in one.text for one in rina.received if "berputar" in one.text) == 1


async def test_the_third_time_that_somebody_says_the_same_he_is_not_answered(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer
) -> None:
    robot = await stranger(wa, name="Robot Satu")
    code, text = question()
    for times in (1, 2):
        await robot.send(text)
        while heard(robot).count(code) < times:
            await robot.receive(PATIENCE_S)
    await robot.send(text)
    await is_silent(wa, bot, robot, rina)
    assert heard(robot) == [code, code]


async def test_a_bot_that_always_has_something_new_to_say_is_left_alone_after_six_answers(
    wa: WhatsAppServer, bot: WhatsAppBot, rina: Customer
) -> None:
    robot = await stranger(wa, name="Robot Dua")
    for _ in range(MOST_ANSWERS):
        await hears(robot, await ask(robot))
    await ask(robot)
    await is_silent(wa, bot, robot, rina)
    assert len(heard(robot)) == MOST_ANSWERS
