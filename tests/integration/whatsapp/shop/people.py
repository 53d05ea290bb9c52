"""Customers with phones: how they ask, and how they find their answers among what they received."""

from __future__ import annotations

import itertools

from sandbox.whatsapp.customer import Addressing, Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.echo_model import codes_in, question
from tests.whatsapp_bot import PATIENCE_S, WhatsAppBot

_NUMBERS = itertools.count(6281300000001)


async def stranger(
    wa: WhatsAppServer, *, name: str = "Budi", addressing: Addressing = Addressing.LID
) -> Customer:
    """Somebody who never wrote to the shop."""
    return await wa.customer(str(next(_NUMBERS)), name=name, lid=addressing)


async def ask(customer: Customer, *, copies: int = 1) -> str:
    """Ask something that has an answer; its code."""
    code, text = question()
    await customer.send(text, copies=copies)
    return code


async def hears(customer: Customer, *codes: str) -> None:
    """Wait until the customer has an answer to each of these."""
    while not set(codes) <= set(heard(customer)):
        await customer.receive(PATIENCE_S)


async def hears_text(customer: Customer) -> str:
    """The words of the next message."""
    return (await customer.receive(PATIENCE_S)).text


def heard(customer: Customer) -> list[str]:
    """The codes of everything that was answered, in the order of the answers."""
    return [code for received in customer.received for code in codes_in(received.text)]


def retries(customer: Customer, message_id: str) -> int:
    """How often the bot asked for one of his messages again."""
    receipts = customer.receipts.get(message_id)
    return 0 if receipts is None else receipts.retries


def states(bot: WhatsAppBot, who: Customer) -> list[str]:
    """What became of everything that was to go to him."""
    found = bot.query("SELECT state FROM outbox WHERE chat = ? ORDER BY id", str(who.jid))
    return [row[0] for row in found]


async def parked(bot: WhatsAppBot, who: Customer, count: int) -> None:
    await bot.wait_until(lambda: states(bot, who)[-count:] == ["parked"] * count, "parked answers")


async def taken(bot: WhatsAppBot, message_id: str) -> None:
    """Until the bot is through with a message: ``settled`` alone says nothing of one that is on its way."""
    done = "SELECT count(*) FROM inbox WHERE message_id = ? AND finished_ms IS NOT NULL"
    await bot.wait_until(lambda: bot.query(done, message_id) == [(1,)], "the message to be taken")
