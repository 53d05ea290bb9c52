"""``python -m supervisor check``: what is wrong with a key, an address or a model, in the owner's words."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from rag.errors import Cause, ModelMisconfigured, ModelUnavailable, Trouble
from sandbox.openai import OpenAIStandIn
from supervisor import checking

PROJECT = Path(__file__).resolve().parents[2]
WORDING = Wording.load(Path("/nowhere"), Shop(nama="Toko Uji"))
KEY = "sk-rahasia-sekali-12345"
# What the library and the adapter say of an error; nobody but a programmer reads that with profit.
ENGLISH = re.compile(r"\b(check|the|model's|server failed|cannot|refuses?|does not|Error code|top it up)\b")

Make = Callable[..., Settings]


@asynccontextmanager
async def server(answer: Callable[[], web.StreamResponse]) -> AsyncIterator[str]:
    """An address where every request gets this answer."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return answer()

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/v1"
    finally:
        await runner.cleanup()


def refusing(status: int, code: str = "", message: str = "no") -> Callable[[], web.StreamResponse]:
    return lambda: web.json_response({"error": {"code": code, "message": message}}, status=status)


async def found(settings: Settings) -> list[tuple[bool, str]]:
    return [problem async for problem in checking.problems(settings, WORDING)]


@pytest.mark.parametrize(
    ("answer", "must_be_mended", "says"),
    [
        (refusing(401), True, "OPENAI_API_KEY: kuncinya ditolak"),
        (refusing(403), True, "OPENAI_API_KEY: kuncinya ditolak"),
        (refusing(404, "model_not_found"), True, "tidak kenal model gpt-salah-tulis"),
        (refusing(429, "insufficient_quota"), True, "saldo akunnya di {url} sudah habis"),
        (refusing(429), False, "sedang membatasi permintaan"),
        (refusing(500), False, "server di {url} sedang gagal (kode 500)"),
        (refusing(503), False, "server di {url} sedang gagal (kode 503)"),
        (lambda: web.Response(text="{", content_type="application/json"), False, "tidak seperti layanan AI"),
    ],
)
async def test_what_the_server_says_is_told_in_indonesian_with_what_to_do(
    make_settings: Make, answer: Callable[[], web.StreamResponse], must_be_mended: bool, says: str
) -> None:
    async with server(answer) as url:
        [(is_fatal, text)] = await found(make_settings(OPENAI_BASE_URL=url, CHAT_MODEL="gpt-salah-tulis"))
    assert is_fatal is must_be_mended
    assert says.format(url=url) in text
    assert url in text
    assert not ENGLISH.search(text), text
    assert "\n" not in text


async def test_a_refusal_without_a_known_cause_brings_the_servers_words_in_one_line_without_the_key(
    make_settings: Make,
) -> None:
    words = f"Unsupported\nparameter for {KEY} " + "x" * 900
    async with server(refusing(400, message=words)) as url:
        [(is_fatal, text)] = await found(make_settings(OPENAI_BASE_URL=url, OPENAI_API_KEY=KEY))
    told, for_developers = text.split("\n")
    assert is_fatal
    assert "kode 400" in told
    assert not ENGLISH.search(told), told
    assert for_developers.startswith("(untuk teknisi: ")
    assert "Unsupported" in for_developers
    assert len(for_developers) < 350
    assert KEY not in text


async def test_an_address_where_nobody_listens_is_told_as_that(make_settings: Make) -> None:
    with socket.socket() as taken:
        # Bound and not listening: nobody else gets the port while it is asked.
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        [(is_fatal, text)] = await found(make_settings(OPENAI_BASE_URL=url))
    assert not is_fatal
    assert text == f"OPENAI_BASE_URL: {url} belum bisa dihubungi. Cek alamatnya dan internet server ini."


async def test_settings_that_work_are_no_problem(make_settings: Make) -> None:
    async with OpenAIStandIn() as stand_in:
        assert await found(make_settings(OPENAI_BASE_URL=stand_in.base_url)) == []


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"getMe": 401}, "TELEGRAM_TOKEN: "),
        ({"getMe": 200, "getChat": 400}, "TELEGRAM_CHAT: "),
        ({"getMe": 200, "getChat": 403}, "TELEGRAM_CHAT: "),
        ({"getMe": 200, "getChat": 200}, None),
        # Too many questions, or a fault of theirs: the settings may be right.
        ({"getMe": 200, "getChat": 500}, None),
    ],
)
async def test_telegram_is_asked_for_its_bot_and_for_the_owners_chat(
    make_settings: Make, answers: dict[str, int], says: str | None
) -> None:
    async def handle(request: web.Request) -> web.Response:
        token, method = request.path.split("/")[1:]
        assert token == "bot1:rahasia"
        assert method == "getMe" or request.query["chat_id"] == "-1007"
        return web.json_response({}, status=answers[method])

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with OpenAIStandIn() as stand_in:
            problems = await found(
                make_settings(
                    OPENAI_BASE_URL=stand_in.base_url,
                    TELEGRAM_URL=f"http://127.0.0.1:{runner.addresses[0][1]}",
                    TELEGRAM_TOKEN="1:rahasia",
                    TELEGRAM_CHAT="-1007",
                )
            )
    finally:
        await runner.cleanup()
    assert [is_fatal for is_fatal, _ in problems] == ([] if says is None else [True])
    assert says is None or problems[0][1].startswith(says)


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_for_a_change_of_the_settings_has_a_sentence(make_settings: Make, cause: Cause) -> None:
    model = make_settings().model
    error = ModelMisconfigured("the provider says so", cause=cause, status=400, model="gpt-x")
    assert model.base_url in checking.misconfigured(error, model, WORDING)


@pytest.mark.parametrize("trouble", Trouble)
def test_every_trouble_of_the_moment_has_a_sentence(make_settings: Make, trouble: Trouble) -> None:
    model = make_settings().model
    text = checking.unavailable(ModelUnavailable("it is so", trouble=trouble, status=502), model, WORDING)
    assert model.base_url in text
    assert not ENGLISH.search(text)


async def test_the_command_prints_it_and_says_with_its_exit_code_that_it_must_be_mended(
    tmp_path: Path,
) -> None:
    async with OpenAIStandIn() as stand_in:
        environment = {
            "PATH": os.environ["PATH"],
            "OPENAI_API_KEY": "sk-wrong-key",
            "OPENAI_BASE_URL": stand_in.base_url,
            "SHOP_NAME": "Toko Uji",
            "STATE_DIR": str(tmp_path / "var"),
            "DATA_DIR": str(tmp_path),
        }
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "supervisor", "check"],
            cwd=PROJECT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 78, done.stderr
    wrong = [line for line in done.stdout.splitlines() if line.startswith("SALAH: ")]
    assert wrong == [
        f"SALAH: OPENAI_API_KEY: kuncinya ditolak oleh {stand_in.base_url}. "
        "Salin lagi dari akun penyedianya, utuh dan tanpa spasi."
    ]
    assert "Traceback" not in done.stderr
