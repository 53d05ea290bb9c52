from __future__ import annotations

import asyncio
import io
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from billing.printing import KEPT, CannotPrint, Printer
from tests.unit.billing.test_invoice import BODY


async def test_a_document_is_made_without_the_library_in_this_process() -> None:
    made = await Printer().print(BODY.as_json())
    assert made.startswith(b"%PDF-")


async def test_the_process_gets_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []
    start = asyncio.create_subprocess_exec

    async def watch(*command: str, **options: object) -> asyncio.subprocess.Process:
        given.append(options["env"])
        return await start(*command, **options)  # type: ignore[arg-type]  # passed on as they came.

    monkeypatch.setattr(asyncio, "create_subprocess_exec", watch)
    await Printer().print(BODY.as_json())
    assert given == [{}]


async def test_a_logo_is_found_from_the_folder_in_which_we_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    Image.new("RGB", (300, 120), (200, 60, 20)).save(tmp_path / "data" / "logo.png")
    monkeypatch.chdir(tmp_path)
    made = await Printer().print(replace(BODY, logo="data/logo.png").as_json())
    assert len(PdfReader(io.BytesIO(made)).pages[0].images) == 1


async def test_what_is_no_invoice_is_not_printed() -> None:
    with pytest.raises(CannotPrint, match="exit code 1"):
        await Printer().print({"lines": []})


async def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def hang(*command: str, **options: object) -> asyncio.subprocess.Process:
        process = await start(sys.executable, "-c", "import time; time.sleep(600)", **options)  # type: ignore[arg-type]  # passed on as they came.
        started.append(process)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", hang)
    with pytest.raises(CannotPrint, match="within"):
        await Printer(timeout_s=0.2).print(BODY.as_json())
    assert started[0].returncode is not None


async def test_the_last_documents_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bytes] = []

    async def make(self: Printer, written: bytes) -> bytes:
        made.append(written)
        return b"%PDF-"

    monkeypatch.setattr(Printer, "_made", make)
    printer = Printer()
    for number in range(KEPT + 1):
        await printer.print({"number": number})
    await printer.print({"number": KEPT})
    assert len(made) == KEPT + 1
    await printer.print({"number": 0})
    assert len(made) == KEPT + 2
