"""`make demo` from the first "mau pesan" to the invoice on the phone, in a real browser.

Screenshots of the way lie in a folder that the test prints (`pytest -s`).
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from playwright.async_api import BrowserContext, Locator, Page, expect
from pypdf import PdfReader

from sandbox.midtrans.server import SERVER_KEY
from sandbox.starsender.server import KEY
from tests.acceptance.chromium import PATIENCE_MS, PHONE, browsing
from tests.acceptance.test_phone_page import Phones, _chromium, demo

__all__ = ["_chromium"]

SOON = {"timeout": PATIENCE_MS}


async def _says(phones: Phones, phone: Locator, text: str, expected: str) -> None:
    """Write it and wait for an answer with these words."""
    await phones.write(phone, text)
    await expect(phone.locator('[data-author="bot"]').last).to_contain_text(expected, **SOON)  # type: ignore[arg-type]  # a time-out is all it holds.


async def _pay(context: BrowserContext, phone: Locator, shots: Path, *, way: str) -> Page:
    """Click the link in the chat and pay on the page that opens."""
    link = phone.locator('[data-author="bot"] a', has_text="/snap/").last
    async with context.expect_page() as opening:
        await link.click()
    page = await opening.value
    await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict is what it takes.
    await page.locator(f'[data-method="{way}"]').click()
    await page.screenshot(path=shots / f"pay-{way}.png")
    await page.locator("button.main").click()
    await expect(page.locator(".done")).to_contain_text("Pembayaran berhasil")
    await page.screenshot(path=shots / f"paid-{way}.png")
    return page


async def _pdf_of(page: Page, bubble: Locator) -> str:
    """The words of the document in this bubble."""
    address = await bubble.locator("a.document").get_attribute("href")
    answer = await page.request.get(f"{page.url.rstrip('/')}/{address}")
    return PdfReader(io.BytesIO(await answer.body())).pages[0].extract_text()


async def test_a_customer_chooses_confirms_pays_and_gets_his_invoice_and_the_owner_hears_of_it(
    copy: Path, tmp_path: Path
) -> None:
    shots = tmp_path / "screenshots"
    shots.mkdir()
    print(f"\nscreenshots: {shots}")
    complaints: list[str] = []
    async with demo(copy) as address, browsing(tmp_path / "profile", complaints) as page:
        phones = Phones(page, shots)
        await page.goto(address)
        await page.get_by_role("button", name="Pindai dengan HP toko").click()
        await phones.state("Terhubung")
        budi, admin = phones.of("Budi"), phones.of("Admin")

        await _says(phones, budi, "mau pesan LAN20 2 ya kak", "Rp190.000")
        await _says(phones, budi, "ya kak", "nama penerima")
        await _says(phones, budi, "Budi Santoso", "Dikirim ke mana")
        await _says(phones, budi, "Jl. Kenanga 12, Gergunung, Klaten Utara", "Rp200.000")
        await phones.shot("ordered")
        await phones.write(budi, "1")
        await expect(budi).to_contain_text("Bayarnya di sini ya Kak", **SOON)  # type: ignore[arg-type]  # as above.
        await expect(budi).to_contain_text("nomor kami 081190000003")
        await phones.shot("link")
        paying = await _pay(page.context, budi, shots, way="qris")
        await paying.close()

        await expect(budi).to_contain_text("Pembayaran Rp200.000 sudah masuk", **SOON)  # type: ignore[arg-type]  # as above.
        invoice = budi.locator('[data-author="bot"]', has=page.locator("a.document"))
        await expect(invoice).to_contain_text("INV-", **SOON)  # type: ignore[arg-type]  # as above.
        words = await _pdf_of(page, invoice)
        for said in ("LUNAS", "Budi Santoso", "Kabel LAN", "Rp200.000", "Dua ratus ribu rupiah", "QRIS"):
            assert said in words
        other = budi.locator('[data-author="other"]', has=page.locator("a.document"))
        await expect(other).to_contain_text("dari nomor 081190000003", **SOON)  # type: ignore[arg-type]  # as above.
        assert await _pdf_of(page, other) == words
        notice = admin.locator(".row", has_text="Lunas Rp200.000")
        await expect(notice).to_contain_text(re.compile(r"INV/\d{4}/\d\d/0001"), **SOON)  # type: ignore[arg-type]  # as above.
        await expect(notice).to_contain_text("Klaten Utara")
        await phones.shot("paid")
        await phones.fits()

        siti = phones.of("Siti")
        await _says(phones, siti, "mau pesan VH7 1", "Rp25.000")
        await _says(phones, siti, "ya kak", "Mau bayar lewat apa")
        await _says(phones, siti, "1", "Bayarnya di sini")
        await phones.break_by("Matikan Midtrans")
        await phones.break_by("Matikan Starsender")
        await (await _pay(page.context, siti, shots, way="bca_va")).close()
        await phones.shot("midtrans-gone")
        await expect(siti).not_to_contain_text("sudah masuk")
        await phones.break_by("Hidupkan Midtrans")
        await expect(siti).to_contain_text("Pembayaran Rp25.000 sudah masuk", **SOON)  # type: ignore[arg-type]  # as above.
        # Without Starsender the bot's own document is all there is, and it is enough.
        await expect(siti.locator('[data-author="bot"] a.document')).to_have_count(1, **SOON)  # type: ignore[arg-type]  # as above.
        await expect(admin).to_contain_text("Starsender bermasalah", **SOON)  # type: ignore[arg-type]  # as above.
        await expect(siti.locator('[data-author="other"]')).to_have_count(0)
        await phones.shot("starsender-gone")

        await _says(phones, budi, "kirim ulang invoice", "kukirim ulang")
        await expect(invoice).to_have_count(2, **SOON)  # type: ignore[arg-type]  # as above.
        await phones.shot("again")
    assert complaints == []
    logs = "".join((copy / "var" / "demo" / name).read_text() for name in ("bot.log", "webhooks.log"))
    for secret in (SERVER_KEY, KEY, "6281234560001", "081234560001", "Kenanga"):
        assert secret not in logs, "a log holds what nobody may read there"
