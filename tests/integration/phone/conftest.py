"""The whole demo around a tiny shop, without a browser."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import ClientSession

from rag.ingest import ingest
from sandbox.demo import PAGE_DEFAULTS, environment_for
from sandbox.openai.server import OpenAIStandIn
from sandbox.phone.show import Shown, showing
from store.sqlite import SqliteStore
from tests.integration.phone.browser import Browser
from tests.integration.tiny_shop import write_shop


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shown(tmp_path_factory: Any) -> AsyncIterator[Shown]:
    folder: Path = tmp_path_factory.mktemp("demo")
    (folder / "data").mkdir()
    (folder / "var").mkdir(mode=0o700)
    write_shop(folder / "data")
    store = await SqliteStore.open(folder / "var" / "balas.db")
    await ingest(store, folder / "data", None)
    await store.close()
    async with OpenAIStandIn() as model:
        environment = environment_for(model.base_url, os.environ, PAGE_DEFAULTS) | {
            "DATA_DIR": str(folder / "data"),
            "STATE_DIR": str(folder / "var"),
            "EMBEDDING_MODEL": "off",
            "PACE_S": "0",
        }
        async with showing(environment) as shown:
            yield shown


@pytest_asyncio.fixture(loop_scope="module")
async def browser(shown: Shown) -> AsyncIterator[Browser]:
    """A page that was just opened."""
    async with ClientSession() as session, session.ws_connect(f"{shown.address}live") as socket:
        browser = Browser(shown, session, socket)
        await browser.listen()
        yield browser
