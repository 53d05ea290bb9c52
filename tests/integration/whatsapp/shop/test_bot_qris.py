"""With PAYMENT_QRIS the code comes into the chat as a picture, by the real libraries on both sides."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from billing import qris
from sandbox.midtrans import MidtransServer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import hears_text, stranger
from tests.unit.billing.test_qris import modules
from tests.whatsapp_bot import PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def midtrans() -> AsyncIterator[MidtransServer]:
    async with MidtransServer(merchant_name="Toko Uji") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(make_bot: MakeBot, midtrans: MidtransServer) -> AsyncIterator[WhatsAppBot]:
    """A shop that sells by QRIS only."""
    bot = make_bot(PAYMENT_QRIS="on", **midtrans.environment)
    async with bot:
        await bot.pair()
        yield bot


async def test_the_code_arrives_as_a_picture_with_what_is_to_be_paid_under_it(
    wa: WhatsAppServer, bot: WhatsAppBot, midtrans: MidtransServer
) -> None:
    budi = await stranger(wa)
    await budi.send("pesan ih20")
    assert "Benar, Kak?" in await hears_text(budi)
    await budi.send("jadi kak")
    received = await budi.receive(PATIENCE_S)
    [order_id] = {transaction.order_id for transaction in midtrans.desk.all}
    assert received.kind == "image"
    picture = budi.open_file(received)
    # What Midtrans gave as text is what the picture holds.
    assert modules(picture) == modules(qris.picture(midtrans.code_of(order_id)).data)
    assert "Total *Rp275.000*" in received.text
    assert "Scan QRIS ini ya Kak" in received.text
    address = f"{midtrans.url}/v2/qris/{midtrans.transaction(order_id).transaction_id}/qr-code"
    assert received.text.splitlines()[-1] == f"Gambarnya tidak muncul? Buka {address}"

    await budi.send("qrisnya mana kak?")
    again = await budi.receive(PATIENCE_S)
    assert (again.kind, budi.open_file(again)) == ("image", picture)
    # It is the same charge: nobody shall pay twice.
    assert len(midtrans.desk.all) == 1
