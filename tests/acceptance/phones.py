"""The demo and its page, driven as a newcomer would: for the tests, and for the pictures of the README."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
from playwright.async_api import BrowserContext, Locator, Page, expect

from sandbox.surroundings import surroundings
from tests.acceptance.chromium import PATIENCE_MS, PHONE, browsing

START_S = 120.0
STOP_S = 40.0
SAYS = re.compile(r"https?://127\.0\.0\.1:\d+/")


@contextlib.asynccontextmanager
async def demo(folder: Path, *, said: Path | None = None, fresh: bool = False) -> AsyncIterator[str]:
    """``make demo`` without anything piped in; the page's address. It ends by Ctrl-C and leaves nothing.

    What it says on stderr goes to the file ``said``. A ``fresh`` one knows nothing of those before it.
    """
    file = said or folder / "said"
    with file.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *("make", "-s", "demo", *(("FRESH=1",) if fresh else ())),
            cwd=folder,
            env=surroundings(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        yield await asyncio.wait_for(_address(process.stdout, file), START_S)
        started = psutil.Process(process.pid).children(recursive=True)
        assert any("run_bot.py" in " ".join(one.cmdline()) for one in started)
    finally:
        with contextlib.suppress(ProcessLookupError):
            # A terminal's Ctrl-C goes to every process of the group.
            os.killpg(process.pid, signal.SIGINT)
        try:
            await asyncio.wait_for(process.communicate(), STOP_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    _, left = psutil.wait_procs(started, timeout=STOP_S)
    assert left == []


async def _address(stdout: asyncio.StreamReader, said: Path) -> str:
    async for line in stdout:
        if found := SAYS.search(line.decode()):
            return found[0]
    raise AssertionError(f"the demo ended before it had an address:\n{said.read_text()}")


class Phones:
    """The page, by what a person finds on it."""

    def __init__(self, page: Page, shots: Path) -> None:
        self.page = page
        self.shots = shots
        self._taken = 0

    def of(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=f"HP {name}", exact=True)

    async def write(self, phone: Locator, text: str) -> None:
        await phone.get_by_placeholder("Ketik pesan").fill(text)
        await phone.get_by_role("button", name="Kirim").click()

    async def says(self, phone: Locator, text: str, expected: str) -> None:
        """Write it and wait for an answer with these words."""
        await self.write(phone, text)
        await expect(phone.locator('[data-author="bot"]').last).to_contain_text(expected, timeout=PATIENCE_MS)

    async def scan(self) -> None:
        """Link the bot to the shop's phone."""
        await self.page.get_by_role("button", name="Pindai dengan HP toko").click()
        await self.state("Terhubung")

    async def pay(self, phone: Locator, *, way: str) -> Page:
        """Click the link in the chat and pay on the page that opens."""
        context: BrowserContext = self.page.context
        link = phone.locator('[data-author="bot"] a', has_text="/snap/").last
        async with context.expect_page() as opening:
            await link.click()
        page = await opening.value
        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict is what it takes.
        await page.locator(f'[data-method="{way}"]').click()
        await page.screenshot(path=self.shots / f"pay-{way}.png")
        await page.locator("button.main").click()
        await expect(page.locator(".done")).to_contain_text("Pembayaran berhasil")
        await page.screenshot(path=self.shots / f"paid-{way}.png")
        return page

    async def quote(self, phone: Locator, *, containing: str, answer: str) -> None:
        """Answer a notice by quoting it, once it is there."""
        notice = phone.locator(".row", has_text=containing).last
        await expect(notice).to_be_visible(timeout=PATIENCE_MS)
        await notice.locator(".bubble").click()
        await notice.get_by_label("Balas pesan ini").click()
        await self.write(phone, answer)

    async def state(self, words: str, *, patience_ms: int = PATIENCE_MS) -> None:
        await expect(self.page.locator("#state")).to_contain_text(words, timeout=patience_ms)

    async def break_by(self, name: str) -> None:
        await self.page.locator("#troubles").get_by_role("button", name=name).click()

    async def shot(self, name: str) -> None:
        self._taken += 1
        await self.page.screenshot(path=self.shots / f"{self._taken}-{name}.png")

    async def fits(self) -> None:
        """Nothing sticks out of the window."""
        sizes = await self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert sizes[0] <= sizes[1]


@contextlib.asynccontextmanager
async def opened(folder: Path, work: Path) -> AsyncIterator[Phones]:
    """The page of the folder's demo in a browser, which must have nothing to complain of at the end.

    Where the pictures of the way lie is printed.
    """
    shots = work / "screenshots"
    shots.mkdir()
    print(f"\nscreenshots: {shots}")
    complaints: list[str] = []
    async with demo(folder) as address, browsing(work / "profile", complaints) as page:
        await page.goto(address)
        yield Phones(page, shots)
    assert complaints == []
