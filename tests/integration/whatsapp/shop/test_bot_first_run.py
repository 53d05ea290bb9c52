"""First run on WhatsApp: nobody is answered, the owner's own notes are his room, a code names another one."""

from __future__ import annotations

import re

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.tiny_shop import COD, QUESTION
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.people import hears_text, stranger, taken
from tests.integration.whatsapp.shop.test_bot_room import notice

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_from_the_scanned_code_to_the_first_answer(wa: WhatsAppServer, make_bot: MakeBot) -> None:
    rina, joko = await stranger(wa, name="Bu Rina"), await stranger(wa, name="Joko")
    room = await wa.group("Ruang Admin", [wa.owner, rina])
    arisan = await wa.group("Arisan", [wa.owner, rina, joko])
    bot = make_bot(BALAS_MODE="")
    async with bot:
        await bot.pair()
        greeting = await notice(wa.owner, "Belum ada pelanggan yang kujawab")
        assert greeting.chat in (wa.owner.jid, wa.owner.user.lid)
        code = re.search(r"\*(ruang \d{8})\*", greeting.text)
        assert code is not None
        # Nobody is answered yet, but the owner may try.
        budi = await stranger(wa)
        await budi.send(QUESTION)
        await wa.owner.note(QUESTION)
        assert COD in (await notice(wa.owner, "latihan")).text
        # What is no code makes no group a room, and is not kept.
        await joko.post(arisan, "ruang 00000000")
        await joko.post(arisan, f"katanya kodenya {code[1]}")
        await rina.post(room, code[1].upper())
        assert "Ruang Admin" in (await notice(rina, "sekarang Ruang Admin")).text
        await rina.post(room, "status")
        await notice(rina, "belum mulai")
        await rina.post(room, "mulai")
        await notice(rina, "mulai sekarang pelanggan kujawab")
        siti = await stranger(wa)
        await siti.send(QUESTION)
        assert (await hears_text(siti)).startswith(COD)
        assert budi.received == []
        # The code is used up.
        await joko.post(arisan, code[1])
        await rina.post(room, "daftar")
        await notice(rina, "tidak ada yang menunggu")
        assert bot.query("SELECT count(*) FROM inbox WHERE chat = ?", str(arisan.jid)) == [(0,)]
        assert not [received for received in joko.received if received.chat == arisan.jid]
    async with bot:
        # A new process knows its room.
        await bot.online()
        await rina.post(room, "status")
        await notice(rina, "hidup")


async def test_a_thumb_in_the_group_lets_a_draft_go_and_a_price_is_changed_there(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    rina, joko = await stranger(wa, name="Bu Rina"), await stranger(wa, name="Joko")
    room = await wa.group("Ruang Admin", [wa.owner, rina, joko])
    bot = make_bot(BALAS_MODE="approve", RUANG_ADMIN=str(room.jid))
    async with bot:
        await bot.pair()
        budi = await stranger(wa)
        await budi.send(QUESTION)
        draft = await notice(rina, "Draf untuk")
        await rina.post(room, contents.reaction("👍", to=draft))
        assert (await hears_text(budi)).startswith(COD)
        await rina.post(room, "harga IH20 285rb")
        shown = await notice(joko, "Rp275.000 per bulan → *Rp285.000 per bulan*")
        # Two admins answer at once.
        await joko.post(room, contents.reply("ya", to=shown))
        await rina.post(room, contents.reply("ya", to=await notice(rina, "Rp285.000")))
        await notice(rina, "Sudah kuubah")
        await bot.settled()
        assert "285000" in (bot.folder / "data" / "katalog.csv").read_text()
        assert bot.query("SELECT count(*) FROM outbox WHERE body LIKE '%Sudah kuubah%'") == [(1,)]
        # A stranger's words are a customer's.
        for words in ("batal", "harga IH20 1rb"):
            await taken(bot, await budi.send(words))
        await bot.settled()
        assert "285000" in (bot.folder / "data" / "katalog.csv").read_text()
        await wa.owner.post(room, "batal")
        await notice(rina, "seperti semula")
        assert "275000" in (bot.folder / "data" / "katalog.csv").read_text()
