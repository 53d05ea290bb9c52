"""Who is answered at all: everybody, only numbers that the shop's phone has not saved, only those listed.

It is decided once, at somebody's first message after the shop began to answer, however he came to be known
before: the phone told of his chat, or the owner wrote to him. Whoever is left out gets a chat that is
switched off, marked as such, so that *lanjut* lets one of them in and a wider choice all of them.
"""

from __future__ import annotations

from sqlalchemy import Connection

from config.settings import Audience
from store import customers, meta

# What stood in the settings when the customers were last gone through.
_SETTLED, _CHOSEN = "audience_settled", "audience"


def current(connection: Connection, account: str, *, configured: Audience) -> Audience:
    """The owner's word in his room, or the setting until he says one."""
    chosen = meta.get(connection, f"{_CHOSEN}:{account}")
    return configured if chosen is None else Audience(chosen)


def choose(connection: Connection, account: str, audience: Audience) -> None:
    """From now on, and for those who wrote before."""
    meta.put(connection, f"{_CHOSEN}:{account}", audience.value)
    _settle(connection, account, audience)


def settle(connection: Connection, account: str, *, configured: Audience) -> None:
    """At a start: a changed setting counts for those who wrote before as well."""
    _settle(connection, account, current(connection, account, configured=configured))


def _settle(connection: Connection, account: str, audience: Audience) -> None:
    if (meta.get(connection, f"{_SETTLED}:{account}") or Audience.ALL.value) == audience.value:
        return
    if audience is Audience.LISTED:
        customers.leave_out_all(connection, account)
    else:
        # Each of them is looked at once more when he writes.
        customers.let_in_all(connection, account)
    meta.put(connection, f"{_SETTLED}:{account}", audience.value)


def admits(audience: Audience, *, saved: bool) -> bool:
    """Whether somebody about whom it was not decided yet is answered."""
    match audience:
        case Audience.ALL:
            return True
        case Audience.NEW_NUMBERS:
            return not saved
        case Audience.LISTED:
            return False
