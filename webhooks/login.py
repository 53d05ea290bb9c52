"""The page that lets the owner log the bot in again from anywhere: the live pairing code, for one browser.

Whoever sees the code can become a device of the shop. So the address is one of 2^128, works for ten minutes
and for the first browser that presses the button (a GET alone binds nothing: messengers look at links by
themselves), says nothing about why it is refused, and is guessed at most so often a minute.
"""

from __future__ import annotations

import asyncio
import html
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from config import environment as env
from config.wording import Wording
from store import login_links, pairing_files, standing
from store.doors import Store
from store.errors import StoreError
from store.login_links import Link

PATH = "/masuk/"
_COOKIE = "masuk"
# Of wrong addresses in a minute, from one visitor and from all together: a person errs twice.
MOST_OF_ONE, MOST_OF_ALL = 10, 200
PER_S = 60.0
_TEMPLATE = Path(__file__).with_name("login.html").read_text(encoding="utf-8")
# Nothing is loaded from anywhere, nothing is kept, nobody frames it, and the address goes to nobody.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'unsafe-inline'; "
        "script-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
_SCREENS = ("masuk_buka", "masuk_tombol", "masuk_pindai", "masuk_ketik", "masuk_tunggu", "masuk_berhasil")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class Limiter:
    """So many refusals in so many seconds, then nothing is looked up for a visitor for a while."""

    per_s: float = PER_S
    now: Callable[[], float] = time.monotonic
    _refused: deque[tuple[float, str]] = field(default_factory=deque, init=False)

    def is_exhausted(self, visitor: str) -> bool:
        """Whether the visitor, or all of them together, had too many wrong addresses."""
        while self._refused and self._refused[0][0] <= self.now() - self.per_s:
            self._refused.popleft()
        of_one = sum(1 for _, who in self._refused if who == visitor)
        return of_one >= MOST_OF_ONE or len(self._refused) >= MOST_OF_ALL

    def note(self, visitor: str) -> None:
        """The visitor had a wrong address."""
        self._refused.append((self.now(), visitor))


@dataclass(kw_only=True)
class LoginPage:
    """The page's handlers."""

    store: Store
    state_dir: Path
    wording: Wording
    limiter: Limiter = field(default_factory=Limiter)

    def routes(self) -> list[web.RouteDef]:
        """The page, its button, and what it asks for while it is open."""
        base = f"{PATH}{{token}}"
        return [
            web.get(base, self._guarded(self._show), allow_head=False),
            web.post(base, self._guarded(self._open)),
            web.get(f"{base}/keadaan", self._guarded(self._state)),
            web.get(f"{base}/kode.png", self._guarded(self._picture)),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            visitor = _visitor(request)
            if self.limiter.is_exhausted(visitor):
                return self._refuse("masuk_sering", status=429)
            try:
                answer = await handler(request)
            except StoreError:
                raise web.HTTPServiceUnavailable from None
            if answer.status == 404:
                self.limiter.note(visitor)
            return answer

        return guarded

    async def _show(self, request: web.Request) -> web.StreamResponse:
        link = await self._link(request)
        if link is None or (link.session is not None and not self._is_theirs(request, link)):
            return self._refuse("masuk_ditolak", status=404)
        return self._page(is_open=link.session is not None)

    async def _open(self, request: web.Request) -> web.StreamResponse:
        token = request.match_info["token"]
        cookie = await self.store.write(lambda c: login_links.open_once(c, token))
        if cookie is None:
            link = await self._link(request)
            if link is None or not self._is_theirs(request, link):
                return self._refuse("masuk_ditolak", status=404)
            # The button was pressed twice.
        here = f"{PATH}{token}"
        answer = web.Response(status=303, headers={**_HEADERS, "Location": here})
        if cookie is not None:
            answer.set_cookie(
                _COOKIE,
                cookie,
                path=here,
                max_age=login_links.VALID_MS // 1000,
                httponly=True,
                samesite="Strict",
                # The proxy in front speaks TLS; on loopback there is none to ask for.
                secure=request.headers.get("X-Forwarded-Proto", request.scheme) == "https",
            )
        return answer

    async def _state(self, request: web.Request) -> web.StreamResponse:
        link = await self._opened(request)
        if link is None:
            return web.json_response({"keadaan": "habis"}, status=404, headers=_HEADERS)
        code = await asyncio.to_thread(pairing_files.read, self.state_dir, link.account)
        told = await self.store.read(lambda c: standing.read(c, link.account))
        is_online = code is None and told is not None and told.state in ("online", "degraded")
        return web.json_response(
            {
                "keadaan": "berhasil" if is_online else "tunggu" if code is None else "pindai",
                "sisa_s": link.left_ms // 1000,
                "ganti_s": None if code is None else max(0, round(code.left_s)),
                "ketik": None if code is None else code.typed,
                # Another one whenever the picture is another one.
                "gambar": None if code is None or code.qr is None else str(abs(hash(code.qr))),
            },
            headers=_HEADERS,
        )

    async def _picture(self, request: web.Request) -> web.StreamResponse:
        link = await self._opened(request)
        if link is None:
            return web.Response(status=404, headers=_HEADERS)
        try:
            data = await asyncio.to_thread(pairing_files.png_file(self.state_dir, link.account).read_bytes)
        except OSError:
            return web.Response(status=410, headers=_HEADERS)
        return web.Response(body=data, content_type="image/png", headers=_HEADERS)

    async def _link(self, request: web.Request) -> Link | None:
        token = request.match_info["token"]
        return await self.store.read(lambda c: login_links.find(c, token))

    async def _opened(self, request: web.Request) -> Link | None:
        link = await self._link(request)
        return link if link is not None and self._is_theirs(request, link) else None

    @staticmethod
    def _is_theirs(request: web.Request, link: Link) -> bool:
        return login_links.is_opened_by(link, request.cookies.get(_COOKIE, ""))

    def _page(self, *, is_open: bool) -> web.Response:
        return self._render("kode" if is_open else "buka")

    def _refuse(self, sentence: str, *, status: int) -> web.Response:
        return self._render("pesan", sentence, status=status)

    def _render(self, screen: str, message: str = "masuk_ditolak", *, status: int = 200) -> web.Response:
        values = {name: self.wording.say(name) for name in _SCREENS}
        values |= {name: self.wording.say(name, detik="{}") for name in ("masuk_sisa", "masuk_ganti")}
        values |= {
            "masuk_judul": self.wording.say("masuk_judul"),
            "masuk_habis": self.wording.say("masuk_habis"),
            "pesan": self.wording.say(message),
            "layar": screen,
        }
        text = _TEMPLATE
        for name, value in values.items():
            text = text.replace(f"[[{name}]]", html.escape(value))
        return web.Response(text=text, content_type="text/html", status=status, headers=_HEADERS)


def _visitor(request: web.Request) -> str:
    """The other end's address; behind the proxy on this machine, the one that the proxy wrote last."""
    peer = request.remote or ""
    if env.is_loopback(peer) and (forwarded := request.headers.get("X-Forwarded-For")):
        return forwarded.rpartition(",")[2].strip()
    return peer
