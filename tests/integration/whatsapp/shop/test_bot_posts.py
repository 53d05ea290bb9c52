"""The shop posts a status, and customers write under it: "masih ada kak?" means what the status showed."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.contents import Message
from sandbox.whatsapp.protos import E2E
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.echo_model import EchoModel
from tests.integration.whatsapp.shop.people import ask, hears, hears_text, stranger
from tests.whatsapp_bot import WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

POSTED = "Gamis Sarah ready lagi, bahan adem, 185rb saja"


def under(message_id: str, words: str, quoted: Message | None = None) -> Message:
    """A message under a status, as phones send it; some leave out what they quote."""
    made = E2E.Message()
    made.extendedTextMessage.text = words
    context = made.extendedTextMessage.contextInfo
    context.stanzaID = message_id
    context.remoteJID = "status@broadcast"
    context.participant = "6281100000001@s.whatsapp.net"
    if quoted is not None:
        context.quotedMessage.CopyFrom(quoted)
    return made


async def posted(wa: WhatsAppServer, bot: WhatsAppBot, content: str | Message) -> str:
    message_id = await wa.owner.post(wa.status, content)
    kept = "SELECT state FROM inbox WHERE kind = 'post' AND message_id = ?"
    await bot.wait_until(lambda: bot.query(kept, message_id) == [("done",)], "the post")
    return message_id


def prompts(model: EchoModel) -> str:
    """Everything that the model was asked since the last reset."""
    return json.dumps(model.requests(), ensure_ascii=False)


@pytest.fixture
def recorded(model: EchoModel) -> Any:
    """The model with its requests on record, for this test."""
    model.control(record=True)
    model.reset_requests()
    yield model
    model.control(record=False)
    model.reset_requests()


@pytest.mark.parametrize("quotes", [True, False])
async def test_a_message_under_a_status_is_understood_by_the_status(
    wa: WhatsAppServer, bot: WhatsAppBot, recorded: EchoModel, quotes: bool
) -> None:
    budi = await stranger(wa)
    message_id = await posted(wa, bot, POSTED)
    await budi.send(under(message_id, "masih ada kak?", contents.text(POSTED) if quotes else None))
    await hears_text(budi)
    assert POSTED in prompts(recorded)
    # No chat was taken over, and nobody became a customer by it.
    assert bot.query("SELECT count(*) FROM customers WHERE silent_until_ms IS NOT NULL") == [(0,)]


async def test_posts_are_gone_after_two_days_and_those_of_others_are_never_kept(
    wa: WhatsAppServer, bot: WhatsAppBot, recorded: EchoModel
) -> None:
    budi = await stranger(wa)
    await budi.post(wa.status, "Liburan ke Bromo")
    old, new = await posted(wa, bot, "Gamis Lama 99rb"), await posted(wa, bot, POSTED)
    assert await bot.stop() == 0
    connection = sqlite3.connect(bot.state / "balas.db", timeout=10)
    connection.execute("UPDATE inbox SET recorded_ms = recorded_ms - 172800000 WHERE message_id = ?", (old,))
    connection.commit()
    connection.close()
    await bot.start()
    await bot.online()
    await bot.wait_until(
        lambda: bot.query("SELECT count(*) FROM inbox WHERE message_id = ?", old) == [(0,)], "tidiness"
    )
    assert bot.query("SELECT count(*) FROM inbox WHERE message_id = ?", new) == [(1,)]
    assert bot.query("SELECT count(*) FROM inbox WHERE chat = 'status@broadcast' AND sender <> 'own'") == [
        (0,)
    ]
    await budi.send(under(old, "yang ini masih kak?"))
    await hears_text(budi)
    assert "Gamis Lama" not in prompts(recorded)
    await hears(budi, await ask(budi))
