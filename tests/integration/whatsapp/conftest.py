"""A WhatsApp server on loopback and the echo bot, linked to the shop's phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.whatsapp.server import WhatsAppServer
from tests.integration.whatsapp.program import Program


@pytest.fixture
async def wa() -> AsyncIterator[WhatsAppServer]:
    async with WhatsAppServer() as server:
        yield server


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Where the bot keeps its session."""
    return tmp_path / "wa.db"


@pytest.fixture
async def bot(wa: WhatsAppServer, state: Path) -> AsyncIterator[Program]:
    """The echo bot, linked and online."""
    async with Program(wa.environment, state) as program:
        await link(wa, program)
        yield program


async def link(wa: WhatsAppServer, program: Program) -> None:
    """Scan the program's QR code with the owner's phone and wait until it is online."""
    code = await program.expect("qr")
    await wa.owner.scan(code["text"])
    await wa.online()
    await program.expect("connected")
