"""Files that the shop sends: documents, pictures, voice notes, by the real library over its media host."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sandbox.whatsapp.contents import unwrapped
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer
from store import customers, outbox
from store.attachments import Document
from store.customers import Address
from store.outbox import Kind, NewMessage, Purpose
from store.sqlite import SqliteStore
from tests.integration.whatsapp.shop.people import ask, hears, stranger
from tests.whatsapp_bot import ACCOUNT, PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

INVOICE = Document(
    data=b"%PDF-1.7 " + bytes(range(256)) * 400, filename="INV-7.pdf", mimetype="application/pdf"
)
PICTURE = Document(data=b"\x89PNG\r\n" + bytes(5_000), filename="qris.png", mimetype="image/png")
VOICE = Document(data=b"OggS" + bytes(3_000), filename="suara.ogg", mimetype="audio/ogg; codecs=opus")


@pytest_asyncio.fixture(loop_scope="module")
async def store(bot: WhatsAppBot) -> AsyncIterator[SqliteStore]:
    """The shop's database, written by a process that is not the bot's."""
    opened = await SqliteStore.open(bot.state / "balas.db")
    yield opened
    await opened.close()


async def queue(store: SqliteStore, to: Customer, **message: object) -> None:
    """What the payment process does when it wants the bot to send something."""
    address = Address("lid", to.user.lid.user)

    def write(connection: object) -> None:
        customer = customers.find(connection, ACCOUNT, address)  # type: ignore[arg-type] # of the store.
        assert customer is not None
        values: dict[str, object] = {
            "account": ACCOUNT,
            "transport": "whatsapp",
            "chat": str(to.user.lid),
            "purpose": Purpose.RELAY,
            "customer_id": customer.id,
            "body": "",
        }
        outbox.add(connection, NewMessage(**(values | message)))  # type: ignore[arg-type] # as given.

    await store.write(write)


@pytest.mark.parametrize("caption", ["", "Ini invoicenya ya Kak, terima kasih"])
async def test_a_document_arrives_whole_under_its_name(
    wa: WhatsAppServer, bot: WhatsAppBot, store: SqliteStore, caption: str
) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    await queue(store, budi, kind=Kind.DOCUMENT, document=INVOICE, body=caption)
    received = await budi.receive(PATIENCE_S)
    assert (received.kind, received.text) == ("document", caption)
    assert budi.open_file(received) == INVOICE.data
    part = unwrapped(received.message).documentMessage
    assert (part.fileName, part.mimetype, part.fileLength) == (
        INVOICE.filename,
        INVOICE.mimetype,
        len(INVOICE.data),
    )


async def test_a_picture_and_a_voice_note_arrive_whole(
    wa: WhatsAppServer, bot: WhatsAppBot, store: SqliteStore
) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    await queue(store, budi, kind=Kind.IMAGE, document=PICTURE, body="Bayar ke sini ya Kak")
    await queue(store, budi, kind=Kind.AUDIO, document=VOICE)
    picture, voice = [await budi.receive(PATIENCE_S) for _ in range(2)]
    assert (picture.kind, picture.text) == ("image", "Bayar ke sini ya Kak")
    assert budi.open_file(picture) == PICTURE.data
    assert voice.kind == "audio"
    assert budi.open_file(voice) == VOICE.data


async def test_a_reply_quotes_what_it_answers_and_the_shop_s_own_words(
    wa: WhatsAppServer, bot: WhatsAppBot, store: SqliteStore
) -> None:
    budi = await stranger(wa)
    asked = await budi.send("bisa cod ga kak K000000?")
    await hears(budi, "K000000")
    answer = budi.received[-1]
    for quoted in (asked, answer.id):
        await queue(store, budi, body="Jadi bagaimana, Kak?", quoted_id=quoted)
    first, second = [await budi.receive(PATIENCE_S) for _ in range(2)]
    contexts = [received.message.extendedTextMessage.contextInfo for received in (first, second)]
    assert (first.about, contexts[0].quotedMessage.conversation) == (asked, "bisa cod ga kak K000000?")
    assert contexts[0].participant == str(budi.user.lid)
    assert second.about == answer.id
    assert contexts[1].quotedMessage.conversation == answer.text
    assert contexts[1].participant == str(wa.network.account.lid)
    assert first.text == second.text == "Jadi bagaimana, Kak?"


async def test_a_media_host_that_is_away_delays_a_file_and_loses_none(
    wa: WhatsAppServer, bot: WhatsAppBot, store: SqliteStore
) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    wa.network.media.refusing = 500
    await queue(store, budi, kind=Kind.DOCUMENT, document=INVOICE)
    await bot.wait_until(
        lambda: (
            bot.query("SELECT attempts FROM outbox WHERE kind = 'document' ORDER BY id DESC LIMIT 1")[0][0]
            > 1
        ),
        "another attempt",
    )
    wa.network.media.refusing = None
    received = await budi.receive(PATIENCE_S)
    assert budi.open_file(received) == INVOICE.data
    await bot.settled()
    assert sum(received.kind == "document" for received in budi.received) == 1


async def test_a_file_that_whatsapp_does_not_take_is_not_tried_again(
    wa: WhatsAppServer, bot: WhatsAppBot, store: SqliteStore
) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    wa.network.media.refusing = 413
    try:
        await queue(store, budi, kind=Kind.DOCUMENT, document=INVOICE)
        await bot.wait_until(
            lambda: (
                bot.query("SELECT state FROM outbox WHERE kind = 'document' ORDER BY id DESC LIMIT 1")
                == [("dead",)]
            ),
            "a dead letter",
        )
    finally:
        wa.network.media.refusing = None
