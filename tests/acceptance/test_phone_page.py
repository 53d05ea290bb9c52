"""`make demo` as a newcomer sees it: a page with phones, in a real browser, with the real bot behind it.

Screenshots of the way lie in a folder that the test prints (`pytest -s`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from playwright.async_api import Locator, Page, expect

from tests.acceptance.chromium import PATIENCE_MS, PHONE, ChromiumMissing, browsing, program
from tests.conftest import everything_is_required

START_S = 120.0
STOP_S = 40.0
SAYS = re.compile(r"https?://127\.0\.0\.1:\d+/")


@pytest.fixture(autouse=True)
def _chromium() -> None:
    """Where there is no browser the test is skipped loudly; on a build server that is a failure."""
    try:
        program()
    except ChromiumMissing as exc:
        if everything_is_required():
            pytest.fail(str(exc), pytrace=False)
        pytest.skip(str(exc))


@contextlib.asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[str]:
    """``make demo`` without anything piped in; the page's address. It ends by Ctrl-C and leaves nothing."""
    with (folder / "said").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *("make", "-s", "demo"),
            cwd=folder,
            env={name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        yield await asyncio.wait_for(_address(process.stdout, folder), START_S)
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


async def _address(stdout: asyncio.StreamReader, folder: Path) -> str:
    async for line in stdout:
        if found := SAYS.search(line.decode()):
            return found[0]
    raise AssertionError(f"the demo ended before it had an address:\n{(folder / 'said').read_text()}")


class Phones:
    """The page, by what a person finds on it."""

    def __init__(self, page: Page, shots: Path) -> None:
        self.page = page
        self._shots = shots
        self._taken = 0

    def of(self, name: str) -> Locator:
        return self.page.get_by_role("region", name=f"HP {name}", exact=True)

    async def write(self, phone: Locator, text: str) -> None:
        await phone.get_by_placeholder("Ketik pesan").fill(text)
        await phone.get_by_role("button", name="Kirim").click()

    async def state(self, words: str, *, patience_ms: int = PATIENCE_MS) -> None:
        await expect(self.page.locator("#state")).to_contain_text(words, timeout=patience_ms)

    async def break_by(self, name: str) -> None:
        await self.page.locator("#troubles").get_by_role("button", name=name).click()

    async def shot(self, name: str) -> None:
        self._taken += 1
        await self.page.screenshot(path=self._shots / f"{self._taken}-{name}.png")

    async def fits(self) -> None:
        """Nothing sticks out of the window."""
        sizes = await self.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert sizes[0] <= sizes[1]


async def test_a_newcomer_scans_writes_takes_over_and_breaks_the_network(copy: Path, tmp_path: Path) -> None:
    shots = tmp_path / "screenshots"
    shots.mkdir()
    print(f"\nscreenshots: {shots}")
    complaints: list[str] = []
    async with demo(copy) as address, browsing(tmp_path / "profile", complaints) as page:
        phones = Phones(page, shots)
        await page.goto(address)
        await phones.state("Menunggu dipindai")
        await expect(page.locator("#code")).to_be_visible()
        await phones.shot("unlinked")

        await page.get_by_role("button", name="Pindai dengan HP toko").click()
        await phones.state("Terhubung")

        budi = phones.of("Budi")
        await phones.write(budi, "IH20 berapa kak?")
        await expect(budi).to_contain_text("Rp275.000", timeout=PATIENCE_MS)
        await expect(budi.get_by_label("Dibaca")).to_have_count(1, timeout=PATIENCE_MS)

        siti = phones.of("Siti")
        await phones.write(siti, "<img src=x onerror=document.title='jahat'> ada *layanan katering* kak?")
        asked = siti.locator('[data-author="customer"]')
        await expect(asked.locator("strong")).to_have_text("layanan katering")
        await expect(asked.locator(".text")).to_contain_text("<img src=x")
        await expect(asked.locator("img")).to_have_count(0)
        admin = phones.of("Admin")
        notice = admin.locator(".row", has_text="katering")
        await expect(notice).to_be_visible(timeout=PATIENCE_MS)
        await notice.locator(".bubble").click()
        await notice.get_by_label("Balas pesan ini").click()
        await phones.write(admin, "Belum ada Kak, kami khusus internet.")
        await expect(siti).to_contain_text("kami khusus internet", timeout=PATIENCE_MS)

        shop = phones.of("toko")
        await shop.locator(".item", has=page.locator("b", has_text="Budi")).first.click()
        await expect(shop).to_contain_text("dikirim bot")
        await phones.write(shop, "Halo Kak Budi, ini pemilik toko.")
        await expect(budi).to_contain_text("ini pemilik toko")
        await phones.fits()
        await phones.shot("desktop")

        await phones.break_by("Matikan jaringan")
        await phones.state("Menyambung")
        await phones.write(siti, "makasih")
        await expect(siti.get_by_label("Terkirim")).to_have_count(1)
        await phones.shot("no-network")
        await phones.break_by("Hidupkan jaringan")
        await phones.state("Terhubung")
        await expect(siti.locator(".reactions")).to_have_text("🙏", timeout=PATIENCE_MS)

        await page.reload()
        await expect(budi).to_contain_text("Rp275.000")
        await expect(page.locator("#diary")).to_contain_text("Jaringan hidup lagi")

        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        for tab, seen in (("Budi", budi), ("HP toko", shop), ("Admin", admin)):
            await page.locator("#tabs").get_by_role("button", name=tab).click()
            await expect(seen).to_be_visible()
            await expect(siti).to_be_hidden()
            await phones.fits()
            await phones.shot(f"phone-{tab.replace(' ', '-')}")
        assert await page.title() == "Balas – demo"
    assert complaints == []
    assert sorted(path.name for path in (copy / "var").iterdir()) == ["demo"]


async def test_a_frozen_network_and_a_ban_are_shown_and_lose_nothing(copy: Path, tmp_path: Path) -> None:
    shots = tmp_path / "screenshots"
    shots.mkdir()
    print(f"\nscreenshots: {shots}")
    complaints: list[str] = []
    async with demo(copy) as address, browsing(tmp_path / "profile", complaints) as page:
        phones = Phones(page, shots)
        await page.goto(address)
        await phones.state("Menunggu dipindai")
        await page.get_by_role("button", name="Pindai dengan HP toko").click()
        await phones.state("Terhubung")
        budi, siti = phones.of("Budi"), phones.of("Siti")
        await phones.write(budi, "IH20 berapa kak?")
        await expect(budi).to_contain_text("Rp275.000", timeout=PATIENCE_MS)

        await phones.break_by("Bekukan jaringan")
        await expect(page.locator("#troubles .active")).to_contain_text("Cairkan jaringan")
        await phones.write(siti, "IH20 berapa kak?")
        await expect(siti.get_by_label("Terkirim")).to_have_count(1)
        # The connection is still there; only its silence tells that nothing gets through.
        await phones.state("Terganggu")
        await phones.shot("frozen")
        await expect(siti.locator('[data-author="bot"]')).to_have_count(0)
        await phones.break_by("Cairkan jaringan")
        await phones.state("Terhubung")
        await expect(siti).to_contain_text("Rp275.000", timeout=PATIENCE_MS)
        await expect(siti.locator('[data-author="bot"]')).to_have_count(1)

        await phones.break_by("Blokir semenit")
        await phones.state("Diblokir sementara")
        await expect(page.locator("#state-detail")).to_contain_text(re.compile(r"Masih \d+ detik"))
        await expect(page.locator("#troubles .active")).to_contain_text("Blokir")
        await phones.write(budi, "makasih kak")
        await expect(budi.get_by_label("Terkirim")).to_have_count(1)
        await phones.fits()
        await phones.shot("banned")
        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        await page.locator("#tabs").get_by_role("button", name="Bot").click()
        await expect(page.locator("#state")).to_be_visible()
        await phones.fits()
        await phones.shot("phone-banned")
        # It knocks once when the time is over, and not before; for a first refusal it waits a minute.
        await phones.state("Terhubung", patience_ms=2 * PATIENCE_MS)
        await expect(page.locator("#diary")).to_contain_text("Blokir berakhir")
        await page.locator("#tabs").get_by_role("button", name="Budi").click()
        await expect(budi.locator(".reactions")).to_have_text("🙏", timeout=PATIENCE_MS)
        await phones.shot("phone-after-ban")

        await page.locator("#tabs").get_by_role("button", name="Bot").click()
        await phones.break_by("Keluarkan bot")
        await phones.state("Menunggu dipindai")
        await expect(page.locator("#code")).to_be_visible()
        await phones.fits()
        await phones.shot("phone-logged-out")
    assert complaints == []
