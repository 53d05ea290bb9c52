"""A paired bot for each file of tests, and what it talks to."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from rag.ingest import ingest
from sandbox.limits import UNLIMITED
from sandbox.whatsapp.binary import Node
from sandbox.whatsapp.connection import Connection
from sandbox.whatsapp.server import WhatsAppServer
from store.sqlite import SqliteStore
from tests.integration.tiny_shop import write_shop
from tests.integration.whatsapp.shop.echo_model import EchoModel
from tests.whatsapp_bot import WhatsAppBot

MakeBot = Callable[..., WhatsAppBot]
# Words find what the tests ask for; and a crowd must not run into the limits of one shop's day.
QUICK = {"EMBEDDING_MODEL": "off", **UNLIMITED}


@pytest.fixture(scope="session")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop's folder with its knowledge read; tests work on copies."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "data").mkdir()
    write_shop(folder / "data")

    async def read() -> None:
        store = await SqliteStore.open(folder / "var" / "balas.db")
        await ingest(store, folder / "data", None)
        await store.close()

    asyncio.run(read())
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def model() -> AsyncIterator[EchoModel]:
    async with EchoModel() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def wa() -> AsyncIterator[WhatsAppServer]:
    """The WhatsApp server of all tests in the file; what a test breaks there, it mends."""
    async with WhatsAppServer() as server:
        yield server


@pytest.fixture
def stanzas(wa: WhatsAppServer, monkeypatch: pytest.MonkeyPatch) -> list[Node]:
    """Everything that the bot's device sends from now on."""
    sent: list[Node] = []
    received = wa.network.received

    def noted(connection: Connection, node: Node) -> None:
        sent.append(node)
        received(connection, node)

    monkeypatch.setattr(wa.network, "received", noted)
    return sent


@pytest.fixture(scope="module")
def make_bot(
    ingested: Path, model: EchoModel, wa: WhatsAppServer, tmp_path_factory: pytest.TempPathFactory
) -> MakeBot:
    """``make_bot(WHATSAPP_NUMBER="…")``: a bot with these settings, not started, in a folder of its own."""

    def make(*, server: WhatsAppServer = wa, **settings: str) -> WhatsAppBot:
        folder = tmp_path_factory.mktemp("bot")
        shutil.copytree(ingested, folder, dirs_exist_ok=True)
        return WhatsAppBot(
            folder=folder,
            server=server,
            base_url=model.base_url,
            settings={**QUICK, **settings},
        )

    return make


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bot(make_bot: MakeBot) -> AsyncIterator[WhatsAppBot]:
    """The file's bot: paired, online, alive. Whoever ends it starts it again."""
    bot = make_bot()
    async with bot:
        await bot.pair()
        yield bot
