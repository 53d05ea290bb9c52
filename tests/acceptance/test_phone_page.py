"""`make demo` as a newcomer sees it: a page with phones, in a real browser, with the real bot behind it.

Screenshots of the way lie in a folder that the test prints (`pytest -s`).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.acceptance.chromium import PATIENCE_MS, PHONE, ChromiumMissing, program
from tests.acceptance.phones import opened
from tests.conftest import everything_is_required


@pytest.fixture(autouse=True)
def _chromium() -> None:
    """Where there is no browser the test is skipped loudly; on a build server that is a failure."""
    try:
        program()
    except ChromiumMissing as exc:
        if everything_is_required():
            pytest.fail(str(exc), pytrace=False)
        pytest.skip(str(exc))


async def test_a_newcomer_scans_writes_takes_over_and_breaks_the_network(copy: Path, tmp_path: Path) -> None:
    async with opened(copy, tmp_path) as phones:
        page = phones.page
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
        await phones.quote(admin, containing="katering", answer="Belum ada Kak, kami khusus internet.")
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
    assert sorted(path.name for path in (copy / "var").iterdir()) == ["demo"]


async def test_a_frozen_network_and_a_ban_are_shown_and_lose_nothing(copy: Path, tmp_path: Path) -> None:
    async with opened(copy, tmp_path) as phones:
        page = phones.page
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
