"""The messages that go out, as WhatsApp's own classes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bot.channel import Outgoing, Quoted
from bot.whatsapp import writing
from sandbox.whatsapp import contents
from store.attachments import Document
from store.outbox import Kind

INVOICE = Document(data=b"%PDF", filename="INV-7.pdf", mimetype="application/pdf")
LIES = SimpleNamespace(
    url="https://mmg.whatsapp.net/v/1",
    DirectPath="/v/1?ccb=11-4",
    MediaKey=b"k" * 32,
    FileSHA256=b"s" * 32,
    FileEncSHA256=b"e" * 32,
    FileLength=4,
)
QUOTED = Quoted(message_id="M1", text="ongkir?", sender="111@lid")


def out(**changed: Any) -> Outgoing:
    values: dict[str, Any] = {"row_id": 1, "chat": "111@lid", "kind": Kind.TEXT, "body": "Halo Kak"}
    return Outgoing(**(values | changed))


def test_words_alone_are_a_plain_conversation() -> None:
    made = writing.message(out(body="lihat https://contoh.id @12345"))
    assert made.conversation == "lihat https://contoh.id @12345"
    assert [field.name for field, _ in made.ListFields()] == ["conversation"]


def test_a_reply_shows_what_it_quotes() -> None:
    part = writing.message(out(quoted_id="M1", quoted=QUOTED)).extendedTextMessage
    assert part.text == "Halo Kak"
    assert (part.contextInfo.stanzaID, part.contextInfo.participant) == ("M1", "111@lid")
    assert part.contextInfo.quotedMessage.conversation == "ongkir?"


def test_in_a_chat_whose_messages_disappear_ours_do_too() -> None:
    made = writing.message(out(timer_s=86_400))
    assert made.extendedTextMessage.contextInfo.expiration == 86_400
    assert not made.extendedTextMessage.contextInfo.HasField("quotedMessage")
    made = writing.message(out(kind=Kind.DOCUMENT, document=INVOICE, body="", timer_s=86_400), uploaded=LIES)
    assert made.documentMessage.contextInfo.expiration == 86_400


def test_a_reaction_points_at_the_message() -> None:
    made = writing.message(out(kind=Kind.REACTION, body="🙏", quoted_id="M1"))
    assert contents.description(made) == ("reaction", "🙏", "M1")
    assert made.reactionMessage.key.remoteJID == "111@lid"
    assert not made.reactionMessage.key.fromMe


@pytest.mark.parametrize(
    ("kind", "field", "caption"),
    [
        (Kind.DOCUMENT, "documentMessage", ""),
        (Kind.DOCUMENT, "documentMessage", "Ini invoicenya ya Kak"),
        (Kind.IMAGE, "imageMessage", "Bayar ke sini ya"),
        (Kind.AUDIO, "audioMessage", ""),
    ],
)
def test_a_file_says_where_it_lies_and_how_it_is_opened(kind: Kind, field: str, caption: str) -> None:
    message = out(kind=kind, body=caption, document=INVOICE, quoted_id="M1", quoted=QUOTED)
    made = writing.message(message, uploaded=LIES)
    part = getattr(contents.unwrapped(made), field)
    assert (part.directPath, part.URL) == (LIES.DirectPath, LIES.url)
    assert (part.mediaKey, part.fileSHA256, part.fileEncSHA256) == (b"k" * 32, b"s" * 32, b"e" * 32)
    assert (part.fileLength, part.mimetype) == (4, "application/pdf")
    assert part.contextInfo.stanzaID == "M1"
    assert contents.description(made)[1] == caption
    if kind is Kind.DOCUMENT:
        assert part.fileName == "INV-7.pdf"


def test_a_voice_note_has_no_caption_and_is_played_as_one() -> None:
    made = writing.message(out(kind=Kind.AUDIO, body="tidak tampil", document=INVOICE), uploaded=LIES)
    assert made.audioMessage.PTT
