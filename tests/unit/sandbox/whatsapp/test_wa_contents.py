"""What a message says, whatever it is wrapped in."""

from __future__ import annotations

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.jid import LID, Jid
from sandbox.whatsapp.protos import E2E

SHOP = Jid("100", LID, 1)
GOT = Received.now("ID1", contents.text("harga?"), sender=SHOP, chat=SHOP.account, sent_ms=5)


def _wrapped(message: Message, wrapper: str) -> Message:
    made = E2E.Message()
    getattr(made, wrapper).message.CopyFrom(message)
    return made


def _captioned() -> Message:
    made = E2E.Message()
    made.imageMessage.caption = "ini fotonya"
    return made


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (contents.text("halo"), ("text", "halo", "")),
        (contents.reply("ya", to=GOT), ("text", "ya", "ID1")),
        (contents.reaction("👍", to=GOT), ("reaction", "👍", "ID1")),
        (contents.location(-6.2, 106.8, "Monas"), ("location", "Monas", "")),
        (contents.contact("Siti", "628571111"), ("contact", "", "")),
        (contents.edit("ID2", "baru", chat=SHOP), ("edit", "baru", "ID2")),
        (contents.revocation("ID2", chat=SHOP), ("revoke", "", "ID2")),
        (_captioned(), ("image", "ini fotonya", "")),
        (_wrapped(contents.text("sebentar"), "ephemeralMessage"), ("text", "sebentar", "")),
        (_wrapped(_captioned(), "viewOnceMessage"), ("image", "ini fotonya", "")),
        (E2E.Message(), ("other", "", "")),
    ],
)
def test_kind_words_and_what_it_is_about(message: Message, expected: tuple[str, str, str]) -> None:
    assert contents.description(message) == expected


def test_the_key_of_a_group_alone_is_no_message() -> None:
    message = E2E.Message()
    message.senderKeyDistributionMessage.groupID = "1@g.us"
    message.messageContextInfo.messageSecret = b"secret"
    assert contents.is_key_alone(message)
    message.conversation = "halo"
    assert not contents.is_key_alone(message)


def test_a_quoted_message_is_whole_inside_the_answer() -> None:
    context = contents.reply("ya", to=GOT).extendedTextMessage.contextInfo
    assert context.quotedMessage.conversation == "harga?"
    assert context.participant == "100@lid"


def test_a_message_without_a_file_has_none() -> None:
    with pytest.raises(ValueError, match="no file"):
        contents.file_in(contents.text("halo"))
