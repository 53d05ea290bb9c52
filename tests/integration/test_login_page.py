"""The page with the pairing code: one browser, ten minutes, and nothing to learn for anybody else."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import update

from config.settings import WebhookSettings
from config.shop import Shop
from config.wording import Wording
from store import login_links, meta, standing
from store.schema import login_links as links_table
from store.schema import now_ms
from store.sqlite import SqliteStore
from webhooks.app import make_app, serving
from webhooks.login import MOST_OF_ONE, Limiter, LoginPage

ACCOUNT = "utama"
PNG = b"\x89PNG\r\n\x1a\n rahasia"


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "keadaan"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
async def base(sqlite_store: SqliteStore, state_dir: Path, tmp_path: Path) -> AsyncIterator[str]:
    wording = Wording.load(tmp_path, Shop(nama="Toko <b>Uji</b>"))
    app = make_app(sqlite_store, ACCOUNT)
    app.add_routes(LoginPage(store=sqlite_store, state_dir=state_dir, wording=wording).routes())
    async with serving(app, WebhookSettings(port=0), drain_s=1) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture
async def token(sqlite_store: SqliteStore) -> str:
    return await sqlite_store.write(lambda c: login_links.create(c, ACCOUNT))


@pytest.fixture
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    # Cookies of an address without a name are not kept otherwise.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield session


def show_code(state_dir: Path, *, qr: str = "2@abc", typed: str | None = "ABCD1234") -> None:
    told: dict[str, object] = {"qr": qr, "expires_ms": int((time.time() + 20) * 1000)}
    if typed is not None:
        told["code"] = typed
    (state_dir / f"{ACCOUNT}-pairing.json").write_text(json.dumps(told))
    (state_dir / f"{ACCOUNT}-pairing.png").write_bytes(PNG)


async def press(browser: aiohttp.ClientSession, url: str) -> int:
    async with browser.post(url, allow_redirects=True) as answer:
        return answer.status


async def test_the_button_shows_the_live_code_to_the_browser_that_pressed_it(
    base: str, token: str, state_dir: Path, browser: aiohttp.ClientSession
) -> None:
    url = f"{base}/masuk/{token}"
    async with browser.get(url) as answer:
        text = await answer.text()
        assert answer.status == 200
        assert "Tampilkan kode" in text
        assert "Toko &lt;b&gt;Uji" in text
    # Before the button nobody has the code.
    async with browser.get(f"{url}/kode.png") as answer:
        assert answer.status == 404
    show_code(state_dir)
    assert await press(browser, url) == 200
    async with browser.get(f"{url}/keadaan") as answer:
        found = await answer.json()
    assert found["keadaan"] == "pindai"
    assert found["ketik"] == "ABCD1234"
    assert 590 <= found["sisa_s"] <= 600
    assert 15 <= found["ganti_s"] <= 20
    async with browser.get(f"{url}/kode.png") as answer:
        assert (answer.status, await answer.read()) == (200, PNG)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_a_second_browser_sees_nothing(
    base: str, token: str, state_dir: Path, browser: aiohttp.ClientSession
) -> None:
    url = f"{base}/masuk/{token}"
    show_code(state_dir)
    assert await press(browser, url) == 200
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as other:
        for path in ("", "/keadaan", "/kode.png"):
            async with other.get(f"{url}{path}") as answer:
                assert answer.status == 404
                assert b"ABCD1234" not in await answer.read()
        assert await press(other, url) == 404
        other.cookie_jar.update_cookies({"masuk": "tebakan"}, answer.url)
        async with other.get(f"{url}/kode.png") as answer:
            assert answer.status == 404
    async with browser.get(f"{url}/kode.png") as answer:
        assert answer.status == 200


async def test_looking_at_the_link_as_messengers_do_does_not_use_it_up(
    base: str, token: str, browser: aiohttp.ClientSession
) -> None:
    url = f"{base}/masuk/{token}"
    async with aiohttp.ClientSession() as messenger:
        for _ in range(3):
            async with messenger.get(url) as answer:
                assert answer.status == 200
    assert await press(browser, url) == 200


async def test_the_cookie_is_for_this_page_alone(
    base: str, token: str, browser: aiohttp.ClientSession
) -> None:
    headers = {"X-Forwarded-Proto": "https"}
    async with browser.post(f"{base}/masuk/{token}", headers=headers, allow_redirects=False) as answer:
        assert answer.status == 303
        cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Strict", "Secure", f"Path=/masuk/{token}", "Max-Age=600"):
        assert part in cookie


async def test_after_ten_minutes_the_link_is_over_for_everybody(
    base: str, token: str, state_dir: Path, sqlite_store: SqliteStore, browser: aiohttp.ClientSession
) -> None:
    url = f"{base}/masuk/{token}"
    show_code(state_dir)
    assert await press(browser, url) == 200
    expired = update(links_table).values(expires_ms=now_ms() - 1)
    await sqlite_store.write(lambda c: c.execute(expired).close())
    for path in ("", "/keadaan", "/kode.png"):
        async with browser.get(f"{url}{path}") as answer:
            assert answer.status == 404


async def test_a_newer_link_ends_the_older_one(
    base: str, token: str, sqlite_store: SqliteStore, browser: aiohttp.ClientSession
) -> None:
    newer = await sqlite_store.write(lambda c: login_links.create(c, ACCOUNT))
    assert await press(browser, f"{base}/masuk/{token}") == 404
    assert await press(browser, f"{base}/masuk/{newer}") == 200


async def test_the_page_says_when_the_bot_is_in_again(
    base: str, token: str, sqlite_store: SqliteStore, browser: aiohttp.ClientSession
) -> None:
    url = f"{base}/masuk/{token}"
    await press(browser, url)
    async with browser.get(f"{url}/keadaan") as answer:
        assert (await answer.json())["keadaan"] == "tunggu"
    told = json.dumps({"state": "online", "detail": "", "since_ms": 1, "until_ms": None})
    await sqlite_store.write(lambda c: meta.put(c, standing.key(ACCOUNT), told))
    async with browser.get(f"{url}/keadaan") as answer:
        assert (await answer.json())["keadaan"] == "berhasil"


async def test_whoever_guesses_is_soon_not_looked_at_and_the_owner_still_is(
    base: str, token: str, browser: aiohttp.ClientSession
) -> None:
    statuses = []
    for _ in range(MOST_OF_ONE + 1):
        guess = {"X-Forwarded-For": "1.1.1.1, 203.0.113.9"}
        async with browser.get(f"{base}/masuk/{os.urandom(16).hex()}", headers=guess) as answer:
            statuses.append(answer.status)
    assert statuses == [404] * MOST_OF_ONE + [429]
    async with browser.get(f"{base}/masuk/{token}", headers={"X-Forwarded-For": "198.51.100.7"}) as answer:
        assert answer.status == 200


def test_refusals_are_forgotten_after_a_minute() -> None:
    now = 0.0
    limiter = Limiter(now=lambda: now)
    for _ in range(MOST_OF_ONE):
        limiter.note("a")
    assert limiter.is_exhausted("a")
    assert not limiter.is_exhausted("b")
    now = 61.0
    assert not limiter.is_exhausted("a")


async def test_the_database_holds_neither_token_nor_cookie(
    base: str, token: str, sqlite_store: SqliteStore, browser: aiohttp.ClientSession
) -> None:
    await press(browser, f"{base}/masuk/{token}")
    rows = await sqlite_store.read(lambda c: [str(row) for row in c.execute(links_table.select())])
    cookies = [cookie.value for cookie in browser.cookie_jar]
    assert len(cookies) == 1
    assert not [row for row in rows for secret in (token, *cookies) if secret in row]
