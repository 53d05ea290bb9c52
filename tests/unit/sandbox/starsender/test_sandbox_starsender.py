"""The Starsender stand-in: what it takes, what it turns down, and how it fails on command."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, web

from sandbox.starsender import Mode, StarsenderServer

TEXT = {"messageType": "text", "to": "6281234560001", "body": "Halo"}


@pytest.fixture
async def starsender() -> AsyncIterator[StarsenderServer]:
    async with StarsenderServer() as server:
        yield server


@pytest.fixture
async def file_address() -> AsyncIterator[str]:
    """A file on a server of its own."""

    async def give(request: web.Request) -> web.Response:
        named = {"Content-Disposition": 'inline; filename="INV.pdf"'}
        return web.Response(body=b"%PDF-1.7", content_type="application/pdf", headers=named)

    app = web.Application()
    app.router.add_get("/there", give)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def _post(
    starsender: StarsenderServer, body: dict[str, Any], *, path: str = "send", key: str | None = None
) -> tuple[int, Any]:
    told = {"Authorization": key or starsender.environment["STARSENDER_KEY"]}
    async with (
        ClientSession(timeout=ClientTimeout(total=1)) as session,
        session.post(f"{starsender.url}/{path}", json=body, headers=told) as answer,
    ):
        is_json = answer.content_type == "application/json"
        return answer.status, await answer.json() if is_json else await answer.text()


async def test_a_text_is_taken(starsender: StarsenderServer) -> None:
    status, body = await _post(starsender, TEXT)
    assert (status, body["success"]) == (200, True)
    assert [(sent.to, sent.body, sent.file) for sent in starsender.sent] == [("6281234560001", "Halo", b"")]


async def test_a_file_is_fetched_from_its_address(starsender: StarsenderServer, file_address: str) -> None:
    media = {**TEXT, "messageType": "media", "file": f"{file_address}/there"}
    assert (await _post(starsender, media))[1]["success"] is True
    sent = starsender.sent[0]
    assert (sent.name, sent.mime, sent.file) == ("INV.pdf", "application/pdf", b"%PDF-1.7")
    assert (await _post(starsender, {**media, "file": f"{file_address}/gone"}))[1]["success"] is False
    assert len(starsender.sent) == 1


@pytest.mark.parametrize("key", ["lain", "Bearer tiruan-starsender-0000000000000000"])
async def test_another_key_is_turned_away(starsender: StarsenderServer, key: str) -> None:
    assert (await _post(starsender, TEXT, key=key))[0] == 401
    assert starsender.sent == []


@pytest.mark.parametrize("change", [{"to": "0812"}, {"to": "6280000000000"}, {"messageType": "kartu"}])
async def test_what_cannot_be_sent_is_a_success_of_http_alone(
    starsender: StarsenderServer, change: dict[str, Any]
) -> None:
    starsender.unknown_numbers.add("6280000000000")
    status, body = await _post(starsender, {**TEXT, **change})
    assert (status, body["success"]) == (200, False)
    known = await _post(starsender, {"number": "6280000000000"}, path="check-number")
    assert known[1]["data"]["status"] is False


async def test_it_fails_in_every_way_on_command(starsender: StarsenderServer) -> None:
    for mode, status in ((Mode.BROKEN, 500), (Mode.HTML, 502), (Mode.GARBAGE, 200), (Mode.LIMITED, 429)):
        starsender.break_down(mode, times=1)
        assert (await _post(starsender, TEXT))[0] == status
    starsender.break_down(Mode.REFUSED, times=1)
    assert (await _post(starsender, TEXT))[1]["success"] is False
    for mode in (Mode.HANG, Mode.RESET):
        starsender.break_down(mode, times=1)
        with pytest.raises((ClientError, TimeoutError)):
            await _post(starsender, TEXT)
    assert starsender.sent == []
    starsender.break_down(Mode.LOST, times=1)
    with pytest.raises(TimeoutError):
        await _post(starsender, TEXT)
    assert len(starsender.sent) == 1
    assert (await _post(starsender, TEXT))[1]["success"] is True
