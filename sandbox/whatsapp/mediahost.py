"""Where encrypted files are uploaded and fetched, by https on loopback."""

from __future__ import annotations

import base64
import os
import ssl

from aiohttp import web

from sandbox.whatsapp.media import Sealed

_LARGEST_FILE = 100 * 1024 * 1024


class MediaHost:
    """Files by their path. They stay for the server's life."""

    def __init__(self) -> None:
        self.port = 0
        self._files: dict[str, bytes] = {}
        self._runner: web.AppRunner | None = None
        # Answers of this HTTP status for downloads, while it is set: expired media (410), a fault (500).
        self.failing: int | None = None
        # The same for uploads: a host that is away (500), a file that it does not take (413).
        self.refusing: int | None = None

    @property
    def address(self) -> str:
        """Host and port, as a device is told it."""
        return f"127.0.0.1:{self.port}"

    def store(self, data: bytes) -> str:
        """Keep a file; its path, to which clients append further parameters."""
        name = base64.urlsafe_b64encode(os.urandom(15)).decode()
        self._files[name] = data
        return f"/v/{name}?ccb=11-4"

    def put(self, sealed: Sealed) -> str:
        """Keep an encrypted file; its path."""
        return self.store(sealed.data)

    def fetch(self, path: str) -> bytes:
        """A file by its path. Raises KeyError."""
        return self._files[path.partition("?")[0].rpartition("/")[2]]

    async def start(self, context: ssl.SSLContext) -> None:
        """Listen; after a stop on the same port again, for devices remember it."""
        app = web.Application(client_max_size=_LARGEST_FILE)
        app.router.add_get("/v/{name}", self._download)
        app.router.add_post("/mms/{kind}/{token}", self._upload)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self.port, ssl_context=context, reuse_address=True)
        await site.start()
        self.port = runner.addresses[0][1]
        self._runner = runner

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _download(self, request: web.Request) -> web.Response:
        if self.failing is not None:
            return web.Response(status=self.failing)
        data = self._files.get(request.match_info["name"])
        return web.Response(status=404) if data is None else web.Response(body=data)

    async def _upload(self, request: web.Request) -> web.Response:
        data = await request.read()
        if self.refusing is not None:
            return web.Response(status=self.refusing)
        path = self.store(data)
        return web.json_response(
            {"url": f"https://{self.address}{path}", "direct_path": path, "handle": "", "object_id": ""}
        )
