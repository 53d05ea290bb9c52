"""The owner's room on WhatsApp: his second number or a group, where quoting a notice answers the customer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.phone import Phone
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.tiny_shop import UNKNOWN
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import ask, hears, hears_text, stranger
from tests.whatsapp_bot import PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

ANSWER = "Ada Kak, ukuran 42 sampai 46."
PICTURE = b"\x89PNG\r\n" + bytes(range(256)) * 40
VOICE = b"OggS" + bytes(range(256)) * 20


async def notice(phone: Phone, words: str) -> Received:
    """The next message with these words on the phone."""
    while words not in (received := await phone.receive(PATIENCE_S)).text:
        pass
    return received


async def answers_by_quoting(
    wa: WhatsAppServer,
    bot: WhatsAppBot,
    admin: Phone,
    write: Callable[[str | Message], Awaitable[str]],
) -> None:
    """A question that the shop does not know, answered from the room and learnt there."""
    budi = await stranger(wa)
    await budi.send(UNKNOWN)
    assert "belum tahu" in await hears_text(budi)
    asked = await notice(admin, "Butuh jawaban")
    assert UNKNOWN in asked.text
    await write(contents.reply(ANSWER, to=asked))
    assert await hears_text(budi) == ANSWER
    offer = await notice(admin, "Kuingat untuk pelanggan lain")
    await write(contents.reply("ya", to=offer))
    await notice(admin, "Tersimpan")
    assert ANSWER in (bot.folder / "data" / "faq_belajar.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("written", "number", "lid"),
    [("0813-7777-0001", "6281377770001", True), ("+62 813 7777 0002", "6281377770002", False)],
)
async def test_the_owners_second_number_is_a_room(
    wa: WhatsAppServer, make_bot: MakeBot, written: str, number: str, lid: bool
) -> None:
    bot = make_bot(RUANG_ADMIN=written)
    async with bot:
        await bot.pair()
        owner = await wa.customer(number, name="Bu Rina", lid=lid)
        await owner.send("status")
        await notice(owner, "hidup")
        await answers_by_quoting(wa, bot, owner, owner.send)
        # Nobody in the room is a customer.
        assert bot.query("SELECT count(*) FROM customers WHERE name = 'Bu Rina'") == [(0,)]


async def test_a_group_is_a_room_for_all_its_members_and_other_groups_are_none(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    rina, joko = await stranger(wa, name="Bu Rina"), await stranger(wa, name="Joko")
    room = await wa.group("Ruang Admin", [wa.owner, rina, joko])
    other = await wa.group("Arisan", [wa.owner, rina, joko])
    bot = make_bot(RUANG_ADMIN=str(room.jid))
    async with bot:
        await bot.pair()

        async def write(content: str | Message) -> str:
            return await joko.post(room, content)

        await answers_by_quoting(wa, bot, joko, write)
        # From the shop's own phone it counts as well, and silences no one.
        await wa.owner.post(room, "daftar")
        await notice(rina, "tidak ada yang menunggu")
        await joko.post(other, "status")
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
        assert not [received for received in joko.received if received.chat == other.jid]


async def test_the_owner_hears_the_voice_note_in_his_room_and_answers_by_quoting_it(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot(RUANG_ADMIN="0813-7777-0009")
    async with bot:
        await bot.pair()
        owner = await wa.customer("6281377770009", name="Bu Rina", lid=True)
        await owner.send("status")
        budi = await stranger(wa)
        await hears(budi, await ask(budi))
        await budi.send_file("voice", VOICE, mime="audio/ogg; codecs=opus")
        assert "voice note" in await hears_text(budi)
        while (voice := await owner.receive(PATIENCE_S)).kind != "audio":
            pass
        assert owner.open_file(voice) == VOICE
        # No person quotes it before the bot has noted under which id it went out.
        await bot.settled()
        await owner.send(contents.reply("Bisa Kak, dikirim besok", to=voice))
        assert await hears_text(budi) == "Bisa Kak, dikirim besok"
        # And the picture that a question is about.
        await budi.send_file("image", PICTURE, mime="image/png", caption=UNKNOWN)
        await hears_text(budi)
        while (picture := await owner.receive(PATIENCE_S)).kind != "image":
            pass
        assert owner.open_file(picture) == PICTURE


async def test_the_owners_picture_and_document_are_answers_until_he_takes_them_back(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot(RUANG_ADMIN="0813-7777-0010")
    async with bot:
        await bot.pair()
        owner = await wa.customer("6281377770010", name="Bu Rina", lid=True)
        for kind, data, mime, filename in (
            ("image", PICTURE, "image/png", ""),
            ("document", b"%PDF-1.7 ukuran" * 900, "application/pdf", "ukuran sepatu.pdf"),
        ):
            budi = await stranger(wa)
            await budi.send(UNKNOWN)
            assert "belum tahu" in await hears_text(budi)
            asked = await notice(owner, "Butuh jawaban")
            await bot.settled()
            await owner.send_file(
                kind, data, mime=mime, name=filename, caption="Ini daftarnya ya Kak", quoted=asked
            )
            received = await budi.receive(PATIENCE_S)
            assert (received.kind, received.text) == (kind, "Ini daftarnya ya Kak")
            assert budi.open_file(received) == data
            await notice(owner, "Terkirim")
        assert bot.query("SELECT replied FROM turns WHERE author = 'human' ORDER BY id") == [
            ("(foto) Ini daftarnya ya Kak",),
            ("(berkas, ukuran sepatu.pdf) Ini daftarnya ya Kak",),
        ]
        await bot.settled()
        assert not [received for received in owner.received if "Kuingat" in received.text]
        # Deleted for everyone on the shop's phone, it is nothing that the bot remembers; the other one is.
        await wa.owner.send(budi, contents.revocation(received.id, chat=budi.jid))
        await bot.wait_until(
            lambda: (
                bot.query("SELECT replied FROM turns WHERE author = 'human'")
                == [("(foto) Ini daftarnya ya Kak",)]
            ),
            "the deletion",
        )
        assert bot.query("SELECT count(*) FROM attachments") == [(1,)]


@pytest.mark.parametrize("quotes", ["the album", "its first picture"])
async def test_every_picture_of_an_album_reaches_the_customer(
    wa: WhatsAppServer, make_bot: MakeBot, quotes: str
) -> None:
    number = "628137777001" + ("1" if quotes == "the album" else "2")
    bot = make_bot(RUANG_ADMIN=number)
    async with bot:
        await bot.pair()
        owner = await wa.customer(number, name="Bu Rina", lid=True)
        budi = await stranger(wa)
        await budi.send(UNKNOWN)
        assert "belum tahu" in await hears_text(budi)
        asked = await notice(owner, "Butuh jawaban")
        await bot.settled()
        of_album, of_first = (asked, None) if quotes == "the album" else (None, asked)
        await owner.send(contents.album(3, to=of_album))
        data = [PICTURE + str(number).encode() for number in range(3)]
        await owner.send_file("image", data[0], mime="image/png", caption="Ini Kak", quoted=of_first)
        await owner.send_file("image", data[1], mime="image/png")
        await owner.send_file("image", data[2], mime="image/png")
        pictures = [await budi.receive(PATIENCE_S) for _ in range(3)]
        assert [budi.open_file(picture) for picture in pictures] == data
        assert [picture.text for picture in pictures] == ["Ini Kak", "", ""]
        for _ in range(3):
            await notice(owner, "Terkirim")


async def test_the_owners_words_in_a_customers_chat_silence_the_bot_there(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi, siti = await stranger(wa), await stranger(wa)
    await wa.owner.send(budi, "Bentar ya Kak, aku cek stoknya")
    assert await hears_text(budi) == "Bentar ya Kak, aku cek stoknya"
    await bot.wait_until(
        lambda: bot.query("SELECT count(*) FROM customers WHERE silent_reason = 'human'") == [(1,)], "silence"
    )
    await ask(budi)
    await hears(siti, await ask(siti))
    await bot.settled()
    assert budi.received[-1].text == "Bentar ya Kak, aku cek stoknya"
    assert bot.query("SELECT replied FROM turns WHERE author = 'human'") == [
        ("Bentar ya Kak, aku cek stoknya",)
    ]


async def test_what_the_owner_edits_and_takes_back_on_the_shops_phone_is_what_the_bot_remembers(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)

    def told() -> list[tuple[str]]:
        found = bot.query(
            "SELECT replied FROM turns WHERE author = 'human' AND customer_id IN"
            " (SELECT customer_id FROM aliases WHERE user = ?) ORDER BY id",
            budi.user.lid.user,
        )
        return [(replied,) for (replied,) in found]

    price = await wa.owner.send(budi, "Harganya 275rb Kak")
    address = await wa.owner.send(budi, "Kirim ke Jl. Mawar 7 ya")
    await bot.wait_until(lambda: len(told()) == 2, "the owner's words")
    await wa.owner.send(budi, contents.edit(price, "Harganya 285rb Kak", chat=budi.jid))
    await wa.owner.send(budi, contents.revocation(address, chat=budi.jid))
    await bot.wait_until(lambda: told() == [("Harganya 285rb Kak",)], "his changes")
    assert bot.query("SELECT raw FROM inbox WHERE message_id = ?", address) == [(b"",)]
