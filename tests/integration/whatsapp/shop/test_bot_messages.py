"""Customers write, the bot answers: what every day is made of."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.whatsapp import contents
from sandbox.whatsapp.binary import Node
from sandbox.whatsapp.customer import Addressing, Customer
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.shop.echo_model import question
from tests.integration.whatsapp.shop.people import ask, heard, hears, hears_text, stranger
from tests.whatsapp_bot import WhatsAppBot

pytestmark = pytest.mark.asyncio(loop_scope="module")

CROWD = 200


def customers_of(bot: WhatsAppBot, customer: Customer) -> set[int]:
    """Which customers the shop's books have under this person's addresses."""
    both = (customer.user.jid.user, customer.user.lid.user)
    return {row[0] for row in bot.query("SELECT customer_id FROM aliases WHERE user IN (?, ?)", *both)}


def recorded(bot: WhatsAppBot, message_id: str) -> int:
    return int(bot.query("SELECT count(*) FROM inbox WHERE message_id = ?", message_id)[0][0])


async def passed_by(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    """Whatever was sent before is through: events come in order, and a later one is answered."""
    somebody = await stranger(wa)
    await hears(somebody, await ask(somebody))
    await bot.settled()


async def test_a_question_is_answered_and_the_bot_introduces_itself_once(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)
    await budi.send("halo")
    first = await hears_text(budi)
    assert first.startswith("Halo Kak, selamat datang di Toko Uji.")
    assert "asisten otomatis" in first
    code = await ask(budi)
    second = await hears_text(budi)
    assert heard(budi) == [code]
    assert "asisten otomatis" not in second


async def test_emoji_and_line_breaks_arrive_as_they_were_written(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa, name="Budi 🐓")
    code, text = question()
    message_id = await budi.send(f"🙏🏽 misi kak 👨‍👩‍👧\n{text}\n🇮🇩")
    await hears(budi, code)
    await bot.settled()
    asked = bot.query("SELECT asked FROM turns ORDER BY id DESC LIMIT 1")[0][0]
    assert asked == f"🙏🏽 misi kak 👨‍👩‍👧\n{text}\n🇮🇩"
    assert bot.query("SELECT name FROM customers ORDER BY id DESC LIMIT 1") == [("Budi 🐓",)]
    assert recorded(bot, message_id) == 1


async def test_a_very_long_text_gets_an_answer_too(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await stranger(wa)
    await budi.send("bisa cod ga kak? " * 4000)
    assert "panjang" in await hears_text(budi)


async def test_each_of_200_customers_at_once_gets_his_own_answers_in_order(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    crowd = [await stranger(wa, name=f"Orang {number}") for number in range(CROWD)]
    asked = [[await ask(customer), await ask(customer)] for customer in crowd]
    await asyncio.gather(*(hears(customer, *codes) for customer, codes in zip(crowd, asked, strict=True)))
    await bot.settled()
    assert [heard(customer) for customer in crowd] == asked


async def test_a_stanza_delivered_three_times_is_answered_once(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await stranger(wa)
    codes = [await ask(budi, copies=3), await ask(budi)]
    await hears(budi, *codes)
    await passed_by(wa, bot)
    assert heard(budi) == codes


async def test_a_message_encrypted_anew_under_its_old_id_is_answered_once(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)
    code, text = question()
    message_id = await budi.send(text)
    await hears(budi, code)
    await budi.send_again(message_id)
    later = await ask(budi)
    await hears(budi, later)
    await bot.settled()
    assert heard(budi) == [code, later]
    assert recorded(bot, message_id) == 1


async def test_a_message_that_could_not_be_decrypted_is_asked_for_again_and_answered(
    wa: WhatsAppServer, bot: WhatsAppBot
) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    code, text = question()
    message_id = await budi.send(text, damaged=True)
    await hears(budi, code)
    assert budi.receipts[message_id].retries >= 1


@pytest.mark.parametrize("first", [Addressing.LID_ONLY, Addressing.PHONE])
async def test_a_customer_seen_under_two_addresses_is_one_customer(
    wa: WhatsAppServer, bot: WhatsAppBot, first: Addressing
) -> None:
    budi = await stranger(wa, addressing=first)
    await hears(budi, await ask(budi))
    await bot.settled()
    only = customers_of(bot, budi)
    assert len(only) == 1
    budi.addressing = Addressing.LID
    await hears(budi, await ask(budi))
    await bot.settled()
    assert customers_of(bot, budi) == only
    known = bot.query("SELECT server FROM aliases WHERE customer_id = ? ORDER BY server", *only)
    assert known == [("lid",), ("s.whatsapp.net",)]


async def test_groups_and_status_are_neither_answered_nor_kept(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await stranger(wa)
    group = await wa.group("Tetangga", [budi, wa.owner])
    ids = [await budi.post(chat, question()[1]) for chat in (group, wa.status)]
    await passed_by(wa, bot)
    assert budi.received == []
    assert [recorded(bot, message_id) for message_id in ids] == [0, 0]
    # Confirmed all the same, or WhatsApp would bring them again and again.
    await bot.wait_until(
        lambda: not any(companion.pending for companion in wa.network.companions.values()), "confirmations"
    )


async def test_receipts_are_no_messages(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await stranger(wa)
    code = await ask(budi)
    await hears(budi, code)
    rows = bot.query("SELECT count(*) FROM inbox")
    await budi.read(budi.received[-1])
    await budi.type()
    await passed_by(wa, bot)
    assert bot.query("SELECT count(*) - 1 FROM inbox") == rows
    assert heard(budi) == [code]


async def test_thanks_get_a_reaction_on_the_message_itself(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await stranger(wa)
    message_id = await budi.send("makasih kak")
    received = await budi.receive()
    assert (received.kind, received.text, received.about) == ("reaction", "🙏", message_id)
    await bot.settled()
    assert len(budi.received) == 1


async def test_a_reply_carries_what_it_refers_to(wa: WhatsAppServer, bot: WhatsAppBot) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    answer = budi.received[-1]
    code, text = question()
    await budi.send(contents.reply(text, to=answer))
    await hears(budi, code)


async def test_messages_are_shown_as_read_right_before_their_answer_and_not_otherwise(
    wa: WhatsAppServer, bot: WhatsAppBot, stanzas: list[Node]
) -> None:
    budi, siti = await stranger(wa), await stranger(wa, name="Siti")
    code, text = question()
    message_id = await budi.send(text)
    # A chat that the owner took over: the bot is silent there, and has read nothing either.
    await wa.owner.send(siti, "Halo Siti, ini pemilik toko. Pesanannya jadi yang mana?")
    unanswered = await siti.send("yang merah saja ya kak, dua")
    await hears(budi, code)
    await passed_by(wa, bot)
    told = [
        (node.tag, node.text("type"), node.text("id"))
        for node in stanzas
        if node.address("to") in (budi.user.lid, budi.user.jid) and node.tag in ("receipt", "message")
    ]
    delivered, read, answer = told
    # "inactive": nobody sits at this device, so the owner's phone goes on ringing.
    assert delivered == ("receipt", "inactive", message_id)
    assert read == ("receipt", "read", message_id)
    assert answer[0] == "message"
    assert budi.typed == 1
    assert not budi.typing
    assert siti.receipts[unanswered].delivered
    assert not siti.receipts[unanswered].read
    assert len(siti.received) == 1


async def test_the_bot_is_never_shown_as_online(
    wa: WhatsAppServer, bot: WhatsAppBot, stanzas: list[Node]
) -> None:
    budi = await stranger(wa)
    await hears(budi, await ask(budi))
    await bot.stop()
    # A login is when libraries show themselves.
    await bot.start()
    await bot.online()
    await hears(budi, await ask(budi))
    assert [node.text("type") for node in stanzas if node.tag == "presence"] == ["unavailable"]
    delivered = [
        node.text("type") for node in stanzas if node.tag == "receipt" and node.address("to") == budi.jid
    ]
    assert delivered == ["inactive", "read"] * 2
