"""Starsender's device is often the shop's own number: what it sends must not pass for a person's words."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, update

from sandbox.starsender import Sent
from sandbox.starsender.phones import onto_phones
from sandbox.whatsapp.server import WhatsAppServer
from store import customers, outbox
from store.customers import Address
from store.outbox import Kind, NewMessage, Purpose
from store.schema import outbox as outbox_table
from store.sqlite import SqliteStore
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import ACCOUNT, PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = "Invoice INV/2026/11/0001 kami kirim di bawah ini ya Kak."
CAPTION = "Ini invoice INV/2026/11/0001, Kak. Terima kasih sudah belanja di *Toko Uji* 🙏"


async def test_after_an_invoice_from_the_shops_own_number_the_bot_still_answers(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)
    number = budi.user.jid.user
    await hears(budi, await ask(budi))

    def sent_by_starsender(connection: Connection) -> None:
        customer = customers.find(connection, ACCOUNT, Address("lid", budi.user.lid.user))
        assert customer is not None
        for kind, body in ((Kind.TEXT, TEXT), (Kind.DOCUMENT, CAPTION)):
            row = outbox.add(
                connection,
                NewMessage(
                    account=ACCOUNT,
                    transport="starsender",
                    chat=number,
                    body=body,
                    kind=kind,
                    purpose=Purpose.RECEIPT,
                    customer_id=customer.id,
                    invoice="INV/2026/11/0001",
                ),
            )
            connection.execute(
                update(outbox_table).where(outbox_table.c.id == row).values(state="done", attempts=1)
            )

    store = await SqliteStore.open(bot.state / "balas.db")
    await store.write(sent_by_starsender)
    await store.close()
    deliver = onto_phones(wa, number=wa.network.account.jid.user)
    await deliver(Sent(to=number, body=TEXT))
    file = Sent(to=number, body=CAPTION, name="INV.pdf", mime="application/pdf", file=b"%PDF-1.7")
    await deliver(file)
    assert [(await budi.receive(PATIENCE_S)).text for _ in range(2)] == [TEXT, CAPTION]

    await budi.send("makasih kak")
    thanks = await budi.receive(PATIENCE_S)
    assert (thanks.kind, thanks.text) == ("reaction", "🙏")
    await hears(budi, await ask(budi))
