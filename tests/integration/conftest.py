"""A tiny shop with its owner's room, over each database; a failed message is soon tried again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from bot import answer_path
from config.settings import Settings
from store.doors import Store
from tests.integration.tiny_shop import QUICK, OpenShop, shops


@pytest.fixture
async def open_shop(
    store: Store, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenShop]:
    monkeypatch.setattr(answer_path, "INBOX_BACKOFF", QUICK)
    async with shops(store, make_settings) as opened:
        yield opened
