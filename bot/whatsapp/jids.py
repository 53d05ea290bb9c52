"""WhatsApp's addresses (JIDs). A chat is written ``user@server``; the device part is never kept."""

from __future__ import annotations

from typing import Any

from config.phone import normalise_phone
from store.customers import Address

PHONES = "s.whatsapp.net"  # the user part is a phone number
LIDS = "lid"  # the user part is a number that hides the phone's
GROUPS = "g.us"
BROADCASTS = "broadcast"  # status posts, and lists that people are written to by
# Where one person writes to one shop.
PRIVATE = frozenset((PHONES, LIDS))


def written(jid: Any) -> str:
    """The JID as ``user@server``, without its device part."""
    return f"{jid.User}@{jid.Server}"


def is_known(jid: Any) -> bool:
    """Whether an optional JID was filled in: neonize always sets the field and marks an empty one."""
    return bool(jid.User) and not jid.IsEmpty


def addresses(*jids: Any) -> tuple[Address, ...]:
    """The filled-in private addresses among them, in this order, each once."""
    known = (Address(jid.Server, jid.User) for jid in jids if is_known(jid) and jid.Server in PRIVATE)
    return tuple(dict.fromkeys(known))


def room(setting: str | None) -> str | None:
    """RUANG_ADMIN as a chat: a group's or a person's address, or a phone number. None when it is neither."""
    if setting is None:
        return None
    if "@" in setting:
        user, server = split(setting)
        return f"{user}@{server}"
    number = normalise_phone(setting) or "".join(char for char in setting if char.isdigit())
    return f"{number}@{PHONES}" if number else None


def split(chat: str) -> tuple[str, str]:
    """User and server of a written JID. Raises ValueError for anything else."""
    user, at, server = chat.rpartition("@")
    if not (user and at and server):
        raise ValueError(f"{chat!r} is no WhatsApp address (user@server)")
    return user, server
