"""The demo keeps to itself, passes the chat's result on, and leaves nothing running."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import Login, Settings
from sandbox import demo
from sandbox.phone.show import settings_for
from sandbox.phone.stage import ADMIN_NUMBER

BASE_URL = "http://127.0.0.1:4567/v1"


def test_nothing_of_the_users_own_settings_reaches_the_demo(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(
        "OPENAI_API_KEY=sk-real\nOPENAI_BASE_URL=https://api.example.com/v1\nSTATE_DIR=shop\n"
        "DATABASE_URL=postgresql://u:p@db/shop\nBALAS_MODE=practice\nBALAS_ACCOUNT=lain\n"
    )
    env_file.chmod(0o600)
    outside = {"DATABASE_URL": "postgresql://u:p@db/shop", "OPENAI_API_KEY": "sk-real", "STATE_DIR": "shop"}
    settings = Settings.load(demo.environment_for(BASE_URL, outside), env_file)
    assert settings.model.api_key.reveal() == "sk-sandbox"
    assert settings.model.base_url == BASE_URL
    assert settings.store.database_url is None
    assert settings.state_dir == demo.STATE_DIR
    assert settings.account == "utama"
    assert settings.bot.mode.value == "on"


def test_a_variable_given_for_the_demo_wins_over_its_defaults() -> None:
    given = demo.environment_for(BASE_URL, {"BURST_QUIET_S": "2", "PATH": "/bin"})
    assert given["BURST_QUIET_S"] == "2"
    assert given["LOG_LEVEL"] == "WARNING"
    assert given["PATH"] == "/bin"


@pytest.mark.parametrize(("before", "after"), [({}, ""), ({"no_proxy": "intra"}, "intra,")])
def test_no_proxy_stands_between_the_bot_and_the_stand_in(before: dict[str, str], after: str) -> None:
    given = demo.environment_for(BASE_URL, {"HTTP_PROXY": "http://proxy:3128", **before})
    assert given["NO_PROXY"] == given["no_proxy"] == f"{after}127.0.0.1,localhost"


def test_people_on_the_page_have_time_to_think_and_its_log_tells_more() -> None:
    given = demo.environment_for(BASE_URL, {"HUMAN_PAUSE_S": "5"}, demo.PAGE_DEFAULTS)
    assert float(given["BURST_QUIET_S"]) > 0
    assert given["LOG_LEVEL"] == "INFO"
    assert given["HUMAN_PAUSE_S"] == "5"


def test_the_phones_have_their_own_numbers_whatever_else_was_set(tmp_path: Path) -> None:
    own = {"WHATSAPP_NUMBER": "08123456789", "WHATSAPP_LOGIN": "code", "RUANG_ADMIN": "08129999999"}
    given = settings_for(demo.environment_for(BASE_URL, own, demo.PAGE_DEFAULTS))
    settings = Settings.load(given, tmp_path / ".env")
    assert settings.whatsapp.number is None
    assert settings.whatsapp.login is Login.QR
    assert settings.bot.admin_room == ADMIN_NUMBER


def test_questions_come_by_a_pipe_or_a_file_and_not_from_nothing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    (tmp_path / "questions").write_text("halo\n")
    with open(reading), open(writing, "w"), open(os.devnull) as nothing, open(tmp_path / "questions") as file:
        assert demo.is_piped(reading)
        assert demo.is_piped(file.fileno())
        assert not demo.is_piped(nothing.fileno())


@pytest.mark.parametrize(("text", "port"), [("0", 0), ("8123", 8123), ("65535", 65_535)])
def test_a_port_is_a_number(text: str, port: int) -> None:
    assert demo.port_number(text) == port


@pytest.mark.parametrize("text", ["", "-1", "65536", "x", "1.5", "٣"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no port"):
        demo.port_number(text)


@pytest.mark.parametrize(("ending", "code"), [("sys.exit(7)", 7), ("os.kill(os.getpid(), 9)", 128 + 9)])
def test_the_exit_code_is_that_of_the_chat(ending: str, code: int) -> None:
    assert demo.chat([sys.executable, "-c", f"import os, sys; {ending}"], dict(os.environ)) == code


# Runs the demo's chat with a child that answers SIGINT in its own time and says so.
LAUNCH = """
import os, signal, sys
from sandbox import demo
signal.signal(signal.SIGTERM, demo._leave)
child = '''
import signal, sys, time
def stop(number, frame):
    print("stopped by", number, flush=True)
    sys.exit(5)
signal.signal(signal.SIGINT, stop)
signal.signal(signal.SIGTERM, stop)
print("chatting", flush=True)
time.sleep(60)
'''
sys.exit(demo.chat([sys.executable, "-c", child], dict(os.environ)))
"""


@pytest.mark.parametrize(
    ("number", "to_all", "code"),
    [
        pytest.param(signal.SIGINT, True, 5, id="Ctrl-C, which every process of the terminal gets"),
        pytest.param(signal.SIGTERM, False, 128 + signal.SIGTERM, id="a stop of the demo alone"),
    ],
)
def test_a_stop_lets_the_chat_finish_and_leaves_nothing_running(
    number: signal.Signals, to_all: bool, code: int
) -> None:
    launched = subprocess.Popen(
        [sys.executable, "-c", LAUNCH],
        cwd=demo.PROJECT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with launched:
        assert launched.stdout is not None
        assert launched.stdout.readline() == "chatting\n"
        (os.killpg if to_all else os.kill)(launched.pid, number)
        # The end of the output comes only when no process holds it any more.
        assert launched.stdout.read() == f"stopped by {number.value}\n"
        assert launched.wait(10) == code


def test_no_payment_of_the_demo_reaches_a_real_service() -> None:
    own = {
        "MIDTRANS_SERVER_KEY": "Mid-server-sungguhan",
        "MIDTRANS_PRODUCTION": "true",
        "STARSENDER_KEY": "sungguhan",
        "PUBLIC_URL": "https://bayar.toko.example",
    }
    settings = Settings.load(demo.environment_for(BASE_URL, own), None)
    assert settings.billing.server_key is None
    assert settings.billing.starsender_key is None
    assert settings.billing.public_url is None
