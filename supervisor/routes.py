"""Where an alert goes: Telegram at once; Starsender and the owner's room as rows of the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import aiohttp
import structlog
from sqlalchemy import Connection

from config.operation import AlertSettings
from config.settings import Settings
from store import handoffs, outbox, rooms
from store.doors import Store
from store.errors import StoreError
from store.outbox import NewMessage, Purpose
from store.rooms import RoomAddress
from supervisor.messages import without_marks

log = structlog.get_logger(__name__)

TIMEOUT_S = 15.0
# Telegram's own limit of a message is 4096 characters.
_MOST_CHARS = 3500
STARSENDER = "starsender"
_WHATSAPP = "whatsapp"


class Route(Protocol):
    """A way to reach the owner."""

    name: str
    needs_whatsapp: bool  # it goes by the shop's own WhatsApp, which may be what is down
    needs_store: bool  # it is a row of the database, which may be what is down

    async def send(self, text: str) -> bool:
        """Whether the message was taken. Never raises."""
        ...


class Telegram:
    """A Telegram bot of the owner's. Source: core.telegram.org/bots/api, sendMessage."""

    name = "telegram"
    needs_whatsapp = False
    needs_store = False

    def __init__(self, settings: AlertSettings, session: aiohttp.ClientSession) -> None:
        assert settings.telegram_token is not None
        self._url = f"{settings.telegram_url}/bot{settings.telegram_token.reveal()}/sendMessage"
        self._chat = settings.telegram_chat
        self._session = session

    async def send(self, text: str) -> bool:
        body = {
            "chat_id": self._chat,
            "text": without_marks(text)[:_MOST_CHARS],
            # A preview would open the one-time link before the owner does.
            "link_preview_options": {"is_disabled": True},
        }
        try:
            async with asyncio.timeout(TIMEOUT_S), self._session.post(self._url, json=body) as answer:
                if answer.status == 200:
                    return True
                # 401: the token; 400 and 403: the chat; 429 and 5xx: later. The owner can read it in the log.
                log.warning("telegram_refused", status=answer.status, reason=(await answer.text())[:200])
        except (aiohttp.ClientError, TimeoutError) as exc:
            # The error's text holds the address, and that the token.
            log.warning("telegram_unreachable", reason=type(exc).__name__)
        return False


class Starsender:
    """A row for Starsender, which writes to a person's own number from another one than the shop's."""

    name = STARSENDER
    needs_whatsapp = False
    needs_store = True

    def __init__(self, store: Store, *, account: str, number: str) -> None:
        self._store = store
        self._account, self._number = account, number

    async def send(self, text: str) -> bool:
        message = NewMessage(
            account=self._account,
            transport=STARSENDER,
            chat=self._number,
            body=text,
            purpose=Purpose.NOTICE,
        )

        def add(connection: Connection) -> bool:
            outbox.add(connection, message)
            return True

        return await _written(self._store, self.name, add)


class Room:
    """A row for the bot's own WhatsApp, into the owner's room."""

    name = "room"
    needs_whatsapp = True
    needs_store = True

    def __init__(self, store: Store, *, account: str, configured: str) -> None:
        self._store = store
        # Before its first start the bot has told nobody where the room is.
        self._otherwise = RoomAddress(account=account, transport=_WHATSAPP, chat=configured)

    async def send(self, text: str) -> bool:
        def add(connection: Connection) -> bool:
            room = rooms.of_account(connection, self._otherwise.account) or self._otherwise
            told = rooms.tell(connection, room, text, kind=handoffs.ALERT)
            return told is not None

        return await _written(self._store, self.name, add)


async def _written(store: Store, route: str, add: Callable[[Connection], bool]) -> bool:
    try:
        return await store.write(add)
    except StoreError as exc:
        log.warning("alert_not_queued", route=route, reason=str(exc))
        return False


def without_store(settings: Settings, session: aiohttp.ClientSession) -> list[Route]:
    """Those of them that go on when the database does not, or is not there yet."""
    return [] if settings.alerts.telegram_token is None else [Telegram(settings.alerts, session)]


def routes(settings: Settings, store: Store, session: aiohttp.ClientSession) -> list[Route]:
    """The ways that the settings name, the surest first; WhatsApp itself is the last."""
    found = without_store(settings, session)
    account = settings.account
    if settings.alerts.number is not None and settings.billing.starsender_key is not None:
        found.append(Starsender(store, account=account, number=settings.alerts.number))
    if settings.bot.admin_room is not None:
        found.append(Room(store, account=account, configured=settings.bot.admin_room))
    return found
