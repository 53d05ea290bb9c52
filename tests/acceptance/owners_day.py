"""An owner's day on the demo's phones: practice, first answer, a price, teaching, a transfer, the digest.

``test_owners_day`` watches it; ``python -m tests.acceptance.owners_day`` renews ``docs/owner.png`` by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Locator, expect

from tests.acceptance.chromium import PATIENCE_MS, browsing
from tests.acceptance.conftest import LEFT_OUT
from tests.acceptance.phones import Phones, demo
from tests.acceptance.shop import PROJECT

PICTURE = PROJECT / "docs" / "owner.png"
UNKNOWN = "kak, ada paket buat warnet 40 komputer?"
ANSWER = "Ada Kak, pakai Paket Bisnis. Lokasinya disurvei dulu ya, gratis."
# Taller than a laptop's window, so that the picture shows what came before as well.
WINDOW = {"width": 1440, "height": 1120}


async def _reads(phone: Locator, words: str) -> Locator:
    """The newest bubble on this phone with these words, once it is there."""
    bubble = phone.locator(".row", has_text=words).last
    await expect(bubble).to_be_visible(timeout=PATIENCE_MS)
    return bubble


async def _asks(phones: Phones, phone: Locator, text: str, expected: str) -> None:
    """Write it, and wait for an answer with these words that was not there before."""
    before = await phone.locator('[data-author="bot"]').count()
    await phones.write(phone, text)
    new = phone.locator('[data-author="bot"]').nth(before)
    await expect(new).to_contain_text(expected, timeout=PATIENCE_MS)


async def _quotes(phones: Phones, phone: Locator, words: str, text: str) -> None:
    """Answer the newest bubble with these words."""
    row = await _reads(phone, words)
    await row.locator(".bubble").click()
    await row.get_by_label("Balas pesan ini").click()
    await phones.write(phone, text)


async def play(phones: Phones, shop: Path) -> None:
    """The whole day in the demo of this folder, with a screenshot of each step."""
    await phones.page.get_by_role("button", name="Pindai dengan HP toko").click()
    await phones.state("Terhubung")
    budi, siti, admin = phones.of("Budi"), phones.of("Siti"), phones.of("Admin")

    await phones.write(admin, "coba IH20 berapa kak?")
    await expect(await _reads(admin, "(latihan)")).to_contain_text("Rp275.000")
    await phones.shot("practice")

    await _asks(phones, budi, "IH20 berapa kak?", "Rp275.000")
    await phones.shot("first-answer")

    await phones.write(admin, "harga IH20 285rb")
    await _reads(admin, "Rp275.000 per bulan → Rp285.000 per bulan")
    await phones.write(admin, "ya")
    await _reads(admin, "Sudah kuubah")
    await _published(phones, shop, "IH20 berapa kak?", "Rp285.000")
    await _asks(phones, budi, "IH20 berapa kak?", "Rp285.000")
    await phones.shot("price-changed")

    await _asks(phones, siti, UNKNOWN, "belum tahu pasti")
    await _quotes(phones, admin, "Butuh jawaban", ANSWER)
    await _reads(siti, ANSWER)
    await expect(await _reads(admin, "Kuingat untuk pelanggan lain")).to_contain_text(ANSWER)
    await phones.shot("answered-by-quoting")
    await phones.write(admin, "ya")
    await _reads(admin, "Tersimpan")
    # What was learnt is read from its file a moment later, and asked of the bot by somebody else.
    await _published(phones, shop, UNKNOWN, ANSWER)
    await _asks(phones, budi, "ada paket buat warnet 40 komputer ga?", ANSWER)
    await phones.shot("answered-by-the-bot")

    await _asks(phones, siti, "mau pesan VH7 1", "Rp25.000")
    await _asks(phones, siti, "ya kak", "Mau bayar lewat apa")
    await _asks(phones, siti, "2", "Transfernya ke salah satu")
    await _asks(phones, siti, "sudah transfer ya kak", "dicek admin")
    await _reads(admin, "Cek transfer")
    await phones.write(admin, "pesanan")
    await _reads(admin, "1 pesanan belum dibayar")
    await phones.shot("transfer-told")
    await _quotes(phones, admin, "Cek transfer", "lunas")
    await _reads(siti, "Pembayaran Rp25.000 sudah masuk")
    await expect(siti.locator("a.document").first).to_be_visible(timeout=PATIENCE_MS)
    await phones.shot("transfer-confirmed")

    await phones.write(admin, "ringkasan")
    digest = await _reads(admin, "📊")
    await expect(digest).to_contain_text("Pesanan baru: 1 (Rp25.000)")
    await expect(digest).to_contain_text("Lunas: 1 (Rp25.000), belum dibayar: 0")
    await expect(digest).to_contain_text("1 dijawab orang toko")
    await phones.fits()
    await phones.shot("digest")


async def _published(phones: Phones, shop: Path, asked: str, words: str) -> None:
    """Until the shop's knowledge has these words, and the bot answers them to the owner who tries it."""
    admin = phones.of("Admin")
    async with asyncio.timeout(2 * PATIENCE_MS / 1000):
        while not _is_known(shop, words):  # noqa: ASYNC110 - another process sets no event here.
            await asyncio.sleep(0.2)
        while True:
            # It looks for news at least twice a second; on a busy machine that may take longer.
            await asyncio.sleep(2)
            before = await admin.locator(".row", has_text="(latihan)").count()
            await phones.write(admin, f"coba {asked}")
            tried = admin.locator(".row", has_text="(latihan)").nth(before)
            await expect(tried).to_be_visible(timeout=PATIENCE_MS)
            if words in await tried.inner_text():
                return


def _is_known(shop: Path, words: str) -> bool:
    with contextlib.closing(sqlite3.connect(f"file:{shop}/var/demo/balas.db?mode=ro", uri=True)) as database:
        found = database.execute("SELECT 1 FROM knowledge WHERE text LIKE ? LIMIT 1", (f"%{words}%",))
        return found.fetchone() is not None


async def renew(picture: Path) -> None:
    """Play the day in a copy of the project, and keep its last picture."""
    with tempfile.TemporaryDirectory() as work:
        folder, shots = Path(work) / "balas", Path(work) / "screenshots"
        shots.mkdir()
        await asyncio.to_thread(shutil.copytree, PROJECT, folder, ignore=LEFT_OUT)
        (folder / ".venv").symlink_to(Path(sys.prefix))
        complaints: list[str] = []
        async with demo(folder) as address, browsing(Path(work) / "profile", complaints) as page:
            await page.set_viewport_size(WINDOW)  # type: ignore[arg-type]  # a dict is what it takes.
            await page.goto(address)
            await play(Phones(page, shots), folder)
            await page.screenshot(path=picture)


if __name__ == "__main__":
    asyncio.run(renew(PICTURE))
