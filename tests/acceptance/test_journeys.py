"""What customers and the owner live through, from the first hello to an answer that the owner taught.

Every test starts the real process, by the same command as people do.
"""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable

from tests.acceptance.shop import OWNER, PATIENCE_S, PROJECT, Bot, Shop

UNKNOWN = "ada layanan katering pernikahan kak?"
ANSWER = "Ada Kak, kateringnya lewat Dapur Ratih, mulai Rp85.000 per porsi."


def test_a_newcomer_is_greeted_told_a_price_and_promised_a_person(shop: Shop) -> None:
    done = shop.chat("halo", "IH20 berapa kak?", "ada layanan katering pernikahan kak?", "makasih")
    assert done.returncode == 0, done.stderr
    shown = done.stdout
    asked = [shown.index(f"\nbudi: {text}") for text in ("halo", "IH20", "ada layanan", "makasih")]
    greeting, price, unknown, thanks = (
        shown[start:end] for start, end in zip(asked, [*asked[1:], None], strict=True)
    )
    assert "Pelita Net" in greeting
    assert "Rp275.000" in price
    assert "uteruskan" in unknown
    assert f"[{OWNER} #" in unknown
    assert "ada layanan katering pernikahan kak?" in unknown.split(f"[{OWNER} #")[1]
    assert "🙏" in thanks
    # The notice about stored chats rides on the first answer and on no other.
    assert greeting.count("*privasi*") == shown.count("*privasi*") == 1


def test_what_the_owner_answers_reaches_the_customer_and_is_known_to_the_next_one(shop: Shop) -> None:
    with shop.bot(WATCH_KNOWLEDGE="true") as bot:
        promise = bot.ask("budi", UNKNOWN)
        assert "uteruskan" in promise
        assert "85.000" not in promise
        notice = bot.told_owner(UNKNOWN)
        bot.say(OWNER, ANSWER, quote=notice["id"])
        assert bot.expect(to="budi", text=ANSWER)
        bot.told_owner("Terkirim ke Budi")
        offer = bot.told_owner("*ya*")
        # Worded for everybody, as a customer alone would not have asked.
        assert "Ada layanan katering pernikahan?" in offer["text"]
        assert ANSWER in offer["text"]
        bot.say(OWNER, "ya", quote=offer["id"])
        bot.told_owner("Tersimpan")
        assert ANSWER in (shop.data / "faq_belajar.json").read_text()
        # The folder is watched: nobody runs a command to publish what was learnt.
        deadline = time.monotonic() + PATIENCE_S
        answers: list[str] = []
        while not any("Rp85.000" in answer for answer in answers):
            assert time.monotonic() < deadline, answers
            answers.append(bot.ask(f"ani{len(answers)}", UNKNOWN))
        assert bot.stop() == 0


def test_a_bare_yes_to_the_offer_is_enough_and_a_second_answer_is_not_sent(shop: Shop) -> None:
    with shop.bot() as bot:
        bot.ask("budi", UNKNOWN)
        notice = bot.told_owner(UNKNOWN)
        bot.say(OWNER, ANSWER, quote=notice["id"])
        bot.told_owner("*ya*")
        bot.say(OWNER, "ya")
        bot.told_owner("Tersimpan")
        bot.say(OWNER, "Ralat: tidak bisa.", quote=notice["id"])
        bot.told_owner("sudah dijawab")
        bot.say(OWNER, "daftar")
        bot.told_owner("Semua sudah terjawab")
        to_customer = [
            event["text"] for event in bot.events() if event.get("to") == "budi" and "text" in event
        ]
        assert to_customer[1:] == [ANSWER]


def test_what_a_customer_told_is_remembered_across_a_restart(shop: Shop) -> None:
    with shop.bot() as bot:
        bot.ask("wulan", "Halo kak, aku Wulan dari Jogonalan. Di rumah ada 5 HP, cocoknya paket apa?")
        assert bot.stop() == 0
    with shop.bot() as bot:
        assert "Jogonalan" in bot.ask("wulan", "eh tadi aku bilang rumahku di mana ya kak?")


def test_two_customers_never_hear_of_each_other(shop: Shop) -> None:
    with shop.bot() as bot:
        bot.ask("wulan", "Halo kak, aku Wulan dari Jogonalan. Di rumah ada 5 HP, cocoknya paket apa?")
        bot.ask("sari", "Halo kak, aku Sari dari Kebonarum. Di rumah ada 9 HP, cocoknya paket apa?")
        own = bot.ask("sari", "eh tadi aku bilang rumahku di mana ya kak?")
        stranger = bot.ask("joko", "eh tadi aku bilang rumahku di mana ya kak?")
        assert "Kebonarum" in own
        for other, text in (
            ("Jogonalan", own),
            ("Jogonalan", stranger),
            ("Wulan", stranger),
            ("Sari", stranger),
        ):
            assert other not in text


def test_a_stop_lets_the_answers_under_way_go_out(shop: Shop, slow_model: Callable[[float], None]) -> None:
    slow_model(1.0)
    with shop.bot() as bot:
        asked = [bot.say(f"orang{n}", "IH20 berapa kak?") for n in range(5)]
        for n in range(5):
            bot.expect(type="typing", to=f"orang{n}")
        assert bot.stop() == 0
        answered = {message for event in bot.events() for message in event.get("answers", ())}
        assert answered == set(asked)


def test_what_a_kill_leaves_unanswered_is_answered_after_the_restart(
    shop: Shop, slow_model: Callable[[float], None]
) -> None:
    slow_model(0.7)
    with shop.bot() as bot:
        asked = bot.say("budi", "IH20 berapa kak?")
        bot.process.kill()
        bot.process.wait()
        assert not any(asked in event.get("answers", ()) for event in bot.events())
    with shop.bot() as bot:
        assert "Rp275.000" in bot.expect(lambda event: asked in event.get("answers", ()))["text"]


def test_the_end_of_the_input_answers_everything_and_ends_the_bot(shop: Shop) -> None:
    with shop.bot() as bot:
        asked = [bot.say("budi", text) for text in ("IH20 berapa kak?", "kalau yang 50?")]
        assert bot.end_input() == 0
        answered = [message for event in bot.events() for message in event.get("answers", ())]
        assert sorted(answered) == sorted(asked)


def test_the_same_event_twice_is_answered_once(shop: Shop) -> None:
    line = json.dumps({"id": "satu", "from": "budi", "text": "IH20 berapa kak?"})
    with shop.bot() as bot:
        bot.write(line)
        bot.expect(lambda event: "satu" in event.get("answers", ()))
        bot.write(line)
        bot.expect(type="recorded", id="satu", outcome="duplicate")
        assert bot.stop() == 0
        assert sum("satu" in event.get("answers", ()) for event in bot.events()) == 1


def test_the_form_for_programs_tells_every_step_with_ids(shop: Shop) -> None:
    with shop.bot() as bot:
        bot.write('{"id": "m1", "from": "budi", "text": "IH20 berapa kak?", "name": "Budi Santoso"}')
        answer = bot.expect(type="text", to="budi")
        bot.write('{"id": "m2", "from": "budi", "text": "makasih"}')
        reaction = bot.expect(type="reaction", to="budi")
        bot.write("bukan json")
        assert "not JSON" in bot.expect(type="error")["text"]
        assert bot.stop() == 0
        kinds = [event["type"] for event in bot.events()]
    assert answer["answers"] == ["m1"]
    assert answer["id"].isdigit()
    assert reaction["quote"] == "m2"
    assert kinds.index("ready") < kinds.index("recorded") < kinds.index("typing") < kinds.index("text")


def other_shop(bare_shop: Callable[..., Shop]) -> Shop:
    """A cake shop that has nothing in common with the sample, written as an owner would."""
    shop = bare_shop(SHOP_NAME="")
    (shop.data / "toko.toml").write_text('nama = "Dapur Ratih"\nsapaan = "Bun"\n')
    (shop.data / "katalog.csv").write_text(
        "Kode;Nama;Harga;Satuan;Stok;Keterangan\n"
        "BROWN;Brownies Panggang;Rp68.000;loyang;12;Cokelat pekat tanpa pengawet\n"
        "LAPIS;Lapis Legit Spesial;425.000;loyang;habis;Resep nenek dengan dua puluh lapis\n"
        'NASTAR;Nastar Keju;"Rp 95.000,-";toples;30;Isi selai nanas buatan sendiri\n'
    )
    (shop.data / "faq_data.json").write_text(
        json.dumps(
            [
                {
                    "pertanyaan": "Berapa lama kue tahan disimpan?",
                    "jawaban": "Di kulkas tahan 5 hari, di suhu ruang 2 hari ya Bun.",
                }
            ]
        )
    )
    return shop


def test_another_shop_answers_from_its_own_catalogue_and_nothing_else(bare_shop: Callable[..., Shop]) -> None:
    shop = other_shop(bare_shop)
    done = shop.read_knowledge()
    assert done.returncode == 0, done.stderr
    with shop.bot() as bot:
        assert "Dapur Ratih" in bot.ask("rina", "halo")
        assert "Rp68.000" in bot.ask("rina", "brownies panggang berapa ya?")
        assert "Rp95.000" in bot.ask("rina", "harga nastar keju berapa")
        assert "5 hari" in bot.ask("rina", "kuenya tahan berapa lama kalau disimpan?")
        unknown = bot.ask("rina", "IH20 berapa kak?")
        assert "275.000" not in unknown
        assert "uteruskan" in unknown
        said = [event.get("text", "") for event in bot.events()]
    assert not any("Pelita" in text or "Kak" in text.split() for text in said)


def test_a_price_changed_in_the_catalogue_is_the_price_that_is_told(shop: Shop) -> None:
    with shop.bot(WATCH_KNOWLEDGE="true") as bot:
        assert "Rp275.000" in bot.ask("budi", "IH20 berapa kak?")
        catalogue = shop.data / "katalog.csv"
        catalogue.write_text(catalogue.read_text().replace(",275000,", ",289000,"))
        wait_for_answer(bot, "IH20 berapa kak?", "Rp289.000")


def wait_for_answer(bot: Bot, question: str, containing: str) -> None:
    """Ask as ever new customers until the answer has the words."""
    deadline = time.monotonic() + PATIENCE_S
    asked = 0
    while containing not in bot.ask(f"tamu{asked}", question):
        assert time.monotonic() < deadline, f"{containing} never came"
        asked += 1


def test_an_open_question_is_listed_and_answered_from_the_command_line(shop: Shop) -> None:
    with shop.bot() as bot:
        bot.ask("budi", UNKNOWN, name="Budi Santoso")
        listed = shop.run("-m", "bot.handoffs")
        assert listed.returncode == 0, listed.stderr
        assert UNKNOWN in listed.stdout
        assert "Budi Santoso" in listed.stdout
        number = listed.stdout.split("#")[1].split()[0]
        sent = shop.run("-m", "bot.handoffs", "--answer", number, ANSWER)
        assert (sent.returncode, sent.stderr) == (0, "")
        assert bot.expect(to="budi", text=ANSWER)
        # As after quoting the notice: the answer is offered as knowledge.
        bot.told_owner("*ya*")
        again = shop.run("-m", "bot.handoffs", "--answer", number, ANSWER)
        assert again.returncode == 1
        assert "sudah dijawab" in again.stderr
    assert "tidak ada yang menunggu" in shop.run("-m", "bot.handoffs").stdout


def test_a_person_at_a_terminal_chats_sees_who_is_typing_and_leaves_with_ctrl_d(shop: Shop) -> None:
    keyboard, terminal = pty.openpty()
    with shop.log.open("a") as log:
        bot = subprocess.Popen(
            [sys.executable, PROJECT / "run_bot.py", "--channel", "terminal"],
            cwd=shop.folder,
            env=shop.environment(TERM="xterm", COLUMNS="80", LINES="40"),
            stdin=terminal,
            stdout=terminal,
            stderr=log,
            start_new_session=True,
        )
    os.close(terminal)
    try:
        read_until(keyboard, "Ctrl-D     selesai")
        os.write(keyboard, b"IH20 berapa kak?\r")
        read_until(keyboard, "Rp275.000")
        os.write(keyboard, b"/as ani\r")
        read_until(keyboard, "ani ▸")
        os.write(keyboard, b"halo\r")
        read_until(keyboard, "Halo Kak")
        leave(keyboard, bot)
        assert bot.returncode == 0
    finally:
        bot.kill()
        bot.wait()
        os.close(keyboard)


def leave(keyboard: int, bot: subprocess.Popen[bytes]) -> None:
    """Press Ctrl-D until the chat ends: a key pressed in the instant of a redraw can get lost."""
    deadline = time.monotonic() + PATIENCE_S
    while bot.poll() is None:
        assert time.monotonic() < deadline, "the chat does not end"
        with contextlib.suppress(OSError):  # The other end is closed: that is the end of the output.
            os.write(keyboard, b"\x04")
            # Whoever draws on a terminal waits when nobody reads from it.
            while select.select([keyboard], [], [], 1.0)[0] and os.read(keyboard, 4096):
                pass


def read_until(keyboard: int, words: str) -> None:
    """Read what is drawn until the words stand there, whatever is drawn around them."""
    seen = b""
    deadline = time.monotonic() + PATIENCE_S
    while words not in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", seen.decode("utf-8", "ignore")):
        assert time.monotonic() < deadline, seen
        if select.select([keyboard], [], [], 0.2)[0]:
            seen += os.read(keyboard, 4096)
