"""Every kind of message that phones send, by the real library: stored, answered, or rightly left alone."""

from __future__ import annotations

import asyncio
import stat

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.media import seal
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.echo_model import question
from tests.integration.whatsapp.shop.people import ask, heard, hears, hears_text, stranger
from tests.integration.whatsapp.shop.test_bot_messages import passed_by
from tests.whatsapp_bot import PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

PICTURE = b"\x89PNG\r\n" + bytes(range(256)) * 40
DAY_S = 86_400


async def known(wa: WhatsAppServer, *, name: str = "Budi") -> Customer:
    """A customer who was greeted already, so that what follows is the answer to what follows."""
    customer = await stranger(wa, name=name)
    await hears(customer, await ask(customer))
    return customer


def state(bot: WhatsAppBot, message_id: str) -> tuple[str, str] | None:
    """The recorded kind of a message, and where its row stands."""
    rows = bot.query("SELECT kind, state FROM inbox WHERE message_id = ?", message_id)
    return (rows[0][0], rows[0][1]) if rows else None


def asked(bot: WhatsAppBot, message_id: str) -> str | None:
    rows = bot.query(
        "SELECT t.asked FROM turns t JOIN inbox i ON i.turn_id = t.id WHERE i.message_id = ?", message_id
    )
    return rows[0][0] if rows else None


async def file_of(bot: WhatsAppBot, message_id: str) -> tuple[str, bytes]:
    """How fetching the file of a message ended, and its bytes."""
    query = (
        "SELECT m.state, m.path FROM media m JOIN inbox i ON i.id = m.inbox_id "
        "WHERE i.message_id = ? AND m.finished_ms IS NOT NULL"
    )
    await bot.wait_until(lambda: bool(bot.query(query, message_id)), "the file")
    found, path = bot.query(query, message_id)[0]
    return found, (bot.state / "media" / path).read_bytes() if path else b""


@pytest.mark.parametrize(
    ("kind", "mime", "answer"),
    [
        ("voice", "audio/ogg; codecs=opus", "voice note"),
        ("audio", "audio/mpeg", "voice note"),
        ("image", "image/png", "Fotonya kuterima"),
        ("video", "video/mp4", "Kirimannya kuterima"),
        ("document", "application/pdf", "Kirimannya kuterima"),
    ],
)
async def test_a_file_is_answered_at_once_and_stored(
    wa: WhatsAppServer, bot: WhatsAppBot, kind: str, mime: str, answer: str
) -> None:
    budi = await known(wa)
    message_id = await budi.send_file(
        kind, PICTURE, mime=mime, name="bukti.pdf" if kind == "document" else ""
    )
    assert answer in await hears_text(budi)
    assert await file_of(bot, message_id) == ("done", PICTURE)
    folder = bot.state / "media"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


async def test_a_sticker_is_stored_and_gets_a_reaction(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await known(wa)
    message_id = await budi.send_file("sticker", PICTURE, mime="image/webp")
    received = await budi.receive(PATIENCE_S)
    assert (received.kind, received.text, received.about) == ("reaction", "🙏", message_id)
    assert await file_of(bot, message_id) == ("done", PICTURE)


async def test_a_picture_with_words_is_a_question(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await known(wa)
    code, text = question()
    message_id = await budi.send_file("image", PICTURE, mime="image/png", caption=text)
    await hears(budi, code)
    await bot.settled()
    assert asked(bot, message_id) == f"(foto) {text}"


@pytest.mark.parametrize("wrapper", ["viewOnceMessage", "viewOnceMessageV2", "ephemeralMessage"])
async def test_what_is_wrapped_is_read_and_kept_no_longer_than_its_sender_wants(
    wa: WhatsAppServer, bot: WhatsAppBot, wrapper: str
) -> None:
    budi = await known(wa)
    timer_s = 3600 if wrapper == "ephemeralMessage" else 0
    message_id = await budi.send_file("image", PICTURE, mime="image/png", wrapper=wrapper, timer_s=timer_s)
    assert "Fotonya kuterima" in await hears_text(budi)
    assert await file_of(bot, message_id) == ("done", PICTURE)
    kept_ms = bot.query(
        "SELECT m.expires_ms - m.created_ms FROM media m JOIN inbox i ON i.id = m.inbox_id "
        "WHERE message_id = ?",
        message_id,
    )[0][0]
    assert kept_ms == (timer_s or DAY_S) * 1000


async def test_our_answers_disappear_like_everything_in_the_chat(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi, siti = await known(wa), await known(wa)
    for person, timer_s in ((budi, DAY_S), (siti, 0)):
        code, text = question()
        await person.send(contents.disappearing(text, timer_s) if timer_s else text)
        await hears(person, code)
    ours = [person.received[-1].message for person in (budi, siti)]
    assert ours[0].extendedTextMessage.contextInfo.expiration == DAY_S
    assert ours[1].conversation
    # The customer switches it off again, by the chat's setting alone.
    setting = await budi.send(contents.timer(0))
    await passed_by(wa, bot)
    assert state(bot, setting) == ("timer", "done")
    await hears(budi, await ask(budi))
    assert budi.received[-1].message.conversation


async def test_a_file_that_the_host_forgot_is_given_up_and_the_answer_was_not_later_for_it(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await known(wa)
    wa.network.media.failing = 410
    try:
        message_id = await budi.send_file("image", PICTURE, mime="image/png")
        assert "Fotonya kuterima" in await hears_text(budi)
        assert await file_of(bot, message_id) == ("dead", b"")
    finally:
        wa.network.media.failing = None
    [(error,)] = bot.query(
        "SELECT m.error FROM media m JOIN inbox i ON i.id = m.inbox_id WHERE message_id = ?", message_id
    )
    assert error == "expired (status 410)"


async def test_a_host_in_trouble_is_asked_again(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await known(wa)
    wa.network.media.failing = 500
    message_id = await budi.send_file("image", PICTURE, mime="image/png")
    assert "Fotonya kuterima" in await hears_text(budi)
    await bot.wait_until(
        lambda: (
            bot.query(
                "SELECT count(*) FROM media m JOIN inbox i ON i.id = m.inbox_id "
                "WHERE message_id = ? AND m.error IS NOT NULL",
                message_id,
            )
            == [(1,)]
        ),
        "a failed attempt",
    )
    wa.network.media.failing = None
    assert await file_of(bot, message_id) == ("done", PICTURE)


async def test_nothing_is_fetched_from_a_server_that_the_sender_names(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    called: list[bytes] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.append(await reader.read(1000))
        writer.close()

    budi = await known(wa)
    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        sealed = seal("image", PICTURE)
        message = contents.file("image", sealed, wa.network.media.put(sealed), mime="image/png")
        message.imageMessage.URL = f"http://127.0.0.1:{port}/dalam/jaringan"
        message_id = await budi.send(message)
        assert await file_of(bot, message_id) == ("done", PICTURE)
    assert called == []


async def test_a_death_before_the_file_was_fetched_loses_none(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await known(wa)
    wa.network.media.failing = 500
    message_id = await budi.send_file("document", PICTURE, mime="application/pdf", name="bukti.pdf")
    assert "Kirimannya kuterima" in await hears_text(budi)
    await bot.kill()
    wa.network.media.failing = None
    await bot.start()
    await bot.online()
    assert await file_of(bot, message_id) == ("done", PICTURE)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (contents.location(-7.705, 110.6, "Toko Budi"), "location"),
        (contents.contact("Siti", "6281234567890"), "contact"),
    ],
)
async def test_places_and_contacts_are_asked_about(
    wa: WhatsAppServer, bot: WhatsAppBot, content: contents.Message, kind: str
) -> None:
    budi = await known(wa)
    message_id = await budi.send(content)
    assert "Kirimannya kuterima" in await hears_text(budi)
    await bot.settled()
    assert state(bot, message_id) == (kind, "done")
    told = asked(bot, message_id) or ""
    assert "Toko Budi" in told or "Siti +6281234567890" in told


@pytest.mark.parametrize("make", [contents.button_reply, contents.template_reply, contents.list_reply])
async def test_a_tap_on_a_button_or_a_list_says_its_words(
    wa: WhatsAppServer, bot: WhatsAppBot, make: object
) -> None:
    budi = await known(wa)
    code, text = question()
    await budi.send(make(text))  # type: ignore[operator]
    await hears(budi, code)


async def test_a_poll_is_asked_about_and_a_vote_is_not_answered(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await known(wa)
    code, text = question()
    poll = await budi.send(contents.poll(text, ("Merah", "Biru")))
    await hears(budi, code)
    vote = await budi.send(contents.vote(poll, chat=budi.jid))
    await passed_by(wa, bot)
    assert state(bot, vote) == ("vote", "done")
    assert heard(budi)[1:] == [code]


async def test_a_reaction_is_recorded_and_not_answered(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await known(wa)
    before = len(budi.received)
    message_id = await budi.send(contents.reaction("👍", to=budi.received[-1]))
    await passed_by(wa, bot)
    assert state(bot, message_id) == ("reaction", "done")
    assert len(budi.received) == before


async def test_an_edit_after_the_answer_is_a_note(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await known(wa)
    code, text = question()
    message_id = await budi.send(text)
    await hears(budi, code)
    before = len(budi.received)
    edit = await budi.send(contents.edit(message_id, "bisa cod ke solo ga kak?", chat=budi.jid))
    await passed_by(wa, bot)
    assert state(bot, edit) == ("edit", "done")
    assert asked(bot, message_id) == f"{text}\n(diubah jadi: bisa cod ke solo ga kak?)"
    assert len(budi.received) == before


async def test_a_message_that_is_taken_back_after_the_answer_loses_its_words(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await known(wa)
    code, text = question()
    message_id = await budi.send(f"{text} rumahku di jalan mawar 7")
    await hears(budi, code)
    before = len(budi.received)
    revoke = await budi.send(contents.revocation(message_id, chat=budi.jid))
    await passed_by(wa, bot)
    assert state(bot, revoke) == ("revoke", "done")
    assert asked(bot, message_id) == ""
    assert bot.query("SELECT raw FROM inbox WHERE message_id = ?", message_id) == [(b"",)]
    assert len(budi.received) == before


async def test_what_changes_while_the_bot_is_away_is_answered_as_it_is_then(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi, siti = await known(wa), await known(wa)
    await bot.stop()
    code, text = question()
    asked_first = await budi.send("bisa cod ga kak K999998?")
    await budi.send(contents.edit(asked_first, text, chat=budi.jid))
    taken_back = await siti.send("bisa cod ga kak K999997?")
    await siti.send(contents.revocation(taken_back, chat=siti.jid))
    before = len(siti.received)
    await bot.start()
    await bot.online()
    await hears(budi, code)
    await passed_by(wa, bot)
    assert heard(budi)[1:] == [code]
    assert len(siti.received) == before


async def test_an_album_is_its_pictures_and_they_are_answered_once(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await known(wa)
    album = await budi.send(contents.album(2))
    assert (await budi.send_file("image", PICTURE, mime="image/png")) != album
    assert "Fotonya kuterima" in await hears_text(budi)
    await passed_by(wa, bot)
    assert state(bot, album) is None
