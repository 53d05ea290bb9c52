"""A customer who writes *hapus data saya* on WhatsApp: afterwards none of his bytes is anywhere of ours."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.echo_model import question
from tests.integration.whatsapp.shop.people import ask, hears, hears_text, stranger
from tests.whatsapp_bot import PATIENCE_S, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "ada layanan katering pernikahan kak?"


def files_with(folder: Path, marker: bytes) -> list[str]:
    """Every file of the shop with these bytes: database, write-ahead log, media, journal, session, logs."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and marker in path.read_bytes()
    )


async def stored(bot: WhatsAppBot, message_id: str) -> None:
    """Wait until the file of the message lies on our disk."""
    of_message = "SELECT 1 FROM media m JOIN inbox i ON i.id = m.inbox_id WHERE i.message_id = ?"
    query = f"{of_message} AND m.path IS NOT NULL"
    await bot.wait_until(lambda: bot.query(query, message_id) == [(1,)], "the file")


async def test_who_asks_for_it_is_gone_to_the_last_byte_with_his_files(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    bot = make_bot(LOG_LEVEL="DEBUG")
    marker = secrets.token_hex(16)
    picture = b"\x89PNG\r\n" + bytes(range(256)) * 8 + marker.encode()
    async with bot:
        await bot.pair()
        budi, siti = await stranger(wa, name=f"Budi {marker[:8]}"), await stranger(wa, name="Siti")
        code, text = question()
        first = await budi.send(f"{text} rumahku {marker}")
        await hears(budi, code)
        await hears(siti, await ask(siti))
        voice = await budi.send_file("voice", picture, mime="audio/ogg; codecs=opus")
        shown = await budi.send_file("image", picture, mime="image/png", caption=f"{UNKNOWN} {marker}")
        await budi.send(contents.edit(first, f"bisa cod ke {marker}?", chat=budi.jid))
        await wa.owner.send(budi, f"Siap Kak, {marker} ya")
        his = "SELECT 1 FROM turns WHERE author = 'human'"
        await bot.wait_until(lambda: bot.query(his) == [(1,)], "the owner's words")
        await stored(bot, voice)
        await stored(bot, shown)
        await bot.settled()
        before = files_with(bot.folder, marker.encode())
        assert any(name.startswith("var/media/") for name in before), before
        assert any(name.startswith("var/balas.db") for name in before), before

        # A person has this chat for half an hour, where the bot is silent but about what is his by law.
        code = await ask(budi)
        await bot.settled()
        await budi.send("privasi")
        while "Soal data" not in (heard := await hears_text(budi)):
            assert code not in heard
        await budi.send("ekspor data saya")
        while (copy := await budi.receive(PATIENCE_S)).kind != "document":
            pass
        assert marker.encode() in budi.open_file(copy)
        await budi.send("hapus data saya")
        while "*ya, hapus data saya*" not in await hears_text(budi):
            pass
        await budi.send("ya, hapus data saya")
        while "kuhapus sekarang" not in await hears_text(budi):
            pass
        lid, number = budi.user.lid.user, budi.user.jid.user
        await bot.wait_until(
            lambda: (
                bot.query("SELECT 1 FROM aliases WHERE user IN (?, ?)", lid, number) == []
                and not files_with(bot.folder, marker.encode())
            ),
            "his end",
        )
        # His name is left in the library's own session alone, as in the phone's list of contacts.
        found = files_with(bot.folder, f"Budi {marker[:8]}".encode())
        assert [name for name in found if "whatsapp.db" not in name] == []
        # Siti is still known, and Budi a stranger.
        await hears(siti, await ask(siti))
        assert "asisten" not in siti.received[-1].text
        await hears(budi, await ask(budi))
        assert "asisten" in budi.received[-1].text
    assert files_with(bot.folder, marker.encode()) == []
