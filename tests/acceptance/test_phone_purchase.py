"""`make demo` from the first "mau pesan" to the invoice on the phone, in a real browser.

Screenshots of the way lie in a folder that the test prints (`pytest -s`).
"""

from __future__ import annotations

import io
import re
from pathlib import Path

from playwright.async_api import Locator, Page, expect
from pypdf import PdfReader

from sandbox.midtrans.server import SERVER_KEY
from sandbox.starsender.server import KEY
from tests.acceptance.chromium import PATIENCE_MS
from tests.acceptance.phones import opened
from tests.acceptance.test_phone_page import _chromium

__all__ = ["_chromium"]

SOON = {"timeout": PATIENCE_MS}


async def _pdf_of(page: Page, bubble: Locator) -> str:
    """The words of the document in this bubble."""
    address = await bubble.locator("a.document").get_attribute("href")
    answer = await page.request.get(f"{page.url.rstrip('/')}/{address}")
    return PdfReader(io.BytesIO(await answer.body())).pages[0].extract_text()


async def test_a_customer_chooses_confirms_pays_and_gets_his_invoice_and_the_owner_hears_of_it(
    copy: Path, tmp_path: Path
) -> None:
    async with opened(copy, tmp_path) as phones:
        page = phones.page
        await page.get_by_role("button", name="Pindai dengan HP toko").click()
        await phones.state("Terhubung")
        budi, admin = phones.of("Budi"), phones.of("Admin")

        await phones.says(budi, "mau pesan LAN20 2 ya kak", "Rp190.000")
        await phones.says(budi, "ya kak", "nama penerima")
        await phones.says(budi, "Budi Santoso", "Dikirim ke mana")
        await phones.says(budi, "Jl. Kenanga 12, Gergunung, Klaten Utara", "Rp200.000")
        await phones.shot("ordered")
        await phones.write(budi, "1")
        await expect(budi).to_contain_text("Bayarnya di sini ya Kak", **SOON)  # type: ignore[arg-type]  # as above.
        await expect(budi).to_contain_text("nomor kami 081190000003")
        await phones.shot("link")
        paying = await phones.pay(budi, way="qris")
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
        await phones.says(siti, "mau pesan VH7 1", "Rp25.000")
        await phones.says(siti, "ya kak", "Mau bayar lewat apa")
        await phones.says(siti, "1", "Bayarnya di sini")
        await phones.break_by("Matikan Midtrans")
        await phones.break_by("Matikan Starsender")
        await (await phones.pay(siti, way="bca_va")).close()
        await phones.shot("midtrans-gone")
        await expect(siti).not_to_contain_text("sudah masuk")
        await phones.break_by("Hidupkan Midtrans")
        await expect(siti).to_contain_text("Pembayaran Rp25.000 sudah masuk", **SOON)  # type: ignore[arg-type]  # as above.
        # Without Starsender the bot's own document is all there is, and it is enough.
        await expect(siti.locator('[data-author="bot"] a.document')).to_have_count(1, **SOON)  # type: ignore[arg-type]  # as above.
        await expect(admin).to_contain_text("Starsender bermasalah", **SOON)  # type: ignore[arg-type]  # as above.
        await expect(siti.locator('[data-author="other"]')).to_have_count(0)
        await phones.shot("starsender-gone")

        await phones.says(budi, "kirim ulang invoice", "kukirim ulang")
        await expect(invoice).to_have_count(2, **SOON)  # type: ignore[arg-type]  # as above.
        await phones.shot("again")
    logs = "".join((copy / "var" / "demo" / name).read_text() for name in ("bot.log", "webhooks.log"))
    for secret in (SERVER_KEY, KEY, "6281234560001", "081234560001", "Kenanga"):
        assert secret not in logs, "a log holds what nobody may read there"
