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
    ("sticker", "", message(stickerPackMessage=E2E.StickerPackMessage(name="Kucing"))),
    ("video", "", message(ptvMessage=E2E.VideoMessage())),
    ("location", "", message(locationMessage=E2E.LocationMessage(name="Rumah"))),
    (
        "location",
        "posisi kurir",
        message(liveLocationMessage=E2E.LiveLocationMessage(caption="posisi kurir")),
    ),
    ("contact", "", message(contactMessage=E2E.ContactMessage(displayName="Siti"))),
    (
        "poll",
        "Warna apa?",
        message(
            pollCreationMessageV3=E2E.PollCreationMessage(
                name="Warna apa?",
                options=[E2E.PollCreationMessage.Option(optionName=name) for name in ("Merah", "Biru")],
            )
        ),
    ),
    (
        "text",
        "Ya, pesan",
        message(buttonsResponseMessage=E2E.ButtonsResponseMessage(selectedDisplayText="Ya, pesan")),
    ),
    (
        "text",
        "Ya, pesan",
        message(templateButtonReplyMessage=E2E.TemplateButtonReplyMessage(selectedDisplayText="Ya, pesan")),
    ),
    ("text", "Paket B", message(listResponseMessage=E2E.ListResponseMessage(title="Paket B"))),
    (
        "text",
        "Paket C",
        message(
            interactiveResponseMessage=E2E.InteractiveResponseMessage(
                body=E2E.InteractiveResponseMessage.Body(text="Paket C")
            )
        ),
    ),
    ("text", "Pilih ya", message(buttonsMessage=E2E.ButtonsMessage(contentText="Pilih ya"))),
    ("text", "Menu kami", message(listMessage=E2E.ListMessage(title="Toko", description="Menu kami"))),
    (
        "text",
        "Promo!",
        message(
            templateMessage=E2E.TemplateMessage(
                hydratedTemplate=E2E.TemplateMessage.HydratedFourRowTemplate(hydratedContentText="Promo!")
            )
        ),
    ),
    (
        "text",
        "Lihat katalog",
        message(
            interactiveMessage=E2E.InteractiveMessage(body=E2E.InteractiveMessage.Body(text="Lihat katalog"))
        ),
    ),
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
        E2E.Message(protocolMessage=E2E.ProtocolMessage(type=E2E.ProtocolMessage.REVOKE)),
        E2E.Message(protocolMessage=E2E.ProtocolMessage(type=E2E.ProtocolMessage.MESSAGE_EDIT)),
        E2E.Message(senderKeyDistributionMessage=E2E.SenderKeyDistributionMessage(groupID="g")),
        E2E.Message(protocolMessage=E2E.ProtocolMessage(type=E2E.ProtocolMessage.APP_STATE_SYNC_KEY_SHARE)),
        E2E.Message(albumMessage=E2E.AlbumMessage(expectedImageCount=3)),
        E2E.Message(associatedChildMessage=E2E.FutureProofMessage()),
        E2E.Message(pinInChatMessage=E2E.PinInChatMessage()),
        E2E.Message(),
    ],
)
def test_housekeeping_is_not_kept(event: Event, content: Any) -> None:
    # Every message carries this besides.
    content.messageContextInfo.SetInParent()
    assert not kept(event(content))


def about(message_id: str, *, type_: int, **fields: Any) -> Any:
    """A message between devices that is about another message."""
    made = E2E.Message()
    made.protocolMessage.key.ID = message_id
    made.protocolMessage.type = type_
    for name, value in fields.items():
        getattr(made.protocolMessage, name).CopyFrom(value)
    return made


EDIT, REVOKE = E2E.ProtocolMessage.MESSAGE_EDIT, E2E.ProtocolMessage.REVOKE
THUMB = message(reactionMessage=E2E.ReactionMessage(text="👍", key={"ID": "M0"}))
VOTE = message(pollUpdateMessage=E2E.PollUpdateMessage(pollCreationMessageKey={"ID": "M0"}))
SIGNS = [
    ("reaction", "👍", THUMB),
    ("reaction", "", message(reactionMessage=E2E.ReactionMessage(key={"ID": "M0"}))),
    ("vote", "", VOTE),
    ("revoke", "", about("M0", type_=REVOKE)),
    ("edit", "bisa cod?", about("M0", type_=EDIT, editedMessage=E2E.Message(conversation="bisa cod?"))),
    (
        "edit",
        "yang ini kak",
        about("M0", type_=EDIT, editedMessage=message(imageMessage=E2E.ImageMessage(caption="yang ini kak"))),
    ),
]


@pytest.mark.parametrize(("kind", "text", "content"), SIGNS)
def test_a_sign_says_which_message_it_is_about(event: Event, kind: str, text: str, content: Any) -> None:
    found = read(event(content))
    assert (found.kind, found.text, found.quoted_id) == (kind, text, "M0")


@pytest.mark.parametrize(("kind", "content"), [(kind, content) for kind, _, content in SIGNS])
def test_of_the_shop_s_own_people_only_what_changes_their_words_is_kept(
    event: Event, kind: str, content: Any
) -> None:
    raw = event(content, own=True)
    mends = kind in ("edit", "revoke")
    assert kept(raw) is mends
    # A status that is taken back is not one.
    assert not kept(event(content, own=True, chat="status@broadcast"))
    # In the owner's room a thumb on a notice is a word.
    is_thumb = content.HasField("reactionMessage")
    assert kept(event(content, chat="111@lid"), room="111@lid") is is_thumb
    if mends:
        found = read(raw)
        assert (found.kind, found.own, found.quoted_id) == (kind, True, "M0")


def test_an_album_that_answers_something_is_heard_in_the_owners_room_alone(event: Event) -> None:
    quoting = E2E.AlbumMessage(expectedImageCount=2, contextInfo=E2E.ContextInfo(stanzaID="N1"))
    raw = event(message(albumMessage=quoting), chat="111@lid")
    found = read(raw, room="111@lid")
    assert (found.kind, found.quoted_id, found.text) == ("album", "N1", "")
    assert not kept(raw)
    assert not kept(
        event(message(albumMessage=E2E.AlbumMessage(expectedImageCount=2)), chat="111@lid"), room="111@lid"
    )


def test_a_place_is_told_with_a_link_to_the_map(event: Event) -> None:
    place = E2E.LocationMessage(
        name="Toko Uji", address="Jl. Merdeka 1", degreesLatitude=-7.705, degreesLongitude=110.6
    )
    found = read(event(message(locationMessage=place)))
    assert found.detail == "Toko Uji, Jl. Merdeka 1, https://maps.google.com/?q=-7.705000,110.600000"


@pytest.mark.parametrize(
    ("vcard", "detail"),
    [
        ("TEL;type=CELL;waid=6281234567890:+62 812-3456-7890", "Siti +6281234567890"),
        ("item1.TEL:+62 812-3456-7890", "Siti +62 812-3456-7890"),
        ("TEL;type=CELL:0812-3456-7890", "Siti +0812-3456-7890"),
        ("NOTE:nomor menyusul", "Siti"),
    ],
)
def test_a_contact_is_told_with_its_number(event: Event, vcard: str, detail: str) -> None:
    card = f"BEGIN:VCARD\nVERSION:3.0\nFN:Siti\n{vcard}\nEND:VCARD"
    contact = E2E.ContactMessage(displayName="Siti", vcard=card)
    assert read(event(message(contactMessage=contact))).detail == detail
    several = message(contactsArrayMessage=E2E.ContactsArrayMessage(contacts=[contact, contact]))
    assert read(event(several)).detail == f"{detail}; {detail}"


def test_voice_notes_polls_and_documents_tell_what_people_see(event: Event) -> None:
    voice = message(audioMessage=E2E.AudioMessage(seconds=12, PTT=True))
    document = message(documentMessage=E2E.DocumentMessage(fileName="bukti.pdf"))
    poll = E2E.PollCreationMessage(name="Warna?")
    for name in ("Merah", "Biru"):
        poll.options.add().optionName = name
    assert read(event(voice)).detail == "12 detik"
    assert read(event(document)).detail == "bukti.pdf"
    assert read(event(message(pollCreationMessage=poll))).detail == "Merah / Biru"


def test_a_file_is_announced_with_its_size_and_fetched_without_anything_else(event: Event) -> None:
    content = message(
        documentMessage=E2E.DocumentMessage(
            fileName="bukti.pdf",
            mimetype="Application/PDF; x=1",
            fileLength=2_000_000,
            directPath="/v/1",
            mediaKey=b"k",
        )
    )
    content.messageContextInfo.SetInParent()
    raw = event(content)
    found = read(raw).file
    assert found is not None
    assert (found.mimetype, found.filename, found.size_bytes) == ("application/pdf", "bukti.pdf", 2_000_000)
    assert not found.view_once
    fetched = codec.file_in(row(raw))
    assert [field.name for field, _ in fetched.ListFields()] == ["documentMessage"]
    assert fetched.documentMessage.mediaKey == b"k"


def test_a_sender_cannot_choose_the_server_that_we_fetch_from(event: Event) -> None:
    picture = E2E.ImageMessage(URL="https://169.254.169.254/latest", directPath="/v/1?ccb=11-4")
    fetched = codec.file_in(row(event(message(imageMessage=picture))))
    assert fetched.imageMessage.URL == ""
    assert fetched.imageMessage.directPath == "/v/1?ccb=11-4"


@pytest.mark.parametrize(
    "path", ["", "@evil.id/x", ".evil.id/x", "//evil.id/x", "/\\evil.id", ":8080/x", "/@evil.id"]
)
def test_a_path_that_leads_to_another_host_is_not_fetched(event: Event, path: str) -> None:
    picture = E2E.ImageMessage(URL="https://mmg.whatsapp.net/v/1", directPath=path)
    with pytest.raises(Unreadable):
        codec.file_in(row(event(message(imageMessage=picture))))


def test_a_round_video_is_fetched_like_any_other(event: Event) -> None:
    raw = event(message(ptvMessage=E2E.VideoMessage(directPath="/v/1", mimetype="video/mp4")))
    assert codec.file_in(row(raw)).videoMessage.directPath == "/v/1"


@pytest.mark.parametrize(
    "content",
    [message(conversation="halo"), message(stickerPackMessage=E2E.StickerPackMessage()), THUMB],
)
def test_a_message_without_a_file_has_none_to_fetch(event: Event, content: Any) -> None:
    raw = event(content)
    assert read(raw).file is None
    with pytest.raises(Unreadable):
        codec.file_in(row(raw))


def test_what_may_be_seen_once_is_marked_by_its_wrapper_or_by_itself(event: Event, protos: Any) -> None:
    inner = read(event(message(imageMessage=E2E.ImageMessage(viewOnce=True)))).file
    whole = protos.Message.FromString(event(message(imageMessage=E2E.ImageMessage())))
    whole.IsViewOnceV2 = True
    wrapped = read(whole.SerializeToString()).file
    assert inner is not None
    assert wrapped is not None
    assert inner.view_once
    assert wrapped.view_once


def test_a_chat_s_timer_is_read_wherever_it_is_told(event: Event) -> None:
    timed = E2E.Message()
    timed.extendedTextMessage.text = "halo"
    timed.extendedTextMessage.contextInfo.expiration = 86_400
    setting = E2E.Message()
    setting.protocolMessage.type = E2E.ProtocolMessage.EPHEMERAL_SETTING
    setting.protocolMessage.ephemeralExpiration = 604_800
    assert read(event(timed)).timer_s == 86_400
    assert read(event(message(conversation="halo"))).timer_s == 0
    found = read(event(setting))
    assert (found.kind, found.timer_s) == ("timer", 604_800)
    assert read(event(THUMB)).timer_s is None


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


# --- the shop's own posts, and what cannot be read ----------------------------------------------------------


def test_the_shops_own_post_is_kept_and_nobody_elses(event: Event) -> None:
    posted = event(
        message(conversation="Gamis Sarah 185rb"), chat="status@broadcast", sender="999@lid", own=True
    )
    found = row(posted)
    assert (found.chat, found.kind, found.lane, found.sender) == (
        "status@broadcast",
        "post",
        "own status@broadcast",
        "own",
    )
    said = codec.parse(found)
    assert (said.text, said.own, said.addresses, said.name) == ("Gamis Sarah 185rb", True, (), None)
    assert not kept(event(message(conversation="Liburan"), chat="status@broadcast", sender="111@lid"))


def test_a_broadcast_list_is_a_post_whatever_its_address(event: Event) -> None:
    found = row(event(message(conversation="Promo"), chat="1700000000@broadcast", sender="999@lid", own=True))
    assert (found.chat, found.kind) == ("status@broadcast", "post")


def unreadable(protos: Any, raw: bytes, *, hidden: bool = False) -> bytes:
    """The same message as neonize tells of it when it could not be decrypted."""
    made = protos.UndecryptableMessage(IsUnavailable=False, DecryptFailMode=2 if hidden else 1)
    made.Info.CopyFrom(protos.Message.FromString(raw).Info)
    return bytes(made.SerializeToString())


def test_an_unreadable_message_names_its_customer_and_chat(protos: Any, event: Event) -> None:
    found = codec.undecryptable(unreadable(protos, event(alternative="62812@s.whatsapp.net")), room=None)
    assert found is not None
    assert (found.chat, found.message_id, found.name, found.own) == ("111@lid", "M1", "Budi", False)
    assert found.addresses == (Address("lid", "111"), Address("s.whatsapp.net", "62812"))
    assert found.sent_ms == 1_700_000_000_000
    own = codec.undecryptable(unreadable(protos, event(own=True, sender="999@lid")), room=None)
    assert own is not None
    assert (own.own, own.addresses, own.name) == (True, (Address("lid", "111"),), None)


def test_what_nobody_would_miss_is_not_asked_for(protos: Any, event: Event) -> None:
    assert codec.undecryptable(unreadable(protos, event(), hidden=True), room=None) is None
    assert codec.undecryptable(unreadable(protos, event(chat="120363@g.us")), room=None) is None
    assert codec.undecryptable(unreadable(protos, event(chat="status@broadcast")), room=None) is None
    assert codec.undecryptable(unreadable(protos, event()), room="111@lid") is None
    with pytest.raises(DecodeError):
        codec.undecryptable(b"\xff\xff", room=None)
