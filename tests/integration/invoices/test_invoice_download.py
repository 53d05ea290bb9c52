"""`GET /invoice/{token}`: a PDF for whoever has the address, and the same 404 for everybody else."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from pypdf import PdfReader
from sqlalchemy import update
from yarl import URL

from billing.printing import CannotPrint, Printer
from store.doors import Store
from store.errors import StoreUnavailable
from store.schema import invoices, now_ms
from tests.integration.invoices.download import serving_invoices
from tests.integration.invoices.shop import make_paid


@pytest.fixture
async def base(store: Store) -> AsyncIterator[str]:
    async with serving_invoices(store) as address:
        yield address


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_address_gives_the_document(base: str, client: aiohttp.ClientSession, store: Store) -> None:
    paid = await store.write(make_paid)
    async with client.get(f"{base}/invoice/{paid.invoice.token}") as answer:
        assert answer.status == 200
        assert answer.content_type == "application/pdf"
        assert answer.headers["Content-Disposition"] == 'inline; filename="INV-2026-11-0001.pdf"'
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "noindex" in answer.headers["X-Robots-Tag"]
        words = PdfReader(io.BytesIO(await answer.read())).pages[0].extract_text()
    assert "Roti sobek" in words
    assert "LUNAS" in words


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "A" * 43,
        "..%2f..%2fbalas.db",
        "%00" * 30,
        "A" * 5_000,
        "INV%2F2026%2F11%2F0001",
        "'%20OR%201=1--" + "A" * 20,
    ],
)
async def test_everything_else_is_the_same_404(
    base: str, client: aiohttp.ClientSession, store: Store, name: str
) -> None:
    await store.write(make_paid)
    async with client.get(f"{base}/invoice/{'B' * 43}") as nothing:
        expected = (nothing.status, await nothing.text())
    async with client.get(URL(f"{base}/invoice/{name}", encoded=True)) as answer:
        assert (answer.status, await answer.text()) == expected
    assert expected[0] == 404


async def test_an_address_works_until_its_time_is_over(
    base: str, client: aiohttp.ClientSession, store: Store
) -> None:
    paid = await store.write(make_paid)
    async with client.get(f"{base}/invoice/{paid.invoice.token}") as answer:
        assert answer.status == 200
    await store.write(lambda c: c.execute(update(invoices).values(token_expires_ms=now_ms())).close())
    async with client.get(f"{base}/invoice/{paid.invoice.token}") as answer:
        assert answer.status == 404


async def test_what_cannot_be_printed_or_read_now_may_be_later(
    store: Store, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(Printer):
        async def print(self, body: Mapping[str, Any]) -> bytes:
            raise CannotPrint("no memory")

    async def away(*arguments: object, **options: object) -> None:
        raise StoreUnavailable("the disk is gone")

    paid = await store.write(make_paid)
    async with serving_invoices(store, Broken()) as base:
        async with client.get(f"{base}/invoice/{paid.invoice.token}") as answer:
            assert answer.status == 503
        monkeypatch.setattr(type(store), "read", away)
        async with client.get(f"{base}/invoice/{paid.invoice.token}") as answer:
            assert answer.status == 503
