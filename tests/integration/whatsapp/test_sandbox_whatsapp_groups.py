"""Groups and status posts, with the real neonize library."""

from __future__ import annotations

from sandbox.whatsapp import contents
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.program import Program


async def test_a_bot_answers_in_a_group_and_every_member_reads_it(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890", name="Budi")
    siti = await wa.customer("6285711112222", name="Siti")
    group = await wa.group("Ruang Admin", [budi, siti, wa.owner])
    message_id = await budi.post(group, "halo semua")
    heard = await siti.receive()
    assert (heard.text, heard.sender, heard.chat) == ("halo semua", budi.user.lid, group.jid)
    for phone in (budi, siti):
        answer = await phone.receive()
        assert (answer.text, answer.chat) == ("echo: halo semua", group.jid)
        assert answer.sender == next(iter(wa.network.companions.values())).lid
    assert [(await wa.owner.receive()).text, (await wa.owner.receive()).text] == [
        "halo semua",
        "echo: halo semua",
    ]
    # The second message finds the keys known on both sides.
    await siti.post(group, contents.reply("membalas", to=answer))
    assert (await siti.receive()).text == "echo: membalas"
    await wa.until(lambda: budi.receipts[message_id].delivered == {1})
    assert not wa.network.unknown


async def test_the_owners_post_in_a_group_is_known_as_the_shops_own(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    group = await wa.group("Ruang Admin", [wa.owner, budi])
    message_id = await wa.owner.post(group, "bot on")
    # neonize tells of the stanza twice: of the group's key, which comes first, without any text.
    keys, told = await bot.expect("message"), await bot.expect("message")
    assert (keys["id"], keys["text"]) == (message_id, "")
    assert (told["id"], told["text"], told["from_me"]) == (message_id, "bot on", True)


async def test_a_group_message_that_can_not_be_decrypted_is_asked_for_again(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890")
    group = await wa.group("Arisan", [budi, wa.owner])
    await budi.post(group, "satu")
    await budi.receive()
    message_id = await budi.post(group, "dua", damaged=True)
    assert (await budi.receive()).text == "echo: dua"
    assert budi.receipts[message_id].retries == 1
    await budi.post(group, "tiga")
    assert (await budi.receive()).text == "echo: tiga"


async def test_a_member_that_lost_its_keys_asks_for_the_answer_again(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890")
    group = await wa.group("Arisan", [budi, wa.owner])
    await budi.post(group, "satu")
    await budi.receive()
    await budi.post(group, "dua")
    budi.forget_sessions()
    answer = await budi.receive()
    assert (answer.text, answer.chat) == ("echo: dua", group.jid)


async def test_a_status_post_reaches_the_bot_as_one(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    message_id = await budi.post(wa.status, contents.location(-6.2, 106.8, "Monas"))
    told = await bot.expect("message")
    assert told["id"] == message_id
