"""Midtrans behind four questions: make a link, make a QRIS picture, how does it stand, call it off.

Over the official client, which blocks, waits for ever and makes a connection for each call: here it runs in
threads, with time-outs, and connections are kept. Its ``notification()`` is not used, for it checks no
signature and asks about an id that a stranger chose.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

from billing.errors import (
    BillingError,
    MidtransMisconfigured,
    MidtransRefused,
    MidtransUnavailable,
    MidtransUncertain,
)
from billing.payloads import link_request, qris_request
from billing.report import Report
from config.billing import BillingSettings
from config.environment import is_loopback
from store.attempts import Attempt
from store.attempts import Channel as Way
from store.orders import Line

T = TypeVar("T")

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
# The time-outs above are between two bytes; a service that drips is given up after this.
CALL_TIMEOUT_S = 30.0
IN_FLIGHT = 8
_MOST_REASON_CHARS = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What the customer is given: a page's address, or that of a QRIS picture (``token``: its content)."""

    url: str
    token: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Buyer:
    """What Midtrans's page shows of the customer."""

    name: str | None = None
    number: str | None = None


class Midtrans:
    """The adapter. Every method raises ``billing.errors`` only; ``MidtransMisconfigured`` without a key."""

    def __init__(self, settings: BillingSettings) -> None:
        self._settings = settings
        self._timeouts = (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
        self._call_timeout_s = CALL_TIMEOUT_S
        self._free = asyncio.Semaphore(IN_FLIGHT)
        self._clients: tuple[Any, Any] | None = None
        self._http: list[_Connections] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for connections in self._http:
            connections.close()

    async def make_link(self, attempt: Attempt, lines: Sequence[Line], buyer: Buyer) -> Link:
        """A page on which the attempt can be paid, or for ``Channel.QRIS`` a picture to scan.

        ``MidtransUncertain`` means that it may exist and nobody knows its address: the attempt's id is used.
        """
        if attempt.channel is Way.QRIS:
            return await self._make_picture(attempt, lines, buyer)
        body = link_request(attempt, lines, name=buyer.name, number=buyer.number, now=datetime.now(UTC))
        answer = await self._call(lambda snap, core: snap.create_transaction(body), repeatable=False)
        return _link(answer, url=answer.get("redirect_url"), token=answer.get("token"))

    async def status(self, attempt_id: str) -> Report | None:
        """How the attempt stands; None as long as its customer has picked no method.

        Raises ``MalformedReport`` for an answer that is no report.
        """
        try:
            answer = await self._call(
                lambda snap, core: core.transactions.status(attempt_id), repeatable=True
            )
        except _NotFound:
            return None
        return Report.from_json(answer)

    async def call_off(self, attempt: Attempt) -> None:
        """Nobody shall pay by it any more; what Midtrans can no longer call off is left as it is.

        A payment that was made meanwhile wins: ask ``status`` afterwards.
        """
        if attempt.channel is Way.SNAP and attempt.token is not None:
            await self._try(lambda snap, core: _cancel_page(snap, attempt.token or ""))
        await self._try(lambda snap, core: core.transactions.cancel(attempt.id))

    async def _make_picture(self, attempt: Attempt, lines: Sequence[Line], buyer: Buyer) -> Link:
        body = qris_request(attempt, lines, name=buyer.name, number=buyer.number, now=datetime.now(UTC))
        answer = await self._call(lambda snap, core: core.charge(body), repeatable=False)
        actions = answer.get("actions")
        urls = [
            action.get("url")
            for action in (actions if isinstance(actions, list) else [])
            if isinstance(action, dict) and action.get("name") == "generate-qr-code"
        ]
        return _link(answer, url=urls[0] if urls else None, token=answer.get("qr_string"))

    async def _try(self, call: Callable[[Any, Any], Any]) -> None:
        try:
            await self._call(call, repeatable=True)
        except (_NotFound, MidtransRefused):
            # There is nothing to call off, or it is over by now.
            return

    async def _call(self, call: Callable[[Any, Any], Any], *, repeatable: bool) -> dict[str, Any]:
        """The answer's JSON object. ``repeatable``: doing it twice does no harm."""
        snap, core = self._open()

        def work() -> dict[str, Any]:
            try:
                answer = call(snap, core)
            except Exception as exc:
                raise translate(exc, repeatable=repeatable) from exc
            if not isinstance(answer, dict):
                raise _unreadable(repeatable)
            return answer

        await self._free.acquire()
        done = _in_daemon_thread(work, ended=self._free.release)
        try:
            async with asyncio.timeout(self._call_timeout_s):
                return await done
        except TimeoutError as exc:
            kind = MidtransUnavailable if repeatable else MidtransUncertain
            raise kind(f"Midtrans did not answer within {self._call_timeout_s:.0f} s") from exc

    def _open(self) -> tuple[Any, Any]:
        """Snap and Core API of the library, made at the first call: it is a heavy import."""
        if self._clients is None:
            if self._settings.server_key is None:
                raise MidtransMisconfigured(
                    "there is no MIDTRANS_SERVER_KEY: write the key of Midtrans's dashboard"
                )
            import midtransclient

            # Fresh headers each: the library's default is one dictionary that all its objects share.
            options = {
                "is_production": self._settings.production,
                "server_key": self._settings.server_key.reveal(),
                "client_key": self._settings.client_key or "",
            }
            snap = midtransclient.Snap(**options, custom_headers={}, proxies={})
            core = midtransclient.CoreApi(**options, custom_headers={}, proxies={})
            world = "PRODUCTION" if self._settings.production else "SANDBOX"
            for client, name, url in (
                (snap, f"SNAP_{world}_BASE_URL", self._settings.snap_url),
                (core, f"CORE_{world}_BASE_URL", self._settings.api_url),
            ):
                if url is not None:
                    # On the instance: the class is shared by all of the process.
                    setattr(client.api_config, name, url)
                connections = _Connections(
                    self._timeouts,
                    on_this_machine=url is not None and is_loopback(urlsplit(url).hostname or ""),
                )
                self._http.append(connections)
                client.http_client.http_client = connections
            self._clients = (snap, core)
        return self._clients


class _NotFound(MidtransRefused):
    """Midtrans knows no such transaction (yet)."""


class _Connections:
    """Stands where the library expects the module ``requests``: time-outs, and connections that are kept."""

    def __init__(self, timeouts: tuple[float, float], *, on_this_machine: bool) -> None:
        self._timeouts = timeouts
        self._on_this_machine = on_this_machine
        # A session serves one thread at a time; a list's append and pop are atomic.
        self._idle: list[Any] = []

    def request(self, method: str, url: str, **options: Any) -> Any:
        """One request; redirects are not followed, for they would take the key along."""
        session = self._idle.pop() if self._idle else self._new()
        answer = session.request(
            method, url, **{**options, "timeout": self._timeouts, "allow_redirects": False}
        )
        # After an error the session is dropped with its connection.
        self._idle.append(session)
        return answer

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _new(self) -> Any:
        import requests

        session = requests.Session()
        # A proxy of this machine has nothing to do with a stand-in on it.
        session.trust_env = not self._on_this_machine
        return session


def translate(exc: Exception, *, repeatable: bool) -> BillingError:
    """Our error for whatever the library or ``requests`` raised; none repeats what a customer entered."""
    import requests
    from midtransclient import JSONDecodeError, MidtransAPIError

    lost: type[MidtransUnavailable] = MidtransUnavailable if repeatable else MidtransUncertain
    if isinstance(exc, MidtransAPIError):
        return _of_answer(exc, lost)
    if isinstance(
        exc, requests.ConnectTimeout | requests.exceptions.ProxyError | requests.exceptions.SSLError
    ):
        return MidtransUnavailable("Midtrans cannot be reached")
    if isinstance(exc, requests.ConnectionError):
        # Refused or without an address: nothing was sent. Anything else may have cut a request that was.
        unsent = any(word in repr(exc) for word in ("NewConnectionError", "NameResolutionError"))
        return MidtransUnavailable("Midtrans cannot be reached") if unsent else lost("the connection broke")
    if isinstance(exc, requests.Timeout):
        return lost("Midtrans did not answer in time")
    if isinstance(exc, JSONDecodeError | requests.RequestException):
        return _unreadable(repeatable)
    # The library stumbles over JSON that is no object, or a code that is no number.
    return _unreadable(repeatable)


def _of_answer(exc: Any, lost: type[MidtransUnavailable]) -> BillingError:
    answer = exc.api_response_dict if isinstance(exc.api_response_dict, dict) else {}
    code = exc.http_status_code
    if code < 400:
        # The Core API answers HTTP 200 and writes its own code into the body.
        code = int(answer["status_code"])
    if code == 404:
        return _NotFound("Midtrans knows no such transaction")
    if code == 401:
        return MidtransMisconfigured(
            "Midtrans does not know MIDTRANS_SERVER_KEY (401): copy the server key (not the client key) from "
            "Settings > Access Keys of the dashboard, and compare MIDTRANS_PRODUCTION: true asks production, "
            "false the sandbox, and each knows only its own keys"
        )
    if code == 429:
        return MidtransUnavailable("Midtrans asks for fewer requests (429)")
    if code >= 500:
        return lost(f"Midtrans has a fault of its own ({code})")
    messages = (
        answer.get("error_messages") or answer.get("validation_messages") or answer.get("status_message")
    )
    listed = messages if isinstance(messages, list) else [messages or "no reason given"]
    reason = "; ".join(str(message) for message in listed)[:_MOST_REASON_CHARS]
    return MidtransRefused(f"Midtrans refuses it ({code}): {reason}")


def _unreadable(repeatable: bool) -> MidtransUnavailable:
    kind = MidtransUnavailable if repeatable else MidtransUncertain
    return kind("Midtrans answers with something that is none of its answers")


def _link(answer: dict[str, Any], *, url: object, token: object) -> Link:
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        raise MidtransUncertain("Midtrans made a payment and did not say where")
    return Link(url=url, token=token if isinstance(token, str) else None)


def _cancel_page(snap: Any, token: str) -> Any:
    """The one call that the library has no method for."""
    config = snap.api_config
    answer, _ = snap.http_client.request(
        "post",
        config.server_key,
        f"{config.get_snap_base_url()}/transactions/{token}/cancel",
        {},
        config.custom_headers,
        config.proxies,
    )
    return answer


def _in_daemon_thread(work: Callable[[], T], *, ended: Callable[[], None]) -> asyncio.Future[T]:
    """The result of ``work`` in a thread that never keeps the process from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        ended()
        if done.done():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type] # None only when T is
        else:
            done.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as exc:  # noqa: BLE001 - handed to whoever waits.
            error = exc
        try:
            loop.call_soon_threadsafe(settle, result, error)
        except RuntimeError:
            # The loop was closed meanwhile; nobody waits any more.
            return

    threading.Thread(target=run, name="midtrans", daemon=True).start()
    return done
