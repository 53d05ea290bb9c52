"""The first run: after the pairing nobody is answered, and the owner is told how to begin.

Without a room in the settings the bot writes to the shop's own chat with itself, for that is where the owner
looks now, and names a code: typed once in a group, it makes that group his room.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import Connection

from bot import modes
from bot.channel import Channel
from bot.people import People
from config.settings import Mode
from config.wording import Wording
from store import handoffs, meta, rooms
from store.doors import Store

log = structlog.get_logger(__name__)

CODE_WORD = "ruang"
# The kind of an inbox row that holds such a message.
ROOM_CODE = "room_code"
_CODE_DIGITS = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstRun:
    """Finds the owner, and greets him once."""

    store: Store
    channel: Channel
    people: People
    wording: Wording
    configured_mode: Mode
    from_settings: bool  # the settings name the room, so nothing that is typed moves it

    async def greet(self) -> None:
        """Once the network is there, and once in a shop's life: tell the owner how to begin."""
        account = self.people.room.account
        await self.channel.reachable()
        if not await self.store.read(self._is_due):
            return
        own = await self.channel.own_chat()
        await self.store.write(lambda c: self._greet(c, own))
        if not self.from_settings:
            self._listen_for(await self.store.read(lambda c: room_code(c, account)))

    def _is_due(self, connection: Connection) -> bool:
        account = self.people.room.account
        mode = modes.current(connection, account, configured=self.configured_mode)
        return mode is Mode.NEW and meta.get(connection, _greeted(account)) is None

    def _greet(self, connection: Connection, own: str | None) -> None:
        account, say = self.people.room.account, self.wording.say
        if self.people.room.chat is None and own is not None:
            meta.put(connection, _named(account), own)
            move(self.channel, self.people, own)
            rooms.announce(connection, self.people.room)
        how = ""
        if not self.from_settings:
            code = new_code(connection, account)
            how = say("admin_buat_ruang", kode=f"{CODE_WORD} {code}")
        self.people.notify(connection, say("admin_selamat_datang", ruang=how), kind=handoffs.ALERT)
        meta.put(connection, _greeted(account), "1")

    def _listen_for(self, code: str | None) -> None:
        self.channel.traits = replace(self.channel.traits, room_code=code)


async def recall(store: Store, channel: Channel, account: str) -> None:
    """Before the channel starts: the room that was named in an earlier process, if the settings name none.

    What was written there meanwhile comes with the first connection, and would pass for a strange group's.
    """
    if channel.traits.admin_room is not None:
        return
    named, code = await store.read(lambda c: (named_room(c, account), room_code(c, account)))
    channel.traits = replace(channel.traits, admin_room=named, room_by_word=True, room_code=code)


def move(channel: Channel, people: People, chat: str) -> None:
    """From now on this chat is the owner's room."""
    people.room = replace(people.room, chat=chat)
    channel.traits = replace(channel.traits, admin_room=chat, room_by_word=True)


def mover(channel: Channel, people: People) -> Callable[[Connection, str], None]:
    """What a group's code does: name the room for this and every later process. The code is used up."""

    def claim(connection: Connection, chat: str) -> None:
        account = people.room.account
        meta.put(connection, _named(account), chat)
        meta.put(connection, _code(account), "")
        move(channel, people, chat)
        rooms.announce(connection, people.room)
        channel.traits = replace(channel.traits, room_code=None)
        log.info("room_named")

    return claim


def named_room(connection: Connection, account: str) -> str | None:
    """The chat that became the room by its code, or the shop's own."""
    return meta.get(connection, _named(account))


def room_code(connection: Connection, account: str) -> str | None:
    """The code that makes a group the owner's room; None when there is none to be typed."""
    return meta.get(connection, _code(account)) or None


def new_code(connection: Connection, account: str) -> str:
    """A code to be typed once. Whoever knows it may name the room, so nobody can guess it."""
    code = "".join(secrets.choice("0123456789") for _ in range(_CODE_DIGITS))
    meta.put(connection, _code(account), code)
    return code


def is_code(text: str, code: str | None) -> bool:
    """Whether a group's message is the code and nothing else."""
    return code is not None and " ".join(text.lower().split()) == f"{CODE_WORD} {code}"


def _named(account: str) -> str:
    return f"room_named:{account}"


def _code(account: str) -> str:
    return f"room_code:{account}"


def _greeted(account: str) -> str:
    return f"room_greeted:{account}"
