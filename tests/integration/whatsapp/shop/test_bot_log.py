"""A whole life's log, Go's own words included, names no customer's number, no key, no code and no text."""

from __future__ import annotations

import pytest

from sandbox.whatsapp.customer import Addressing
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import ask, hears, parked, retries, stranger

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk-rahasia-8f3a-jangan-dicatat"
SHOP = "6281100000001"


async def test_nothing_personal_and_nothing_secret_is_in_the_log_of_a_whole_life(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot(OPENAI_API_KEY=KEY, WHATSAPP_NUMBER=SHOP, LOG_LEVEL="DEBUG")
    said = "rumahku di Jalan Melati nomor 7"
    await bot.start()
    code = await bot.qr()
    await wa.owner.scan(code)
    await bot.online()
    people = [
        await stranger(wa, name="Bambang Sutrisno", addressing=way)
        for way in (Addressing.LID, Addressing.LID_ONLY, Addressing.PHONE)
    ]
    for who in people:
        await hears(who, await ask(who))
        await who.send(said)
        await hears(who, await ask(who))
    # What whatsmeow prints when things go wrong names addresses.
    wa.nack(500)
    await hears(people[0], await ask(people[0]))
    wa.nack(463)
    await ask(people[2])
    # Before anybody else writes, or the next answer would be the one that is turned down and parked.
    await parked(bot, people[2], 1)
    damaged = await people[1].send("ini rusak", damaged=True)
    await bot.wait_until(lambda: retries(people[1], damaged) > 0, "the question for the damaged message")
    await bot.settled()
    await wa.drop()
    await hears(people[1], await ask(people[1]))
    await bot.settled()
    assert await bot.stop() == 0
    log = bot.log.read_text()
    assert "Successfully paired" in log
    assert "row_retries" in log
    secrets = [KEY, code, SHOP, said, "Bambang", "ini rusak"]
    # A LID says nothing to anybody else, and without it nobody could follow a chat through the log.
    secrets += [who.user.jid.user for who in people]
    found = [secret for secret in secrets if secret in log]
    assert found == [], [line for line in log.splitlines() if any(secret in line for secret in found)]
