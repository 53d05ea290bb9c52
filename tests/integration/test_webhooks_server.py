"""The payment process as it runs: the real server on the loopback, asked by real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pysqlite3
import pytest
from aiohttp import web

from config.settings import WebhookSettings
from sandbox.surroundings import surroundings
from store.sqlite import SqliteStore
from webhooks import app as webhooks_app
from webhooks.app import MAX_BODY_BYTES, make_app, serving
from webhooks.errors import AddressTaken, ListenMisconfigured

PROJECT = Path(__file__).resolve().parents[2]
ANY_PORT = WebhookSettings(port=0)


@pytest.fixture
async def base(sqlite_store: SqliteStore) -> AsyncIterator[str]:
    async with serving(make_app(sqlite_store, "utama"), ANY_PORT, drain_s=2) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_healthy_process_is_live_and_ready(base: str, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{base}/live") as answer:
        assert (answer.status, await answer.json()) == (200, {"live": True})
    async with client.get(f"{base}/ready") as answer:
        assert (answer.status, await answer.json()) == (200, {"ready": True, "reasons": []})


async def test_ready_is_found_out_by_writing(
    base: str, client: aiohttp.ClientSession, sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.probe.KEEP_S", 0.0)

    async def probed() -> str | None:
        async with client.get(f"{base}/ready"):
            return await sqlite_store.read(
                lambda c: c.exec_driver_sql(
                    "SELECT value FROM meta WHERE key = 'webhooks_probe:utama'"
                ).scalar()
            )

    first, second = await probed(), await probed()
    assert first is not None
    assert first != second


async def test_many_askers_cost_one_write_a_second(
    base: str, client: aiohttp.ClientSession, sqlite_store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = 0
    write = sqlite_store.write

    async def counted(fn: object) -> object:
        nonlocal writes
        writes += 1
        return await write(fn)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(sqlite_store, "write", counted)
    monkeypatch.setattr("store.probe.KEEP_S", 60.0)
    answers = await asyncio.gather(*(client.get(f"{base}/ready") for _ in range(30)))
    assert {answer.status for answer in answers} == {200}
    assert writes == 1


async def test_a_locked_database_is_live_but_not_ready_until_it_is_free_again(
    base: str, client: aiohttp.ClientSession, sqlite_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.probe.PROBE_TIMEOUT_S", 0.2)
    monkeypatch.setattr("store.probe.KEEP_S", 0.0)
    with contextlib.closing(pysqlite3.connect(sqlite_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with client.get(f"{base}/ready") as answer:
            assert answer.status == 503
            found = await answer.json()
        assert found["ready"] is False
        assert "did not take a write" in found["reasons"][0]
        async with client.get(f"{base}/live") as answer:
            assert answer.status == 200
        other.execute("ROLLBACK")
    async with asyncio.timeout(10):
        while True:
            async with client.get(f"{base}/ready") as answer:
                if answer.status == 200:
                    return


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_over_the_limit_is_refused(
    base: str, client: aiohttp.ClientSession, chunked: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY_BYTES // 1024 + 1):
            yield b"x" * 1024

    body = pieces() if chunked else b"x" * (MAX_BODY_BYTES + 1)
    async with client.post(f"{base}/live", data=body) as answer:
        assert answer.status == 413


async def test_a_body_within_the_limit_is_read(base: str, client: aiohttp.ClientSession) -> None:
    async with client.post(f"{base}/live", data=b"x" * MAX_BODY_BYTES) as answer:
        assert answer.status == 405  # It came through to the router, which knows no POST here.


async def test_a_body_that_never_ends_is_not_waited_for(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks_app, "BODY_TIMEOUT_S", 0.1)
    host, port = base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /live HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    async with asyncio.timeout(5):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
    writer.close()
    await writer.wait_closed()


async def test_a_request_under_way_is_answered_before_the_stop(client: aiohttp.ClientSession) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(request: web.Request) -> web.Response:
        entered.set()
        await leave.wait()
        return web.Response(text="done")

    app = web.Application()
    app.add_routes([web.get("/slow", slow)])
    async with serving(app, ANY_PORT, drain_s=5) as (host, port):
        asking = asyncio.ensure_future(client.get(f"http://{host}:{port}/slow"))
        await entered.wait()
        asyncio.get_running_loop().call_later(0.2, leave.set)
    answer = await asking
    assert await answer.text() == "done"


async def test_a_taken_port_and_a_foreign_address_are_told_apart(sqlite_store: SqliteStore) -> None:
    app = make_app(sqlite_store, "utama")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = WebhookSettings(port=taken.getsockname()[1])
        with pytest.raises(AddressTaken, match="WEBHOOKS_PORT"):
            async with serving(app, settings, drain_s=0):
                pass
    # Kept for documentation (RFC 5737): no machine has it.
    with pytest.raises(ListenMisconfigured, match="WEBHOOKS_HOST"):
        async with serving(make_app(sqlite_store, "utama"), WebhookSettings(host="203.0.113.1"), drain_s=0):
            pass


def environment(folder: Path, **settings: str) -> dict[str, str]:
    return {
        **surroundings(),
        "OPENAI_API_KEY": "sk-uji",
        "SHOP_NAME": "Toko Uji",
        "DATA_DIR": str(folder),
        "STATE_DIR": str(folder / "var"),
        "WEBHOOKS_PORT": "0",
        **settings,
    }


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`run_webhooks.py` as it is started in a shop; its log is JSON, for stderr is no terminal here."""
    child = subprocess.Popen(
        [sys.executable, PROJECT / "run_webhooks.py"],
        cwd=tmp_path,
        env=environment(tmp_path),
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        yield child
        child.kill()


async def test_the_process_serves_on_the_loopback_and_a_stop_ends_it_with_0(
    process: subprocess.Popen[str], client: aiohttp.ClientSession
) -> None:
    assert process.stderr is not None
    started: dict[str, object] = {}
    while started.get("event") != "webhooks_started":  # The new database's migrations are told before.
        started = json.loads(await asyncio.to_thread(process.stderr.readline))
    assert started["host"] == "127.0.0.1"
    async with client.get(f"http://127.0.0.1:{started['port']}/ready") as answer:
        assert answer.status == 200
    process.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(process.wait, 10) == 0
    assert [json.loads(line)["event"] for line in process.stderr] == ["webhooks_stopping"]


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        pytest.param({"WEBHOOKS_HOST": "203.0.113.1"}, 78, "change WEBHOOKS_HOST", id="no address of ours"),
        pytest.param({"STATE_DIR": "/dev/null/var"}, 78, "set STATE_DIR", id="no folder"),
        pytest.param({"OPENAI_API_KEY": ""}, 78, "OPENAI_API_KEY is missing", id="no key"),
        pytest.param({"DATABASE_URL": "postgresql://u:p@127.0.0.1:9/b"}, 1, "reached", id="database away"),
    ],
)
def test_what_hinders_the_start_is_said_without_a_traceback(
    tmp_path: Path, settings: dict[str, str], code: int, said: str
) -> None:
    done = subprocess.run(
        [sys.executable, PROJECT / "run_webhooks.py"],
        cwd=tmp_path,
        env=environment(tmp_path, **settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == code
    assert said in done.stderr
    assert "Balas' payment process cannot run: " in done.stderr
    assert "Traceback" not in done.stderr
