"""A payment process and Midtrans's stand-in for each test, over both databases where it says ``store``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.midtrans import MidtransServer
from store.doors import Store
from store.sqlite import SqliteStore
from tests.integration.payments.shop import PaymentShop, payment_shop, settings_for


@pytest.fixture
async def midtrans() -> AsyncIterator[MidtransServer]:
    async with MidtransServer(merchant_name="Toko Uji", minute_s=0.05) as server:
        yield server


@pytest.fixture
async def shop(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path
) -> AsyncIterator[PaymentShop]:
    """A shop on SQLite."""
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def any_shop(store: Store, midtrans: MidtransServer, tmp_path: Path) -> AsyncIterator[PaymentShop]:
    """A shop, once on each database."""
    async with payment_shop(store, midtrans, settings_for(midtrans, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def hypothesis_shop(shop: PaymentShop) -> PaymentShop:
    """The same shop for all examples of one test: each makes an order of its own."""
    return shop
