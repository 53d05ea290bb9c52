"""Customers with phones: how they ask, and how they find their answers among what they received."""

from __future__ import annotations

import itertools

from sandbox.whatsapp.customer import Addressing, Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.echo_model import codes_in, question
from tests.whatsapp_bot import PATIENCE_S

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
