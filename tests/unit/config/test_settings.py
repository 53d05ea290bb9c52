from __future__ import annotations

import dataclasses
import os
import re
from itertools import pairwise
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.secret import Secret
from config.settings import Audience, LogFormat, Login, Mode, Settings, keys

ROOT = Path(__file__).parents[3]
NEEDED = {"OPENAI_API_KEY": "sk-kunci", "SHOP_NAME": "Toko Uji"}


def load(**changes: str) -> Settings:
    return Settings.load({**NEEDED, **changes}, env_file=None)


def problems_of(**changes: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(**changes)
    return caught.value.problems


def test_a_key_and_a_name_are_all_that_is_needed() -> None:
    settings = load()
    assert settings.shop_name == "Toko Uji"
    assert settings.model.api_key == Secret("sk-kunci")
    assert settings.model.embedding_model == "text-embedding-3-small"
    assert settings.model.reasoning_effort is None
    assert settings.store.database_url is None
    assert settings.bot.mode is None
    assert settings.bot.admin_room is None
    assert settings.billing.server_key is None
    assert settings.billing.polls_fast
    assert settings.sqlite_path == Path("var/balas.db")
    assert settings.warnings == ()


def test_every_key_is_read_into_its_field() -> None:
    settings = load(
        BALAS_ACCOUNT="kedua",
        DATA_DIR="/toko",
        STATE_DIR="/keadaan",
        OPENAI_BASE_URL="http://127.0.0.1:8080/v1/",
        CHAT_MODEL="lain",
        EMBEDDING_DIMENSIONS="256",
        REASONING_EFFORT="None",
        MODEL_TIMEOUT_S="1.5",
        ANSWER_DEADLINE_S="2",
        MODEL_ATTEMPTS="3",
        MODEL_MAX_OUTPUT_TOKENS="300",
        MODEL_MAX_IN_FLIGHT="4",
        MODEL_INPUT_IDR_PER_MTOK="1",
        MODEL_OUTPUT_IDR_PER_MTOK="2",
        EMBEDDING_IDR_PER_MTOK="3",
        MODEL_DAILY_BUDGET_IDR="0",
        CUSTOMER_DAILY_BUDGET_IDR="4",
        CUSTOMER_DAILY_ANSWERS="8",
        BALAS_KE="nomor_baru",
        HANDOFF_NOTE_S="90",
        DIGEST_HOUR="10",
        DATABASE_URL="postgresql://balas:p%40ss@db:5432/balas",
        ALLOW_OLD_SQLITE="ya",
        BALAS_MODE="Approve",
        RUANG_ADMIN=" 120363@g.us ",
        BURST_QUIET_S="0",
        BURST_QUESTION_S="0.5",
        BURST_MAX_S="1",
        LOOP_ANSWERS="9",
        WATCH_KNOWLEDGE="tidak",
        HUMAN_PAUSE_S="900",
        HANDOFF_REMINDER_S="60",
        POLL_S="0.1",
        DRAIN_S="0",
        SEND_ATTEMPTS="1",
        PACE_S="2",
        MEDIA_MAX_MB="5",
        MEDIA_DAYS="7",
        WHATSAPP_NUMBER="0812-3456-7890",
        WHATSAPP_LOGIN="code",
        WHATSAPP_BOT_TAG="ya",
        HISTORY_DAYS="30",
        WEBHOOKS_HOST="::1",
        WEBHOOKS_PORT="0",
        MIDTRANS_SERVER_KEY="Mid-server-x",
        MIDTRANS_CLIENT_KEY="Mid-client-x",
        MIDTRANS_MERCHANT_ID="G1",
        MIDTRANS_PRODUCTION="ya",
        MIDTRANS_SNAP_URL="http://127.0.0.1:7001/",
        MIDTRANS_API_URL="http://127.0.0.1:7002",
        PAYMENT_EXPIRY_MIN="60",
        PAYMENT_REMINDER_MIN="10",
        PAYMENT_QRIS="ya",
        PUBLIC_URL="https://bayar.example/",
        STARSENDER_KEY="kunci-alat",
        STARSENDER_URL="http://127.0.0.1:7003/api",
        STARSENDER_NUMBER="0813 1111 2222",
        STARSENDER_PATIENCE_S="30",
        INVOICE_LINK_DAYS="7",
        INVOICE_PPN="ya",
        INVOICE_NPWP="01.234.567.8-901.000",
        HEALTH_PORT="off",
        DISK_FREE_MB="90",
        UNANSWERED_MIN="3",
        OFFLINE_MIN="0.5",
        KEEP_CHATS_DAYS="0",
        TELEGRAM_TOKEN="123456:abc",
        TELEGRAM_CHAT="-100987",
        TELEGRAM_URL="http://127.0.0.1:7004/",
        ALERT_NUMBER="0813 2222 3333",
        PING_URL="http://127.0.0.1:7005/ping",
        LOG_LEVEL="debug",
        LOG_FORMAT="JSON",
        SUPERVISOR_ENABLED="1",
    )
    changed = dataclasses.asdict(settings)
    model, store, bot, log = (changed.pop(part) for part in ("model", "store", "bot", "log"))
    assert (changed["account"], changed["data_dir"], changed["state_dir"]) == (
        "kedua",
        Path("/toko"),
        Path("/keadaan"),
    )
    assert model == {
        "api_key": Secret("sk-kunci"),
        "base_url": "http://127.0.0.1:8080/v1",
        "chat_model": "lain",
        "embedding_model": "text-embedding-3-small",
        "embedding_dimensions": 256,
        "reasoning_effort": "none",
        "call_timeout_s": 1.5,
        "answer_deadline_s": 2.0,
        "attempts": 3,
        "max_output_tokens": 300,
        "max_in_flight": 4,
        "input_idr_per_mtok": 1,
        "output_idr_per_mtok": 2,
        "embedding_idr_per_mtok": 3,
        "daily_budget_idr": 0,
        "customer_daily_budget_idr": 4,
        "customer_daily_answers": 8,
    }
    assert store == {
        "database_url": "postgresql://balas:p%40ss@db:5432/balas",
        "allow_old_sqlite": True,
    }
    assert bot == {
        "mode": Mode.APPROVE,
        "audience": Audience.NEW_NUMBERS,
        "admin_room": "120363@g.us",
        "burst_quiet_s": 0.0,
        "burst_question_s": 0.5,
        "burst_max_s": 1.0,
        "loop_answers": 9,
        "watch_knowledge": False,
        "human_pause_s": 900.0,
        "handoff_reminder_s": 60.0,
        "handoff_note_s": 90.0,
        "digest_hour": 10,
        "poll_s": 0.1,
        "drain_s": 0.0,
        "send_attempts": 1,
        "pace_s": 2.0,
        "media_max_mb": 5,
        "media_days": 7,
    }
    assert changed["whatsapp"] == {
        "number": "6281234567890",
        "login": Login.CODE,
        "bot_tag": True,
        "history_days": 30,
    }
    assert changed["webhooks"] == {"host": "::1", "port": 0}
    assert changed["billing"] == {
        "server_key": Secret("Mid-server-x"),
        "client_key": "Mid-client-x",
        "merchant_id": "G1",
        "production": True,
        "snap_url": "http://127.0.0.1:7001",
        "api_url": "http://127.0.0.1:7002",
        "expiry_min": 60,
        "reminder_min": 10,
        "qris": True,
        "public_url": "https://bayar.example",
        "starsender_key": Secret("kunci-alat"),
        "starsender_url": "http://127.0.0.1:7003/api",
        "starsender_number": "6281311112222",
        "starsender_patience_s": 30,
        "invoice_link_days": 7,
        "ppn": True,
        "npwp": "01.234.567.8-901.000",
    }
    assert changed["operation"] == {
        "health_port": None,
        "disk_free_mb": 90,
        "unanswered_min": 3.0,
        "offline_min": 0.5,
        "keep_chats_days": 0,
    }
    assert changed["alerts"] == {
        "telegram_token": Secret("123456:abc"),
        "telegram_chat": "-100987",
        "telegram_url": "http://127.0.0.1:7004",
        "number": "6281322223333",
        "ping_url": "http://127.0.0.1:7005/ping",
    }
    assert log == {"level": "DEBUG", "format": LogFormat.JSON, "under_supervisor": True}


def test_the_example_file_lists_exactly_the_keys_that_are_read_with_their_defaults() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    listed = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z]", line))
    assert listed == dict(keys())


def test_every_key_of_the_example_file_is_explained_in_the_line_above() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for above, line in pairwise(lines):
        if re.match(r"[A-Z]", line):
            assert re.match(r"# .{10,}\.$", above), line


def test_a_copy_of_the_example_file_with_the_key_and_the_name_filled_in_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Settings look at the state folder, and this one's own may be of any kind.
    monkeypatch.chdir(tmp_path)
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    for key, value in NEEDED.items():
        text = text.replace(f"{key}=\n", f"{key}={value}\n")
    file = tmp_path / ".env"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    assert Settings.load({}, env_file=file) == load()


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings.load(
            {
                "DATA_DIR": "/tidak/ada",
                "MODEL_ATTEMPTS": "dua",
                "BURST_QUIET_S": "1,5",
                "BALAS_MODE": "nyala",
                "LOG_LEVEL": "keras",
            },
            env_file=None,
        )
    text = str(caught.value)
    for key in (
        "OPENAI_API_KEY",
        "SHOP_NAME",
        "MODEL_ATTEMPTS",
        "BURST_QUIET_S",
        "BALAS_MODE",
        "LOG_LEVEL",
    ):
        assert key in text
    assert len(caught.value.problems) == 6


@pytest.mark.parametrize(
    ("key", "value", "advice"),
    [
        ("MODEL_DAILY_BUDGET_IDR", "50.000", "write 50000 instead of 50.000"),
        ("MODEL_DAILY_BUDGET_IDR", "-1", "at least 0"),
        ("MODEL_DAILY_BUDGET_IDR", "1e3", "whole number"),
        ("MODEL_DAILY_BUDGET_IDR", "9" * 400, "whole number"),
        ("MODEL_ATTEMPTS", "0", "at least 1"),
        ("MODEL_ATTEMPTS", "99", "at most 10"),
        ("MODEL_TIMEOUT_S", "nan", "must be a number"),
        ("MODEL_TIMEOUT_S", "inf", "must be a number"),
        ("BURST_QUIET_S", "1,5", "1.5 instead of 1,5"),
        ("BALAS_MODE", "nyala", "off, practice, approve, on"),
        ("WEBHOOKS_HOST", "http://127.0.0.1", "without http://"),
        ("WEBHOOKS_PORT", "70000", "at most 65535"),
        ("LOG_FORMAT", "xml", "auto, json, console"),
        ("LOG_LEVEL", "TRACE", "DEBUG, INFO"),
        ("REASONING_EFFORT", "banyak", "low, medium"),
        ("ALLOW_OLD_SQLITE", "mungkin", "true or false"),
        ("BALAS_ACCOUNT", "../utama", "small letters"),
        ("OPENAI_BASE_URL", "api.openai.com", "https://"),
        ("OPENAI_BASE_URL", "http://[::1", "https://"),
        ("OPENAI_BASE_URL", "http://host:port/v1", "https://"),
        ("OPENAI_API_KEY", "", "missing"),
        ("OPENAI_API_KEY", "sk-a b", "copy the key again"),
        ("OPENAI_API_KEY", "sk-é", "copy the key again"),
    ],
)
def test_a_wrong_value_is_explained(key: str, value: str, advice: str) -> None:
    (problem,) = problems_of(**{key: value})
    assert problem.startswith(f"{key} ")
    assert advice in problem


@pytest.mark.parametrize(
    "value",
    [
        "mysql://u:sandi-db@h/b",
        "postgres://u:sandi-db@h/b",
        "postgresql+psycopg://u:sandi-db@h/b",
        "postgresql://u:sandi-db@h",
        "postgresql://u@h/b?password=sandi-db",
        "postgresql://u:sandi-db@h:x/b",
        "sandi-db",
    ],
)
def test_another_database_is_refused_without_repeating_its_password(value: str) -> None:
    (problem,) = problems_of(DATABASE_URL=value)
    assert "postgresql://user:password@host" in problem
    assert "sandi-db" not in problem


def test_a_wrong_key_is_refused_without_repeating_it() -> None:
    (problem,) = problems_of(OPENAI_API_KEY="sk-kunci rahasia")
    assert "rahasia" not in problem


def test_neither_key_nor_password_is_in_the_repr() -> None:
    settings = load(
        OPENAI_API_KEY="sk-rahasia",
        DATABASE_URL="postgresql://balas:sandi%40db@h/b",
        MIDTRANS_SERVER_KEY="SB-Mid-server-rahasia",
        STARSENDER_KEY="rahasia-alat",
    )
    assert "rahasia" not in repr(settings)
    assert "sandi" not in repr(settings)
    assert "postgresql://***@h/b" in repr(settings)
    assert [secret.reveal() for secret in settings.secrets] == [
        "sk-rahasia",
        "sandi@db",
        "SB-Mid-server-rahasia",
        "rahasia-alat",
    ]


@pytest.mark.parametrize("value", ["", "off", "OFF"])
def test_the_search_by_meaning_can_be_switched_off(value: str) -> None:
    assert load(EMBEDDING_MODEL=value).model.embedding_model is None


def test_an_empty_value_stands_for_the_default() -> None:
    empty = {key: "" for key, _ in keys() if key not in NEEDED and key != "EMBEDDING_MODEL"}
    assert load(**empty) == load()


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = env_file(tmp_path, "OPENAI_API_KEY=sk-berkas\nSHOP_NAME=Berkas\nCHAT_MODEL=berkas\n")
    settings = Settings.load({"SHOP_NAME": "Lingkungan"}, env_file=file)
    assert settings.shop_name == "Lingkungan"
    assert settings.model.chat_model == "berkas"
    assert settings.model.api_key.reveal() == "sk-berkas"


def test_without_a_mapping_the_environment_of_the_process_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in NEEDED.items():
        monkeypatch.setenv(key, value)
    assert Settings.load(env_file=None).shop_name == "Toko Uji"


def test_a_missing_file_is_no_mistake(tmp_path: Path) -> None:
    assert Settings.load(NEEDED, env_file=tmp_path / ".env") == load()


def test_dollars_quotes_and_a_byte_order_mark_in_the_file_do_no_harm(tmp_path: Path) -> None:
    file = env_file(tmp_path, "\ufeffOPENAI_API_KEY=sk-$HOME${X}\nSHOP_NAME=\"Toko 'Kita'\"\n")
    settings = Settings.load({"X": "salah"}, env_file=file)
    assert settings.model.api_key.reveal() == "sk-$HOME${X}"
    assert settings.shop_name == "Toko 'Kita'"


def test_misspelt_keys_of_the_file_are_named_with_what_was_meant(tmp_path: Path) -> None:
    file = env_file(
        tmp_path,
        "OPENAI_APIKEY=x\nburst_quiet_s=1\nOPENAI_API_KEY=sk-x\nSHOP_NAME=T\nWEAVIATE_URL=http://x\nTZ=Asia/Jakarta\n",
    )
    with pytest.raises(ConfigError) as caught:
        Settings.load({}, env_file=file)
    assert [problem.rpartition("did you mean ")[2] for problem in caught.value.problems] == [
        "OPENAI_API_KEY?",
        "BURST_QUIET_S?",
    ]


def test_foreign_variables_of_the_environment_are_nobodys_mistake() -> None:
    assert load(OPENAI_API_KEYS="x", SHOPNAME="y") == load()


def test_a_line_without_a_value_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'CHAT_MODEL' has no value"):
        Settings.load(NEEDED, env_file=env_file(tmp_path, "CHAT_MODEL\n"))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"SHOP_NAME=\xff\xfe\n")
    with pytest.raises(ConfigError, match="UTF-8"):
        Settings.load(NEEDED, env_file=file)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    file = env_file(tmp_path, "CHAT_MODEL=x\n")
    assert Settings.load(NEEDED, env_file=file).warnings == ()
    file.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {file}"):
        Settings.load(NEEDED, env_file=file)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o755])
def test_a_state_folder_that_others_can_look_into_is_refused(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "var"
    assert load(STATE_DIR=str(folder)).state_dir == folder
    folder.mkdir(mode=0o700)
    assert load(STATE_DIR=str(folder)).state_dir == folder
    folder.chmod(mode)
    assert problems_of(STATE_DIR=str(folder)) == (
        f"Others on this machine can look into {folder}, which holds all chats: run `chmod 700 {folder}`.",
    )


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("https://api.example/v1", False),
        ("http://127.0.0.1:9/v1", False),
        ("http://localhost:9/v1", False),
        ("http://api.example/v1", True),
    ],
)
def test_a_key_that_travels_in_clear_is_warned_about(url: str, warned: bool) -> None:
    assert bool(load(OPENAI_BASE_URL=url).warnings) is warned


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("::1", False), ("0.0.0.0", True)])
def test_a_payment_process_that_others_can_reach_is_warned_about(host: str, warned: bool) -> None:
    assert bool(load(WEBHOOKS_HOST=host).warnings) is warned


@pytest.mark.parametrize(
    ("key", "production", "said"),
    [
        ("SB-Mid-server-x", "true", "is one for trying out"),
        ("SB-Mid-client-x", "false", "holds a client key"),
        ("Mid-client-x", "true", "holds a client key"),
    ],
)
def test_a_midtrans_key_that_cannot_be_right_stops_the_start(key: str, production: str, said: str) -> None:
    (problem,) = problems_of(MIDTRANS_SERVER_KEY=key, MIDTRANS_PRODUCTION=production)
    assert said in problem
    assert key not in problem


@pytest.mark.parametrize(
    ("key", "production"),
    [
        ("SB-Mid-server-x", "false"),
        ("Mid-server-x", "false"),
        ("Mid-server-x", "true"),
        ("VT-server-x", "true"),
    ],
)
def test_a_midtrans_key_that_may_be_right_never_stops_it(key: str, production: str) -> None:
    # The sandbox's newer keys look like those for real money; Midtrans alone knows.
    settings = load(MIDTRANS_SERVER_KEY=key, MIDTRANS_PRODUCTION=production)
    assert (settings.billing.production, settings.warnings) == (production == "true", load().warnings)


def test_ppn_needs_the_number_of_a_pkp() -> None:
    (problem,) = problems_of(INVOICE_PPN="true")
    assert "INVOICE_NPWP" in problem


@pytest.mark.parametrize("key", ["MIDTRANS_SNAP_URL", "MIDTRANS_API_URL", "STARSENDER_URL", "PUBLIC_URL"])
def test_payments_that_travel_in_clear_are_warned_about(key: str) -> None:
    (warning,) = load(**{key: "http://bayar.example"}).warnings
    assert warning.startswith(key)
    assert load(**{key: "http://127.0.0.1:9"}).warnings == ()


def test_the_shops_name_comes_from_its_profile_when_it_is_not_set(tmp_path: Path) -> None:
    (tmp_path / "toko.toml").write_text('nama = " Pelita "\n', encoding="utf-8")
    environ = {"OPENAI_API_KEY": "sk-x", "DATA_DIR": str(tmp_path)}
    assert Settings.load(environ, env_file=None).shop_name == "Pelita"
    assert Settings.load({**environ, "SHOP_NAME": "Lain"}, env_file=None).shop_name == "Lain"


@pytest.mark.parametrize(
    ("profile", "said"),
    [('sapaan = "Kak"\n', "no name"), ("nama = Pelita\n", "can't be read"), ("nama = 3\n", "no name")],
)
def test_a_profile_without_a_usable_name_is_named(tmp_path: Path, profile: str, said: str) -> None:
    (tmp_path / "toko.toml").write_text(profile, encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as caught:
        Settings.load({"OPENAI_API_KEY": "sk-x", "DATA_DIR": str(tmp_path)}, env_file=None)
    assert "toko.toml" in str(caught.value)
    assert "SHOP_NAME" in str(caught.value)


def test_settings_do_not_change_after_loading() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        load().bot.pace_s = 1.0  # type: ignore[misc] - the assignment is what must fail.


def test_nothing_else_reads_the_environment() -> None:
    # Setting a variable for a library that reads it ("os.environ[...] = ...") is something else.
    reading = re.compile(
        r"\bos\.getenv\b|\bos\.environ\b(?!\[[^\]]+\]\s*=[^=])|\bfrom os import .*(?:environ|getenv)"
    )
    readers = [
        path.relative_to(ROOT).as_posix()
        for package in ("bot", "rag", "store", "billing", "webhooks", "config")
        for path in (ROOT / package).rglob("*.py")
        if reading.search(path.read_text("utf-8"))
    ]
    # The second one looks whether its own start was right, before settings are read.
    assert sorted(readers) == ["bot/whatsapp/birth.py", "config/settings.py"]


def env_file(folder: Path, text: str) -> Path:
    file = folder / ".env"
    file.write_text(text, encoding="utf-8")
    os.chmod(file, 0o600)
    return file


def test_logging_in_by_code_needs_the_number_of_the_phone() -> None:
    with pytest.raises(ConfigError, match="WHATSAPP_LOGIN=code needs WHATSAPP_NUMBER"):
        load(WHATSAPP_LOGIN="code")


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0812-3456-7890", "6281234567890"),
        ("+62 812 3456 7890", "6281234567890"),
        ("+65 9123 4567", "6591234567"),
    ],
)
def test_the_shops_number_is_read_as_people_write_it(written: str, number: str) -> None:
    assert load(WHATSAPP_NUMBER=written).whatsapp.number == number


@pytest.mark.parametrize("written", ["toko", "0812", "081234567890123456", "62812x4567890"])
def test_what_is_no_phone_number_is_refused(written: str) -> None:
    with pytest.raises(ConfigError, match="WHATSAPP_NUMBER must be a phone number"):
        load(WHATSAPP_NUMBER=written)


@pytest.mark.parametrize("only", ["TELEGRAM_TOKEN", "TELEGRAM_CHAT"])
def test_half_of_telegram_is_named(only: str) -> None:
    (problem,) = problems_of(**{only: "12345:abc"})
    assert "belong together" in problem


def test_the_address_of_the_ping_is_not_shown() -> None:
    assert "rahasia" not in repr(load(PING_URL="https://ping.example/rahasia"))
