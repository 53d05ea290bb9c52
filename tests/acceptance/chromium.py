"""A Chromium of the system's packages, driven over the demo's page; no browser is downloaded."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from playwright.async_api import Page, async_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 60_000
DESKTOP = {"width": 1440, "height": 860}
PHONE = {"width": 390, "height": 780}
_FLAGS = ("--disable-gpu", "--disable-background-networking", "--no-first-run", "--disable-dev-shm-usage")


class ChromiumMissing(Exception):
    """There is none on this machine; the text names the package."""


def program() -> str:
    """The browser's path. Raises ChromiumMissing."""
    for name in NAMES:
        if (path := shutil.which(name)) is not None:
            return path
    raise ChromiumMissing("Chromium is not installed (apt-get install chromium)")


@contextlib.asynccontextmanager
async def browsing(profile: Path, complaints: list[str]) -> AsyncIterator[Page]:
    """An empty page of a browser with a fresh profile; what its console complains of is noted."""
    # Chromium's sandbox refuses to work for root.
    flags = [*_FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(_FLAGS)
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=program(),
            headless=True,
            args=flags,
            viewport=DESKTOP,
            # As the shop's clock, so that a screenshot does not show two times for one moment.
            timezone_id="Asia/Jakarta",
        )
        context.set_default_timeout(PATIENCE_MS)
        page = context.pages[0] if context.pages else await context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None,
        )
        try:
            yield page
        finally:
            await context.close()
