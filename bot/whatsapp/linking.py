"""Becoming a device of the shop's phone: a code is shown, scanned or typed, and WhatsApp lets us in."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from bot.channel import State
from bot.exits import EXIT_AGAIN, EXIT_LATER
from bot.whatsapp.bridge import BridgeError
from bot.whatsapp.course import Course
from bot.whatsapp.machine import Happened
from bot.whatsapp.pairing import PairingFiles
from config.settings import Login, WhatsAppSettings

log = structlog.get_logger(__name__)

# After the phone accepted, the server lets us in anew within seconds; whatsmeow only logs when that fails.
LOGIN_AFTER_PAIRING_S = 60.0
REASON_COMES_WITHIN_S = 0.3
_FULL_DISK_BYTES = 1_000_000


class Linking:
    """One process's attempt. ``pairing_code`` asks for the characters that a number's phone accepts."""

    def __init__(
        self,
        course: Course,
        files: PairingFiles,
        settings: WhatsAppSettings,
        *,
        account: str,
        folder: Path,
        pairing_code: Callable[[str], Awaitable[str]],
    ) -> None:
        # Logged in once and thrown out: the owner may be far from this screen, and a code can be sent to him.
        self.was_linked = False
        self._course = course
        self._files = files
        self._settings = settings
        self._account = account
        self._folder = folder
        self._pairing_code = pairing_code
        self._code_asked = False

    def show(self, text: str) -> None:
        """Another code to scan."""
        course = self._course
        course.go(Happened.QR_SHOWN)
        try:
            self._files.show_qr(text)
        except OSError as exc:
            reason = f"the pairing code cannot be shown: {exc.strerror}{self._disk_hint()}"
            course.end(reason, EXIT_LATER)
            return
        log.info("pairing_code_ready", file=f"{self._account}-pairing.png")
        wants_code = self._settings.login is Login.CODE or self.was_linked
        if self._settings.number is not None and wants_code and not self._code_asked:
            self._code_asked = True
            course.hold("code", self._ask_for_code())

    def accepted(self) -> None:
        """The phone took the code."""
        self._files.remove()
        self._course.hold("login", self._expect_login())

    def failed(self, status: str) -> None:
        """It came to nothing, in the library's words."""
        if status == "timeout":
            self._course.end("nobody scanned the code in time; a new process shows a new one", EXIT_AGAIN)
        elif status == "err-client-outdated":
            self._course.go(Happened.OUTDATED, detail="WhatsApp wants a newer neonize")
        else:
            self._course.hold("failed", self._end_failed(status))

    async def _end_failed(self, status: str) -> None:
        # Why it failed is an event of its own, which may come just behind this word.
        await asyncio.sleep(REASON_COMES_WITHIN_S)
        reason = self._course.standing.detail or f"pairing failed ({status})"
        self._course.end(f"{reason}{self._disk_hint()}", EXIT_AGAIN)

    async def _expect_login(self) -> None:
        await asyncio.sleep(LOGIN_AFTER_PAIRING_S)
        if self._course.standing.state is State.CONNECTING:
            self._course.end("paired, but WhatsApp did not let us in", EXIT_LATER)

    async def _ask_for_code(self) -> None:
        """The other way in, for a phone that cannot scan; the QR code goes on being shown."""
        try:
            code = await self._pairing_code(self._settings.number or "")
        except BridgeError as exc:
            advice = "check WHATSAPP_NUMBER; the QR code can be scanned instead"
            log.error("pairing_code_refused", reason=str(exc), advice=advice)
            self._course.go(Happened.QR_SHOWN, detail=f"WhatsApp refused the number: {advice}")
            return
        self._files.show_code(code)
        log.info("pairing_code_to_type", file=f"{self._account}-pairing.json")

    def _disk_hint(self) -> str:
        with contextlib.suppress(OSError):
            if shutil.disk_usage(self._folder).free < _FULL_DISK_BYTES:
                return ": the disk is full; free some space"
        return ""
