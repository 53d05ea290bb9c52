"""The watched knowledge folder: an owner saves a file, and soon the bot answers from it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

# Editors and spreadsheets write in several steps; read once they are quiet.
DEBOUNCE_MS = 800


async def watch_knowledge(data_dir: Path) -> None:
    """Read the folder in now and whenever something in it changes; runs until cancelled."""
    from watchfiles import awatch

    await read_in(data_dir)
    if not data_dir.is_dir():
        log.error("knowledge_folder_missing", folder=str(data_dir), todo="create it or set DATA_DIR")
        await asyncio.Event().wait()
    async for changes in awatch(data_dir, debounce=DEBOUNCE_MS, recursive=True):
        if any(not Path(path).name.startswith((".", "~$")) for _, path in changes):
            await read_in(data_dir)


async def read_in(data_dir: Path) -> None:
    """One ingest in a process of its own: its parsers' memory and CPU never burden the chat."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rag.ingest",
        str(data_dir),
        "--quiet",
        stdin=asyncio.subprocess.DEVNULL,
        # Standard output belongs to the channel.
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, errors = await process.communicate()
    except asyncio.CancelledError:
        if process.returncode is None:
            process.terminate()
            await process.wait()
        raise
    report = errors.decode("utf-8", "replace").strip()
    if process.returncode == 0:
        log.info("knowledge_read", folder=str(data_dir))
    else:
        log.error("knowledge_not_read", folder=str(data_dir), code=process.returncode, report=report[-2000:])
