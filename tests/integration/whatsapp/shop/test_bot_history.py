"""What the shop's phone tells of the time before the pairing: who is known, and who waits."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.protos import E2E
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.conftest import MakeBot
from tests.integration.whatsapp.shop.echo_model import question
from tests.integration.whatsapp.shop.people import ask, hears, hears_text, stranger, taken
from tests.integration.whatsapp.shop.test_bot_room import notice
from tests.whatsapp_bot import ACCOUNT, WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOM = "081377770009"
HOUR_S = 3600.0


async def owner(wa: WhatsAppServer) -> Customer:
    return await wa.customer("62" + ROOM[1:], name="Bu Rina")


def folder(bot: WhatsAppBot) -> Path:
    return bot.state / f"{ACCOUNT}-history"


def phone_remembers(wa: WhatsAppServer, budi: Customer, siti: Customer, dewi: Customer) -> None:
    """Budi waits for an answer, Siti has hers, and what Dewi asked is long ago."""
    wa.owner.remembered.clear()
    wa.owner.remember(budi, "min, yang kemarin jadi dikirim?", ago_s=3 * HOUR_S)
    wa.owner.remember(siti, "bisa cod?", ago_s=5 * HOUR_S)
    wa.owner.remember(siti, "Bisa Kak", ago_s=4 * HOUR_S, by_shop=True)
    wa.owner.remember(dewi, "halo?", ago_s=30 * 24 * HOUR_S)


async def test_who_waits_is_listed_once_and_nobody_from_before_is_answered_or_introduced(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    budi, siti, dewi = [await stranger(wa, name=name) for name in ("Budi", "Siti", "Dewi")]
    rina = await owner(wa)
    phone_remembers(wa, budi, siti, dewi)
    bot = make_bot(RUANG_ADMIN=ROOM, HISTORY_DAYS="0")
    async with bot:
        await bot.pair()
        await bot.wait_until(lambda: bot.query("SELECT count(*) FROM past_chats") == [(3,)], "the past")
        # The phone could go on telling; the list waits until it is silent.
        listed = await hears_text(rina)
        assert "1 chat belum dibalas" in listed
        assert "3 jam lalu" in listed
        assert budi.user.jid.user[-2:] in listed
        # An old customer knows what the shop is.
        code = await ask(siti)
        await hears(siti, code)
        assert "asisten otomatis" not in siti.received[-1].text
        new = await stranger(wa, name="Baru")
        await hears(new, await ask(new))
        assert any("asisten otomatis" in received.text for received in new.received)
        await bot.settled()
        assert budi.received == dewi.received == []
        assert not folder(bot).exists()
    wa.owner.remembered.clear()
    async with bot:
        await bot.online()
        await hears(siti, await ask(siti))
    assert sum("belum dibalas" in received.text for received in rina.received) == 1


async def test_words_from_before_are_kept_where_the_owner_says_so_and_for_his_eyes_only(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    budi, siti, dewi = [await stranger(wa, name=name) for name in ("Budi", "Siti", "Dewi")]
    phone_remembers(wa, budi, siti, dewi)
    bot = make_bot(HISTORY_DAYS="30")
    async with bot:
        await bot.pair()
        await bot.wait_until(lambda: len(list(folder(bot).glob("*.chat"))) == 3, "files")
        kept = list(folder(bot).glob("*.chat"))
        assert stat.S_IMODE(folder(bot).stat().st_mode) == 0o700
        assert {stat.S_IMODE(path.stat().st_mode) for path in kept} == {0o600}
        assert any(b"yang kemarin jadi dikirim?" in path.read_bytes() for path in kept)
        assert not any(budi.user.lid.user in path.name for path in kept)
    wa.owner.remembered.clear()
    # The owner changed his mind: the next start removes them.
    bot.settings["HISTORY_DAYS"] = "0"
    async with bot:
        await bot.online()
        await bot.wait_until(lambda: not list(folder(bot).glob("*")), "an empty folder")


async def test_what_was_asked_most_in_old_chats_is_offered_with_the_owners_own_answers(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    budi, siti, dewi = [await stranger(wa, name=name) for name in ("Budi", "Siti", "Dewi")]
    rina = await wa.customer("6281377770019", name="Bu Rina")
    wa.owner.remembered.clear()
    for customer, asked in (
        (budi, "halo min, garansi router brp lama?"),
        (siti, "garansi routernya berapa lama ya kak"),
        (dewi, "router garansi berapa lama?"),
    ):
        wa.owner.remember(customer, asked, ago_s=50 * HOUR_S)
        wa.owner.remember(customer, "Setahun Kak, sejak tanggal beli", ago_s=49 * HOUR_S, by_shop=True)
    for customer in (budi, siti):
        wa.owner.remember(customer, "bisa pasang di Solo?", ago_s=30 * HOUR_S)
        wa.owner.remember(customer, "Bisa Kak, Solo Raya", ago_s=29 * HOUR_S, by_shop=True)
        # Too long ago, and a price is the catalogue's affair.
        wa.owner.remember(customer, "buka hari Minggu?", ago_s=100 * 24 * HOUR_S)
        wa.owner.remember(customer, "Buka Kak, sampai siang", ago_s=100 * 24 * HOUR_S - 60, by_shop=True)
        wa.owner.remember(customer, "harga router berapa?", ago_s=9 * HOUR_S)
        wa.owner.remember(customer, "Rp350.000 Kak", ago_s=8 * HOUR_S, by_shop=True)
    bot = make_bot(RUANG_ADMIN="081377770019")
    async with bot:
        await bot.pair()
        # The phone could go on telling; the question waits until it is silent.
        asked = await notice(rina, "Boleh kubaca chat lama?")
        assert not [received for received in rina.received if "💡" in received.text]
        # What a customer says is nobody's leave.
        await taken(bot, await budi.send("ya semua"))
        await bot.settled()
        await rina.send(contents.reply("ya", to=asked))
        first = await notice(rina, "1/2*, ditanya 3 pelanggan")
        assert "Setahun Kak, sejak tanggal beli" in first.text
        assert "Bisa Kak, Solo Raya" in (await notice(rina, "2/2*, ditanya 2 pelanggan")).text
        await notice(rina, "ya semua")
        learnt = bot.folder / "data" / "faq_belajar.json"
        assert not learnt.exists()
        await bot.settled()
        await rina.send(contents.reaction("👍", to=first))
        await notice(rina, "Tersimpan")
        assert [entry["answer"] for entry in json.loads(learnt.read_text())] == [
            "Setahun Kak, sejak tanggal beli"
        ]
        await rina.send("ya semua")
        await notice(rina, "1 jawaban kuingat")
        assert [entry["answer"] for entry in json.loads(learnt.read_text())] == [
            "Setahun Kak, sejak tanggal beli",
            "Bisa Kak, Solo Raya",
        ]
    wa.owner.remembered.clear()


async def test_a_message_that_is_dated_before_the_pairing_is_kept_and_not_answered(
    wa: WhatsAppServer, make_bot: MakeBot
) -> None:
    budi = await stranger(wa)
    bot = make_bot()
    async with bot:
        await bot.pair()
        _, text = question()
        message_id = await budi.send_dated(E2E.Message(conversation=text), int(time.time()) - 600)
        await taken(bot, message_id)
        await hears(budi, await ask(budi))
        await bot.settled()
        assert len(budi.received) == 1
        asked = [row[0] for row in bot.query("SELECT asked FROM turns ORDER BY id")]
        assert asked[0] == text
