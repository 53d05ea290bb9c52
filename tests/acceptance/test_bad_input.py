"""Whatever comes in or is missing: a message that says what to do, nothing lost, and never a traceback."""

from __future__ import annotations

import contextlib
import ctypes
import json
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pysqlite3
import pytest

from sandbox.ports import free_port
from tests.acceptance.shop import PATIENCE_S, PROJECT, Shop

MISCONFIGURED = 78


@pytest.fixture(autouse=True)
def nobody_sees_a_traceback(tmp_path: Path) -> Iterator[None]:
    """Of any process of the test: tracebacks are for programmers."""
    yield
    log = tmp_path / "log"
    assert not log.exists() or "Traceback" not in log.read_text()


# Messages of customers.


ODD_MESSAGES = {
    "10,000 characters": ("x" * 10_000, "satu-satu"),
    "10,200 characters that make sense": ("IH20 berapa kak? " * 600, "satu-satu"),
    "emoji only": ("🤔🤔🤔", ""),
    "right-to-left": ("كم سعر الباقة IH20؟", ""),
    "control characters": ("IH20 \x00\x07\x1bberapa\x7f kak?", "Rp275.000"),
    "bidirectional marks": ("IH20 \u202eberapa\u202c kak?", "Rp275.000"),
    "half of an emoji": ("IH20 berapa kak? \ud83d", "Rp275.000"),
}


NEXT = "berapa harga per bulan untuk paket dengan kode IH50 kak?"


def test_odd_messages_are_answered_and_so_is_the_next_one(shop: Shop) -> None:
    with shop.bot() as bot:
        for number, (what, (text, words)) in enumerate(ODD_MESSAGES.items()):
            answer = bot.ask(f"budi{number}", text)
            assert answer.strip(), what
            assert words in answer, what
            assert not any(char in answer for char in "\x00\x07\x1b\x7f\u202e"), what
            assert "Rp425.000" in bot.ask(f"budi{number}", NEXT), what
        assert bot.stop() == 0


def test_empty_messages_get_no_answer_and_stop_nobody(shop: Shop) -> None:
    with shop.bot() as bot:
        for text in ("", "   ", "\n", "\u200b\u202e"):
            bot.say("budi", text)
        assert "Rp275.000" in bot.ask("budi", "IH20 berapa kak?")
        assert bot.stop() == 0
        assert [event["type"] for event in bot.events() if event.get("to") == "budi"].count("text") == 1


def test_unknown_commands_show_what_can_be_typed(shop: Shop) -> None:
    done = shop.chat("/apa-ini", "/as", "/as nama dengan spasi", "/as owner", "terbang", "/as budi", "halo")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("! Ketik pesan sebagai pelanggan.") == 3
    # The owner's room lists its words; the customer is greeted.
    assert "*daftar*" in done.stdout
    assert "Pelita Net → budi: Halo" in done.stdout


def test_broken_lines_of_a_program_are_named_and_the_next_one_is_taken(shop: Shop) -> None:
    broken = [
        *("[]", "{", '{"id": "1"}', '{"id": 1, "from": "b", "text": "x"}'),
        '{"id": "1", "from": "", "text": ""}',
    ]
    good = json.dumps({"id": "baik", "from": "budi", "text": "halo"})
    done = shop.run(PROJECT / "run_bot.py", "--jsonl", stdin="\n".join(["", *broken, good, ""]))
    events = [json.loads(text) for text in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [event["type"] for event in events].count("error") == len(broken)
    assert any("baik" in event.get("answers", ()) for event in events)


# The knowledge folder.


def test_a_knowledge_folder_that_is_missing_is_named(bare_shop: Callable[..., Shop]) -> None:
    shop = bare_shop()
    shop.data.rmdir()
    read = shop.read_knowledge()
    assert read.returncode == 2
    assert str(shop.data) in read.stderr
    assert "buat" in read.stderr.lower()
    # The bot talks all the same; what it does not know goes to a person.
    with shop.bot(WATCH_KNOWLEDGE="true") as bot:
        assert "uteruskan" in bot.ask("budi", "IH20 berapa kak?")
        deadline = time.monotonic() + PATIENCE_S
        while "knowledge_folder_missing" not in shop.log.read_text():
            assert time.monotonic() < deadline, shop.log.read_text()
            time.sleep(0.05)
        assert bot.stop() == 0


def test_a_knowledge_folder_with_nothing_in_it_is_named(bare_shop: Callable[..., Shop]) -> None:
    shop = bare_shop()
    read = shop.read_knowledge()
    assert read.returncode == 2
    assert "kosong" in read.stderr.lower()
    with shop.bot() as bot:
        assert "uteruskan" in bot.ask("budi", "IH20 berapa kak?")


def test_a_knowledge_folder_that_cannot_be_read_is_named_and_the_old_knowledge_stays(shop: Shop) -> None:
    before = knowledge_rows(shop)
    shop.data.chmod(0)
    try:
        done = run_with_file_rights(shop, "-m", "rag.ingest", SHOP_NAME="Pelita Net")
    finally:
        shop.data.chmod(0o700)
    assert done.returncode == 2, done.stderr
    assert str(shop.data) in done.stderr
    assert "izin" in done.stderr
    assert knowledge_rows(shop) == before > 100


def run_with_file_rights(
    shop: Shop, *command: str | Path, **settings: str
) -> subprocess.CompletedProcess[str]:
    """A command whose files' rights count, as they do for every user but root."""
    with shop.log.open("a") as log:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=shop.folder,
            env=shop.environment(**settings),
            input="halo\n",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            preexec_fn=give_up_roots_rights_over_files,
        )
        log.write(done.stderr)
    return done


def give_up_roots_rights_over_files() -> None:
    """Root keeps its id but loses CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH at the exec that follows."""
    pr_capbset_drop = 24
    for capability in (1, 2):
        # Refused to everybody but root, who alone has them.
        ctypes.CDLL(None).prctl(pr_capbset_drop, capability, 0, 0, 0)


def knowledge_rows(shop: Shop) -> int:
    with contextlib.closing(pysqlite3.connect(shop.state / "balas.db")) as database:
        count: int = database.execute("SELECT count(*) FROM knowledge").fetchone()[0]
        return count


def test_every_bad_row_of_the_catalogue_is_named_and_the_good_ones_are_taken(
    bare_shop: Callable[..., Shop],
) -> None:
    shop = bare_shop()
    (shop.data / "katalog.csv").write_text(
        "kode,nama,harga\n"
        "A1,Kopi Susu,Rp 150rb\n"
        "A2,Teh Tarik,12000\n"
        "A2,Teh Manis,8000\n"
        "A3,Air Putih,\n"
        "A4,Jus Alpukat,-5000\n"
    )
    read = shop.read_knowledge()
    assert read.returncode == 0, read.stderr
    problems = [line for line in read.stderr.splitlines() if line.startswith("katalog.csv")]
    assert len(problems) == 4, read.stderr
    for number, word in ((2, "150000"), (4, "A2"), (5, "harga"), (6, "-5000")):
        assert any(f"{number}" in line and word in line for line in problems), (number, word, problems)
    with shop.bot() as bot:
        assert "Rp12.000" in bot.ask("budi", "teh tarik berapa kak?")
        assert "150" not in bot.ask("budi", "kopi susu berapa kak?")


def test_a_catalogue_without_a_needed_column_is_named_and_the_old_prices_stay(shop: Shop) -> None:
    catalogue = shop.data / "katalog.csv"
    catalogue.write_text(catalogue.read_text().replace("kode,nama,harga,", "kode,nama,biaya,", 1))
    read = shop.read_knowledge()
    assert "harga" in read.stderr
    assert "katalog.csv" in read.stderr
    with shop.bot() as bot:
        assert "Rp275.000" in bot.ask("budi", "IH20 berapa kak?")


# The model.


class Refusing(BaseHTTPRequestHandler):
    """What OpenAI says to a wrong key."""

    def do_GET(self) -> None:
        said = {
            "message": "Incorrect API key provided",
            "type": "invalid_request_error",
            "code": "invalid_api_key",
        }
        body = json.dumps({"error": said}).encode()
        self.send_response(401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """The test's output is for the test."""


@pytest.fixture
def refusing_model() -> Iterator[str]:
    """The address of an API that refuses every key."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def test_a_wrong_key_is_named_by_the_bot_and_by_the_reading(shop: Shop, refusing_model: str) -> None:
    done = shop.chat("halo", OPENAI_BASE_URL=refusing_model)
    assert done.returncode == MISCONFIGURED
    assert "OPENAI_API_KEY" in done.stderr
    assert "sk-uji" not in done.stderr
    (shop.data / "baru.md").write_text("# Parkir\n\nParkir gratis di depan toko untuk semua pelanggan.\n")
    before = knowledge_rows(shop)
    read = shop.read_knowledge(OPENAI_BASE_URL=refusing_model)
    assert read.returncode == 2
    assert "OPENAI_API_KEY" in read.stderr
    assert "pengetahuan yang lama tetap dipakai" in read.stderr
    assert knowledge_rows(shop) == before


@pytest.mark.parametrize("key", ["CHAT_MODEL", "EMBEDDING_MODEL"])
def test_an_unknown_model_is_named(shop: Shop, key: str) -> None:
    done = shop.chat("halo", **{key: "gpt-belum-ada"})
    assert done.returncode == MISCONFIGURED
    assert "gpt-belum-ada" in done.stderr
    assert key in done.stderr


def test_while_the_model_cannot_be_reached_customers_get_honest_answers(shop: Shop) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/v1"
    with shop.bot(OPENAI_BASE_URL=nowhere, MODEL_ATTEMPTS="1") as bot:
        assert "Halo Kak" in bot.ask("budi", "halo")
        # What is exactly in the FAQ needs no model; for everything else a person is promised, and told.
        assert "share lokasi" in bot.ask("budi", "Bagaimana cara daftar pasang internet?")
        asked = "kalau pindah rumah ke Solo gimana kak?"
        assert "uteruskan" in bot.ask("budi", asked)
        bot.told_owner(asked)
        assert bot.stop() == 0
    assert "model_unreachable" in shop.log.read_text()


def test_reading_while_the_model_cannot_be_reached_changes_nothing(shop: Shop) -> None:
    (shop.data / "baru.md").write_text("# Parkir\n\nParkir gratis di depan toko untuk semua pelanggan.\n")
    before = knowledge_rows(shop)
    read = shop.read_knowledge(OPENAI_BASE_URL=f"http://127.0.0.1:{free_port()}/v1", MODEL_ATTEMPTS="1")
    assert read.returncode == 1
    assert "Coba lagi" in read.stderr
    assert knowledge_rows(shop) == before


# The database.


def test_a_database_of_a_newer_version_is_left_alone(shop: Shop) -> None:
    with contextlib.closing(pysqlite3.connect(shop.state / "balas.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    for done in (shop.chat("halo"), shop.read_knowledge(), shop.run(PROJECT / "run_webhooks.py")):
        assert done.returncode in (MISCONFIGURED, 2)
        assert "newer" in done.stderr
        assert "9999" in done.stderr
    assert knowledge_rows(shop) > 100


def test_a_file_that_is_no_database_is_left_alone(shop: Shop) -> None:
    (shop.state / "balas.db").write_bytes(b"ini bukan basis data\n" * 100)
    done = shop.chat("halo")
    assert done.returncode == MISCONFIGURED
    assert "not a database" in done.stderr
    assert (shop.state / "balas.db").read_bytes().startswith(b"ini bukan")


def test_a_database_server_that_is_away_is_named_and_worth_another_start(shop: Shop) -> None:
    done = shop.chat("halo", DATABASE_URL=f"postgresql://balas:sandi-uji@127.0.0.1:{free_port()}/balas")
    # Not 78: Supervisor is to try again.
    assert done.returncode == 1
    assert "cannot be reached" in done.stderr
    assert "sandi-uji" not in done.stderr


def test_a_state_folder_that_cannot_be_made_is_named(shop: Shop) -> None:
    done = shop.chat("halo", STATE_DIR="/dev/null/var")
    assert done.returncode == MISCONFIGURED
    assert "STATE_DIR" in done.stderr


def test_a_message_during_a_lock_is_said_to_be_unsaved_or_is_answered_later(shop: Shop) -> None:
    with shop.bot() as bot:
        bot.ask("budi", "halo")
        with contextlib.closing(pysqlite3.connect(shop.state / "balas.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            bot.write(json.dumps({"id": "terkunci", "from": "budi", "text": "IH20 berapa kak?"}))
            outcome = bot.expect(type="recorded", id="terkunci")["outcome"]
            other.execute("ROLLBACK")
        assert outcome == "failed"
        # The very same event again, as a network redelivers it: exactly one answer.
        bot.write(json.dumps({"id": "terkunci", "from": "budi", "text": "IH20 berapa kak?"}))
        answer = bot.expect(lambda event: "terkunci" in event.get("answers", ()))
        assert "Rp275.000" in answer["text"]
        assert bot.stop() == 0
        assert sum("terkunci" in event.get("answers", ()) for event in bot.events()) == 1


LIMITED = """
import resource, runpy, sys
# Files of this process cannot grow beyond this: what a full disk looks like, for this process alone.
size = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
sys.argv = sys.argv[2:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def test_on_a_full_disk_the_message_is_said_to_be_unsaved_and_the_database_stays_whole(shop: Shop) -> None:
    size = (shop.state / "balas.db").stat().st_size
    # Room for the start's own few pages in the log, none for a long message.
    done = shop.run(
        "-c",
        LIMITED,
        str(size),
        PROJECT / "run_bot.py",
        "--channel",
        "terminal",
        stdin="y" * 3_000_000 + "\n/as ani\nhalo\n",
    )
    assert done.returncode == 0, done.stderr
    assert "belum tersimpan" in done.stdout
    assert "Pelita Net → ani: Halo" in done.stdout
    assert "disk is full" in done.stderr or "disk reported an error" in done.stderr
    with contextlib.closing(pysqlite3.connect(shop.state / "balas.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    again = shop.chat("IH20 berapa kak?")
    assert "Rp275.000" in again.stdout


def test_a_read_only_database_is_named(shop: Shop) -> None:
    for path in shop.state.iterdir():
        path.chmod(0o400)
    shop.state.chmod(0o500)
    try:
        done = run_with_file_rights(shop, PROJECT / "run_bot.py", "--channel", "terminal")
    finally:
        shop.state.chmod(0o700)
    assert done.returncode == MISCONFIGURED, done.stderr
    assert "STATE_DIR" in done.stderr


def test_a_second_bot_on_the_same_state_refuses_and_the_first_goes_on(shop: Shop) -> None:
    with shop.bot() as bot:
        done = shop.chat("halo")
        assert done.returncode == MISCONFIGURED
        assert "already runs" in done.stderr
        assert "Rp275.000" in bot.ask("budi", "IH20 berapa kak?")


# Settings and the owner's own files.


def test_all_missing_and_wrong_settings_are_named_at_once(bare_shop: Callable[..., Shop]) -> None:
    shop = bare_shop(SHOP_NAME="", OPENAI_API_KEY="", BURST_QUIET_S="1,5", WEBHOOKS_PORT="banyak")
    env = shop.folder / ".env"
    env.write_text("OPENAI_APIKEY=sk-x\n")
    env.chmod(stat.S_IRUSR | stat.S_IWUSR)
    programs = (
        [PROJECT / "run_bot.py"],
        [PROJECT / "run_webhooks.py"],
        ["-m", "rag.ingest"],
        ["-m", "bot.handoffs"],
    )
    for program in programs:
        done = shop.run(*program)
        assert done.returncode != 0
        for name in (
            "OPENAI_API_KEY is missing",
            "SHOP_NAME",
            "1.5 instead of 1,5",
            "WEBHOOKS_PORT",
            "OPENAI_APIKEY",
        ):
            assert name in done.stderr, (program, name)


def test_mistakes_in_the_profile_and_the_wording_are_named(shop: Shop) -> None:
    (shop.data / "toko.toml").write_text('nama = "Pelita"\n[jam_buka]\nsenin = "8-20 malam"\n')
    done = shop.chat("halo")
    assert done.returncode == MISCONFIGURED
    assert "toko.toml" in done.stderr
    assert "senin" in done.stderr
    shutil.copy(PROJECT / "data" / "toko.toml", shop.data)
    (shop.data / "kalimat.toml").write_text('salam = "Halo {sapan}"\nsalaman = "x"\n')
    done = shop.chat("halo")
    assert done.returncode == MISCONFIGURED
    assert "sapan" in done.stderr
    assert "salaman" in done.stderr
