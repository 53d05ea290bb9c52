"""The real neonize library against the sandbox's WhatsApp server: what a bot lives through in a day."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from sandbox.whatsapp import contents
from sandbox.whatsapp.adv import PairingRefused
from sandbox.whatsapp.customer import Addressing
from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.conftest import link
from tests.integration.whatsapp.program import DEADLINE_S, ECHO_BOT, Program

PROJECT = Path(__file__).resolve().parents[3]


async def test_a_customer_gets_an_answer_from_a_bot_that_was_linked_by_its_qr_code(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890", name="Budi")
    message_id = await budi.send("halo")
    answer = await budi.receive()
    assert (answer.kind, answer.text) == ("text", "echo: halo")
    assert answer.sender.device == 1
    heard = await bot.expect("message")
    assert (heard["id"], heard["name"], heard["from_me"]) == (message_id, "Budi", False)
    assert budi.receipts[message_id].read == {1}
    assert budi.typed == 1
    (device,) = wa.network.companions.values()
    await wa.until(lambda: not device.pending)
    # Every query and stanza of the library was understood.
    assert not wa.network.unknown


async def test_a_code_that_the_server_did_not_give_is_refused(wa: WhatsAppServer, state: Path) -> None:
    async with Program(wa.environment, state) as program:
        code = (await program.expect("qr"))["text"]
        with pytest.raises(PairingRefused, match="nothing of this code"):
            await wa.owner.scan(code.replace("2@", "2@x", 1))


async def test_the_launcher_starts_a_script_that_reaches_the_server(wa: WhatsAppServer, state: Path) -> None:
    command = [sys.executable, "-m", "sandbox.whatsapp.launch", "--port", str(wa.port), "--"]
    process = await asyncio.create_subprocess_exec(
        *[*command, str(ECHO_BOT), str(state)],
        cwd=PROJECT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        while b'"qr"' not in await process.stdout.readline():
            assert process.returncode is None
    process.stdin.close()
    assert await asyncio.wait_for(process.wait(), DEADLINE_S) == 0


async def test_a_pairing_without_codes_times_out_at_once(wa: WhatsAppServer, state: Path) -> None:
    wa.offer_codes(0)
    async with Program(wa.environment, state) as program:
        await program.expect("login status")
        assert program.all("login status") == [{"event": "login status", "text": "timeout"}]


async def test_a_bot_is_linked_by_a_code_that_is_typed_into_the_phone(
    wa: WhatsAppServer, state: Path
) -> None:
    async with Program(wa.environment, state, wa.owner.jid.user) as program:
        code = (await program.expect("code"))["text"]
        wrong = "1" * 8 if code[0] != "1" else "2" * 8
        with pytest.raises(PairingRefused):
            await wa.owner.enter_code(wrong)
        await wa.owner.enter_code(code)
        await wa.online()
        budi = await wa.customer("6281234567890")
        await budi.send("halo")
        assert (await budi.receive()).text == "echo: halo"


@pytest.mark.parametrize("addressing", list(Addressing))
async def test_a_customer_is_answered_whatever_address_the_shop_sees(
    wa: WhatsAppServer, bot: Program, addressing: Addressing
) -> None:
    siti = await wa.customer("6285711112222", name="Siti", lid=addressing)
    await siti.send("pagi")
    assert (await siti.receive()).text == "echo: pagi"
    siti.reveal_phone()
    await siti.send("siang")
    assert (await siti.receive()).text == "echo: siang"


async def test_the_bot_comes_back_without_a_new_code_and_gets_what_was_sent_meanwhile(
    wa: WhatsAppServer, state: Path
) -> None:
    budi = await wa.customer("6281234567890")
    async with Program(wa.environment, state) as first:
        await link(wa, first)
        await budi.send("satu")
        assert (await budi.receive()).text == "echo: satu"
    await wa.offline()
    for words in ("dua", "tiga", "empat"):
        await budi.send(words)
    async with Program(wa.environment, state) as second:
        answers = [(await budi.receive()).text for _ in range(3)]
        assert sorted(answers) == ["echo: dua", "echo: empat", "echo: tiga"]
        assert [told["text"] for told in second.all("message")] == ["dua", "tiga", "empat"]
        assert not second.all("qr")
        await budi.send("lima")
        assert (await budi.receive()).text == "echo: lima"


async def test_the_bot_survives_a_broken_connection(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    await wa.drop()
    await bot.expect("disconnected")
    await wa.online()
    await budi.send("masih di sana?")
    assert (await budi.receive()).text == "echo: masih di sana?"


async def test_the_bot_survives_a_network_that_is_down(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    await wa.stop()
    await budi.send("ada?")
    await bot.expect("disconnected")
    await wa.start()
    assert (await budi.receive(timeout_s=30)).text == "echo: ada?"


async def test_what_the_bot_did_not_confirm_comes_again_after_the_connection_breaks(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890")
    wa.freeze()
    await budi.send("hilang di jalan")
    await wa.drop()
    wa.thaw()
    assert (await budi.receive(timeout_s=30)).text == "echo: hilang di jalan"
    assert len(bot.all("message")) == 1


async def test_a_stanza_that_comes_twice_is_shown_once(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    await budi.send("satu", copies=3)
    await budi.send("dua")
    assert sorted([(await budi.receive()).text, (await budi.receive()).text]) == ["echo: dua", "echo: satu"]
    assert [told["text"] for told in bot.all("message")] == ["satu", "dua"]


async def test_a_message_encrypted_anew_under_its_id_is_shown_twice(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    message_id = await budi.send("satu")
    await budi.receive()
    await budi.send_again(message_id)
    await budi.receive()
    assert [told["id"] for told in bot.all("message")] == [message_id, message_id]


async def test_a_message_that_the_bot_can_not_decrypt_is_asked_for_again(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890")
    await budi.send("kenalan dulu")
    await budi.receive()
    message_id = await budi.send("rusak di jalan", damaged=True)
    assert (await budi.receive()).text == "echo: rusak di jalan"
    assert budi.receipts[message_id].retries == 1


async def test_a_phone_that_lost_its_sessions_asks_for_the_answer_again(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890")
    await budi.send("satu")
    await budi.receive()
    # Forgotten after the message is on its way, so it is the answer that can't be read.
    await budi.send("dua")
    budi.forget_sessions()
    answer = await budi.receive()
    assert answer.text == "echo: dua"
    assert budi.undecryptable == {answer.id: 2}


async def test_the_owners_own_message_and_the_bots_are_known_to_both(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890")
    await budi.send("halo")
    await budi.receive()
    assert [(await wa.owner.receive()).text, (await wa.owner.receive()).text] == ["halo", "echo: halo"]
    message_id = await wa.owner.send(budi, "saya sendiri yang jawab")
    assert (await budi.receive()).text == "saya sendiri yang jawab"
    await bot.expect("message")
    copied = await bot.expect("message")
    assert (copied["id"], copied["from_me"], copied["text"]) == (message_id, True, "saya sendiri yang jawab")


async def test_a_bot_that_is_removed_on_the_phone_is_logged_out(wa: WhatsAppServer, bot: Program) -> None:
    await wa.owner.logout_companion()
    await bot.expect("logged out")


async def test_a_login_that_is_refused_for_good_logs_the_bot_out(wa: WhatsAppServer, bot: Program) -> None:
    wa.refuse(401)
    await wa.drop()
    await bot.expect("logged out")


async def test_a_server_that_is_busy_is_tried_again(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    wa.refuse(503)
    await wa.drop()
    await wa.online()
    await budi.send("halo")
    assert (await budi.receive()).text == "echo: halo"


async def test_a_server_that_closes_for_a_while_is_tried_again(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    wa.stream_error(503)
    await wa.offline()
    await wa.online()
    await budi.send("halo")
    assert (await budi.receive()).text == "echo: halo"


async def test_a_frozen_network_delivers_once_it_thaws(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    wa.freeze()
    await budi.send("halo")
    with pytest.raises(TimeoutError):
        await budi.receive(timeout_s=0.5)
    wa.thaw()
    assert (await budi.receive()).text == "echo: halo"


async def test_a_message_that_the_server_turns_down_is_not_delivered(
    wa: WhatsAppServer, bot: Program
) -> None:
    budi = await wa.customer("6281234567890")
    wa.nack(463)
    await budi.send("satu")
    assert "463" in (await bot.expect("not sent"))["error"]
    await budi.send("dua")
    assert (await budi.receive()).text == "echo: dua"
    assert [received.text for received in budi.received] == ["echo: dua"]


async def test_a_message_is_delivered_though_the_bot_is_never_told(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    wa.swallow_acks()
    await budi.send("satu")
    assert (await budi.receive()).text == "echo: satu"
    assert not bot.all("sent")


async def test_another_device_in_its_place_silences_the_bot(wa: WhatsAppServer, bot: Program) -> None:
    wa.conflict("replaced")
    await wa.offline()


async def test_pictures_and_documents_come_back_whole(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "orange").save(picture, "PNG")
    await budi.send_file("image", picture.getvalue(), mime="image/png", caption="ini kak")
    answer = await budi.receive()
    assert (answer.kind, answer.text) == ("image", "kembali")
    assert budi.open_file(answer) == picture.getvalue()
    document = b"%PDF-1.4 struk" + bytes(200_000)
    await budi.send_file("document", document, mime="application/pdf", name="struk.pdf")
    answer = await budi.receive()
    assert answer.kind == "document"
    assert answer.message.documentMessage.fileName == "kembali.pdf"
    assert budi.open_file(answer) == document


async def test_the_bot_learns_the_accounts_name_and_can_show_itself_online(
    wa: WhatsAppServer, bot: Program
) -> None:
    (device,) = wa.network.companions.values()
    budi = await wa.customer("6281234567890")
    await budi.send("online?")
    await wa.until(lambda: device.is_available)


async def test_messages_of_every_kind_arrive(wa: WhatsAppServer, bot: Program) -> None:
    budi = await wa.customer("6281234567890")
    await budi.send("halo")
    answer = await budi.receive()
    sent = await budi.send(contents.reply("membalas", to=answer))
    assert (await budi.receive()).text == "echo: membalas"
    for message in (
        contents.location(-6.2, 106.8, "Monas"),
        contents.contact("Siti", "6285711112222"),
        contents.reaction("👍", to=answer),
        contents.edit(sent, "diganti", chat=answer.chat),
        contents.revocation(sent, chat=answer.chat),
    ):
        await budi.send(message)
    await budi.send("selesai")
    while (await bot.expect("message"))["text"] != "selesai":
        pass
    assert len(bot.all("message")) == 8
