"""From neonize's bytes to a row, from a row to a message: every kind and address, and what is no message."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from bot.channel import IncomingMessage, Unreadable
from bot.whatsapp import codec
from sandbox.whatsapp.protos import E2E
from store.customers import Address

Event = Callable[..., bytes]


def row(given: bytes, *, room: str | None = None, **changed: Any) -> Any:
    event = codec.to_record(given, account="utama", room=room)
    assert event is not None
    values = {name: getattr(event, name) for name in event.__dataclass_fields__}
    return SimpleNamespace(**({"id": 1, "recorded_ms": 0} | values | changed))


def read(raw: bytes, **wanted: Any) -> IncomingMessage:
    return codec.parse(row(raw, **wanted))


def kept(raw: bytes, *, room: str | None = None) -> bool:
    return codec.to_record(raw, account="utama", room=room) is not None


def message(**fields: Any) -> Any:
    return E2E.Message(**fields)


KINDS = [
    ("text", "halo", message(conversation="halo")),
    ("text", "halo", message(extendedTextMessage=E2E.ExtendedTextMessage(text="halo"))),
    ("image", "ini kak", message(imageMessage=E2E.ImageMessage(caption="ini kak"))),
    ("video", "ini kak", message(videoMessage=E2E.VideoMessage(caption="ini kak"))),
    ("audio", "", message(audioMessage=E2E.AudioMessage(PTT=True))),
    ("document", "bukti", message(documentMessage=E2E.DocumentMessage(caption="bukti", fileName="a.pdf"))),
    ("sticker", "", message(stickerMessage=E2E.StickerMessage())),
    ("location", "Rumah", message(locationMessage=E2E.LocationMessage(name="Rumah"))),
    ("contact", "Siti", message(contactMessage=E2E.ContactMessage(displayName="Siti"))),
    ("other", "", message(call=E2E.Call(callKey=b"x"))),
]


@pytest.mark.parametrize(("kind", "text", "content"), KINDS)
def test_every_kind_is_kept_with_its_words(event: Event, kind: str, text: str, content: Any) -> None:
    found = read(event(content))
    assert (found.kind, found.text) == (kind, text)
    assert (found.chat, found.message_id, found.name) == ("111@lid", "M1", "Budi")
    assert found.sent_ms == 1_700_000_000_000


@pytest.mark.parametrize(
    "content",
    [
        E2E.Message(reactionMessage=E2E.ReactionMessage(text="👍")),
        E2E.Message(protocolMessage=E2E.ProtocolMessage(type=E2E.ProtocolMessage.REVOKE)),
        E2E.Message(protocolMessage=E2E.ProtocolMessage(type=E2E.ProtocolMessage.MESSAGE_EDIT)),
        E2E.Message(senderKeyDistributionMessage=E2E.SenderKeyDistributionMessage(groupID="g")),
        E2E.Message(pollUpdateMessage=E2E.PollUpdateMessage()),
        E2E.Message(),
    ],
)
def test_signs_and_housekeeping_are_no_messages(event: Event, content: Any) -> None:
    # Every message carries this besides.
    content.messageContextInfo.SetInParent()
    assert not kept(event(content))


def test_a_quoted_message_comes_along(event: Event) -> None:
    content = E2E.Message()
    content.extendedTextMessage.text = "yang ini"
    content.extendedTextMessage.contextInfo.stanzaID = "Q1"
    content.extendedTextMessage.contextInfo.quotedMessage.conversation = "Gamis Sarah 185rb"
    found = read(event(content))
    assert (found.quoted_id, found.context) == ("Q1", "Gamis Sarah 185rb")


def test_the_ad_that_brought_a_customer_is_what_his_words_are_about(event: Event) -> None:
    content = E2E.Message()
    content.extendedTextMessage.text = "ini masih ada?"
    advert = content.extendedTextMessage.contextInfo.externalAdReply
    advert.title, advert.body = "Gamis Sarah", "Bahan katun, 5 warna"
    found = read(event(content))
    assert (found.quoted_id, found.context) == (None, "Gamis Sarah\nBahan katun, 5 warna")


def test_a_product_is_named_without_its_price(event: Event) -> None:
    content = E2E.Message()
    product = content.productMessage.product
    product.title, product.description, product.priceAmount1000 = "Gamis Sarah", "Katun", 185_000_000
    found = read(event(content))
    assert (found.kind, found.context) == ("product", "Gamis Sarah\nKatun")


def test_a_quoted_product_and_an_order_are_told_in_words(event: Event) -> None:
    quoting = E2E.Message()
    quoting.extendedTextMessage.text = "ready kak?"
    quoting.extendedTextMessage.contextInfo.stanzaID = "Q1"
    quoting.extendedTextMessage.contextInfo.quotedMessage.productMessage.product.title = "Gamis Sarah"
    assert read(event(quoting)).context == "Gamis Sarah"
    order = E2E.Message()
    order.orderMessage.orderTitle, order.orderMessage.itemCount = "Gamis Sarah", 3
    order.orderMessage.message = "mau pesan ini kak"
    found = read(event(order))
    assert (found.kind, found.text, found.context) == ("order", "mau pesan ini kak", "Gamis Sarah\n3 barang")


@pytest.mark.parametrize("chat", ["120363@g.us", "status@broadcast", "123@newsletter"])
def test_groups_status_and_channels_are_not_kept(event: Event, chat: str) -> None:
    assert not kept(event(chat=chat, sender="111@lid"))


def test_the_owners_group_is_the_one_that_is_kept(event: Event) -> None:
    raw = event(chat="120363@g.us", sender="111@lid")
    found = codec.to_record(raw, account="utama", room="120363@g.us")
    assert found is not None
    assert found.chat == "120363@g.us"


@pytest.mark.parametrize(
    ("chat", "alternative", "known"),
    [
        ("111@lid", "62812@s.whatsapp.net", [("lid", "111"), ("s.whatsapp.net", "62812")]),
        ("111@lid", "", [("lid", "111")]),
        ("62812@s.whatsapp.net", "111@lid", [("s.whatsapp.net", "62812"), ("lid", "111")]),
        ("62812@s.whatsapp.net", "", [("s.whatsapp.net", "62812")]),
    ],
)
def test_a_customer_brings_every_address_that_is_known(
    event: Event, chat: str, alternative: str, known: list[tuple[str, str]]
) -> None:
    found = read(event(chat=chat, alternative=alternative))
    assert list(found.addresses) == [Address(*address) for address in known]
    # Without the device: the same person writes from several.
    assert found.sender == chat


def test_what_the_shop_writes_itself_is_marked_and_is_about_the_customer(event: Event) -> None:
    raw = event(chat="111@lid", sender="999@lid", recipient="62812@s.whatsapp.net", own=True)
    found = read(raw)
    assert found.own
    assert set(found.addresses) == {Address("lid", "111"), Address("s.whatsapp.net", "62812")}
    stored = row(raw)
    assert stored.lane != stored.chat
    assert stored.sender == "own"


@pytest.mark.parametrize("raw", [b"", b"{}", b"\xff\xfe", b"\x0a\x05"])
def test_bytes_that_are_no_event_are_unreadable(event: Event, raw: bytes) -> None:
    if raw:
        with pytest.raises(DecodeError):
            codec.to_record(raw, account="utama", room=None)
    else:
        assert not kept(raw)
    with pytest.raises(Unreadable):
        codec.parse(row(event(), raw=raw))


def test_a_row_of_another_channel_is_unreadable(event: Event) -> None:
    with pytest.raises(Unreadable):
        codec.parse(row(event(), codec="terminal/1"))


@given(raw=st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    try:
        codec.to_record(raw, account="utama", room=None)
    except DecodeError:
        return
