"""Renews docs/demo.png: runs the demo, sells something in it, and takes the page's picture.

Started as `PYTHONPATH=. .venv/bin/python scripts/picture.py`. With a folder behind it, pictures of the way
there are left in it, at desktop and phone width.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import expect

from tests.acceptance.chromium import PATIENCE_MS, PHONE, browsing
from tests.acceptance.phones import Phones, demo

PROJECT = Path(__file__).resolve().parents[1]
TARGET = PROJECT / "docs" / "demo.png"
# Taller than most windows: the link, what was paid, the invoice and the question shall all be seen.
SIZE = {"width": 1440, "height": 1340}
TABS = ("Budi", "Siti", "HP toko", "Admin", "Bot")


async def take(shots: Path, work: Path) -> None:
    """A purchase with its invoice, a question for the owner and his answer; then the page as it stands."""
    complaints: list[str] = []
    # A fresh one: invoice number one, and customers whom nobody knows yet.
    showing = demo(PROJECT, said=work / "said", fresh=True)
    async with showing as address, browsing(work / "profile", complaints) as page:
        phones = Phones(page, shots)
        await page.goto(address)
        await phones.state("Menunggu dipindai")
        await expect(page.locator("#code")).to_be_visible()
        await phones.shot("unlinked")
        await phones.scan()
        budi, siti, admin = phones.of("Budi"), phones.of("Siti"), phones.of("Admin")
        await phones.says(siti, "mau pesan VH7 1 kak", "Rp25.000")
        await phones.says(siti, "ya", "Mau bayar lewat apa")
        await phones.says(siti, "1", "Bayarnya di sini")
        await (await phones.pay(siti, way="qris")).close()
        await expect(siti.locator('[data-author="bot"] a.document')).to_have_count(1, timeout=PATIENCE_MS)
        await expect(admin).to_contain_text("Lunas Rp25.000", timeout=PATIENCE_MS)
        await phones.says(budi, "IH20 berapa kak?", "Rp275.000")
        await phones.says(budi, "ada paket buat warnet 40 komputer?", "admin")
        await phones.quote(admin, containing="warnet", answer="Ada Kak, nanti teknisi kami survei dulu ya")
        await expect(budi).to_contain_text("survei dulu", timeout=PATIENCE_MS)
        await phones.write(budi, "makasih kak 🙏")
        await expect(budi.locator(".reactions")).to_be_visible(timeout=PATIENCE_MS)
        shop = phones.of("toko")
        await shop.locator(".item", has=page.locator("b", has_text="Budi")).first.click()
        await expect(shop).to_contain_text("survei dulu")
        await phones.fits()
        await page.set_viewport_size(SIZE)  # type: ignore[arg-type]  # a dict is what it takes.
        for phone in (budi, siti, shop, admin):
            await phone.locator(".row").last.scroll_into_view_if_needed()
        await page.mouse.move(1, 1)  # What is under it shows what can be done with it.
        await page.screenshot(path=TARGET)
        await page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dict is what it takes.
        for tab in TABS:
            await page.locator("#tabs").get_by_role("button", name=tab).click()
            await phones.fits()
            await phones.shot(f"phone-{tab.replace(' ', '-')}")
    if complaints:
        raise SystemExit("\n".join(complaints))


def main() -> None:
    with tempfile.TemporaryDirectory() as work:
        shots = Path(sys.argv[1] if len(sys.argv) > 1 else work)
        shots.mkdir(exist_ok=True, parents=True)
        asyncio.run(take(shots, Path(work)))
    print(f"{TARGET.relative_to(PROJECT)}: {TARGET.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
